"""Figures that everybody may see. Counted by the worker once an hour, never while somebody waits."""

from dataclasses import dataclass
from datetime import datetime
from statistics import median

from django.db.models import Count
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from openceir.portal import moment
from openceir.portal.cases.models import Case, Event
from openceir.portal.citizens.models import PublicFigure
from openceir.portal.citizens.reports import VERIFIED
from openceir.portal.register import register
from openceir.status import ClaimKind, Status

__all__ = ["Figures", "count_figures", "public_figures"]

_TEXTS = {
    "devices_blocked": _("Devices blocked now"),
    "devices_watched": _("Devices watched now"),
    "devices_stolen": _("Of these, reported stolen"),
    "devices_lost": _("Of these, reported lost"),
    "reports": _("Reports received here"),
    "reports_verified": _("Reports verified by the police"),
    "reports_recovered": _("Phones back with their owners"),
    "hours_to_block": _("Hours from a report to the block, half of all are quicker"),
    "appeals": _("Appeals filed"),
    "appeals_granted": _("Appeals granted"),
    "appeals_late": _("Appeals not decided in time, so that the phone worked again"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure."""

    name: str
    text: str | Promise
    value: int


@dataclass(frozen=True, slots=True)
class Figures:
    """All of them, as they were at an instant."""

    at: datetime
    figures: list[Figure]


def public_figures() -> Figures:
    """What was counted last; counted now when it never was."""
    kept = {one.name: one for one in PublicFigure.objects.all()}
    if not kept:
        count_figures(moment.now())
        kept = {one.name: one for one in PublicFigure.objects.all()}
    return Figures(
        min(one.at for one in kept.values()),
        [Figure(name, text, kept[name].value) for name, text in _TEXTS.items() if name in kept],
    )


def count_figures(now: datetime) -> None:
    """Count devices (each number singly named once; ranges are not counted) and cases."""
    columns = register().claims.statuses(now)
    blocked = columns.where(Status.BLOCKED)
    bits = {
        kind: sum(1 << place for place, (name, _label) in enumerate(columns.names) if name is kind)
        for kind in (ClaimKind.STOLEN, ClaimKind.LOST)
    }

    def resting_on(kind: ClaimKind) -> int:
        return int(((columns.reasons[blocked] & bits[kind]) != 0).sum())

    states = {
        (kind, state): count
        for kind, state, count in Case.objects.values_list("kind", "state").annotate(all=Count("pk")).order_by()
    }

    def cases(kinds: set[str], wanted: set[str] | None = None) -> int:
        return sum(
            count for (kind, state), count in states.items() if kind in kinds and (wanted is None or state in wanted)
        )

    reports = {"theft", "loss"}
    waits = [
        (event.at - event.case.opened_at).total_seconds() / 3600
        for event in Event.objects.filter(kind="verify", case__kind__in=reports).select_related("case")[:10_000]
    ]
    counted = {
        "devices_blocked": int(blocked.sum()),
        "devices_watched": int(columns.where(Status.TRACKED).sum()),
        "devices_stolen": resting_on(ClaimKind.STOLEN),
        "devices_lost": resting_on(ClaimKind.LOST),
        "reports": cases(reports),
        "reports_verified": cases(reports, {*VERIFIED, "recovered"}),
        "reports_recovered": cases(reports, {"recovered"}),
        "appeals": cases({"appeal"}),
        "appeals_granted": cases({"appeal"}, {"granted"}),
        "appeals_late": Event.objects.filter(kind="restore", case__kind="appeal").count(),
    }
    if waits:
        counted["hours_to_block"] = round(median(waits))
    for name, value in counted.items():
        PublicFigure.objects.update_or_create(name=name, defaults={"value": value, "at": now})
