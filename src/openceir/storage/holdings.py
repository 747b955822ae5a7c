"""What a home holds, what an update did and what a pruning erased: counts that a door prints."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from openceir.storage.database import Database

__all__ = ["Holdings", "Pruned", "Updated", "sightings_by_operator"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """Counts of everything. `sightings` is by operator; `lists` the newest sequence number of each operator."""

    statements: int
    devices: Mapping[str, int]  # named singly, by status
    sightings: tuple[Mapping[str, Any], ...]
    imports: tuple[Mapping[str, Any], ...]  # newest first
    lists: Mapping[str, int]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """What one update did. `proposed` and `adopted` count rules and statements; None: not asked for, or nothing to do."""

    new_files: int
    detection_run: int
    proposed: int
    adopted: int | None
    list_run: int | None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What was erased, or would be. Counts are files; `months` are those whose triplets went, their devices stay known."""

    first_kept_on: date
    sightings_files: int
    months: tuple[str, ...]
    list_files: int
    is_rehearsal: bool

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"first_kept_on": self.first_kept_on.isoformat()}


def sightings_by_operator(database: Database) -> tuple[dict[str, Any], ...]:
    """Files, rows, first and last day of each operator's sightings."""
    rows = database.connection.execute(
        "SELECT operator, count(*), sum(rows), min(day), max(day) FROM lake_file GROUP BY operator ORDER BY operator"
    )
    names = ("operator", "files", "rows", "first_day", "last_day")
    return tuple(dict(zip(names, row, strict=True)) for row in rows)
