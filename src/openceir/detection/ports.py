"""What detection asks of the shelves: measured Parquet files, and lists as columns.

A list is an Arrow table with exactly the columns of `LISTS`; an absent one is empty. Rows may repeat and come in any
order. Days are days since 1970-01-01; devices and subscribers are the keys of docs/architecture.md §2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from openceir.detection.errors import DetectionError

__all__ = ["CELLS", "LISTS", "MEASURED", "STANDING", "Inputs", "Measured", "SightingsFile", "checked_list"]


class SightingsFile(Protocol):
    """A lake file that counts (docs/architecture.md §3)."""

    @property
    def path(self) -> Path:
        """Where it is."""

    @property
    def operator(self) -> str:
        """Who saw what it holds."""

    @property
    def day(self) -> date:
        """The day folder it belongs to."""

    @property
    def digest(self) -> bytes:
        """SHA-256 of its octets: a changed file is another file."""


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema(list(columns.items()))


_KEY, _TEXT = pa.int64(), pa.string()

# The aggregates of the lake, by relation. month_on: the epoch day of day 1; bit 0 of a day_mask is that day.
MEASURED: Mapping[str, pa.Schema] = {
    "triplets": _schema(
        month_on=_KEY, device=_KEY, operator=_TEXT, imsi=_KEY, msisdn=_KEY, rat=_KEY, day_mask=_KEY
    ),
    "devices": _schema(month_on=_KEY, device=_KEY, rat=_KEY, day_mask=_KEY),
    "conflicts": _schema(
        device=_KEY, ts=_KEY, cell=_KEY, imsi=_KEY, previous_ts=_KEY, previous_cell=_KEY, previous_imsi=_KEY,
        apart_m=_KEY, speed_kmh=pa.float64(), simultaneous=pa.bool_(),
    ),
}  # fmt: skip

LISTS: Mapping[str, pa.Schema] = {
    "stolen": _schema(device=_KEY),  # a stolen or lost claim holds
    "barred": _schema(device=_KEY),
    "barred_tac": _schema(tac=_KEY),
    "monitored": _schema(device=_KEY, since_on=_KEY),
    "registered": _schema(device=_KEY),
    "registered_range": _schema(lo=_KEY, hi=_KEY),  # device keys, both included
    "associated": _schema(device=_KEY),
    "subscriber": _schema(imsi=_KEY, uid=_TEXT),
    # generations: bit 0 is 2G … bit 3 is 5G; null when the table does not say
    "tac": _schema(tac=_KEY, manufacturer=_TEXT, model=_TEXT, device_type=_TEXT, generations=_KEY),
}

# Where cells stand; radius_m is null when nobody said.
CELLS: pa.Schema = _schema(cell=_KEY, lat=pa.float64(), lon=pa.float64(), radius_m=pa.float64())

# What earlier classifications still say: the `classified` claims that hold. block_on is null for none.
STANDING: pa.Schema = _schema(
    rule=_TEXT, device=_KEY, block_on=_KEY, amnesty=pa.bool_(), blocking=pa.bool_(), marks_duplicate=pa.bool_()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The files that hold the aggregates. `digest` names their content: equal digests, equal facts."""

    triplets: Sequence[Path] = ()
    devices: Sequence[Path] = ()
    conflicts: Sequence[Path] = ()
    digest: bytes = b""

    def files(self, relation: str) -> Sequence[Path]:
        """The files of one relation of MEASURED."""
        found: Sequence[Path] = getattr(self, relation)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Everything beside policy and day that a verdict depends on."""

    measured: Measured = field(default_factory=Measured)
    lists: Mapping[str, pa.Table] = field(default_factory=dict)  # by name of LISTS
    standing: pa.Table | None = None  # STANDING; None: nothing was classified yet

    def list_named(self, name: str) -> pa.Table:
        """The list, empty when absent.

        Raises: DetectionError when its columns are not those of LISTS.
        """
        return checked_list(name, self.lists.get(name))


def checked_list(name: str, table: pa.Table | None) -> pa.Table:
    """The table with the columns that LISTS asks for, empty when absent.

    Raises: DetectionError when columns are missing or of a type that cannot be theirs.
    """
    schema = LISTS[name]
    if table is None:
        return schema.empty_table()
    try:
        return table.select(schema.names).cast(schema)
    except (KeyError, pa.ArrowInvalid) as wrong:
        raise DetectionError(f"the list {name} needs the columns {', '.join(schema.names)}: {wrong}") from wrong
