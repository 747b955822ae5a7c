"""Work too long for a page: figures of a month, a replay, a simulation. The page asks, the worker does, the page shows."""

from django_tasks import task

from openceir.errors import OpenceirError
from openceir.portal import moment
from openceir.portal.register import register
from openceir.portal.regulator.desk_figures import make_desk_figures
from openceir.portal.regulator.models import Draft, Job

__all__ = ["ask", "do", "simulate"]


def ask(job: Job) -> Job:
    """Let the worker do this; a job of the same kind and subject that still waits is given instead."""
    waiting = Job.objects.filter(kind=job.kind, asked=job.asked, done_at=None).first()
    if waiting is not None:
        return waiting
    job.save()
    do.enqueue(job.pk)
    return job


@task()
def do(number: int) -> None:
    """Do a job; what it refuses with is kept for the page."""
    job = Job.objects.get(pk=number)
    try:
        job.outcome = _WORK[job.kind](job.asked)
    except OpenceirError as refused:
        job.failure = str(refused)
    job.done_at = moment.now()
    job.save()


def _figures(month: str) -> object:
    made = register().make_reports(month, at=moment.now())
    make_desk_figures(month)
    return {"reports": [one.operator for one in made]}


def _replay(run: str) -> object:
    replayed = register().replay(int(run))
    return {
        "is_same": replayed.is_same,
        "has_same_data": replayed.has_same_data,
        "digest": replayed.outcome_digest.hex(),
    }


_WORK = {"figures": _figures, "replay": _replay}


@task()
def simulate(number: int) -> None:
    """Find out what a draft would do to whom."""
    draft = Draft.objects.get(pk=number)
    now = moment.now()
    try:
        other = register().policy_with(draft.file, draft.text, now.date())
        draft.effects = [effect.summary() for effect in register().simulate_policy(other, at=now)]
    except OpenceirError as refused:
        draft.failure = str(refused)
    draft.save()
