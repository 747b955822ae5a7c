"""Conditions: a sentence in SQL over facts, its dated limits, and its words. Each registers itself by being there.

`conditions/<name>.sql` is one boolean expression over the columns of the facts that `limits/<name>.toml` names; it is
never null, and a missing fact accuses nobody. The TOML holds the limits (dated, with unit and legal source), the fact
columns kept as evidence, and the sentence a citizen is told.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Any

from openceir.detection.errors import RuleRefused
from openceir.detection.sql import Sql, epoch_day, read_sql, window
from openceir.policy import Limit, dated_value

__all__ = ["Condition", "conditions", "condition_named", "first_day_of_period"]

_KEYS = {"title", "clause", "facts", "shows", "subscribers", "lone_below", "moves", "sentence", "otherwise", "limits"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One named condition as it stands in its two files."""

    name: str
    title: str
    clause: str  # where the idea is written down
    expression: str  # SQL, comments included
    facts: tuple[str, ...]  # files in facts/ whose columns it reads, beside those of facts/device.sql
    shows: tuple[str, ...]  # columns kept as evidence
    subscribers: bool  # whether keyed digests of the subscribers are kept with a hit
    lone_below: str  # the limit that, above 1, no device of one SIM card, number and person can reach; "" for none
    moves: str  # the text of moves/ for what a further day may move beyond its facts (earlier.py); "" for none
    sentence: str
    otherwise: str  # the sentence when the condition is inverted
    limits: Mapping[str, Any] = field(repr=False)

    def limits_on(self, on: date, overrides: Mapping[str, Any]) -> dict[str, Limit]:
        """Every limit as it stood on the day `on`, those of a rule over our own.

        Raises: RuleRefused for an override that names no limit of this condition or has another type.
        """
        for name in overrides:
            if name not in self.limits:
                near = get_close_matches(name, self.limits, n=1)
                hint = f"; did you mean {near[0]}?" if near else f"; it has {', '.join(self.limits) or 'none'}"
                raise RuleRefused(f"condition {self.name} has no limit {name}{hint}")
        found = {}
        for name, node in self.limits.items():
            path = f"{self.name}.{name}"
            ours = dated_value(path, {k: v for k, v in node.items() if k != "by"}, on)
            if name in overrides:
                over = dated_value(path, overrides[name], on)
                _same_type(path, ours.value, over.value)
                found[name] = Limit(
                    name=path, value=over.value, unit=over.unit or ours.unit, source=over.source, since=over.since
                )
            else:
                found[name] = ours
        return found

    def sql_values(self, as_of_on: date, limits: Mapping[str, Limit]) -> dict[str, object]:
        """What the placeholders of this condition and of its facts stand for."""
        values: dict[str, object] = {"as_of_on": epoch_day(as_of_on)}
        for name, limit in limits.items():
            by = self.limits[name].get("by")
            values[name] = _case(by, limit.value) if by else limit.value
        since = first_day_of_period(as_of_on, limits)
        if since is not None:
            values |= {"first_on": epoch_day(since), "window": window(since, as_of_on)}
        return values


def first_day_of_period(as_of_on: date, limits: Mapping[str, Limit]) -> date | None:
    """The first day of the window that ends with `as_of_on`, both included; None for a condition without a period.

    A `period_months` above 0 stands over `period_days`: from the same day of an earlier month (its last day when that
    month is shorter) to the day of the run.
    """
    months = limits["period_months"].value if "period_months" in limits else 0
    if months > 0:
        after = as_of_on + timedelta(days=1)
        count = after.year * 12 + after.month - 1 - months
        first = date(count // 12, count % 12 + 1, 1)
        following = (count + 1) // 12, (count + 1) % 12 + 1
        length = (date(following[0], following[1], 1) - first).days
        return first.replace(day=min(after.day, length))
    if "period_days" in limits:
        return as_of_on - timedelta(days=limits["period_days"].value - 1)
    return None


def _case(column: str, table: Mapping[str, int]) -> Sql:
    """`CASE column WHEN 1 THEN 40 … ELSE 0 END` from {"01": 40}."""
    if not table:
        return Sql("0")
    arms = " ".join(f"WHEN {int(key)} THEN {int(value)}" for key, value in sorted(table.items()))
    return Sql(f"CASE {column} {arms} ELSE 0 END")


def _same_type(path: str, ours: object, over: object) -> None:
    numbers = (int, float)
    both_numbers = isinstance(ours, numbers) and isinstance(over, numbers)
    if isinstance(ours, bool) is not isinstance(over, bool) or not (both_numbers or type(ours) is type(over)):
        raise RuleRefused(f"{path} must be {type(ours).__name__} like {ours!r}, not {over!r}")
    if isinstance(ours, int) and isinstance(over, float):
        raise RuleRefused(f"{path} counts whole {path.rsplit('_', 1)[-1]}, not {over!r}")
    if isinstance(over, numbers) and over < 0:
        raise RuleRefused(f"{path} must not be negative, not {over!r}")
    if path.endswith(".period_days") and over == 0:
        raise RuleRefused(f"{path} must hold at least one day")
    if isinstance(over, Mapping) and not all(
        len(key) == 2 and key.isascii() and key.isdigit() and isinstance(value, int) and value >= 0
        for key, value in over.items()
    ):
        raise RuleRefused(f'{path} is a table like {{ "01" = 40 }}: two digits, then a count')


@cache
def conditions() -> Mapping[str, Condition]:
    """Every condition there is, by name."""
    folder = resources.files("openceir.detection").joinpath("conditions")
    names = sorted(entry.name.removesuffix(".sql") for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return {name: _load(name) for name in names}


def condition_named(name: str) -> Condition:
    """The condition of that name.

    Raises: RuleRefused, with the nearest name there is.
    """
    known = conditions()
    if name not in known:
        near = get_close_matches(name, known, n=1)
        raise RuleRefused(
            f"there is no condition {name}"
            + (f"; did you mean {near[0]}?" if near else "; `openceir detection conditions` lists them")
        )
    return known[name]


def _load(name: str) -> Condition:
    place = resources.files("openceir.detection").joinpath("limits", f"{name}.toml")
    words = tomllib.loads(place.read_text(encoding="utf-8"))
    strange = set(words) - _KEYS
    if strange:
        raise RuleRefused(f"limits/{name}.toml: unknown {', '.join(sorted(strange))}")
    return Condition(
        name=name,
        title=words["title"],
        clause=words["clause"],
        expression=read_sql("conditions", name),
        facts=tuple(words.get("facts", ())),
        shows=tuple(words.get("shows", ())),
        subscribers=words.get("subscribers", False),
        lone_below=words.get("lone_below", ""),
        moves=words.get("moves", ""),
        sentence=words["sentence"],
        otherwise=words["otherwise"],
        limits=words.get("limits", {}),
    )
