"""A figure and a report: plain values, ready to be kept as JSON and read again years later."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

__all__ = ["Area", "Drawing", "Figure", "Report"]

Cell = str | int | float | None


class Drawing(StrEnum):
    """How a figure is drawn. The table beside it says the same."""

    LINES = "lines"  # first column along the x axis, one line a further column
    BARS = "bars"  # one bar a row: first column its name, second its length
    STACKED = "stacked"  # one bar a row, one piece a further column
    NONE = "none"  # a table alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A part of the country on its map. Units: rows and columns count from 1; an outline is (longitude, latitude)."""

    name: str
    population: int
    row: int = 1
    column: int = 1
    outline: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One table of numbers. Shapes: every row has as many cells as there are columns."""

    name: str
    title: str
    explains: str  # how it was counted: one or two sentences
    unit: str  # of the numbers: "devices", "hours"
    drawing: Drawing
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any]) -> "Figure":
        """The figure that `dataclasses.asdict` was made of."""
        rows = tuple(tuple(row) for row in tree["rows"])
        return cls(**{**tree, "drawing": Drawing(tree["drawing"]), "columns": tuple(tree["columns"]), "rows": rows})

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def number(self, column: str) -> list[float]:
        """The numbers of one column, 0 where nothing stands."""
        at = self.columns.index(column)
        return [float(row[at] or 0) for row in self.rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The figures of one month, of the whole country or of one operator, and what they were made from."""

    month: str  # "2026-10"
    operator: str  # "" is the country
    made_at: str  # ISO, UTC
    status_at: str  # the instant whose statuses were counted
    ledger_size: int
    measures_sha256: str
    policy_sha256: str
    figures: tuple[Figure, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any]) -> "Report":
        """The report that `to_dict` was made of."""
        return cls(**{**tree, "figures": tuple(Figure.from_dict(one) for one in tree["figures"])})

    def figure(self, name: str) -> Figure | None:
        """The figure of this name, or None."""
        return next((one for one in self.figures if one.name == name), None)
