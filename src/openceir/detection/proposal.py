"""What a run proposes to the regulator. Nothing of it counts before it is signed."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from openceir.detection.evidence import Evidence
from openceir.detection.rule import Rule

__all__ = ["Change", "Devices", "Proposal"]

Devices = npt.NDArray[np.int64]


def no_devices() -> Devices:
    """An empty column of device keys."""
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Devices that still match, and for which something else follows than was stated before."""

    devices: Devices
    block_on: date | None
    amnesty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One rule's outcome on one day.

    Shapes: all columns of devices ascending and distinct; `standing_seen` as long as `standing`.
    """

    rule: Rule
    as_of_on: date
    policy_digest: bytes
    ever_seen: int  # devices seen up to the day
    standing: Devices  # every device that the rule matches now
    standing_seen: npt.NDArray[np.bool_]  # which of them were ever seen
    matched: Devices = field(default_factory=no_devices)  # newly
    cleared: Devices = field(default_factory=no_devices)  # no longer
    block_on: date | None = None  # of the newly matched
    amnesty: bool = False
    changed: tuple[Change, ...] = ()
    evidence: Evidence  # of the newly matched and the changed
    retired: bool = False  # the policy has this rule no longer

    @property
    def matching_ratio(self) -> float:
        """The share of all devices ever seen that the rule matches."""
        return float(self.standing_seen.sum() / self.ever_seen) if self.ever_seen else 0.0

    @property
    def refusal(self) -> str | None:
        """Why this proposal may not be adopted: its rule matches too many; None when it may."""
        if self.matching_ratio <= self.rule.max_matching_ratio:
            return None
        return (
            f"rule {self.rule.label} matches {int(self.standing_seen.sum()):,} of {self.ever_seen:,} devices ever seen"
            f" ({self.matching_ratio:.1%}), more than its max_matching_ratio of {self.rule.max_matching_ratio:.1%};"
            " nothing of it is adopted: correct the rule or the data, or raise the ratio in the policy"
        )

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to state."""
        return not (len(self.matched) or len(self.cleared) or self.changed)

    def summary(self) -> dict[str, Any]:
        """For JSON: figures, no devices."""
        return {
            "rule": self.rule.label,
            "reason": self.rule.reason,
            "as_of_on": self.as_of_on.isoformat(),
            "standing": len(self.standing),
            "ever_seen": self.ever_seen,
            "matched": len(self.matched),
            "cleared": len(self.cleared),
            "changed": sum(len(change.devices) for change in self.changed),
            "block_on": self.block_on and self.block_on.isoformat(),
            "amnesty": self.amnesty,
            "blocking": self.rule.blocking,
            "marks_duplicate": self.rule.marks_duplicate,
            "retired": self.retired,
            "refusal": self.refusal,
            "evidence_digest": self.evidence.digest.hex(),
        }
