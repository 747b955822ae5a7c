"""What the worker does for the regulator: the figures of the running month, and the last word on the one before it."""

from datetime import datetime, timedelta

from openceir.portal.clockwork import every
from openceir.portal.register import register
from openceir.portal.regulator import jobs
from openceir.portal.regulator.models import Job

__all__ = ["let_figures_be_made"]


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
