"""What the worker does for citizens."""

from datetime import datetime, timedelta

from django.conf import settings

from openceir.portal.citizens.figures import count_figures
from openceir.portal.citizens.models import SentForm
from openceir.portal.citizens.watching import tell_of_changes, warn_before_blocks
from openceir.portal.citizens.work import forget_spent
from openceir.portal.clockwork import every
from openceir.portal.fast_check import INDEX_NAME, compile_index, is_worth_compiling
from openceir.portal.register import register

__all__: list[str] = []


@every(seconds=15, name="citizens.compile-checks")
def _compile(now: datetime) -> None:
    book, path = register(), settings.OPENCEIR_HOME / "portal" / INDEX_NAME
    if is_worth_compiling(book, path, now):
        compile_index(book, path, now)


@every(seconds=60, name="citizens.tell-of-changes")
def _changes(now: datetime) -> None:
    tell_of_changes(now)


@every(seconds=3600, name="citizens.warn-before-blocks")
def _warnings(now: datetime) -> None:
    warn_before_blocks(now)


@every(seconds=3600, name="citizens.figures")
def _figures(now: datetime) -> None:
    count_figures(now)


@every(seconds=3600, name="citizens.forget-spent-work")
def _spent(now: datetime) -> None:
    forget_spent(now)


@every(seconds=3600, name="citizens.forget-sent-forms")
def _sent(now: datetime) -> None:
    SentForm.objects.filter(at__lt=now - timedelta(days=2)).delete()
