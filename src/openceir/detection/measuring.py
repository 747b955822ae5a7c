"""Measuring sightings once: what each lake file adds to a month's triplets and devices, and a day's conflicts.

A day mask makes the measures mergeable: OR of the masks of two sets of files is the mask of both together, so a new
file costs that file. Conflicts need neighbours in time: of the days before, only so much is read again as the floor
speed needs to cross the country.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from openceir.detection.engine import Engine, Step, parquet
from openceir.detection.ports import CELLS, SightingsFile
from openceir.detection.sql import epoch_day, read_sql, render
from openceir.identity import G2, G3, G4, G5
from openceir.policy import Policy

__all__ = [
    "CellMap", "TravelLimits", "conflict_steps", "count_times", "days_of", "folded", "measure_conflicts", "measure_month",
    "month_steps",
]  # fmt: skip

EARTH_RADIUS_M = 6371008.8  # mean radius, IUGG 1980
DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelLimits:
    """The policy's `[detection.sightings]` as it stood on a day."""

    floor_kmh: float
    clock_skew_s: int
    radius_2g_3g_m: float
    radius_4g_5g_m: float
    radius_unknown_m: float

    @classmethod
    def on(cls, policy: Policy, day: date) -> "TravelLimits":
        """The limits in force on the day of the sightings."""
        return cls(**{name: limit.value for name, limit in policy.section("detection.sightings", day).items()})

    def look_back_s(self, widest_m: float) -> int:
        """Sightings further apart in time than this cannot be in conflict, wherever they were."""
        return math.ceil(widest_m * 3.6 / self.floor_kmh) + 2 * self.clock_skew_s + 1


@dataclass(frozen=True, slots=True)
class CellMap:
    """Where cells stand, as unit vectors: cell, x, y, z, radius_m (null when unknown); cells without a place left out."""

    table: pa.Table
    widest_m: float  # no two cells are further apart than this

    @classmethod
    def of(cls, cells: pa.Table) -> "CellMap":
        """From a table with the columns of ports.CELLS."""
        cells = cells.select(CELLS.names).cast(CELLS)
        lat = np.radians(cells["lat"].to_numpy(zero_copy_only=False).astype(np.float64))
        lon = np.radians(cells["lon"].to_numpy(zero_copy_only=False).astype(np.float64))
        placed = ~(np.isnan(lat) | np.isnan(lon))
        lat, lon = lat[placed], lon[placed]
        xyz = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
        table = pa.table(
            {
                "cell": cells["cell"].filter(pa.array(placed)),
                **{name: pa.array(column) for name, column in zip("xyz", xyz, strict=True)},
                "radius_m": cells["radius_m"].filter(pa.array(placed)),
            }
        )
        # The diagonal of the box around all cells bounds the chord between any two.
        chord = float(np.linalg.norm(xyz.max(axis=1) - xyz.min(axis=1))) if xyz.shape[1] else 0.0
        return cls(table, 2 * EARTH_RADIUS_M * math.asin(min(1.0, chord / 2)) + 1)


def month_steps() -> list[Step]:
    """From `sightings` (device, operator, imsi, msisdn, rat, day_bit) to `month_triplets` and `month_devices`."""
    return [
        Step("month_users", render(read_sql("measures", "users"), {})),
        Step("month_triplets", render(read_sql("measures", "triplets"), {})),
        Step("month_devices", render(read_sql("measures", "devices"), {})),
    ]


def conflict_steps(day: date, limits: TravelLimits, widest_m: float) -> list[Step]:
    """From `sightings` (with ts, cell) and `cells` to `day_conflicts` of one UTC day."""
    values = {
        "day_starts_at": epoch_day(day) * DAY_S,
        "look_back_s": limits.look_back_s(widest_m),
        "clock_skew_s": limits.clock_skew_s,
        "floor_kmh": float(limits.floor_kmh),
        "radius_2g_3g_m": float(limits.radius_2g_3g_m),
        "radius_4g_5g_m": float(limits.radius_4g_5g_m),
        "radius_unknown_m": float(limits.radius_unknown_m),
        "rat_2g_3g": G2 | G3,
        "rat_4g_5g": G4 | G5,
    }
    return [Step("day_conflicts", render(read_sql("measures", "conflicts"), values))]


def see_sightings(engine: Engine, files: Sequence[SightingsFile], operators: Sequence[str]) -> None:
    """Name the rows of these files `sightings`; `operator` is the place of the operator's name in `operators`."""
    groups: dict[tuple[str, int], list[Path]] = {}
    for file in files:
        groups.setdefault((file.operator, file.day.day), []).append(file.path)
    parts = [
        f"SELECT device, imsi, msisdn, rat, ts, cell, CAST({operators.index(operator)} AS BIGINT) AS operator,"
        f" CAST({1 << (day - 1)} AS BIGINT) AS day_bit FROM {parquet(paths)}"
        for (operator, day), paths in sorted(groups.items())
    ]
    engine.connection.execute(f"CREATE OR REPLACE TEMP VIEW sightings AS {' UNION ALL '.join(parts)}")


def measure_month(engine: Engine, month: date, files: Sequence[SightingsFile]) -> tuple[str, str]:
    """SELECTs of the triplets and devices of `files`, all of the month that begins on that day.

    Shapes: as ports.MEASURED, one row a key.
    """
    operators = sorted({file.operator for file in files})
    users, *folds = month_steps()
    parts = []
    for number, operator in enumerate(operators):  # one at a time: a fifth cheaper, and a fraction of the memory
        see_sightings(engine, [file for file in files if file.operator == operator], operators)
        parts.append(f"{users.name}_{number}")
        engine.run(Step(parts[-1], users.sql))
    engine.connection.execute("DROP VIEW sightings")
    everybody = " UNION ALL ".join(f"SELECT * FROM {part}" for part in parts)
    engine.connection.execute(f"CREATE OR REPLACE TEMP VIEW {users.name} AS {everybody}")
    for step in folds:
        engine.run(step)
    for part in parts:
        engine.connection.execute(f"DROP TABLE {part}")
    engine.take("operator_name", pa.table({"number": list(range(len(operators))), "name": operators}))
    on = f"CAST({epoch_day(month)} AS BIGINT) AS month_on"
    fresh_triplets = (
        f"SELECT {on}, t.device AS device, o.name AS operator, t.imsi AS imsi, t.msisdn AS msisdn, t.rat AS rat,"
        " t.day_mask AS day_mask FROM month_triplets AS t JOIN operator_name AS o ON o.number = t.operator"
    )
    fresh_devices = f"SELECT {on}, device, rat, day_mask FROM month_devices"
    return fresh_triplets, fresh_devices


def folded(relation: str, fresh: str, month: Path, beside: Sequence[Path] = ()) -> str:
    """A SELECT of what is measured so far and of the fresh together, one row a key.

    The month's file has one row a key, and so has the fresh; those beside it may repeat them.
    """
    keys, masks = _KEYS_AND_MASKS[relation]
    if beside:
        ored = ", ".join(f"BIT_OR({mask}) AS {mask}" for mask in masks)
        columns = ", ".join((*keys, *masks))
        both = f"SELECT {columns} FROM {parquet(beside)} UNION ALL SELECT {columns} FROM ({fresh}) AS f"
        fresh = f"SELECT {', '.join(keys)}, {ored} FROM ({both}) AS b GROUP BY {', '.join(keys)}"
    # A join costs a third of grouping them together, since most of the month only passes.
    chosen = [f"COALESCE(o.{key}, f.{key}) AS {key}" for key in keys]
    chosen += [f"COALESCE(o.{mask} | f.{mask}, o.{mask}, f.{mask}) AS {mask}" for mask in masks]
    same = " AND ".join(f"o.{key} IS NOT DISTINCT FROM f.{key}" for key in keys)
    return f"SELECT {', '.join(chosen)} FROM {parquet([month])} AS o FULL JOIN ({fresh}) AS f ON {same}"


_KEYS_AND_MASKS = {
    "triplets": (("month_on", "device", "operator", "imsi", "msisdn"), ("rat", "day_mask")),
    "devices": (("month_on", "device", "rat"), ("day_mask",)),
}


def count_times(files: Sequence[SightingsFile]) -> dict[Path, tuple[int, int] | None]:
    """The first and last instant in each file; None when it has none."""
    return {file.path: _span(pq.ParquetFile(file.path)) for file in files}


def _span(file: pq.ParquetFile) -> tuple[int, int] | None:
    """From what the row groups say of themselves; a file that says nothing is read."""
    place = file.schema_arrow.get_field_index("ts")
    groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
    said = [(group.num_rows, group.column(place).statistics) for group in groups]
    if all(one and one.has_null_count and (one.has_min_max or one.null_count == rows) for rows, one in said):
        bounds = [(one.min, one.max) for _, one in said if one.has_min_max]
        return (min(low for low, _ in bounds), max(high for _, high in bounds)) if bounds else None
    found = pc.min_max(file.read(columns=["ts"], use_threads=False)["ts"]).as_py()
    return None if found["min"] is None else (found["min"], found["max"])


def measure_conflicts(engine: Engine, day: date, sightings: pa.Table, limits: TravelLimits, widest_m: float) -> str:
    """A SELECT of one UTC day's conflicts, once `cells` is there. `sightings` are those of its suspects."""
    engine.take("sightings", sightings)
    for step in conflict_steps(day, limits, widest_m):
        engine.run(step)
    return "SELECT * FROM day_conflicts"


def days_of(first_ts: int, last_ts: int) -> list[date]:
    """The UTC days that a span of instants touches."""
    first, last = first_ts // DAY_S, last_ts // DAY_S
    return [date(1970, 1, 1) + timedelta(days=n) for n in range(first, last + 1)]
