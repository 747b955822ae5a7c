"""The conditions as a page for people; docs/reference/conditions.md is this text, and a test compares them."""

from collections.abc import Iterator, Mapping
from typing import Any

from openceir.detection.condition import Condition, conditions
from openceir.detection.fact import FACTS
from openceir.detection.sql import read_sql

__all__ = ["format_page"]


def format_page() -> str:
    """The whole page in Markdown."""
    known = conditions()
    facts = dict.fromkeys(FACTS[fact].text for one in known.values() for fact in one.facts)
    moves = dict.fromkeys(one.moves for one in known.values() if one.moves)
    return "\n".join(
        [
            "# Conditions",
            "",
            "What rules combine, printed as it stands. Written by `openceir detection conditions --markdown`; do not edit it",
            "by hand. A condition is one SQL expression over facts, one row a device; it is never null, and a missing fact",
            "accuses nobody. A limit may be set in a rule (`params`), with a date, a unit and a legal source; those below hold",
            "where a rule names none. The window of a condition is the last `period_days` days, the day of the run included.",
            "",
            *(line for one in known.values() for line in _section(one)),
            "## Facts",
            "",
            "Measured once, then joined to every condition that names them. `window` is the months and days of the period.",
            "",
            *(
                line
                for fact in ("seen", "device", "counted", "pairs", *facts)
                for line in ("```sql", read_sql("facts", fact).rstrip(), "```", "")
            ),
            "## Moves",
            "",
            "After an earlier run only those devices are asked again whose answers the data or the day may have moved since.",
            "",
            *(
                line
                for name in ("restless", "fresh", "several", "seen", "users", "networks", "conflicts", *moves)
                for line in ("```sql", read_sql("moves", name).rstrip(), "```", "")
            ),
            "## Measures",
            "",
            "What is taken of each sighting, once; conflicts of time and distance are measured a UTC day at a time.",
            "",
            *(
                line
                for name in ("users", "triplets", "devices", "conflicts")
                for line in ("```sql", read_sql("measures", name).rstrip(), "```", "")
            ),
        ]
    )


def _section(one: Condition) -> Iterator[str]:
    yield from (f"## {one.name}", "", f"{one.title}. Source: {one.clause}.", "")
    yield from ("```sql", one.expression.rstrip(), "```", "")
    if one.limits:
        yield from ("| limit | value | unit | source |", "|---|---|---|---|")
        for name, node in one.limits.items():
            yield f"| `{name}` | {_values(node['from'])} | {node['unit']} | {node['source']} |"
        yield ""
    yield from (f"> {one.sentence}", "", f"Inverted: {one.otherwise}", "")
    if one.facts:
        yield from (f"Facts: {', '.join(one.facts)}. Kept as evidence: {', '.join(one.shows)}.", "")


def _values(dates: Mapping[str, Any]) -> str:
    return "; ".join(f"{_value(value)} from {since}" for since, value in dates.items())


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {one}" for key, one in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)
