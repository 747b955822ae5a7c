"""Reads from the shelves what the dispatch desk needs: statuses, pairs, and who was seen with which device.

One pass over the country's claims as columns; sightings are asked only about devices that somebody must be told of.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from openceir.identity import NON_UNIQUE_KEYS
from openceir.lists import Desk, DeviceBlocks, Pair, RangeBlock, SeenPair, SharedTheft, Triplet, blocked_ranges
from openceir.status import NO_DAY, Keys, Status, StatusColumns, fold_columns
from openceir.storage.claim_changes import ClaimChanges, Touched
from openceir.storage.claims import ClaimShelf
from openceir.storage.list_basis import Basis
from openceir.storage.list_writing import Contents

if TYPE_CHECKING:
    from openceir.detection import Engine, Measured

__all__ = ["SeenWith", "gather_changes", "gather_lists", "gather_urgent", "last_second_of"]

_DAY_ZERO = date(1970, 1, 1)
_MOST_TOUCHED = 100_000  # devices; from there on all rows are made anew, at about the same cost
_MOST_URGENT = 10_000  # devices; a second's work


def last_second_of(day: date) -> datetime:
    """The instant at which lists of a day are true: its last second, so that all that was said on the day counts."""
    return datetime.combine(day, time(23, 59, 59), UTC)


class SeenWith:
    """The measured triplets and devices: Parquet files with the columns of `detection.MEASURED`.

    The files are looked up and the engine starts at the first question about somebody, and it ends with the `with`
    block: a theft of a number that one handset bears concerns no subscriber, and waits for neither.
    """

    def __init__(self, measured: "Callable[[], Measured]", start: "Callable[[], Engine]") -> None:
        self._find, self._start = measured, start
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @cached_property
    def _measured(self) -> "Measured":
        return self._find()

    @cached_property
    def _engine(self) -> "Engine":
        return self._stack.enter_context(self._start())

    def notified(self, devices: Keys, first: date, last: date) -> tuple[list[Triplet], date | None]:
        """Every triplet of these devices seen from `first` to `last`, both included, and the oldest last sighting."""
        sql = f"""
            SELECT t.device, coalesce(t.imsi, 0) AS imsi, coalesce(t.msisdn, 0) AS msisdn,
                   string_agg(DISTINCT t.operator, ' ') AS operators,
                   max(t.month_on + CAST(floor(log2(t.day_mask & m.mask)) AS BIGINT)) AS last_on
            FROM {_parquet(self._measured.triplets)} AS t
            JOIN asked AS a ON a.device = t.device
            JOIN months AS m ON m.month_on = t.month_on
            WHERE (t.day_mask & m.mask) <> 0
            GROUP BY ALL"""
        rows = self._ask(sql, self._measured.triplets, devices, months=_months(first, last))
        several = cache(lambda by: tuple(sorted(by.split(" "))))  # sorted here: in the engine it doubles the cost
        triplets = [Triplet(device, imsi, msisdn, several(by)) for device, imsi, msisdn, by, _ in rows]
        return triplets, _day(min(row[4] for row in rows)) if rows else None

    def pairs(self, devices: Keys, until: date) -> tuple[list[SeenPair], date | None]:
        """Every pair of these devices with an IMSI first seen up to `until`, and the oldest last sighting."""
        if not devices.size:
            return [], None
        # the lowest bit of a mask stands alone in mask & -mask
        sql = f"""
            WITH network AS (
                SELECT operator, min(month_on + CAST(log2(day_mask & -day_mask) AS BIGINT)) AS since_on
                FROM {_parquet(self._measured.triplets)} GROUP BY operator)
            SELECT t.device, t.imsi,
                   min(t.month_on + CAST(log2(t.day_mask & -t.day_mask) AS BIGINT)) AS first_on,
                   max(n.since_on) AS since_on,
                   max(t.month_on + CAST(floor(log2(t.day_mask)) AS BIGINT)) AS last_on
            FROM {_parquet(self._measured.triplets)} AS t JOIN asked AS a ON a.device = t.device
            JOIN network AS n ON n.operator = t.operator
            WHERE t.imsi IS NOT NULL
            GROUP BY t.device, t.imsi
            HAVING first_on <= {(until - _DAY_ZERO).days}"""
        rows = self._ask(sql, self._measured.triplets, devices)
        pairs = [SeenPair(device, imsi, _day(first_on), _day(since_on)) for device, imsi, first_on, since_on, _ in rows]
        return pairs, min((_day(row[4]) for row in rows), default=None)

    def inside(self, lo: Keys, hi: Keys) -> Keys:
        """The devices ever seen in these ranges, ascending."""
        sql = f"""
            SELECT DISTINCT d.device FROM {_parquet(self._measured.devices)} AS d
            JOIN spans AS s ON d.device BETWEEN s.lo AND s.hi ORDER BY 1"""
        rows = self._ask(sql, self._measured.devices, spans={"lo": lo, "hi": hi})
        return np.array([device for (device,) in rows], dtype=np.int64)

    def _ask(
        self,
        sql: str,
        files: Sequence[Path],
        devices: Keys | None = None,
        *,
        months: "dict[str, Keys] | None" = None,
        spans: "dict[str, Keys] | None" = None,
    ) -> list[tuple[Any, ...]]:
        if not files:
            return []
        import pyarrow as pa

        for name, columns in (("asked", {"device": devices}), ("months", months), ("spans", spans)):
            if columns and all(column is not None for column in columns.values()):
                table = pa.table({key: pa.array(column, pa.int64()) for key, column in columns.items()})
                self._engine.take(name, table)
        found = self._engine.fetch(sql)
        return list(zip(*(column.to_pylist() for column in found.columns), strict=True))


def gather_lists(desk: Desk, claims: ClaimShelf, seen: SeenWith, on: date) -> Contents:
    """The rows of all lists as of the day `on`."""
    at = last_second_of(on)
    lo, hi, range_columns = claims.range_statuses(at)
    in_question = range_columns.block_on != NO_DAY
    met = seen.inside(lo[in_question], hi[in_question]) if in_question.any() else None
    pairs_now = claims.current_pairs(at)
    asked = pairs_now[0] if met is None else np.concatenate([met, pairs_now[0]])
    statuses = claims.statuses(at, devices=asked)
    rows = _rows_of(desk, seen, statuses, claims.columns().device, pairs_now, on)
    ranges = _range_blocks(lo, hi, range_columns, statuses.device[~statuses.where(Status.BLOCKED)])
    return replace(rows, for_all={**rows.for_all, "blockranges": desk.range_rows(ranges)})


def gather_changes(
    desk: Desk, claims: ClaimShelf, changes: ClaimChanges, seen: SeenWith, on: date, since: Basis
) -> Contents | None:
    """The rows of those devices alone that were touched since lists were made from `since`; block ranges when one was.

    Equal, with every other row as it was, to `gather_lists`. None when that cannot be had at less than its cost: then
    all is gathered.
    """
    touched = changes.touched(since.claims, last_second_of(since.as_of_on), last_second_of(on), _MOST_TOUCHED)
    return None if touched is None else _gather_touched(desk, claims, changes, seen, on, touched)


def gather_urgent(
    desk: Desk, claims: ClaimShelf, changes: ClaimChanges, seen: SeenWith, on: date, since: Basis
) -> Contents | None:
    """The rows of few devices that statements named since lists were made from `since`: what cannot wait for the rest.

    None when there are none. Whatever else is due stays due, and so is this for whoever makes lists from `since`.
    """
    touched = changes.named_since(since.claims, _MOST_URGENT)
    return _gather_touched(desk, claims, changes, seen, on, touched) if touched.devices.size else None


def _gather_touched(
    desk: Desk, claims: ClaimShelf, changes: ClaimChanges, seen: SeenWith, on: date, touched: Touched
) -> Contents | None:
    at, devices = last_second_of(on), touched.devices
    lo, hi, range_columns = claims.range_statuses(at)
    blocked = range_columns.where(Status.BLOCKED)
    if touched.spans.size:
        named = changes.named_within(touched.spans, _MOST_TOUCHED)
        met = seen.inside(touched.spans[:, 0], touched.spans[:, 1])
        if named is None or met.size > _MOST_TOUCHED:
            return None
        devices = np.unique(np.concatenate([devices, named, met]))
    statuses, pairs_now, named = _statuses(changes, devices, at)
    contents = _rows_of(desk, seen, statuses, named, pairs_now, on)
    for_all = dict(contents.for_all)
    if touched.spans.size or (blocked.any() and _are_within(devices, lo[blocked], hi[blocked]).any()):
        named = changes.named_within(np.stack([lo[blocked], hi[blocked]], axis=1), _MOST_TOUCHED)
        met = seen.inside(lo[blocked], hi[blocked]) if blocked.any() else devices[:0]
        if named is None or met.size > _MOST_TOUCHED:
            return None
        inside, _, _ = _statuses(changes, np.unique(np.concatenate([named, met])), at)
        ranges = _range_blocks(lo, hi, range_columns, inside.device[~inside.where(Status.BLOCKED)])
        for_all["blockranges"] = desk.range_rows(ranges)
    texts = {text for device in devices.tolist() if (text := desk.device_text(device)) is not None}
    return replace(contents, for_all=for_all, touched=sorted(texts))


def _statuses(
    changes: ClaimChanges, devices: Keys, at: datetime
) -> tuple[StatusColumns, tuple[Keys, Keys, Keys], Keys]:
    some = changes.of(devices, at)
    return fold_columns(some.columns, at, devices=devices, foreign=changes.foreign), some.pairs, some.named


def _rows_of(
    desk: Desk, seen: SeenWith, statuses: StatusColumns, known: Keys, pairs_now: tuple[Keys, Keys, Keys], on: date
) -> Contents:
    """The rows of these devices on all lists but that of block ranges. `known` are those that are named singly."""
    blocked_now = statuses.where(Status.BLOCKED)
    # met in a range and never named: the range's row says it already
    named = blocked_now.copy()
    named[blocked_now] = _are_among(statuses.device[blocked_now], known)
    blocked = _device_blocks(statuses, named, statuses.reasons)
    coming = _device_blocks(
        statuses, statuses.where(Status.TRACKED) & (statuses.block_on != NO_DAY), statuses.block_reasons
    )
    paired = [Pair(*row) for row in zip(*(column.tolist() for column in pairs_now), strict=True)]
    oldest: dict[str, date] = {}

    thefts = _shared_thefts(statuses)
    pairs, oldest_on = seen.pairs(np.array(sorted(thefts), dtype=np.int64), on) if thefts else ([], None)
    pair_blocks = desk.pair_block_rows(pairs, thefts, paired)
    if oldest_on:
        oldest["pairblocks"] = oldest_on

    triplets: list[Triplet] = []
    if coming.devices.size:
        first = on - timedelta(days=desk.options.lookback_days - 1)
        triplets, oldest_on = seen.notified(coming.devices, first, on)
        if oldest_on:
            oldest["notifications"] = oldest_on

    barred = set(statuses.device[statuses.ordered].tolist())
    cut_off = set(np.intersect1d(statuses.device[blocked_now], pairs_now[0]).tolist())
    return Contents(
        for_all={"blocklist": desk.block_rows(blocked)},
        by_operator={
            "pairblocks": pair_blocks,
            "notifications": desk.notification_rows(triplets, coming, paired),
            "exceptions": desk.exception_rows(paired, cut_off.__contains__, barred.__contains__),
        },
        coming=[text for device in coming.devices.tolist() if (text := desk.device_text(device)) is not None],
        settled=desk.settled_rows(triplets, paired),
        oldest_seen_on=oldest,
    )


def _are_within(asked: Keys, lo: Keys, hi: Keys) -> npt.NDArray[np.bool_]:
    """Which of `asked` lie in one of these ranges, which ascend and are apart."""
    place = np.searchsorted(lo, asked, "right") - 1
    found: npt.NDArray[np.bool_] = (place >= 0) & (asked <= hi[np.maximum(place, 0)])
    return found


def _are_among(asked: Keys, known: Keys) -> npt.NDArray[np.bool_]:
    """Which of `asked` stand in `known`, by one sort: numpy's own isin hashes every key, at ten times the cost."""
    if not known.size:
        return np.zeros(asked.size, dtype=np.bool_)
    known = np.sort(known)
    found: npt.NDArray[np.bool_] = known[np.minimum(np.searchsorted(known, asked), known.size - 1)] == asked
    return found


def _device_blocks(
    columns: StatusColumns, rows: npt.NDArray[np.bool_], reasons: npt.NDArray[np.uint64]
) -> DeviceBlocks:
    sets, codes = np.unique(reasons[rows], return_inverse=True)
    return DeviceBlocks(
        devices=columns.device[rows],
        block_on=columns.block_on[rows],
        reasons=codes.astype(np.int32),
        amnesty=columns.amnesty[rows],
        texts=[_reasons_text(columns, int(bits)) for bits in sets],
    )


def _reasons_text(columns: StatusColumns, bits: int) -> str:
    """The rule of a classification, else the kind of claim; each once, alphabetical, joined by a pipe."""
    return "|".join(sorted({label or str(kind) for kind, label in columns.names_in(bits)}))


def _range_blocks(lo: Keys, hi: Keys, columns: StatusColumns, not_blocked: Keys) -> list[RangeBlock]:
    pieces = [
        RangeBlock(first, last, _day(block_on), _reasons_text(columns, bits))
        for first, last, block_on, bits, is_blocked in zip(
            lo.tolist(),
            hi.tolist(),
            columns.block_on.tolist(),
            columns.reasons.tolist(),
            columns.where(Status.BLOCKED).tolist(),
            strict=True,
        )
        if is_blocked
    ]
    if not pieces:
        return []
    non_unique = np.array(sorted(NON_UNIQUE_KEYS), dtype=np.int64)
    return list(blocked_ranges(pieces, np.union1d(not_blocked, non_unique).tolist()))


def _shared_thefts(columns: StatusColumns) -> dict[int, SharedTheft]:
    shared = columns.pairs_from_on != NO_DAY
    return {
        device: SharedTheft(_day(stolen_on), _reasons_text(columns, bits))
        for device, stolen_on, bits in zip(
            columns.device[shared].tolist(),
            columns.pairs_from_on[shared].tolist(),
            columns.reasons[shared].tolist(),
            strict=True,
        )
    }


def _months(first: date, last: date) -> dict[str, Keys]:
    """For each month touched, the epoch day of its first day and the mask of its days from `first` to `last`."""
    masks: dict[int, int] = {}
    for day in _days(first, last):
        month_on = (day.replace(day=1) - _DAY_ZERO).days
        masks[month_on] = masks.get(month_on, 0) | 1 << (day.day - 1)
    return {
        "month_on": np.array(list(masks), dtype=np.int64),
        "mask": np.array(list(masks.values()), dtype=np.int64),
    }


def _days(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def _day(days: int) -> date:
    return _DAY_ZERO + timedelta(days=int(days))


def _parquet(files: Sequence[Path]) -> str:
    names = ", ".join("'" + str(path.absolute()).replace("'", "''") + "'" for path in files)
    return f"read_parquet([{names}], hive_partitioning = false)"
