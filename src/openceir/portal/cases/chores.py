"""What the worker does for cases."""

from datetime import datetime

from openceir.portal.cases.deadlines import keep_deadlines
from openceir.portal.cases.evidence import erase_old, sweep
from openceir.portal.cases.notices import send_due
from openceir.portal.clockwork import every

__all__: list[str] = []


@every(seconds=30, name="cases.deadlines")
def _deadlines(now: datetime) -> None:
    keep_deadlines(now)


@every(seconds=5, name="cases.notices")
def _notices(now: datetime) -> None:
    send_due(now)


@every(seconds=3600, name="cases.sweep-evidence")
def _sweep(now: datetime) -> None:
    sweep()


@every(seconds=3600, name="cases.erase-old")
def _erase(now: datetime) -> None:
    erase_old(now)
