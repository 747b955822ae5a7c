"""The laboratory: facts measured once, named conditions over them, rules of the policy, and explained proposals."""

from openceir.detection.adoption import classifications_of
from openceir.detection.amnesty import Amnesty, Consequence, amnesty_of
from openceir.detection.condition import Condition, condition_named, conditions
from openceir.detection.earlier import Earlier
from openceir.detection.engine import Engine, EngineSettings, Step
from openceir.detection.errors import DetectionError, RuleRefused, RunUnknown, UnsafeRule
from openceir.detection.evaluate import evaluate
from openceir.detection.evidence import Evidence, EvidenceRow, evidence_digest, row_digest
from openceir.detection.explain import explain
from openceir.detection.measuring import (
    CellMap,
    TravelLimits,
    count_times,
    days_of,
    folded,
    measure_conflicts,
    measure_month,
)
from openceir.detection.ports import CELLS, LISTS, MEASURED, STANDING, Inputs, Measured, SightingsFile
from openceir.detection.proposal import Change, Devices, Proposal
from openceir.detection.rule import Rule, Use, example_rules, parse_rules
from openceir.detection.simulate import RuleEffect, simulate
from openceir.detection.sql import render
from openceir.detection.suspects import Suspects

__all__ = [
    # the verdict
    "evaluate", "Earlier", "simulate", "RuleEffect", "Proposal", "Change", "Devices",
    "classifications_of",
    # what it is made from
    "Inputs", "Measured", "SightingsFile", "LISTS", "MEASURED", "STANDING", "CELLS",
    # rules and conditions
    "Rule", "Use", "parse_rules", "example_rules", "Condition", "conditions", "condition_named",
    "Amnesty", "Consequence", "amnesty_of",
    # evidence
    "Evidence", "EvidenceRow", "explain", "evidence_digest", "row_digest",
    # measuring
    "CellMap", "TravelLimits", "measure_month", "folded", "Suspects", "measure_conflicts", "count_times",
    "days_of",
    # the engine
    "Engine", "EngineSettings", "Step", "render",
    # errors
    "DetectionError", "RuleRefused", "RunUnknown", "UnsafeRule",
]  # fmt: skip
