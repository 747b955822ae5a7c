"""Portable SQL text: our own files, with every `:name` replaced by the literal it stands for.

The same text runs on DuckDB and on Spark, so placeholders become literals rather than either engine's parameters.
Only integers, finite floats, booleans and SQL composed here can be pasted; text never is.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

from openceir.detection.errors import DetectionError

__all__ = ["Sql", "days_relation", "epoch_day", "read_sql", "render", "window"]

EPOCH = date(1970, 1, 1)
_PLACEHOLDER = re.compile(r"(?<![:\w]):([a-z][a-z0-9_]*)")
_COMMENT = re.compile(r"--[^\n]*")


@dataclass(frozen=True, slots=True)
class Sql:
    """SQL that one of our own modules composed: pasted as it stands."""

    text: str


def epoch_day(day: date) -> int:
    """Days since 1970-01-01: what a calendar day is inside the engines."""
    return (day - EPOCH).days


@cache
def read_sql(folder: str, name: str) -> str:
    """The text of `<folder>/<name>.sql`, comments and all."""
    return resources.files("openceir.detection").joinpath(folder, f"{name}.sql").read_text(encoding="utf-8")


def render(text: str, values: Mapping[str, object]) -> str:
    """`text` without comments, every `:name` replaced by its literal.

    Raises: DetectionError for a name without a value, or a value that is not a plain number.
    """

    def literal(match: re.Match[str]) -> str:
        name = match[1]
        if name not in values:
            raise DetectionError(f"the SQL asks for :{name}, which nobody gave a value")
        return _literal(name, values[name])

    return _PLACEHOLDER.sub(literal, _COMMENT.sub("", text)).strip()


def _literal(name: str, value: object) -> str:
    match value:
        case Sql():
            return value.text
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return str(value) if -(2**31) <= value < 2**31 else f"CAST({value} AS BIGINT)"
        case float() if math.isfinite(value):
            return f"CAST({value!r} AS DOUBLE)"
        case date():
            return str(epoch_day(value))
    raise DetectionError(f":{name} must be a number or a day, not {type(value).__name__}")


def window(first_on: date, last_on: date) -> Sql:
    """The days of a window, both ends included, as `days_relation` gives them."""
    return days_relation(date.fromordinal(day) for day in range(first_on.toordinal(), last_on.toordinal() + 1))


def days_relation(days: Iterable[date]) -> Sql:
    """A small relation (month_on, mask): which days of which months are meant.

    Units: bit 0 of a mask is day 1 of its month; `month_on` is the epoch day of day 1.
    """
    masks: dict[date, int] = {}
    for day in days:
        month = day.replace(day=1)
        masks[month] = masks.get(month, 0) | 1 << (day.day - 1)
    rows = [
        f"SELECT CAST({epoch_day(month)} AS BIGINT) AS month_on, CAST({mask} AS BIGINT) AS mask"
        for month, mask in sorted(masks.items())
    ]
    if not rows:  # an empty period holds no day
        rows = ["SELECT CAST(0 AS BIGINT) AS month_on, CAST(0 AS BIGINT) AS mask"]
    return Sql("(" + " UNION ALL ".join(rows) + ")")
