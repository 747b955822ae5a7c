"""How long cases waited for an office, against the hours that policy allows each kind.

A case waits for the office while its state is one of `_OFFICE_ACTS`. Its clock starts when it was opened, or when proof
of ownership came, without which nobody may act; it stands while the person is asked something. The first decision ends it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median, quantiles
from typing import Any

from django.db.models import Max, Q, QuerySet

from openceir.policy import PolicyError
from openceir.portal.cases.flow import FLOWS
from openceir.portal.cases.models import Case, Event
from openceir.portal.register import register

__all__ = ["Decided", "Wait", "allowed_hours", "decided_between", "overdue", "waits_of"]

_OFFICE_ACTS = (
    "received",
    "restored",
)  # `restored`: an appeal whose hours are over and that still waits for a decision
_NO_DECISIONS = frozenset({"withdraw", "restore", "take"})  # the person's and the clock's
_STARTS = Q(events__kind__in=("opened", "prove", "answer"))  # the last of these is since when the office can act
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Decided:
    """One case that an office decided, and how long it had the case."""

    kind: str
    office: str
    hours: float


@dataclass(frozen=True, slots=True)
class Wait:
    """What one office does with one kind of case. Units: hours."""

    kind: str
    office: str
    allowed_hours: float
    decided: int
    in_time: int
    median_hours: float | None
    hours_95: float | None
    waiting: int
    overdue: int


def allowed_hours(kind: str, now: datetime) -> float:
    """The hours that policy allows an office for a kind of case."""
    policy, on = register().policy, now.date()
    if kind == "appeal":
        return float(policy.value("portal.appeal_decided_within_hours", on))
    try:
        return float(policy.value(f"portal.decided_within_hours.{kind}", on))
    except PolicyError:
        return float(policy.value("portal.decided_within_hours.default", on))


def decided_between(since: datetime, until: datetime) -> list[Decided]:
    """The cases whose first decision fell in this time."""
    first: dict[int, datetime] = {}
    for kind in FLOWS:
        events = Event.objects.filter(case__kind=kind, kind__in=_decisions(kind), at__lt=until)
        for case, at in events.exclude(actor__in=("", "clock")).order_by("at").values_list("case", "at"):
            first.setdefault(case, at)
    mine = {case: at for case, at in first.items() if at >= since}
    found = []
    for some in _pieces(list(mine)):
        asked = _timelines(some)
        for case, kind, office, opened_at in Case.objects.filter(pk__in=some).values_list(
            "pk", "kind", "office", "opened_at"
        ):
            waited = _waited(opened_at, mine[case], asked.get(case, ()))
            found.append(Decided(kind, office, waited.total_seconds() / 3600))
    return found


def overdue(now: datetime) -> "QuerySet[Any]":
    """The cases that wait longer than policy allows, the oldest first; `since_at` is when the office could first act."""
    late = Q(pk__in=())
    for kind in FLOWS:
        late |= Q(kind=kind, since_at__lt=now - timedelta(hours=allowed_hours(kind, now)))
    return _waiting().filter(late).order_by("since_at")


def waits_of(decided: Iterable[Decided], now: datetime) -> list[Wait]:
    """One row for each kind and office that decided something or has something waiting."""
    hours: dict[tuple[str, str], list[float]] = defaultdict(list)
    for one in decided:
        hours[one.kind, one.office].append(one.hours)
    waiting: dict[tuple[str, str], int] = defaultdict(int)
    late: dict[tuple[str, str], int] = defaultdict(int)
    for kind in FLOWS:
        limit = now - timedelta(hours=allowed_hours(kind, now))
        for office, since_at in _waiting().filter(kind=kind).values_list("office", "since_at"):
            waiting[kind, office] += 1
            late[kind, office] += since_at < limit
    found = []
    for kind, office in sorted(hours.keys() | waiting.keys()):
        took, allowed = hours[kind, office], allowed_hours(kind, now)
        found.append(
            Wait(
                kind, office, allowed, len(took), sum(one <= allowed for one in took),
                round(median(took), 1) if took else None, _hours_95(took), waiting[kind, office], late[kind, office],
            )
        )  # fmt: skip
    return found


def _hours_95(took: Sequence[float]) -> float | None:
    if len(took) < 2:
        return round(took[0], 1) if took else None
    return round(quantiles(took, n=20, method="inclusive")[-1], 1)


def _decisions(kind: str) -> list[str]:
    """The moves by which an office decides a kind of case."""
    return [
        move.name
        for move in FLOWS[kind].moves
        if set(move.sources) & set(_OFFICE_ACTS)
        and move.target not in {*_OFFICE_ACTS, "asked"}
        and move.name not in _NO_DECISIONS
    ]


def _waiting() -> "QuerySet[Any]":
    """Cases that wait for an office. Once the person answered the clock of what still waits starts anew."""
    cases = Case.objects.filter(closed_at=None, state__in=_OFFICE_ACTS)
    return cases.annotate(since_at=Max("events__at", filter=_STARTS))


def _timelines(cases: Sequence[int]) -> dict[int, list[tuple[str, datetime]]]:
    """What started, stopped and resumed the clock of each case, in order."""
    found: dict[int, list[tuple[str, datetime]]] = defaultdict(list)
    events = Event.objects.filter(case__in=cases, kind__in=("prove", "ask", "answer")).order_by("at", "pk")
    for case, kind, at in events.values_list("case", "kind", "at"):
        found[case].append((kind, at))
    return found


def _waited(opened_at: datetime, decided_at: datetime, events: Iterable[tuple[str, datetime]]) -> timedelta:
    waited, running_since = timedelta(), opened_at
    stands = False
    for kind, at in events:
        if at > decided_at:
            break
        if kind == "prove":
            waited, running_since, stands = timedelta(), at, False
        elif kind == "ask" and not stands:
            waited, stands = waited + (at - running_since), True
        elif kind == "answer" and stands:
            running_since, stands = at, False
    return waited if stands else waited + (decided_at - running_since)


def _pieces(keys: list[int]) -> Iterable[list[int]]:
    return (keys[at : at + _AT_ONCE] for at in range(0, len(keys), _AT_ONCE))
