"""Reads for reports what was entered in the register, what blocks a device, and what operators did with their lists."""

import sqlite3
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from openceir.identity import G2, G3, G4, G5
from openceir.status import ClaimKind, Status, StatusColumns
from openceir.storage.claims import ClaimShelf
from openceir.storage.reference import ReferenceTables
from openceir.storage.said_rows import PARTS, spans_of

__all__ = ["blocked_for", "entered", "entries", "generations", "models", "received"]

_ENTERS = (ClaimKind.REGISTERED, ClaimKind.IMPORTED, ClaimKind.DECLARED)
_TEXT, _NUMBER = pa.string(), pa.int64()


def generations() -> pa.Table:
    """The radio generations and their bits."""
    return pa.table(
        {"name": pa.array(["2G", "3G", "4G", "5G"]), "mask": pa.array([int(one) for one in (G2, G3, G4, G5)], _NUMBER)}
    )


def models(reference: ReferenceTables) -> pa.Table:
    """The table of models with the operating system of each, where the table gave one."""
    columns = ["tac", "manufacturer", "brand", "model", "device_type", "rat"]
    table = reference.tacs().select(columns).sort_by("tac")
    systems = reference.operating_systems()
    known = systems["tac"].to_numpy()
    tac = table["tac"].to_numpy()
    place = np.minimum(np.searchsorted(known, tac), max(len(known) - 1, 0))
    found = known[place] == tac if len(known) else np.zeros(len(tac), bool)
    names = (
        systems["os"].take(pa.array(np.where(found, place, 0), mask=~found))
        if len(known)
        else pa.nulls(len(tac), _TEXT)
    )
    return table.append_column("os", names)


def entered(claims: ClaimShelf, at: datetime, statuses: StatusColumns) -> pa.Table:
    """Devices that a claim of this kind names singly at the instant, with their status."""
    names = np.array([str(status) for status in Status])
    pieces = []
    for kind in _ENTERS:
        found = claims.current(kind, at)
        issuers = pa.array([said.issuer for said in found.said], _TEXT)
        place = np.searchsorted(statuses.device, found.device)
        pieces.append(
            pa.table(
                {
                    "device": pa.array(found.device, _NUMBER),
                    "how": pa.array([str(kind)] * len(found.device), _TEXT),
                    "issuer": issuers.take(pa.array(found.row, pa.int32())),
                    "status": pa.array(names[statuses.status[place]].tolist(), _TEXT),
                }
            )
        )
    return pa.concat_tables(pieces)


def entries(rows: sqlite3.Connection, before: int) -> pa.Table:
    """Statements that entered devices, logged before the instant. Units: seconds since 1970."""
    kinds = ", ".join(f"'{kind}'" for kind in _ENTERS)
    found = [
        (identity // PARTS, kind, issuer, singly + sum(int(hi - lo + 1) for lo, hi in spans_of(ranges)), logged_at)
        for identity, kind, issuer, singly, ranges, logged_at in rows.execute(
            "SELECT id, kind, issuer, length(devices) / 8, ranges, logged_at FROM said"
            f" WHERE nation = '' AND logged_at < ? AND ends_kind IS NULL AND kind IN ({kinds})",
            (before,),
        )
    ]
    columns = list(zip(*found, strict=True)) or [()] * 5
    types = {"idx": _NUMBER, "kind": _TEXT, "issuer": _TEXT, "devices": _NUMBER, "logged_at": _NUMBER}
    return pa.table({name: pa.array(values, kind) for (name, kind), values in zip(types.items(), columns, strict=True)})


def blocked_for(statuses: StatusColumns) -> pa.Table:
    """Each claim on which the block of a blocked device rests: its kind, or the rule of a finding."""
    is_blocked = statuses.where(Status.BLOCKED)
    device, reasons = statuses.device[is_blocked], statuses.reasons[is_blocked]
    pieces = [
        pa.table({"device": pa.array(with_it), "reason": pa.array([label or str(kind)] * len(with_it), _TEXT)})
        for place, (kind, label) in enumerate(statuses.names)
        if len(with_it := device[(reasons >> np.uint64(place)) & np.uint64(1) != 0])
    ]
    empty = pa.table({"device": pa.array([], _NUMBER), "reason": pa.array([], _TEXT)})
    return pa.concat_tables([empty, *pieces])


def received(rows: sqlite3.Connection, before: int) -> pa.Table:
    """When operators first fetched and first applied their lists; what happened later than the instant is left out."""

    def seconds(text: str | None) -> int | None:
        if text is None:
            return None
        moment = datetime.fromisoformat(text)
        at = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
        return at if at < before else None

    known = rows.execute("SELECT 1 FROM sqlite_master WHERE name = 'list_received'").fetchone()
    found = (
        [
            (operator, kind, sequence, seconds(fetched_at), seconds(applied_at))
            for operator, kind, sequence, fetched_at, applied_at in rows.execute(
                "SELECT operator, kind, sequence, fetched_at, applied_at FROM list_received"
            )
        ]
        if known
        else []
    )
    columns = list(zip(*found, strict=True)) or [()] * 5
    types = {"operator": _TEXT, "kind": _TEXT, "sequence": _NUMBER, "fetched_at": _NUMBER, "applied_at": _NUMBER}
    return pa.table({name: pa.array(values, kind) for (name, kind), values in zip(types.items(), columns, strict=True)})
