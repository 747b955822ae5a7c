"""What an earlier run answered, and which devices must be asked again because the day, the data or lists moved since.

    asked again = whom lists touched                                  (the shelf of runs compares them)
                + whom the data or the day may have moved             (moves/*.sql, one text a kind of fact)
                + whose evidence is wanted, whatever the answer       (new, gone or restated findings)

Everybody else's answer is the earlier one. A fact moves when a day enters or leaves its window; most devices are in
both windows alike. Where a rule reads what no text of moves/ covers, everybody is asked: never wrong, only slower.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from openceir.detection.condition import condition_named, first_day_of_period
from openceir.detection.engine import Engine, Step
from openceir.detection.fact import FACTS
from openceir.detection.plan import counts_everybody, distinct_uses, first_day
from openceir.detection.proposal import Devices, no_devices
from openceir.detection.rule import Rule, Use
from openceir.detection.sql import Sql, days_relation, epoch_day, has_sql, read_sql, render, window

__all__ = ["Earlier", "moved_devices", "moved_steps"]

_WORD = re.compile(r":?\b[a-z_][a-z0-9_]*\b")
# How moves/networks.sql says which users a fact is about.
_WHOSE = {
    "used_at_home": Sql("h.at_home"),
    "used_by_foreigner": Sql("NOT h.in_country"),
    "used_by_other_local": Sql("h.in_country AND NOT h.at_home"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What the same policy answered as of a day, over measures that say the same of all days up to then."""

    as_of_on: date
    standing: Mapping[str, tuple[Devices, npt.NDArray[np.bool_]]]  # rule label -> devices ascending, seen
    ever_seen: int
    touched: Devices  # those of which lists say something else since; ascending, distinct
    has_same_conflicts: bool = True  # whether no conflict of those days was measured anew since


def moved_devices(engine: Engine, rules: Sequence[Rule], earlier: Earlier, as_of_on: date) -> Devices | None:
    """The devices whose answers the data or the day may have moved since; None: anybody's.

    The relations of a plan must be there, of every device.
    """
    steps = moved_steps(rules, earlier.as_of_on, as_of_on, has_same_conflicts=earlier.has_same_conflicts)
    of_conflicts = [(rule, use) for rule in rules for use in rule.uses if "conflicts" in _kinds(use)]
    if steps is None or (not earlier.has_same_conflicts and any(use.invert for _, use in of_conflicts)):
        return None
    found = [no_devices()]
    for step in steps:
        engine.run(step)
        if step.name != "fresh":
            found.append(engine.fetch(f"SELECT device FROM {step.name}")["device"].to_numpy())
    if not earlier.has_same_conflicts:  # who has no conflict any more stood with the rule
        found += [earlier.standing[rule.label][0] for rule, _ in of_conflicts if rule.label in earlier.standing]
    return np.unique(np.concatenate(found))


def moved_steps(
    rules: Sequence[Rule], before_on: date, as_of_on: date, *, has_same_conflicts: bool = True
) -> list[Step] | None:
    """The steps that find them; every result but `fresh` is a column of devices. None where they cannot be found."""
    uses = distinct_uses(rules)
    since = min(first_day(uses, before_on), first_day(uses, as_of_on))
    common: dict[str, object] = {
        "before_on": epoch_day(before_on),
        "as_of_on": epoch_day(as_of_on),
        "days_since": window(before_on + timedelta(days=1), as_of_on),
        "before_month_on": epoch_day(before_on.replace(day=1)),
        "before_mask": (1 << before_on.day) - 1,
        "longest_window": window(since, as_of_on),
        "moving_days": days_relation(_moving_days(uses, before_on, as_of_on)),
        "any_day": not has_same_conflicts,
    }
    texts = [render(read_sql("moves", "seen"), common)]
    for use in uses:
        if "last_seen_on" in _words(use) or counts_everybody(use):
            return None
        values = condition_named(use.name).sql_values(as_of_on, use.limits) | common
        begins = first_day_of_period(before_on, use.limits)
        if begins is not None:
            values |= {"window_before": window(begins, before_on), "first_before_on": epoch_day(begins)}
        if ":as_of_on" in _words(use):
            if not has_sql("moves", use.name):
                return None
            texts.append(render(read_sql("moves", use.name), values))
        for kind, columns in _kinds(use).items():
            if kind is None:
                return None
            if kind == "networks":
                texts += [render(read_sql("moves", kind), values | {"whose": _WHOSE[name]}) for name in columns]
            elif kind:
                texts.append(render(read_sql("moves", kind), values))
    fresh = Step("fresh", render(read_sql("moves", "fresh"), common))
    return [fresh, *(Step(f"moved_{number}", text) for number, text in enumerate(dict.fromkeys(texts)))]


def _moving_days(uses: Sequence[Use], before_on: date, as_of_on: date) -> set[date]:
    """The days that entered any window of these uses, or left it."""
    spans = [(before_on + timedelta(days=1), as_of_on)]
    for use in uses:
        then, now = (first_day_of_period(day, use.limits) for day in (before_on, as_of_on))
        if then is not None and now is not None and "counted" in _kinds(use):
            spans.append((then, now - timedelta(days=1)))
    return {date.fromordinal(day) for first, last in spans for day in range(first.toordinal(), last.toordinal() + 1)}


def _kinds(use: Use) -> dict[str | None, list[str]]:
    """What moves the facts that a use reads: the kind, and the columns of it that are read."""
    kinds: dict[str | None, list[str]] = {}
    read = _words(use)
    for name in condition_named(use.name).facts:
        kinds.setdefault(FACTS[name].moves, []).extend(column for column in FACTS[name].columns if column in read)
    return kinds


def _words(use: Use) -> set[str]:
    condition = condition_named(use.name)
    by: Iterable[str] = (node["by"] for node in condition.limits.values() if "by" in node)
    return {*_WORD.findall(re.sub(r"--[^\n]*", "", condition.expression)), *by}
