"""Many devices at once, from a list of stolen phones: rows that cannot be read are told, the rest waits for a second person."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from openceir.portal import moment
from openceir.portal.accounts.acts import Actor, state
from openceir.portal.accounts.approvals import approvable, propose
from openceir.portal.accounts.models import Proposal
from openceir.portal.citizens.numbers import canonical_imei
from openceir.portal.police.rules import APPROVE_BULK
from openceir.portal.site.tables import Upload, read_table
from openceir.statements import DeviceSet, DeviceStolen

__all__ = ["BulkRead", "propose_bulk", "read_bulk"]


@dataclass(frozen=True, slots=True)
class BulkRead:
    """What an uploaded list holds: devices by day and case number, and the lines that were set aside, with why."""

    groups: dict[tuple[str, str], list[str]]
    refused: list[tuple[int, str]]

    @property
    def count(self) -> int:
        """How many devices."""
        return sum(len(devices) for devices in self.groups.values())


def read_bulk(upload: Upload) -> BulkRead:
    """The list: columns imei, stolen_on (2027-03-01) and case_number. Raises: TableRefused."""
    groups: dict[tuple[str, str], list[str]] = {}
    refused: list[tuple[int, str]] = []
    known: set[str] = set()
    for row in read_table(upload, needs=("imei", "stolen_on", "case_number"), most_rows=10_000):
        device, why = _device(row.cells["imei"])
        on = row.cells["stolen_on"]
        if not why and not _is_day(on):
            why = _("the day is not written like 2027-03-01, or is to come")
        if not why and not 1 <= len(row.cells["case_number"]) <= 60:
            why = _("the case number is missing or longer than 60 characters")
        if not why and device in known:
            why = _("the device stands in the list already")
        if why:
            refused.append((row.line, why))
        else:
            known.add(device)
            groups.setdefault((on, row.cells["case_number"]), []).append(device)
    return BulkRead(groups, refused)


def propose_bulk(actor: Actor, read: BulkRead, *, reason: str) -> Proposal:
    """Put the devices of a list before a supervisor."""
    payload: dict[str, Any] = {
        "groups": [[on, number, devices] for (on, number), devices in sorted(read.groups.items())]
    }
    return propose(
        actor,
        _BULK,
        payload=payload,
        reason=reason,
        summary=_("block %(count)d stolen devices") % {"count": read.count},
    )


def _block(actor: Actor, proposal: Proposal) -> None:
    said = [
        DeviceStolen(
            devices=DeviceSet.of(devices),
            stolen_at=datetime.fromisoformat(on).replace(tzinfo=UTC),
            case_number=number,
        )
        for on, number, devices in proposal.payload["groups"]
    ]
    count = sum(len(devices) for _on, _number, devices in proposal.payload["groups"])
    state(actor, said, verb="police.block-in-bulk", reason=proposal.reason, count=count)


_BULK = approvable("police.bulk-block", approve=APPROVE_BULK, carry_out=_block)


def _device(text: str) -> tuple[str, str]:
    """The 14 digits of an IMEI as people write it, or why it is none."""
    try:
        return canonical_imei(text), ""
    except ValidationError as wrong:
        return "", wrong.messages[0]


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text) <= moment.today()
    except ValueError:
        return False
