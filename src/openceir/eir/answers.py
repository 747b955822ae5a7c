"""The one table from what was decided to what an interface says. The words on the wire are the standard's."""

from collections.abc import Mapping
from typing import TypeVar

from openceir.eir.attributes import Status
from openceir.eir.decision import DECISIONS, InterfacePolicy, Step
from openceir.wire import n5g_eir
from openceir.wire.s13 import EquipmentStatus, Verdict

__all__ = ["N5G_OF_STATUS", "S13_OF_STATUS", "n5g_answers", "s13_verdicts"]

Said = TypeVar("Said")

# Source: TS 29.272 §7.3.51 for the three statuses, §7.4.3.5 for equipment nobody knows.
S13_OF_STATUS = {
    Status.PERMITTED: Verdict.of(EquipmentStatus.WHITELISTED),
    Status.TRACKED: Verdict.of(EquipmentStatus.GREYLISTED),
    Status.BLOCKED: Verdict.of(EquipmentStatus.BLACKLISTED),
    Status.UNKNOWN: Verdict.EQUIPMENT_UNKNOWN,
}

# Source: TS 29.511 §6.1.6.3.3 for the three statuses, §6.1.7.3 for equipment nobody knows.
N5G_OF_STATUS = {
    Status.PERMITTED: n5g_eir.status_answer("WHITELISTED"),
    Status.TRACKED: n5g_eir.status_answer("GREYLISTED"),
    Status.BLOCKED: n5g_eir.status_answer("BLACKLISTED"),
    Status.UNKNOWN: n5g_eir.EQUIPMENT_UNKNOWN,
}


def s13_verdicts(policy: InterfacePolicy) -> tuple[Verdict, ...]:
    """What S13 says for each decision number."""
    errors = {Step.MALFORMED: Verdict.INVALID_AVP_VALUE, Step.FAILURE: Verdict.UNABLE_TO_COMPLY}
    return _said(policy, S13_OF_STATUS, errors)


def n5g_answers(policy: InterfacePolicy) -> tuple[n5g_eir.Answer, ...]:
    """What N5g-eir says for each decision number.

    Every text is a valid PEI, so the interface has no error for a malformed one: nobody knows it, and that is said.
    """
    errors = {Step.MALFORMED: n5g_eir.EQUIPMENT_UNKNOWN, Step.FAILURE: n5g_eir.SYSTEM_FAILURE}
    return _said(policy, N5G_OF_STATUS, errors)


def _said(policy: InterfacePolicy, of_status: Mapping[Status, Said], errors: Mapping[Step, Said]) -> tuple[Said, ...]:
    of_step = {Step.DEFAULT: policy.unknown, Step.MALFORMED: policy.malformed, Step.FAILURE: policy.failure}
    said = []
    for decision in DECISIONS:
        word = of_step.get(decision.step)
        if word is None:
            said.append(of_status[decision.status])
        elif word == "error":
            said.append(errors[decision.step])
        else:
            said.append(of_status[Status[word.upper()]])
    return tuple(said)
