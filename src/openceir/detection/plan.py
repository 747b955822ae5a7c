"""From rules to portable SQL steps: facts once, then one look at every device that answers all rules.

Relations that must be there before the first step: those of ports.MEASURED and ports.LISTS, `exempt_type`,
`known_non_unique`, `home_range`, `country_range` (below), `shared_imsi` (imsi): which stand in the subscribers' register
more than once, and `kept` (device): who is shown though no rule matches.
Result: `verdict`, one row a device that some rule matches or that is kept, with `rule_<n>` for the n-th rule and the
facts that are kept as evidence. The text runs unchanged on DuckDB and on Spark.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from openceir.detection.condition import Condition, condition_named, first_day_of_period
from openceir.detection.engine import Step
from openceir.detection.errors import DetectionError
from openceir.detection.fact import DEVICE_COLUMNS, FACTS
from openceir.detection.rule import Rule, Use
from openceir.detection.sql import epoch_day, read_sql, render, window
from openceir.identity import G2, G3, G4, G5, NON_UNIQUE_KEYS
from openceir.policy import Policy

__all__ = ["RADIO", "Plan", "counts_everybody", "country_tables", "distinct_uses", "first_day", "plan_rules"]

# Which bits of a RAT mask are which generation.
RADIO = {"rat_2g": G2, "rat_3g": G3, "rat_4g": G4, "rat_5g": G5}
_WORD = re.compile(r"\b[a-z_][a-z0-9_]*\b")


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps, and where to find what in `verdict`."""

    steps: tuple[Step, ...]
    counting: tuple[Step, ...]  # those of the steps that leave out whom `counted` leaves out
    counted_uses: frozenset[str]  # Use.key of the uses that read them
    shown: Mapping[str, Mapping[str, str]]  # Use.key -> column kept as evidence -> its column of `verdict`
    showing: str  # a SELECT of device and all shown columns, of the devices of the relation `lone`


def plan_rules(rules: Sequence[Rule], as_of_on: date) -> Plan:
    """The steps that decide these rules as of a day."""
    month = as_of_on.replace(day=1)
    today = {"this_month_on": epoch_day(month), "this_month_mask": (1 << as_of_on.day) - 1}
    steps = [
        Step("seen", render(read_sql("facts", "seen"), {**RADIO, **today})),
        Step("device", render(read_sql("facts", "device"), {})),
    ]
    uses = distinct_uses(rules)
    common = {
        "longest_window": window(first_day(uses, as_of_on), as_of_on),
        "everybody": any(counts_everybody(use) for use in uses),
    }
    tables: dict[str, str] = {}  # SQL of a relation -> its name
    joins: dict[str, str] = {}  # name of a fact's relation -> how a device finds its row
    counting: list[Step] = []
    counted_uses = set()
    expressions: dict[str, str] = {}  # Use.key -> the condition over `d` and the joined facts
    shown: dict[str, dict[str, str]] = {}
    origins: dict[str, str] = {}  # column of `verdict` -> what it is made from
    for use in uses:
        condition = condition_named(use.name)
        columns = {name: f"d.{name}" for name in DEVICE_COLUMNS}
        for name in condition.facts:
            fact = FACTS[name]
            values = condition.sql_values(as_of_on, use.limits) | common | dict(fact.values)
            for text in (*fact.before, fact.text):
                sql = render(read_sql("facts", text), values)
                if sql not in tables:
                    tables[sql] = text if text in fact.before else f"fact_{len(tables)}"
                    steps.append(Step(tables[sql], sql))
                    counting += [steps[-1]] if fact.is_counted and text != "counted" else []
            table = tables[sql]
            joins[table] = f"LEFT JOIN {table} ON {table}.{fact.key} = d.{fact.key}"
            columns |= {said: f"{table}.{column}" for said, column in fact.columns.items()}
            counted_uses |= {use.key} if fact.is_counted else set()
        values = condition.sql_values(as_of_on, use.limits)
        expressions[use.key] = _over(condition, columns, render(condition.expression, values))
        shown[use.key] = {name: columns[name].removeprefix("d.").replace(".", "_") for name in condition.shows}
        origins |= {shown[use.key][name]: columns[name] for name in condition.shows}
    steps.append(Step("verdict", _verdict(rules, expressions, origins, list(joins.values()))))
    return Plan(tuple(steps), tuple(counting), frozenset(counted_uses), shown, _showing(origins, list(joins.values())))


def distinct_uses(rules: Sequence[Rule]) -> list[Use]:
    """The different questions that the rules ask."""
    return list({use.key: use for rule in rules for use in rule.uses}.values())


def first_day(uses: Sequence[Use], as_of_on: date) -> date:
    """The first day that any of the uses asks about."""
    return min(
        (day for use in uses if (day := first_day_of_period(as_of_on, use.limits)) is not None), default=as_of_on
    )


def counts_everybody(use: Use) -> bool:
    """Whether a device of one SIM card, number and person can reach the limit of this use."""
    limit = condition_named(use.name).lone_below
    return bool(limit) and use.limits[limit].value <= 1


def _over(condition: Condition, columns: Mapping[str, str], expression: str) -> str:
    """The expression with every column under the name of its relation, since several uses are asked at once."""

    def place(match: re.Match[str]) -> str:
        word = match[0]
        if word not in columns and any(word in fact.columns for fact in FACTS.values()):
            raise DetectionError(f"the condition {condition.name} reads {word}, but names no fact that has it")
        return columns.get(word, word)

    return _WORD.sub(place, expression)


def _verdict(
    rules: Sequence[Rule], expressions: Mapping[str, str], origins: Mapping[str, str], joins: Sequence[str]
) -> str:
    """Every device once, every use asked of it once; who matches no rule and is not kept is dropped at once."""
    numbers = {key: f"use_{number}" for number, key in enumerate(expressions)}
    asked = [f"({expression}) AS {numbers[key]}" for key, expression in expressions.items()]
    ruled = [f"{_matches(rule, numbers)} AS rule_{number}" for number, rule in enumerate(rules)]
    names = ["device", "seen", *(name for name in origins if name not in {"device", "seen"})]
    flags = [f"rule_{number}" for number in range(len(rules))]
    return (
        f"SELECT {', '.join((*names, *flags))} FROM ("
        f"SELECT {', '.join((*names, 'is_kept', *ruled))} FROM ("
        f"SELECT {', '.join((*_columns(origins), 'k.device IS NOT NULL AS is_kept', *asked))}"
        f" FROM device AS d {' '.join(joins)} LEFT JOIN kept AS k ON k.device = d.device) AS asked) AS ruled"
        f" WHERE {' OR '.join(('is_kept', *flags))}"
    )


def _matches(rule: Rule, numbers: Mapping[str, str]) -> str:
    """Whether every condition holds; a rule of inverted conditions alone speaks of seen devices only."""
    parts = [f"NOT {numbers[use.key]}" if use.invert else numbers[use.key] for use in rule.uses]
    return " AND ".join([*parts, "seen"] if all(use.invert for use in rule.uses) else parts)


def _showing(origins: Mapping[str, str], joins: Sequence[str]) -> str:
    joined = f"FROM lone AS l JOIN device AS d ON d.device = l.device {' '.join(joins)}"
    return f"SELECT {', '.join(_columns(origins))} {joined}"


def _columns(origins: Mapping[str, str]) -> Iterator[str]:
    yield from (f"{origin} AS {name}" for name, origin in {"device": "d.device", "seen": "d.seen", **origins}.items())


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
