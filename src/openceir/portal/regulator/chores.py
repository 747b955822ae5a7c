"""What the worker does for the regulator: the figures of the running month, and the last word on the one before
it; and what the register does by itself."""

import sys
import threading
from datetime import datetime, timedelta

from openceir.errors import OpenceirError
from openceir.portal.clockwork import every
from openceir.portal.register import in_turn, let_go, register
from openceir.portal.regulator import jobs
from openceir.portal.regulator.models import Job

__all__ = ["do_chores", "let_chores_be_done", "let_figures_be_made"]


@every(seconds=900, name="regulator.figures")
def let_figures_be_made(now: datetime) -> None:
    """Ask for what is older than policy allows. A month that ended is counted once more after its end, and then rests."""
    hours = float(register().policy.value("portal.figures_every_hours", now.date()))
    if hours <= 0:
        return
    begins_at = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    before, since = f"{begins_at - timedelta(days=1):%Y-%m}", now - timedelta(hours=hours)
    for month, oldest in ((f"{now:%Y-%m}", since), (before, begins_at)):
        kept = register().reports.find(month)
        made_at = datetime.fromisoformat(kept.made_at) if kept else None
        is_wanted = made_at < oldest if made_at else month != before  # of months before the first nobody asked
        if is_wanted and not Job.objects.filter(kind="figures", asked=month, asked_at__gt=since).exists():
            jobs.ask(Job(kind="figures", asked=month))


_doing = threading.Lock()


@every(seconds=60, name="regulator.register-chores")
def let_chores_be_done(now: datetime) -> None:
    """What the register does by itself, in a thread: the states of a whole country take minutes, and deadlines wait for nothing."""
    if register().policy.value("chores.by", now.date()) and not _doing.locked():
        threading.Thread(target=do_chores, args=(now,), name="chores").start()


def do_chores(now: datetime) -> None:
    """Do what is due, and say on stderr what came of it."""
    with _doing:
        try:
            for one in in_turn(lambda book: book.do_chores(at=now)):
                trouble = f"; trouble: {one.trouble}" if one.trouble else ""
                print(f"openceir: {one.name}: {one.count} done{trouble}", file=sys.stderr)
        except OpenceirError as refused:
            print(f"openceir: chores wait: {refused.code}", file=sys.stderr)
        finally:
            let_go()
