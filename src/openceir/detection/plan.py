"""From rules to portable SQL steps: facts once, each distinct condition once, then the rules.

Relations that must be there before the first step: those of ports.MEASURED and ports.LISTS, and `exempt_type`,
`known_non_unique`, `home_range`, `country_range` (below). Results: `hit_<n>` (device) for the n-th distinct use of a
condition, `match_<n>` (device, seen) for the n-th rule. The text runs unchanged on DuckDB and on Spark.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from openceir.detection.condition import condition_named, first_day_of_period
from openceir.detection.engine import Step
from openceir.detection.rule import Rule, Use
from openceir.detection.sql import epoch_day, read_sql, render, window
from openceir.identity import G2, G3, G4, G5, NON_UNIQUE_KEYS
from openceir.policy import Policy

__all__ = ["Plan", "country_tables", "plan_rules"]

# Every fact that a condition may name, with the columns it adds. `device` stands for facts/device.sql.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "stolen": ("stolen",),
    "barred": ("barred",),
    "monitored": ("monitored_since_on",),
    "known_non_unique": ("known_non_unique",),
    "associated": ("associated",),
    "registered": ("registered",),
    "model": ("tac_known", "tac_barred", "exempt", "manufacturer", "model", "device_type", "model_generations"),
    "subscribers": ("imsis", "imsi_days", "days_seen"),
    "numbers": ("msisdns",),
    "series": ("series_msisdns", "msisdn_days", "steps", "number_operators"),
    "people": ("uids", "uid_days", "days_used"),
    "networks": ("used_at_home", "used_by_foreigner", "used_by_other_local"),
    "conflicts": ("independent_conflicts", "conflict_days", "widest_conflict_m", "fastest_conflict_kmh"),
    "simultaneous": ("independent_meetings", "meeting_days", "widest_meeting_m"),
}
DEVICE_COLUMNS = ("device", "seen", "first_seen_on", "last_seen_on", "generations", "tac", "rbi")
# Steps that others of the same kind read.
_BEFORE = {
    "registered": ("range_of_tacs",), "model": ("model_capability",),
    "subscribers": ("pairs",), "people": ("pairs",), "networks": ("pairs",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps, and where to find what: tables of hits by use, tables of facts by use."""

    steps: tuple[Step, ...]
    hits: Mapping[str, str]  # Use.key -> hit table
    facts: Mapping[str, tuple[tuple[str, str], ...]]  # Use.key -> (fact, its table) of the condition
    matches: tuple[str, ...]  # one table a rule, in the rules' order


def plan_rules(rules: Sequence[Rule], as_of_on: date) -> Plan:
    """The steps that decide these rules as of a day."""
    month = as_of_on.replace(day=1)
    radio = {"rat_2g": G2, "rat_3g": G3, "rat_4g": G4, "rat_5g": G5}
    today = {"this_month_on": epoch_day(month), "this_month_mask": (1 << as_of_on.day) - 1}
    steps = [
        Step("seen", render(read_sql("facts", "seen"), {**radio, **today})),
        Step("device", render(read_sql("facts", "device"), {})),
    ]
    tables: dict[str, str] = {}  # SQL of a fact -> its table
    hits: dict[str, str] = {}
    facts: dict[str, tuple[tuple[str, str], ...]] = {}
    uses = _distinct(rules)
    longest = {"longest_window": window(_first_day(uses, as_of_on), as_of_on)}
    for use in uses:
        condition = condition_named(use.name)
        values = condition.sql_values(as_of_on, use.limits) | longest
        joined = []
        for fact in condition.facts:
            for name in (*_BEFORE.get(fact, ()), fact):
                sql = render(read_sql("facts", name), values)
                if sql not in tables:
                    tables[sql] = name if name in _BEFORE.get(fact, ()) else f"fact_{fact}_{len(tables)}"
                    steps.append(Step(tables[sql], sql))
            joined.append((fact, tables[sql]))
        facts[use.key] = tuple(joined)
        hits[use.key] = f"hit_{len(hits)}"
        steps.append(Step(hits[use.key], _hit(joined, render(condition.expression, values))))
    matches = []
    for number, rule in enumerate(rules):
        matches.append(f"match_{number}")
        steps.append(Step(matches[-1], _match(rule, hits)))
    return Plan(tuple(steps), hits, facts, tuple(matches))


def wide(joined: Sequence[tuple[str, str]], devices: str = "device") -> str:
    """A SELECT of every device of `devices` with the columns of the given facts, null where a fact is missing."""
    columns = [f"d.{name} AS {name}" for name in DEVICE_COLUMNS]
    joins = []
    for number, (fact, table) in enumerate(joined):
        columns += [f"f{number}.{name} AS {name}" for name in COLUMNS[fact]]
        joins.append(f"LEFT JOIN {table} AS f{number} ON f{number}.device = d.device")
    return f"SELECT {', '.join(columns)} FROM {devices} AS d {' '.join(joins)}"


def _distinct(rules: Sequence[Rule]) -> list[Use]:
    return list({use.key: use for rule in rules for use in rule.uses}.values())


def _first_day(uses: Sequence[Use], as_of_on: date) -> date:
    """The first day that any of the uses asks about."""
    return min(
        (day for use in uses if (day := first_day_of_period(as_of_on, use.limits)) is not None), default=as_of_on
    )


def _hit(joined: Sequence[tuple[str, str]], expression: str) -> str:
    return f"SELECT wide.device AS device FROM ({wide(joined)}) AS wide WHERE {expression}"


def _match(rule: Rule, hits: Mapping[str, str]) -> str:
    """Devices for which every condition holds; a rule of inverted conditions alone speaks of seen devices only."""
    joins, absent = [], []
    for number, use in enumerate(rule.uses):
        table, alias = hits[use.key], f"h{number}"
        joins.append(f"{'LEFT JOIN' if use.invert else 'JOIN'} {table} AS {alias} ON {alias}.device = d.device")
        if use.invert:
            absent.append(f"{alias}.device IS NULL")
    if all(use.invert for use in rule.uses):
        absent.append("d.seen")
    where = f" WHERE {' AND '.join(absent)}" if absent else ""
    return f"SELECT d.device AS device, d.seen AS seen FROM device AS d {' '.join(joins)}{where}"


def country_tables(policy: Policy, on: date) -> dict[str, pa.Table]:
    """The small relations that come from policy and catalogue rather than from lists.

    `home_range` and `country_range` are inclusive ranges of an IMSI's first digits as facts/networks.sql cuts them:
    1 and seven digits of an IMSI of 15, 1 and six of one of 14.
    """
    operators = policy.operators(on).values()
    home = [prefix for operator in operators for prefix in operator.get("mcc_mnc", [])]
    country = [*policy.value("country.mcc", on), *(prefix[:3] for prefix in home)]
    return {
        "home_range": _ranges(home),
        "country_range": _ranges(country),
        "exempt_type": pa.table(
            {"device_type": pa.array(policy.value("country.exempt_device_types", on), pa.string())}
        ),
        "known_non_unique": pa.table({"device": pa.array(sorted(NON_UNIQUE_KEYS), pa.int64())}),
    }


def _ranges(prefixes: Sequence[str]) -> pa.Table:
    bounds = [
        (int("1" + prefix) * 10**free, (int("1" + prefix) + 1) * 10**free - 1)
        for prefix in sorted(set(prefixes))
        for free in (7 - len(prefix), 6 - len(prefix))
        if free >= 0
    ]
    low, high = ([pair[side] for pair in bounds] for side in (0, 1))
    return pa.table({"lo": pa.array(low, pa.int64()), "hi": pa.array(high, pa.int64())})
