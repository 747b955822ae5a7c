"""What happens by the clock. An app names it once; the worker looks every minute.

    @on_deadline("appeal-undecided")
    def restore(case: Case, deadline: Deadline) -> None: ...

    case.due("appeal-undecided", at)

Each runs in a transaction with its mark "done", so a crash repeats it whole and nothing happens twice.
"""

import sys
import traceback
from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from openceir.portal.cases.models import Case, Deadline

__all__ = ["keep_deadlines", "on_deadline"]

Happens = Callable[[Case, Deadline], None]

_HAPPENS: dict[str, Happens] = {}


def on_deadline(kind: str) -> Callable[[Happens], Happens]:
    """Let a function be what happens when a deadline of this kind has come."""

    def register(happens: Happens) -> Happens:
        _HAPPENS[kind] = happens
        return happens

    return register


def keep_deadlines(now: datetime) -> int:
    """Do what is due; how many. One that fails is told on stderr and tried again next time; the others go on."""
    done = 0
    for pk in list(
        Deadline.objects.filter(done_at=None, due_at__lte=now).order_by("due_at").values_list("pk", flat=True)
    ):
        try:
            with transaction.atomic():
                deadline = Deadline.objects.select_for_update().get(pk=pk)
                if deadline.done_at is not None:
                    continue
                deadline.done_at = now
                deadline.save()
                _HAPPENS[deadline.kind](deadline.case, deadline)
                done += 1
        except Exception as fault:
            where = traceback.extract_tb(fault.__traceback__)[-1]
            print(f"openceir: deadline {pk}: {type(fault).__name__} at {where.name}:{where.lineno}", file=sys.stderr)
    return done
