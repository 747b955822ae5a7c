"""What another policy would do, before it bites: who would be newly hit, who would be let go, and how many people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from openceir.detection.engine import Engine, EngineSettings
from openceir.detection.evaluate import evaluate
from openceir.detection.ports import MEASURED, Inputs, Measured
from openceir.detection.proposal import Devices, Proposal, no_devices
from openceir.detection.sql import render, window
from openceir.policy import Policy

__all__ = ["PEOPLE_DAYS", "RuleEffect", "count_people", "simulate"]

PEOPLE_DAYS = 30  # a person is affected when seen with the device in so many days


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEffect:
    """One rule under the policy in force and under the other. People are distinct IMSIs of the last PEOPLE_DAYS."""

    label: str
    blocking: bool  # under the other policy; under the present one when the other lacks the rule
    hit_now: int
    hit_then: int
    newly_hit: Devices
    let_go: Devices
    people_newly_hit: int
    people_let_go: int
    refusal: str | None

    def summary(self) -> dict[str, Any]:
        """For JSON: figures, no devices."""
        return {
            "rule": self.label,
            "blocking": self.blocking,
            "hit_now": self.hit_now,
            "hit_then": self.hit_then,
            "newly_hit": len(self.newly_hit),
            "let_go": len(self.let_go),
            "people_newly_hit": self.people_newly_hit,
            "people_let_go": self.people_let_go,
            "refusal": self.refusal,
        }


def simulate(
    present: Policy,
    other: Policy,
    as_of_on: date,
    inputs: Inputs,
    *,
    evidence_key: bytes,
    settings: EngineSettings | None = None,
) -> list[RuleEffect]:
    """One effect a rule of either policy, over the same facts and lists. Nothing is kept."""
    now, then = (
        {
            proposal.rule.label: proposal
            for proposal in evaluate(policy, as_of_on, inputs, evidence_key=evidence_key, settings=settings)
            if not proposal.retired
        }
        for policy in (present, other)
    )
    with Engine(settings) as engine:
        return [
            _effect(engine, label, now.get(label), then.get(label), inputs.measured, as_of_on)
            for label in dict.fromkeys([*then, *now])
        ]


def _effect(
    engine: Engine, label: str, now: Proposal | None, then: Proposal | None, measured: Measured, as_of_on: date
) -> RuleEffect:
    here = now.standing if now else no_devices()
    there = then.standing if then else no_devices()
    newly = np.setdiff1d(there, here, assume_unique=True)
    let_go = np.setdiff1d(here, there, assume_unique=True)
    shown = then or now
    return RuleEffect(
        label=label,
        blocking=shown is not None and shown.rule.blocking,
        hit_now=len(here),
        hit_then=len(there),
        newly_hit=newly,
        let_go=let_go,
        people_newly_hit=count_people(engine, measured, newly, as_of_on),
        people_let_go=count_people(engine, measured, let_go, as_of_on),
        refusal=then.refusal if then else None,
    )


def count_people(engine: Engine, measured: Measured, devices: Sequence[int] | Devices, as_of_on: date) -> int:
    """How many distinct IMSIs used any of these devices in the last PEOPLE_DAYS."""
    if not len(devices):
        return 0
    engine.see("triplets", measured.triplets, MEASURED["triplets"])
    engine.take("concerned", pa.table({"device": pa.array(devices, pa.int64())}))
    found = engine.fetch(
        render(
            "SELECT COUNT(DISTINCT t.imsi) AS n FROM triplets AS t JOIN concerned AS k ON k.device = t.device"
            " JOIN :window AS w ON w.month_on = t.month_on WHERE (t.day_mask & w.mask) <> 0",
            {"window": window(as_of_on - timedelta(days=PEOPLE_DAYS - 1), as_of_on)},
        )
    )
    return int(found["n"][0].as_py())
