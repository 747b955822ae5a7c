"""The register's answer as a verdict that fits one line, and what goes with it."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from openceir.portal.channels.question import Fault
from openceir.status import THEFTS, Answer, ClaimKind, Status

__all__ = ["Told", "Verdict", "tell", "tell_fault"]


class Verdict(StrEnum):
    """What is said; each has its sentence in every language."""

    STOLEN = "stolen"
    ORDERED = "ordered"
    AGAINST_RULES = "against-rules"
    DUE = "due"  # watched, and blocked from a day on
    SHARED = "shared"  # many phones bear the number
    SUSPENDED = "suspended"  # a block that is disputed
    WATCHED = "watched"
    NOT_REGISTERED = "not-registered"
    NO_RESTRICTION = "no-restriction"
    WRONG_COUNT = "wrong-count"
    WRONG_DIGIT = "wrong-digit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A verdict with the values of its sentence."""

    verdict: Verdict
    reference: str = ""  # S and the statement that decides, or N and how many statements were counted
    at: datetime | None = None
    block_on: date | None = None
    model: str = ""


def tell(answer: Answer) -> Told:
    """The verdict of an answer."""
    deciding = [reason for reason in answer.reasons if reason.decides]
    reference = f"S{deciding[-1].statement}" if deciding else f"N{answer.log_size}"
    days = [reason.block_on for reason in deciding if reason.block_on is not None]
    model = answer.model or {}
    return Told(
        verdict=_verdict(answer, {reason.kind for reason in deciding}, bool(days)), reference=reference, at=answer.at,
        block_on=min(days) if days else None,
        model=" ".join(str(model[part]) for part in ("brand", "model") if model.get(part)),
    )  # fmt: skip


def _verdict(answer: Answer, kinds: set[ClaimKind], has_day: bool) -> Verdict:
    match answer.status:
        case Status.PERMITTED:
            return Verdict.NO_RESTRICTION
        case Status.UNKNOWN:
            return Verdict.NOT_REGISTERED
        case Status.BLOCKED:
            if kinds & THEFTS:
                return Verdict.STOLEN
            return Verdict.ORDERED if ClaimKind.BLOCKED in kinds else Verdict.AGAINST_RULES
        case Status.TRACKED:
            if answer.rule in {"6.1", "6.3"}:
                return Verdict.SHARED
            if answer.rule == "6.4 disputed":
                return Verdict.SUSPENDED
            return Verdict.DUE if has_day else Verdict.WATCHED


def tell_fault(fault: Fault) -> Told:
    """The verdict on a number that cannot be looked up."""
    return Told(verdict=Verdict.WRONG_COUNT if fault is Fault.COUNT else Verdict.WRONG_DIGIT)
