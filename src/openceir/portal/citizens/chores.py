"""What the worker does for citizens."""

from datetime import datetime

from django.conf import settings

from openceir.portal.clockwork import every
from openceir.portal.fast_check import INDEX_NAME, compile_index, is_worth_compiling
from openceir.portal.register import register

__all__: list[str] = []


@every(seconds=15, name="citizens.compile-checks")
def _compile(now: datetime) -> None:
    book, path = register(), settings.OPENCEIR_HOME / "portal" / INDEX_NAME
    if is_worth_compiling(book, path, now):
        compile_index(book, path, now)
