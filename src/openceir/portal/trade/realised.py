"""Declared against realised: of what was declared, what customs let in, what was sold, what nobody can read any more.

Numbers that are declared and never sold fill a register and hide copies; the regulator sees them by company and by type,
and how long they have been lying.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Q, Sum

from openceir.portal import moment
from openceir.portal.accounts.models import Act
from openceir.portal.customs.models import Consignment
from openceir.portal.register import register
from openceir.portal.trade.models import Batch, Unit

__all__ = ["RealisedBatch", "RealisedType", "realised_batches", "realised_types"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RealisedBatch:
    """One consignment."""

    office: str
    consignment: str
    declared_on: date
    state: str
    declared: int
    released: int | None  # by customs under the same number; None: customs know no consignment of this number
    sold: int
    lost: int
    is_old: bool  # accepted for longer than policy says, and not sold

    @property
    def left(self) -> int:
        """Neither sold nor lost."""
        return self.declared - self.sold - self.lost


@dataclass(frozen=True, slots=True, kw_only=True)
class RealisedType:
    """One type of one company. What is lost cannot be told by type: nobody can read it."""

    office: str
    tac: str
    declared: int
    sold: int

    @property
    def share(self) -> float:
        """Of what was declared, how much was sold, in percent."""
        return 100 * self.sold / self.declared if self.declared else 0.0


def realised_batches(office: str | None = None) -> list[RealisedBatch]:
    """The consignments of one company or of all, the newest first; those that were not accepted too."""
    now = moment.now()
    before = now - timedelta(days=int(register().policy.value("trade.unsold_days", now.date())))
    rows = _batches(office).annotate(
        sold=Count("units", filter=Q(units__sold_at__isnull=False)),
        lost=Count("units", filter=Q(units__lost_at__isnull=False)),
    )
    released = _released(row.consignment for row in rows)
    return [
        RealisedBatch(
            office=row.office, consignment=row.consignment, declared_on=row.opened_at.date(), declared=row.declared,
            state=str(row.get_state_display()), released=released.get(row.consignment), sold=row.sold, lost=row.lost,
            is_old=bool(
                row.state == Batch.State.ACCEPTED and row.decided_at is not None and row.decided_at < before
                and row.sold + row.lost < row.declared
            ),
        )
        for row in rows
    ]  # fmt: skip


def realised_types(office: str | None = None) -> list[RealisedType]:
    """The types of one company or of all, by what was accepted of them, ascending."""
    declared: dict[tuple[str, str], int] = {}
    for batch in _batches(office).filter(state=Batch.State.ACCEPTED):
        for tac, count in batch.per_tac.items():
            declared[(batch.office, tac)] = declared.get((batch.office, tac), 0) + count
    units = Unit.objects.exclude(sold_tac="")
    if office is not None:
        units = units.filter(office=office)
    sold = {
        (row["office"], row["sold_tac"]): row["n"]
        for row in units.values("office", "sold_tac").annotate(n=Count("pk")).order_by()
    }
    return [
        RealisedType(office=of, tac=tac, declared=count, sold=sold.get((of, tac), 0))
        for (of, tac), count in sorted(declared.items())
    ]


def _batches(office: str | None) -> Any:
    return Batch.objects.all() if office is None else Batch.objects.filter(office=office)


def _released(numbers: Iterable[str]) -> dict[str, int]:
    """By consignment number, how many devices customs released of it."""
    known = dict(Consignment.objects.filter(number__in=list(numbers)).values_list("pk", "number"))
    released = dict.fromkeys(known.values(), 0)
    acts = Act.objects.filter(verb="customs.release", subject__in=[f"consignment-{pk}" for pk in known])
    for row in acts.values("subject").annotate(n=Sum("count")).order_by():
        released[known[int(row["subject"].removeprefix("consignment-"))]] += row["n"]
    return released
