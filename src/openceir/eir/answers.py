"""The one table from what was decided to what an interface says. The words on the wire are the standard's."""

from openceir.eir.attributes import Status
from openceir.eir.decision import DECISIONS, InterfacePolicy, Step
from openceir.wire.s13 import EquipmentStatus, Verdict

__all__ = ["S13_OF_STATUS", "s13_verdicts"]

# Source: TS 29.272 §7.3.51 for the three statuses, §7.4.3.5 for equipment nobody knows.
S13_OF_STATUS = {
    Status.PERMITTED: Verdict.of(EquipmentStatus.WHITELISTED),
    Status.TRACKED: Verdict.of(EquipmentStatus.GREYLISTED),
    Status.BLOCKED: Verdict.of(EquipmentStatus.BLACKLISTED),
    Status.UNKNOWN: Verdict.EQUIPMENT_UNKNOWN,
}


def s13_verdicts(policy: InterfacePolicy) -> tuple[Verdict, ...]:
    """What S13 says for each decision number."""
    of_step = {Step.DEFAULT: policy.unknown, Step.MALFORMED: policy.malformed, Step.FAILURE: policy.failure}
    error_of_step = {Step.MALFORMED: Verdict.INVALID_AVP_VALUE, Step.FAILURE: Verdict.UNABLE_TO_COMPLY}
    verdicts = []
    for decision in DECISIONS:
        word = of_step.get(decision.step)
        if word is None:
            verdicts.append(S13_OF_STATUS[decision.status])
        elif word == "error":
            verdicts.append(error_of_step[decision.step])
        else:
            verdicts.append(S13_OF_STATUS[Status[word.upper()]])
    return tuple(verdicts)
