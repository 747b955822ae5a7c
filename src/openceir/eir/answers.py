"""The one table from what was decided to what an interface says. The words on the wire are the standard's."""

from collections.abc import Mapping
from typing import TypeVar

from openceir.eir.attributes import Status
from openceir.eir.decision import DECISIONS, InterfacePolicy, Step
from openceir.wire import gsup, map_check_imei, n5g_eir
from openceir.wire.s13 import EquipmentStatus, Verdict

__all__ = [
    "GSUP_OF_STATUS", "MAP_OF_STATUS", "N5G_OF_STATUS", "S13_OF_STATUS",
    "gsup_verdicts", "map_verdicts", "n5g_answers", "s13_verdicts",
]  # fmt: skip

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

# Source: TS 29.002 §17.7.1 EquipmentStatus, §17.6.6 unknownEquipment.
MAP_OF_STATUS = {
    Status.PERMITTED: map_check_imei.Verdict.WHITELISTED,
    Status.TRACKED: map_check_imei.Verdict.GREYLISTED,
    Status.BLOCKED: map_check_imei.Verdict.BLACKLISTED,
    Status.UNKNOWN: map_check_imei.Verdict.UNKNOWN_EQUIPMENT,
}

# GSUP has no grey and no "unknown": its two words are "let it pass" and "do not", and a doubt is no accusation.
GSUP_OF_STATUS = {
    Status.PERMITTED: gsup.Verdict.ACK,
    Status.TRACKED: gsup.Verdict.ACK,
    Status.BLOCKED: gsup.Verdict.NACK,
    Status.UNKNOWN: gsup.Verdict.ACK,
}


def s13_verdicts(policy: InterfacePolicy) -> tuple[Verdict, ...]:
    """What S13 says for each decision number."""
    errors = {Step.MALFORMED: Verdict.INVALID_AVP_VALUE, Step.FAILURE: Verdict.UNABLE_TO_COMPLY}
    return _said(policy, S13_OF_STATUS, errors)


def map_verdicts(policy: InterfacePolicy) -> tuple[map_check_imei.Verdict, ...]:
    """What MAP CheckIMEI says for each decision number."""
    said = map_check_imei.Verdict
    return _said(policy, MAP_OF_STATUS, {Step.MALFORMED: said.UNEXPECTED_DATA_VALUE, Step.FAILURE: said.SYSTEM_FAILURE})


def gsup_verdicts(policy: InterfacePolicy) -> tuple[gsup.Verdict, ...]:
    """What GSUP says for each decision number."""
    said = gsup.Verdict
    return _said(policy, GSUP_OF_STATUS, {Step.MALFORMED: said.INVALID_IMEI, Step.FAILURE: said.FAILURE})


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
