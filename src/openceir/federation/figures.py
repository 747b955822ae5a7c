"""What each member did for the others, counted from the logs alone, so that anybody who holds them counts the same.

| figure    | from                                                                                             |
|-----------|--------------------------------------------------------------------------------------------------|
| reports   | `device-stolen/1`, `device-lost/1` and `device-blocked/1` of its offices in its own log            |
| reversed  | those that its offices withdrew later: by the report's leaf hash, or by kind and devices           |
| to block  | for each report of another member: from when that log took it in until the last of its operators   |
|           | acknowledged (`list-applied/1`) a list that was made after the member had cosigned the report       |
| credit    | questions a day: a start, more for each report, less for each reversal (`[federation]` in policy)   |

A recovery is no reversal: the phone was stolen and came back. A report whose payload is not shared with us is counted
as a report; whether it was withdrawn by kind and devices cannot be known then, by its leaf hash it can.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any, Final

import numpy as np

from openceir.statements import NO_DEVICES, DeviceSet, ListApplied, Statement, Withdrawn

__all__ = ["READ_KINDS", "CreditRule", "MemberFigures", "Told", "figures_of"]

_REPORTS: Final = {"device-stolen/1": "stolen", "device-lost/1": "lost", "device-blocked/1": "blocked"}
READ_KINDS: Final = frozenset({*_REPORTS, Withdrawn.kind, ListApplied.kind})


@dataclass(frozen=True, slots=True)
class Told:
    """One entry that counts in one member's log; `said` is None where it is not shared with us or was erased."""

    member: str
    index: int
    leaf_hash: bytes
    kind: str
    issuer: str
    logged_at: datetime
    said: Statement | None


@dataclass(frozen=True, slots=True)
class CreditRule:
    """How many questions a day a member has, by policy."""

    start: int
    a_report: int
    a_reversed_report: int


@dataclass(frozen=True, slots=True)
class MemberFigures:
    """One member's figures."""

    member: str
    reports: int
    reversed: int
    applied: int  # reports of others that its operators answered by
    waiting: int  # of others, that they did not yet
    median_s: float | None  # of the times to block
    longest_s: float | None
    credit: int

    def as_json(self) -> dict[str, Any]:
        """The figures by name."""
        return {
            "member": self.member,
            "reports": self.reports,
            "reversed": self.reversed,
            "applied": self.applied,
            "waiting": self.waiting,
            "median_seconds_to_block": self.median_s,
            "longest_seconds_to_block": self.longest_s,
            "credit_a_day": self.credit,
        }

    def __str__(self) -> str:
        """One line."""
        times = "nothing applied yet" if self.median_s is None else (
            f"applied {self.applied} of others, in {self.median_s:.0f} s (median), {self.longest_s:.0f} s at most"
        )  # fmt: skip
        return (
            f"{self.member:<24} {self.reports} reports, {self.reversed} reversed; {times}; {self.waiting} waiting; "
            f"credit {self.credit} questions a day"
        )


def figures_of(
    members: Sequence[str],
    told: Iterable[Told],
    received: Mapping[tuple[str, str], Sequence[tuple[int, datetime]]],
    rule: CreditRule,
) -> list[MemberFigures]:
    """The figures of these members; `received[member, log]` are sizes of a member's log and when another had them."""
    reports: dict[str, list[Told]] = defaultdict(list)
    withdrawn: dict[str, list[Withdrawn]] = defaultdict(list)
    lists: dict[str, dict[str, list[ListApplied]]] = defaultdict(lambda: defaultdict(list))
    for one in told:
        if one.kind in _REPORTS:
            reports[one.member].append(one)
        elif isinstance(one.said, Withdrawn):
            withdrawn[one.member].append(one.said)
        elif isinstance(one.said, ListApplied):
            lists[one.member][one.issuer].append(one.said)
    found = []
    for member in members:
        times, waiting = [], 0
        for other in members:
            had = sorted(received.get((member, other), ()))
            for report in reports[other] if other != member else ():
                took_s = _seconds_to_block(report, had, lists[member])
                if took_s is None:
                    waiting += 1
                else:
                    times.append(took_s)
        reversals = sum(_is_reversed(report, withdrawn[member]) for report in reports[member])
        credit = rule.start + rule.a_report * len(reports[member]) - rule.a_reversed_report * reversals
        found.append(
            MemberFigures(
                member, len(reports[member]), reversals, len(times), waiting, median(times) if times else None,
                max(times, default=None), max(credit, 0),
            )
        )  # fmt: skip
    return found


def _seconds_to_block(
    report: Told, had: Sequence[tuple[int, datetime]], lists: Mapping[str, Sequence[ListApplied]]
) -> float | None:
    """From the report until the last operator answered by it; None while one does not, or none ever acknowledged."""
    since = min((at for size, at in had if size > report.index), default=None)
    if since is None or not lists:
        return None
    answered = [
        min((one.applied_at for one in acknowledged if one.made_at >= since), default=None)
        for acknowledged in lists.values()
    ]
    whole = [at for at in answered if at is not None]
    if len(whole) < len(answered):
        return None
    return (max(whole) - report.logged_at).total_seconds()


def _is_reversed(report: Told, withdrawals: Iterable[Withdrawn]) -> bool:
    for one in withdrawals:
        if one.target == report.leaf_hash:
            return True
        devices: DeviceSet = getattr(report.said, "devices", NO_DEVICES)
        by_kind = one.target is None and one.claim == _REPORTS[report.kind]
        if by_kind and np.intersect1d(one.devices.keys, devices.keys).size:
            return True
    return False
