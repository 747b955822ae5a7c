"""Which devices something was said of since, and the claims of some devices: so that lists cost what changed.

A device is touched when a statement since then names it, singly or within a range, when one withdraws or disputes as
a whole a statement that names it, and when time alone turns a claim on it: it begins, runs out, begins to block, or its
dispute restores service. Nothing else changes a device's status, so whoever is not touched stands as he stood.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import numpy as np

from openceir.status import ClaimColumns, ClaimKind, ForeignRules, Keys, current_claims
from openceir.storage.claims import ClaimShelf, ClaimsMark
from openceir.storage.database import Database
from openceir.storage.said_rows import ONE_LOG, PARTS, SAID_COLUMNS, SaidReader, spans_of

__all__ = ["ClaimChanges", "SomeClaims", "Touched"]

_AT_ONCE = 20_000  # values bound in one SQL statement
_OF_PAIRS = {ClaimKind.PAIRED, ClaimKind.WITHDRAWN}
_NO_KEYS: Keys = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """Devices that something was said of, ascending and once each, and ranges, a row (first, last) each."""

    devices: Keys
    spans: Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class SomeClaims:
    """Everything that bears on the status of some devices, and what pairs of them hold.

    Shapes: `named` are those that a statement names by their number, in pairs apart; `pairs` are device, imsi and
    msisdn (0 when absent), a row once for each statement of it.
    """

    columns: ClaimColumns
    named: Keys
    pairs: tuple[Keys, Keys, Keys]


class ClaimChanges:
    """Reads of the claims shelf that cost what they are about, not what the country holds."""

    def __init__(self, claims: ClaimShelf, database: Database) -> None:
        self._claims = claims
        self._database = database

    @property
    def foreign(self) -> ForeignRules:
        """What other nations' words count for here."""
        return self._claims.foreign

    def touched(self, since: ClaimsMark, since_at: datetime, at: datetime, most: int) -> Touched | None:
        """What statements that came after the mark `since`, and time from `since_at` to `at`, may have changed.

        None when that cannot be told device by device (a golden list names devices by digests only), or when it is
        more than `most` devices.
        """
        first = since.size * PARTS
        found = self._parts("id >= ? AND id < ?", [first, ONE_LOG])
        found += self._parts("arrival > ? AND arrival > 0", [since.arrived])
        # who approved what is not marked: of the few endings that wait for a quorum all are looked at
        found += self._parts("leaf_hash IN (SELECT target FROM approval)", [])
        if at > since_at:
            begun, now = int(since_at.timestamp()), int(at.timestamp())
            turned = " OR ".join(
                f"({name} > ? AND {name} <= ?)" for name in ("effective_at", "until_at", "restores_at")
            )
            # whose block is still to come is warned, and whom to warn changes with every day
            found += self._parts(
                f"(id < ? OR id >= ?) AND ({turned} OR block_on > ?)",
                [first, ONE_LOG, *[begun, now] * 3, _day_text(since_at)],
            )
            found += self._turned_abroad(begun, now)
        keys: list[Keys] = [_NO_KEYS]
        spans: list[Keys] = [_NO_KEYS.reshape(0, 2)]
        met: set[int] = set()
        count = 0
        while found:
            identity, devices, ranges, whole, target = found.pop()
            if identity in met:
                continue
            met.add(identity)
            keys.append(np.frombuffer(devices, dtype="<i8").astype(np.int64))
            spans.append(spans_of(ranges))
            count += keys[-1].size
            if whole and target is not None:
                found += self._parts("leaf_hash = ?", [target])
            if count > most:
                return None
        if met and self._names_by_digest(met):
            return None
        return Touched(devices=np.unique(np.concatenate(keys)), spans=np.concatenate(spans))

    def named_since(self, since: ClaimsMark, most: int) -> Touched:
        """Of what `touched` would give without the passing of time: devices named singly, the newest first, up to `most`.

        A statement that names more is passed over, and so is what is said of ranges, digests or whole statements.
        """
        keys: list[Keys] = [_NO_KEYS]
        count = 0
        for where, values, order in (
            ("id >= ? AND id < ?", [since.size * PARTS, ONE_LOG], "id"),
            ("arrival > ? AND arrival > 0", [since.arrived], "arrival"),
        ):
            query = f"SELECT devices FROM said WHERE {where} AND length(devices) <= ? ORDER BY {order} DESC"
            for (devices,) in self._database.connection.execute(query, [*values, 8 * most]):
                keys.append(np.frombuffer(devices, dtype="<i8").astype(np.int64))
                count += keys[-1].size
                if count > most:
                    del keys[-1]
                    break
        return Touched(devices=np.unique(np.concatenate(keys)), spans=_NO_KEYS.reshape(0, 2))

    def _turned_abroad(self, since: int, now: int) -> list[Any]:
        """Other nations' words that by policy begin or cease to count between these two seconds."""
        found: list[Any] = []
        delays = {0}
        for rule in self.foreign.rules:
            delays |= {rule.delay_s} | ({rule.counts_for_s} if rule.counts_for_s is not None else set())
            if any(turn is not None and since < turn <= now for turn in (rule.begins_at, rule.ends_at)):
                found += self._parts("nation <> ''", [])
        turned = " OR ".join("(logged_at > ? AND logged_at <= ?)" for _ in delays)
        bounds = [edge - delay for delay in sorted(delays) for edge in (since, now)]
        return found + self._parts(f"nation <> '' AND ({turned})", bounds)

    def _parts(self, where: str, values: Sequence[object]) -> list[Any]:
        query = f"SELECT id, devices, ranges, whole, target FROM said WHERE {where}"
        return self._database.connection.execute(query, values).fetchall()

    def _names_by_digest(self, parts: Iterable[int]) -> bool:
        return any(
            self._database.connection.execute(
                f"SELECT EXISTS (SELECT 1 FROM golden WHERE said IN ({marks}))", some
            ).fetchone()[0]
            for marks, some in _bound(parts)
        )

    def named_within(self, spans: Keys, most: int) -> Keys | None:
        """The devices in these ranges of which anything was said; None when they are more than `most`."""
        keys: set[int] = set()
        for lo, hi in spans.tolist():
            query = "SELECT DISTINCT device FROM claim WHERE device BETWEEN ? AND ? LIMIT ?"
            keys.update(device for (device,) in self._database.connection.execute(query, (lo, hi, most + 1)))
            if len(keys) > most:
                return None
        return np.array(sorted(keys), dtype=np.int64)

    def of(self, devices: Keys, at: datetime) -> SomeClaims:
        """The claims of these devices, with the ranges and the withdrawals as a whole that may bear on them."""
        connection, reader = self._database.connection, self._claims.reader
        reader.learn(connection)
        rows: list[tuple[int, int, int | None, int | None]] = []
        for marks, some in _bound(devices.tolist()):
            rows += connection.execute(
                f"SELECT device, said, imsi, msisdn FROM claim WHERE device IN ({marks})", some
            ).fetchall()
        by_digest = {(device, said) for device, some in self._golden(devices).items() for said in some}
        wanted = {row[1] for row in rows} | {said for _, said in by_digest}
        query = f"SELECT {SAID_COLUMNS}, whole, ranges FROM said WHERE"
        parts = {row[0]: row for row in connection.execute(f"{query} ranges IS NOT NULL OR whole = 1")}
        for marks, some in _bound(wanted - parts.keys()):
            parts |= {row[0]: row for row in connection.execute(f"{query} id IN ({marks})", some)}
        ordered = [parts[identity] for identity in sorted(parts)]
        singly = {(device, said) for device, said, _, _ in rows}
        bearing = [row for row in ordered if row[1] not in {ClaimKind.PAIRED, ClaimKind.BOUND}]
        return SomeClaims(
            columns=_columns(bearing, singly | by_digest, reader),
            named=np.unique(_columns(bearing, singly, reader).device),
            pairs=_pairs(
                _columns([row for row in ordered if row[1] in _OF_PAIRS], singly, reader),
                reader,
                rows,
                at,
                self.foreign,
            ),
        )

    def _golden(self, devices: Keys) -> dict[int, list[int]]:
        [(is_any,)] = self._database.connection.execute("SELECT EXISTS (SELECT 1 FROM golden)")
        return self._claims.golden_of(devices.tolist()) if is_any else {}


def _pairs(
    columns: ClaimColumns,
    reader: SaidReader,
    rows: Iterable[tuple[int, int, int | None, int | None]],
    at: datetime,
    foreign: ForeignRules,
) -> tuple[Keys, Keys, Keys]:
    holding = current_claims(columns, ClaimKind.PAIRED, at, foreign=foreign)
    standing = {
        (device, reader.id_of(holding.said[row]))
        for device, row in zip(holding.device.tolist(), holding.row.tolist(), strict=True)
    }
    pairs = [
        (device, imsi, msisdn or 0)
        for device, said, imsi, msisdn in rows
        if imsi is not None and (device, said) in standing
    ]
    device, imsi, msisdn = np.array(pairs, dtype=np.int64).reshape(-1, 3).T.copy()
    return device, imsi, msisdn


def _columns(parts: Sequence[Any], singly: Iterable[tuple[int, int]], reader: SaidReader) -> ClaimColumns:
    """The columns of these rows of `said`, ascending, with those devices they name singly that are among `singly`."""
    place_of = {row[0]: place for place, row in enumerate(parts)}
    named = [(device, place_of[said]) for device, said in singly if said in place_of]
    device, row = np.array(named, dtype=np.int64).reshape(-1, 2).T
    spans = [spans_of(part[-1]) for part in parts]
    ranges = np.concatenate([_NO_KEYS.reshape(0, 2), *spans])
    places = np.arange(len(parts), dtype=np.int32)
    return ClaimColumns(
        said=[reader.read(part[:-2]) for part in parts],
        device=device.copy(),
        row=row.astype(np.int32),
        lo=ranges[:, 0].copy(),
        hi=ranges[:, 1].copy(),
        range_row=np.repeat(places, [len(some) for some in spans]).astype(np.int32),
        whole=np.array([bool(part[-2]) for part in parts], dtype=np.bool_),
    )


def _bound(values: Iterable[int]) -> Iterable[tuple[str, list[int]]]:
    """The values in portions that one SQL statement takes, each with its question marks."""
    waiting = iter(values)
    while some := list(islice(waiting, _AT_ONCE)):
        yield ",".join("?" * len(some)), some


def _day_text(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()
