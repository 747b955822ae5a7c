"""Reads from the shelves what reports ask for: the relations of `reports.RELATIONS`, over one month."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from openceir.detection import MEASURED, Engine, Measured, Step
from openceir.status import NO_DAY, ClaimKind, CurrentClaims, Status, StatusColumns
from openceir.storage.claims import ClaimShelf
from openceir.storage.database import Database
from openceir.storage.detection_inputs import standing_findings
from openceir.storage.reference import ReferenceTables
from openceir.storage.report_entries import blocked_for, entered, entries, generations, models, received
from openceir.storage.said_rows import PARTS

__all__ = ["Month", "take_month"]

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month, UTC."""

    first_on: date

    @classmethod
    def named(cls, text: str) -> "Month":
        """The month of "2026-10". Raises: ValueError."""
        return cls(date.fromisoformat(f"{text}-01"))

    @property
    def name(self) -> str:
        """Such as "2026-10"."""
        return f"{self.first_on:%Y-%m}"

    @property
    def after_on(self) -> date:
        """The first day of the next month."""
        return (self.first_on + timedelta(days=31)).replace(day=1)

    @property
    def before_on(self) -> date:
        """The first day of the month before."""
        return (self.first_on - timedelta(days=1)).replace(day=1)

    def values(self) -> dict[str, int]:
        """What the placeholders of a question stand for. Units: days and seconds since 1970."""
        return {
            "month_on": (self.first_on - _EPOCH).days,
            "begins_at": _seconds(self.first_on),
            "ends_at": _seconds(self.after_on),
            "month_before_at": _seconds(self.before_on),
        }


def take_month(
    engine: Engine, month: Month, measured: Measured, claims: ClaimShelf, reference: ReferenceTables,
    database: Database, prefixes: Mapping[str, Sequence[str]], status_at: datetime,
) -> None:  # fmt: skip
    """Give the engine every relation that a question about this month may read."""
    month_on = (month.first_on - _EPOCH).days
    engine.see("all_triplets", measured.triplets, MEASURED["triplets"])
    engine.see("all_devices", measured.devices, MEASURED["devices"])
    engine.run(
        Step("users", f"SELECT device, operator, imsi, msisdn, day_mask FROM all_triplets WHERE month_on = {month_on}")
    )
    engine.run(Step("first_seen", "SELECT device, MIN(month_on) AS month_on FROM all_devices GROUP BY device"))
    engine.take("days", _days(month))
    seen = engine.fetch("SELECT DISTINCT device FROM users ORDER BY device")["device"].to_numpy()
    statuses = claims.statuses(status_at, devices=seen)
    engine.take("verdict", _verdicts(statuses, seen))
    engine.take("blocked", _blocked(statuses))
    engine.take("blocked_for", blocked_for(statuses))
    engine.take("entered", entered(claims, status_at, statuses))
    engine.take(
        "finding", standing_findings(claims, status_at).select(["rule", "device", "blocking", "marks_duplicate"])
    )
    engine.take("report_of", _reports([claims.current(kind, status_at) for kind in (ClaimKind.STOLEN, ClaimKind.LOST)]))
    engine.take("bound", _bound(claims.current(ClaimKind.BOUND, status_at)))
    device, imsi, msisdn = claims.current_pairs(status_at)
    engine.take("pair", pa.table({"device": pa.array(device), "imsi": pa.array(imsi), "msisdn": pa.array(msisdn)}))
    engine.take("tac", models(reference))
    engine.take("generation", generations())
    engine.take("subscriber", reference.subscribers().select(["imsi", "uid"]))
    engine.take("association", reference.associations().select(["device", "uid"]))
    engine.take("home", _home(prefixes))
    for name, table in _history(database, month).items():
        engine.take(name, table)


def _seconds(day: date) -> int:
    return (day - _EPOCH).days * 86_400


def _days(month: Month) -> pa.Table:
    days = [month.first_on + timedelta(days=at) for at in range((month.after_on - month.first_on).days)]
    return pa.table(
        {
            "day_on": pa.array([(day - _EPOCH).days for day in days], pa.int64()),
            "day": pa.array([day.isoformat() for day in days], pa.string()),
            "bit": pa.array([1 << day.day - 1 for day in days], pa.int64()),
        }
    )


def _verdicts(statuses: StatusColumns, seen: npt.NDArray[np.int64]) -> pa.Table:
    kept = np.isin(statuses.device, seen)
    names = np.array([str(status) for status in Status])
    return pa.table(
        {
            "device": pa.array(statuses.device[kept]),
            "status": pa.array(names[statuses.status[kept]].tolist(), pa.string()),
            "block_on": _day_or_null(statuses.block_on[kept]),
        }
    )


def _blocked(statuses: StatusColumns) -> pa.Table:
    is_blocked = statuses.where(Status.BLOCKED)
    table = pa.table(
        {"device": pa.array(statuses.device[is_blocked]), "since_on": _day_or_null(statuses.block_on[is_blocked])}
    )
    return table.filter(pc.is_valid(table["since_on"]))


def _day_or_null(days: npt.NDArray[np.int32]) -> pa.Array:
    return pa.array(days.astype(np.int64), pa.int64(), mask=np.asarray(days == NO_DAY))


def _reports(found: Iterable[CurrentClaims]) -> pa.Table:
    devices, days = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for one in found:
        since = np.array([said.effective_at // 86_400 for said in one.said], np.int64)
        devices.append(one.device)
        days.append(since[one.row] if len(one.row) else np.empty(0, np.int64))
    device, first = np.unique(np.concatenate(devices), return_inverse=True)
    day = np.full(len(device), np.iinfo(np.int64).max)
    np.minimum.at(day, first, np.concatenate(days))
    return pa.table({"device": pa.array(device), "reported_on": pa.array(day, pa.int64())})


def _bound(found: CurrentClaims) -> pa.Table:
    whole = np.array([said.index * PARTS + said.part for said in found.said], np.int64)
    return pa.table(
        {
            "device": pa.array(found.device),
            "whole": pa.array(whole[found.row] if len(found.row) else whole[:0], pa.int64()),
        }
    )


def _home(prefixes: Mapping[str, Sequence[str]]) -> pa.Table:
    """Each operator's own IMSIs: keys bear a leading 1 before fourteen or fifteen digits."""
    rows = [
        (operator, int("1" + prefix + fill * (digits - len(prefix))))
        for operator, some in prefixes.items()
        for prefix in some
        for digits in (14, 15)
        for fill in "09"
    ]
    return pa.table(
        {
            "operator": pa.array([operator for operator, _ in rows[::2]], pa.string()),
            "prefix_lo": pa.array([key for _, key in rows[::2]], pa.int64()),
            "prefix_hi": pa.array([key for _, key in rows[1::2]], pa.int64()),
        }
    )


def _history(database: Database, month: Month) -> dict[str, pa.Table]:
    """What was stated, which lists were made, and what operators said they applied, up to the month's end."""
    rows = database.connection
    ends_at = _seconds(month.after_on)
    said: list[tuple[int, str, str, str | None, int, int, int]] = []
    about_device, about_idx = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for identity, kind, label, ends_kind, devices, effective_at, logged_at in rows.execute(
        # Whoever withdraws or disputes all of a statement need not name its devices again: they are its target's.
        "SELECT s.id, s.kind, s.label, coalesce(s.ends_kind, CASE WHEN s.whole THEN t.kind END),"
        " CASE WHEN s.whole AND t.id IS NOT NULL THEN t.devices ELSE s.devices END, s.effective_at, s.logged_at"
        " FROM said AS s LEFT JOIN said AS t ON s.whole AND t.leaf_hash = s.target AND t.id % 4 = 0"
        " WHERE s.nation = '' AND s.logged_at < ? AND s.kind IN"
        " ('stolen', 'lost', 'blocked', 'recovered', 'withdrawn', 'disputed', 'paired')",
        (ends_at,),
    ):
        keys = np.frombuffer(devices, dtype="<i8").astype(np.int64)
        said.append((identity // PARTS, kind, label, ends_kind, len(keys), effective_at, logged_at))
        about_device.append(keys)
        about_idx.append(np.full(len(keys), identity // PARTS))
    columns = list(zip(*said, strict=True)) or [()] * 7
    types = (pa.int64(), pa.string(), pa.string(), pa.string(), pa.int64(), pa.int64(), pa.int64())
    names = ("idx", "kind", "label", "ends_kind", "devices", "effective_at", "logged_at")
    return {
        "said": pa.table(
            {name: pa.array(list(values), kind) for name, values, kind in zip(names, columns, types, strict=True)}
        ),
        "about": pa.table(
            {"device": pa.array(np.concatenate(about_device)), "idx": pa.array(np.concatenate(about_idx), pa.int64())}
        ),
        "entry": entries(rows, ends_at),
        "received": received(rows, ends_at),
        **_lists(rows, ends_at),
    }


def _lists(rows: sqlite3.Connection, ends_at: int) -> dict[str, pa.Table]:
    """No table of lists is there as long as none was made."""
    runs: list[tuple[int, int, int]] = []
    delivered: list[tuple[str, str, int, int]] = []
    acknowledged: list[tuple[str, str, int, int]] = []
    if rows.execute("SELECT 1 FROM sqlite_master WHERE name = 'list_run'").fetchone():
        runs = [
            (sequence, at, size)
            for sequence, made_at, size in rows.execute("SELECT sequence, made_at, ledger_size FROM list_run")
            if (at := _moment(made_at)) < ends_at
        ]
        known = {sequence for sequence, _, _ in runs}
        delivered = [
            row
            for row in rows.execute(
                # SQLite takes the other columns of a MAX from its row
                "SELECT operator, kind, MAX(sequence), rows FROM list_file WHERE base = 0 GROUP BY operator, kind"
            )
            if row[2] in known
        ]
        acknowledged = [
            (operator, kind, sequence, _moment(at))
            for operator, kind, sequence, at in rows.execute(
                "SELECT operator, kind, sequence, acknowledged_at FROM list_acknowledgement"
            )
        ]
    return {
        "run": _table(runs, sequence=pa.int64(), made_at=pa.int64(), ledger_size=pa.int64()),
        "delivered": _table(delivered, operator=pa.string(), kind=pa.string(), sequence=pa.int64(), entries=pa.int64()),
        "acknowledged": _table(
            acknowledged, operator=pa.string(), kind=pa.string(), sequence=pa.int64(), acknowledged_at=pa.int64()
        ),
    }  # fmt: skip


def _table(rows: Sequence[Sequence[object]], **types: pa.DataType) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(types)
    return pa.table(
        {name: pa.array(list(values), kind) for (name, kind), values in zip(types.items(), columns, strict=True)}
    )


def _moment(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
