"""Evidence in plain words: what was seen, what the limit is, who set it and since when."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from openceir.detection.condition import condition_named, first_day_of_period
from openceir.detection.evidence import EvidenceRow
from openceir.detection.sql import EPOCH
from openceir.policy import Limit

__all__ = ["explain"]

_GENERATIONS = ("2G", "3G", "4G", "5G")
# Sentences count in the plural; where the count is 1 they are read in the singular.
_ONE_OF_MANY = re.compile(
    r"(?<![0-9,.])1 ((?:different |registered )?(?:day|time|SIM card|telephone number|person))s\b"
)


def explain(evidence: EvidenceRow) -> list[str]:
    """Sentences that a citizen and a court understand: one a condition, where limits come from, one on subscribers."""
    header, row = evidence.header, evidence.row
    as_of_on = date.fromisoformat(header["as_of_on"])
    sentences = []
    sources: list[str] = []
    nobodys: list[str] = []
    for used, facts in zip(header["conditions"], row["facts"], strict=True):
        condition = condition_named(used["name"])
        limits = {
            name: Limit(name=name, value=said["value"], unit=said["unit"], source=said["source"])
            for name, said in used["limits"].items()
        }
        words = _words(as_of_on, facts, limits)
        text = (condition.otherwise if used["invert"] else condition.sentence).format_map(words)
        sentences.append(_ONE_OF_MANY.sub(r"1 \1", text))
        for name, said in used["limits"].items():
            if not said["source"]:
                nobodys.append(f"{used['name']}.{name}")
            else:
                sources.append(said["source"] + (f", in force since {said['since']}" if said["since"] else ""))
    if sources:
        sentences.append(f"The limits are set by: {'; '.join(dict.fromkeys(sources))}.")
    if nobodys:
        sentences.append(f"The policy names no source for {', '.join(dict.fromkeys(nobodys))}.")
    if row.get("subscribers"):
        kept = len(row["subscribers"])
        digests = "one keyed digest" if kept == 1 else f"{kept} keyed digests"
        sentences.append(f"The subscriptions are kept as {digests}; no number or name is shown.")
    return sentences


class _Words(dict[str, str]):
    """Facts and limits as words; what is missing says so."""

    def __missing__(self, name: str) -> str:
        return "unknown"


def _words(as_of_on: date, facts: Mapping[str, Any], limits: Mapping[str, Limit]) -> _Words:
    words = _Words({name: _word(name, value) for name, value in facts.items() if value is not None})
    words |= {name: _word(name, limit.value) for name, limit in limits.items()}
    words["as_of_on"] = as_of_on.isoformat()
    since = first_day_of_period(as_of_on, limits)
    if since is not None:
        words["period"] = f"the {(as_of_on - since).days + 1} days from {since} to {as_of_on}"
    if "delay_days" in limits and facts.get("tac") is not None:
        words["delay_days"] = str(limits["delay_days"].value.get(f"{facts['tac']:08d}"[:2], 0))
    if "min_seen_days" in limits:
        fewest = limits["min_seen_days"].value
        words["too_few_days"] = f"on fewer than {fewest} days" if fewest > 1 else "not at all"
    if "use_msisdn" in limits:
        by_number = limits["use_msisdn"].value
        words["counted"] = "telephone numbers" if by_number else "SIM cards"
        words["used"] = words["msisdns" if by_number else "imsis"]
    for name in ("widest_conflict", "widest_meeting"):
        if facts.get(f"{name}_m") is not None:
            words[f"{name}_km"] = f"{facts[f'{name}_m'] / 1000:,.0f}"
    days = facts.get("days_seen") or facts.get("days_used")
    counted = facts.get("imsi_days") if "imsi_days" in facts else facts.get("uid_days")
    if days and counted is not None:
        words["average"] = f"{counted / days:.2f}"
    return words


def _word(name: str, value: Any) -> str:
    if name.endswith("generations"):
        return ", ".join(word for bit, word in enumerate(_GENERATIONS) if value >> bit & 1) or "none"
    if name.endswith("_on"):
        return (EPOCH + timedelta(days=value)).isoformat()
    if name == "tac":
        return f"{value:08d}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)
