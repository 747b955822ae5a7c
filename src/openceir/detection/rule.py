"""Rules: combinations of conditions with their consequence, read from the policy's `[[rule]]` tables."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Any

from openceir.detection.condition import condition_named
from openceir.detection.errors import RuleRefused
from openceir.policy import Limit, Policy, PolicyError, dated_value

__all__ = ["Rule", "Use", "example_rules", "parse_rules"]

_LABEL = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_DEFAULTS: dict[str, Any] = {
    "grace_days": 30,
    "blocking": False,
    "sticky": False,
    "amnesty_eligible": False,
    "marks_duplicate": False,
    "max_matching_ratio": 0.1,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One condition as a rule uses it: perhaps inverted, its limits as they stand on the day of the run."""

    name: str
    invert: bool = False
    limits: Mapping[str, Limit] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Equal for two uses that ask the same question, inverted or not."""
        return repr((self.name, sorted((name, repr(limit.value)) for name, limit in self.limits.items())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A device matches when every condition holds for it; then this follows."""

    label: str
    uses: tuple[Use, ...]
    reason: str  # what operators and citizens read
    grace_days: int
    blocking: bool
    sticky: bool  # once matched, matched for ever
    amnesty_eligible: bool
    marks_duplicate: bool  # says "many devices bear this IMEI": pairs are blocked then, not the IMEI
    max_matching_ratio: float  # of all devices ever seen; beyond it the rule is refused


def parse_rules(policy: Policy, on: date) -> tuple[Rule, ...]:
    """The policy's rules as they stand on the day `on`, in the policy's order.

    Raises: RuleRefused for the first one that cannot be read, naming it and what is wrong.
    """
    rules = tuple(_rule(number, table, on) for number, table in enumerate(policy.tables("rule"), start=1))
    labels = [rule.label for rule in rules]
    twice = {label for label in labels if labels.count(label) > 1}
    if twice:
        raise RuleRefused(f"two rules are labelled {min(twice)}; a label names one rule for ever")
    return rules


def _rule(number: int, table: Mapping[str, Any], on: date) -> Rule:
    label = table.get("label")
    if not isinstance(label, str) or not _LABEL.fullmatch(label):
        raise RuleRefused(f"rule {number}: label must be like stolen_and_cloned (a-z, 0-9, _ and -), not {label!r}")
    known = {"label", "conditions", "reason", *_DEFAULTS}
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            raise RuleRefused(f"rule {label}: unknown setting {key}" + (f"; did you mean {near[0]}?" if near else ""))
    values: dict[str, Any] = {}
    for name, default in _DEFAULTS.items():
        value = dated_value(f"rule {label}: {name}", table.get(name, default), on).value
        expected = (int, float) if isinstance(default, float) else (type(default),)
        if not isinstance(value, expected) or isinstance(value, bool) is not isinstance(default, bool):
            raise RuleRefused(f"rule {label}: {name} must be {type(default).__name__}, not {value!r}")
        values[name] = value
    if values["grace_days"] < 0:
        raise RuleRefused(f"rule {label}: grace_days must not be negative")
    if not 0 < values["max_matching_ratio"] <= 1:
        raise RuleRefused(f"rule {label}: max_matching_ratio lies between 0 and 1")
    reason = table.get("reason")
    if not isinstance(reason, str) or not reason.strip() or "|" in reason:
        raise RuleRefused(f"rule {label}: reason must be a sentence without the sign | (lists join reasons with it)")
    uses = table.get("conditions")
    if not isinstance(uses, list) or not uses:
        raise RuleRefused(f'rule {label}: conditions must hold at least one, e.g. [{{ name = "stolen_list" }}]')
    return Rule(label=label, reason=reason, uses=tuple(_use(label, use, on) for use in uses), **values)


def _use(label: str, use: Any, on: date) -> Use:
    if isinstance(use, str):
        use = {"name": use}
    if not isinstance(use, Mapping) or not isinstance(use.get("name"), str):
        raise RuleRefused(
            f'rule {label}: a condition is written {{ name = "stolen_list", invert = false, params = {{}} }}'
        )
    strange = set(use) - {"name", "invert", "params"}
    if strange:
        raise RuleRefused(
            f"rule {label}: condition {use['name']} takes name, invert and params, not {', '.join(sorted(strange))}"
        )
    invert, params = use.get("invert", False), use.get("params", {})
    if not isinstance(invert, bool) or not isinstance(params, Mapping):
        raise RuleRefused(f"rule {label}: of condition {use['name']}, invert is true or false and params a table")
    try:
        limits = condition_named(use["name"]).limits_on(on, params)
    except (RuleRefused, PolicyError) as wrong:
        raise RuleRefused(f"rule {label}: {wrong}") from wrong
    return Use(name=use["name"], invert=invert, limits=limits)


@cache
def example_rules() -> str:
    """TOML of an example rule set, to be laid over a policy; the demonstration uses it, a country writes its own."""
    return resources.files("openceir.detection").joinpath("example_rules.toml").read_text(encoding="utf-8")
