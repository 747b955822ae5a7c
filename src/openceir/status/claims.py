"""Turns one accepted statement into what it claims or ends. Pure: the same entry gives the same rows for ever."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np

from openceir.identity import subscriber_key
from openceir.ledger import LoggedStatement
from openceir.statements import (
    DeviceBlocked,
    DeviceBound,
    DeviceClassified,
    DeviceCloned,
    DeviceImported,
    DeviceLost,
    DevicePaired,
    DevicePermitted,
    DeviceRecovered,
    DeviceRegistered,
    DeviceSet,
    DeviceStolen,
    DeviceTracked,
    Disputed,
    Members,
    RangeAllocated,
    Role,
    Statement,
    StockDeclared,
    TypeApproved,
    Withdrawn,
)
from openceir.status.claim import Said, Spoken
from openceir.status.words import ClaimKind, StatusError

__all__ = ["AcceptedStatement", "accepted", "claims_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedStatement:
    """One entry of the log, with what the register knows of its issuer."""

    index: int
    leaf_hash: bytes
    issuer: str
    roles: frozenset[Role]  # the offices that the issuer held then
    logged_at: datetime
    statement: Statement | None  # None: its payload was erased
    nation: str = ""  # of the issuer; empty: of this register's own
    is_voter: bool = False  # its approvals count


def accepted(entry: LoggedStatement, members: Members, home: str = "") -> AcceptedStatement:
    """The entry with its issuer's offices when it was logged, so that a later change of offices changes no past answer.

    `home`: this register's nation, whose members' words are its own. A member struck off the list holds no office, and
    takes back only its own.
    """
    member = members.find(entry.header.issuer)
    return AcceptedStatement(
        nation="" if member is None or member.nation == home else member.nation,
        is_voter=member is not None and member.is_voter,
        index=entry.index,
        leaf_hash=entry.leaf_hash,
        issuer=entry.header.issuer,
        roles=member.roles_at(entry.logged_at) if member else frozenset(),
        logged_at=entry.logged_at,
        statement=entry.said,
    )


def claims_of(entry: AcceptedStatement) -> tuple[Spoken, ...]:
    """What the entry claims and ends; nothing when its payload was erased, or when it is public and names no device.

    Raises: StatusError for a kind of statement that this release does not know.
    """
    statement = entry.statement
    if statement is None or statement.is_public:
        return ()
    return tuple(_spoken(entry, statement, place, part) for place, part in enumerate(_parts(entry.index, statement)))


@dataclass(frozen=True, slots=True)
class _Part:
    """One claim or ending of a statement, before it is joined with what the log says of the statement."""

    kind: ClaimKind
    effective_at: datetime | date
    devices: DeviceSet
    more: dict[str, Any] = field(default_factory=dict)


def _parts(index: int, said: Statement) -> list[_Part]:
    """The table of docs/architecture.md §4, a line a kind."""
    more: dict[str, Any]
    match said:
        case RangeAllocated():
            return [_Part(ClaimKind.ALLOCATED, said.allocated_on, said.devices, {"note": f"{said.brand} {said.model}"})]
        case TypeApproved():
            return [_Part(ClaimKind.APPROVED, said.approved_on, said.devices, {"note": said.certificate_number})]
        case StockDeclared():
            return [_Part(ClaimKind.DECLARED, said.declared_on, said.devices, {"note": said.consignment})]
        case DeviceImported():
            return [_Part(ClaimKind.IMPORTED, said.imported_on, said.devices, {"note": said.consignment})]
        case DeviceRegistered():
            return [_Part(ClaimKind.REGISTERED, said.registered_on, said.devices)]
        case DeviceBound():
            return [_Part(ClaimKind.BOUND, _FROM_THE_START, said.identifiers)]
        case DeviceStolen():
            return [_Part(ClaimKind.STOLEN, said.stolen_at, said.devices, {"note": said.case_number})]
        case DeviceLost():
            return [_Part(ClaimKind.LOST, said.lost_at, said.devices, {"note": said.case_number})]
        case DeviceRecovered():
            return [_Part(ClaimKind.RECOVERED, said.recovered_at, said.devices, {"note": said.case_number})]
        case DeviceBlocked():
            return [_Part(ClaimKind.BLOCKED, said.blocked_at, said.devices, {"note": said.grounds})]
        case DeviceTracked():
            return [_Part(ClaimKind.TRACKED, said.tracked_at, said.devices, {"note": said.grounds})]
        case DeviceCloned():
            return [_Part(ClaimKind.CLONED, said.found_at, said.devices, {"note": said.grounds})]
        case DevicePermitted():
            until = _seconds(said.until) if said.until else None
            more = {"note": said.grounds, "until_at": until}
            return [_Part(ClaimKind.PERMITTED, said.permitted_at, said.devices, more)]
        case DevicePaired():
            return [_Part(ClaimKind.PAIRED, said.paired_at, DeviceSet())]
        case DeviceClassified():
            return _classified_parts(said)
        case Withdrawn():
            ends = ClaimKind(said.claim) if said.claim in set(ClaimKind) else None  # a name we do not know ends nothing
            more = {"note": said.grounds, "target": said.target, "ends_kind": ends, "ends_label": said.label}
            return [_Part(ClaimKind.WITHDRAWN, said.withdrawn_at, said.devices, more)]
        case Disputed():
            restores_at = _seconds(said.restores_at)
            more = {"note": said.grounds, "target": said.target, "restores_at": restores_at}
            return [_Part(ClaimKind.DISPUTED, said.filed_at, said.devices, more)]
    raise StatusError(
        f"statement {index} is a {said.kind}, which this release cannot read; install the release that wrote it"
    )


# An identifier belongs to its device from the day it was made, whenever somebody says so.
_FROM_THE_START = date(1970, 1, 1)


def _classified_parts(said: DeviceClassified) -> list[_Part]:
    """A finding counts from the last day of data it looked at, so that a past day can be judged by it later."""
    more = {
        "label": said.rule,
        "block_on": said.block_on,
        "blocking": said.blocking,
        "amnesty": said.amnesty,
        "marks_duplicate": said.marks_duplicate,
        "evidence_digest": said.evidence_digest,
        "note": ", ".join(said.conditions),
    }
    parts = []
    if said.matched:
        parts.append(_Part(ClaimKind.CLASSIFIED, said.as_of_on, said.matched, more))
    if said.cleared:
        parts.append(_Part(ClaimKind.CLEARED, said.as_of_on, said.cleared, {"label": said.rule}))
    return parts


def _spoken(entry: AcceptedStatement, statement: Statement, place: int, part: _Part) -> Spoken:
    said = Said(
        index=entry.index,
        part=place,
        kind=part.kind,
        issuer=entry.issuer,
        effective_at=_seconds(part.effective_at),
        logged_at=_seconds(entry.logged_at),
        leaf_hash=entry.leaf_hash,
        over_others=not entry.roles.isdisjoint({Role.REGULATOR, Role.COURT}),
        nation=entry.nation,
        roles=tuple(sorted(map(str, entry.roles))),
        **part.more,
    )
    if isinstance(statement, DevicePaired):
        return _spoken_pairs(said, statement)
    return Spoken(
        said=said,
        devices=part.devices.keys,
        ranges=part.devices.ranges,
        others=sorted(part.devices.others),
        keyed_digests=statement.keyed_digests if isinstance(statement, DevicePermitted) else (),
    )


def _spoken_pairs(said: Said, statement: DevicePaired) -> Spoken:
    rows = {
        (int(pair.imei), subscriber_key(pair.imsi), subscriber_key(pair.msisdn) if pair.msisdn else 0)
        for pair in statement.pairs
    }
    columns = np.array(sorted(rows), dtype=np.int64).reshape(-1, 3).T
    return Spoken(said=said, devices=columns[0].copy(), imsis=columns[1].copy(), msisdns=columns[2].copy())


def _seconds(when: datetime | date) -> int:
    """A day counts in law from its first second, UTC."""
    if not isinstance(when, datetime):
        when = datetime.combine(when, time(), UTC)
    return int(when.timestamp())
