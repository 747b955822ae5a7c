"""What an earlier run answered, and which devices must be asked again because the day, the data or lists moved since.

    asked again = whom lists touched                                  (the shelf of runs compares them)
                + whom the data or the day may have moved             (moves/*.sql, one text a kind of fact)
                + whose evidence is wanted, whatever the answer       (new, gone or restated findings)

Everybody else's answer is the earlier one. A fact moves when a day enters or leaves its window; most devices are in
both windows alike. Where a rule reads what no text of moves/ covers, everybody is asked: never wrong, only slower.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from openceir.detection.condition import condition_named, first_day_of_period
from openceir.detection.engine import Engine, Step
from openceir.detection.fact import FACTS
from openceir.detection.plan import RADIO, counts_everybody, distinct_uses, first_day
from openceir.detection.proposal import Devices, no_devices
from openceir.detection.rule import Rule, Use
from openceir.detection.sql import Sql, days_relation, epoch_day, read_sql, render, window

__all__ = ["Earlier", "moved_devices", "moved_steps"]

_WORD = re.compile(r":?\b[a-z_][a-z0-9_]*\b")
# How moves/networks.sql says which users a fact is about; most users are at home, and looked at as any others are.
_WHOSE = {
    "used_by_foreigner": Sql("NOT h.in_country"),
    "used_by_other_local": Sql("h.in_country AND NOT h.at_home"),
}
# Texts of moves/ that others read: no devices to ask by themselves.
_READ_BY_OTHERS = ("restless", "fresh", "several")
# What a further day may move though no user enters or leaves a window: a condition that reads it names its text of moves/.
_BY_THE_DAY = {":as_of_on", "generations", "imsi_days", "days_seen", "uid_days", "days_used", "msisdn_days"}


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
        if step.name in _READ_BY_OTHERS:
            engine.run(step)
        else:
            found.append(engine.fetch(step.sql)["device"].to_numpy())
    if not earlier.has_same_conflicts:  # who has no conflict any more stood with the rule
        found += [earlier.standing[rule.label][0] for rule, _ in of_conflicts if rule.label in earlier.standing]
    return np.unique(np.concatenate(found))


def moved_steps(
    rules: Sequence[Rule], before_on: date, as_of_on: date, *, has_same_conflicts: bool = True
) -> list[Step] | None:
    """The steps that find them; every result but those that others read is a column of devices to ask.

    None where they cannot be found.
    """
    uses = distinct_uses(rules)
    since = min(first_day(uses, before_on), first_day(uses, as_of_on))
    moving, staying = _moving_and_staying_days(uses, before_on, as_of_on)
    capability = render(read_sql("facts", "model_capability"), {})
    common: dict[str, object] = {
        **RADIO,
        "before_on": epoch_day(before_on),
        "as_of_on": epoch_day(as_of_on),
        "days_since": window(before_on + timedelta(days=1), as_of_on),
        "least_mask": min((1 << day.day - 1 for day in _days(before_on + timedelta(days=1), as_of_on)), default=0),
        "before_month_on": epoch_day(before_on.replace(day=1)),
        "before_mask": (1 << before_on.day) - 1,
        "first_month_on": epoch_day(since.replace(day=1)),
        "longest_window": window(since, as_of_on),
        "moving_days": days_relation(moving),
        "staying_days": days_relation(staying),
        "model_capability": Sql(f"({capability})"),
        "any_day": not has_same_conflicts,
    }
    texts = [render(read_sql("moves", "seen"), common)]
    for use in uses:
        condition = condition_named(use.name)
        if "last_seen_on" in _words(use) or counts_everybody(use):
            return None
        if _words(use) & _BY_THE_DAY and not condition.moves:
            return None
        values = condition.sql_values(as_of_on, use.limits) | common
        begins = first_day_of_period(before_on, use.limits)
        if begins is not None:
            values |= {"window_before": window(begins, before_on), "first_before_on": epoch_day(begins)}
        for kind, columns in _kinds(use).items():
            if kind is None:
                return None
            if kind == "networks":
                texts += [render(read_sql("moves", kind), values | {"whose": _WHOSE[name]}) for name in columns]
            elif kind:
                texts.append(render(read_sql("moves", kind), values))
        if "delay_days" in use.limits:
            values["due_days"] = days_relation(_due_days(use.limits["delay_days"].value, before_on, as_of_on))
        if condition.moves:
            texts.append(render(read_sql("moves", condition.moves), values))
    first = [Step(name, render(read_sql("moves", name), common)) for name in _READ_BY_OTHERS]
    return [*first, *(Step(f"moved_{number}", text) for number, text in enumerate(dict.fromkeys(texts)))]


def _moving_and_staying_days(uses: Sequence[Use], before_on: date, as_of_on: date) -> tuple[set[date], set[date]]:
    """The days that entered any window of users or left it, and those that every window holds on both days."""
    spans, stays = [(before_on + timedelta(days=1), as_of_on)], before_on.replace(day=1)
    for use in uses:
        then, now = (first_day_of_period(day, use.limits) for day in (before_on, as_of_on))
        if then is not None and now is not None and "users" in _kinds(use):
            spans.append((then, now - timedelta(days=1)))
            stays = max(stays, now)
    return {day for span in spans for day in _days(*span)}, set(_days(stays, before_on))


def _due_days(delays: Mapping[str, int], before_on: date, as_of_on: date) -> set[date]:
    """The days up to the earlier run from which a delay ended since; who was first seen later is asked in any case."""
    days = (
        day - timedelta(days=delay)
        for delay in delays.values()
        for day in _days(before_on + timedelta(days=1), as_of_on)
    )
    return {day for day in days if day <= before_on}


def _days(first: date, last: date) -> Iterator[date]:
    return (date.fromordinal(day) for day in range(first.toordinal(), last.toordinal() + 1))


def _kinds(use: Use) -> dict[str | None, list[str]]:
    """What moves the facts that a use reads: the kind, and the columns of it that are read."""
    kinds: dict[str | None, list[str]] = {}
    read = _words(use)
    for name in condition_named(use.name).facts:
        for column in FACTS[name].columns:
            if column in read:
                kind = FACTS[name].moves
                kinds.setdefault("users" if kind == "networks" and column not in _WHOSE else kind, []).append(column)
    return kinds


def _words(use: Use) -> set[str]:
    condition = condition_named(use.name)
    by: Iterable[str] = (node["by"] for node in condition.limits.values() if "by" in node)
    return {*_WORD.findall(re.sub(r"--[^\n]*", "", condition.expression)), *by}
