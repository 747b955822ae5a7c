"""Suspects: the few sightings among which a day's conflicts must lie, found before the engine sorts anything.

A conflict is made of two neighbours in time of one IMEI. Lake files are sorted by device, so a day's are merged rather
than sorted; devices seen once drop out; of the others each sighting becomes one number, (device, instant, place), and
sorted numbers have their neighbours beside them. Whatever lies between equal instants and places, neighbours in another
place are the same. The test is generous (the least reach, the most skew that the limits allow, a metre to spare): every
device with a conflict is found, few others are, and measures/conflicts.sql decides.

Limits: holds two days of sightings, or of a larger day so many devices at a time as make MOST_ROWS.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from openceir.detection.measuring import DAY_S, EARTH_RADIUS_M, CellMap, TravelLimits
from openceir.detection.ports import SightingsFile
from openceir.detection.sql import epoch_day

__all__ = ["Suspects"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

MOST_ROWS: Final = 8_000_000  # 48 octets each
_NULL: Final = -1  # no column of the lake holds negative numbers
_PAST_IMEIS: Final = 10**14  # only an IMEI can be in two places
_COLUMNS: Final = ("device", "ts", "cell", "imsi", "rat")
_SIGHTINGS: Final = pa.schema([(name, pa.int64()) for name in (*_COLUMNS, "operator")])


class Suspects:
    """Finds them day by day. What one day read is held for the next, which looks back at it."""

    def __init__(self, cells: CellMap) -> None:
        table = cells.table
        self._cells = table["cell"].combine_chunks()
        self._xyz = np.stack([table[name].to_numpy() for name in "xyz"])
        self._radius_m = table["radius_m"].to_numpy(zero_copy_only=False).astype(np.float64)  # NaN: nobody said
        self._widest_m = cells.widest_m
        self._held: dict[Path, Mapping[str, Ints]] = {}

    def sightings(self, day: date, files: Sequence[SightingsFile], limits: TravelLimits) -> pa.Table:
        """All that matters for the conflicts of one UTC day: device, ts, cell, imsi, rat and operator, a number.

        `files` hold every sighting of the day and of the time to look back; operators count in the order of their names.
        """
        opened = {file.path: pq.ParquetFile(file.path) for file in files}
        bounds = _slices([one.metadata for one in opened.values()])
        fits = len(bounds) == 2
        self._held = {path: self._held.get(path) or _columns(opened[path], *bounds) for path in opened} if fits else {}
        names = sorted({file.operator for file in files})
        found = []
        for low, high in pairwise(bounds):
            parts = [
                (names.index(file.operator), self._held.get(file.path) or _columns(opened[file.path], low, high))
                for file in files
            ]
            found.append(self._of_slice(day, parts, low, high, limits))
        return pa.concat_tables(found)

    def _of_slice(
        self, day: date, parts: Sequence[tuple[int, Mapping[str, Ints]]], low: int, high: int, limits: TravelLimits
    ) -> pa.Table:
        begins_at, ends_at = epoch_day(day) * DAY_S, (epoch_day(day) + 1) * DAY_S
        begins_at -= limits.look_back_s(self._widest_m)

        # Of the day before, only the time to look back.
        near = [np.flatnonzero((rows["ts"] >= begins_at) & (rows["ts"] < ends_at)) for _, rows in parts]

        def whole(name: str, chosen: Sequence[Ints]) -> Ints:
            return np.concatenate([rows[name][places] for (_, rows), places in zip(parts, chosen, strict=True)])

        device = whole("device", near)
        order = np.argsort(device, kind="stable")
        device = device[order]
        again = device[1:] == device[:-1]
        several = np.concatenate(([False], again)) | np.concatenate((again, [False])) if len(device) else again
        several &= (device >= low) & (device < high)
        order, device = order[several], device[several]
        cell = pa.array(whole("cell", near)[order])
        place = pc.index_in(cell, value_set=self._cells).fill_null(_NULL).to_numpy()
        known = place >= 0  # an unknown place is passed over
        order, device, place = order[known], device[known], place[known]
        if not len(order):
            return _SIGHTINGS.empty_table()
        ts = whole("ts", near)[order]
        group = np.cumsum(np.concatenate(([False], device[1:] != device[:-1])))
        kept = np.sort(order[self._are_suspect(group, ts - begins_at, place, limits)[group]])
        starts = np.cumsum([0, *(len(places) for places in near)])
        cuts = np.searchsorted(kept, starts)
        chosen = [
            places[kept[first:last] - start]
            for places, start, (first, last) in zip(near, starts, pairwise(cuts), strict=False)
        ]
        columns = [whole(name, chosen) for name in _COLUMNS]
        columns.append(np.repeat([number for number, _ in parts], [len(places) for places in chosen]))
        return pa.Table.from_arrays([pa.array(one, mask=one == _NULL) for one in columns], schema=_SIGHTINGS)

    def _are_suspect(self, group: Ints, second: Ints, place: Ints, limits: TravelLimits) -> Flags:
        """For each group, which is one device, whether any two neighbours of it may be in conflict."""
        count, span, places = int(group[-1]) + 1, int(second.max()) + 1, len(self._cells)
        if count * span * places >= 2**63:  # do not fit in one number together: then everybody stays a suspect
            return np.ones(count, np.bool_)
        moment = (group * span + second) * places + place
        moment.sort()
        when = moment // places
        where = moment - when * places
        whose = when // span
        near = np.flatnonzero(
            (whose[1:] == whose[:-1])
            & (where[1:] != where[:-1])
            & (when[1:] - when[:-1] <= limits.look_back_s(self._widest_m))
        )
        here, there = where[near], where[near + 1]
        chord = np.sqrt(((self._xyz[:, here] - self._xyz[:, there]) ** 2).sum(axis=0))
        least_m = min(limits.radius_2g_3g_m, limits.radius_4g_5g_m, limits.radius_unknown_m)
        radius_m = np.where(np.isnan(self._radius_m), least_m, self._radius_m)
        apart_m = 2 * EARTH_RADIUS_M * np.arcsin(np.minimum(1.0, chord / 2)) + 1 - radius_m[here] - radius_m[there]
        allowed_s = np.maximum(when[near + 1] - when[near] - 2 * limits.clock_skew_s, 1)
        found = np.zeros(count, np.bool_)
        found[whose[near[apart_m * 3.6 > limits.floor_kmh * allowed_s]]] = True
        return found


def _slices(files: Sequence[pq.FileMetaData]) -> list[int]:
    """Ascending device keys that bound slices of about MOST_ROWS; only the two ends for a day of fewer rows."""
    total = sum(file.num_rows for file in files)
    firsts = [
        (statistics.min, file.row_group(number).num_rows)
        for file in files
        for number, statistics in enumerate(_of_devices(file))
        if statistics is not None
    ]
    bounds, rows = [0], 0
    if total > MOST_ROWS:
        for first, count in sorted(firsts):
            if rows >= MOST_ROWS and bounds[-1] < first < _PAST_IMEIS:
                bounds.append(first)
                rows = 0
            rows += count
    return [*bounds, _PAST_IMEIS]


def _columns(file: pq.ParquetFile, low: int, high: int) -> Mapping[str, Ints]:
    """The columns of the row groups that may hold devices from `low` to before `high`."""
    groups = [
        number
        for number, statistics in enumerate(_of_devices(file.metadata))
        if statistics is None or (statistics.min < high and statistics.max >= low)
    ]
    table = file.read_row_groups(groups, columns=list(_COLUMNS), use_threads=False).combine_chunks()
    return {
        name: (column.fill_null(_NULL) if column.null_count else column).to_numpy()
        for name, column in zip(table.column_names, table.columns, strict=True)
    }


def _of_devices(file: pq.FileMetaData) -> list[pq.Statistics | None]:
    """Between which devices each row group lies; None where the file does not say, or there is none."""
    place = file.schema.to_arrow_schema().get_field_index("device")
    found = [file.row_group(number).column(place).statistics for number in range(file.num_row_groups)]
    return [one if one is not None and one.has_min_max else None for one in found]
