"""MAP CheckIMEI in its three versions: a question out of a TCAP message, an answer into one.

    equipmentMngtContext  0.4.0.0.1.0.13.v      operation 43, called subsystem 9
    v1, v2  argument  IMEI, OCTET STRING (SIZE (8))             result  ENUMERATED 0 white, 1 black, 2 grey
    v3      argument  SEQUENCE { imei, requestedEquipmentInfo BIT STRING { equipmentStatus(0), bmuef(1) }, [extension] }
            result    SEQUENCE { equipmentStatus OPTIONAL, bmuef OPTIONAL, [extension] }
    errors  unknownEquipment 7, systemFailure 34, dataMissing 35, unexpectedDataValue 36

Version 1 has no dialogue portion. Of bmuef, a handset's known faults, we hold none, so it is never in a result.

The IMEI is telephony BCD, low nibble first: 15 digits and a filler 0xf, or the 16 of an IMEISV whose last two are the
software version. The first 14 decide. The standard's question has no IMSI; makers add it, each somewhere else. With
`imsi_tag` the first element with that tag behind the IMEI, at any depth, is taken for it.

Source: TS 29.002 §8.7.1, §17.6.1, §17.7; not read, from public ASN.1 and held against pycrate and tshark.
"""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from openceir.wire.ber import InvalidBer, read_elements, write_element
from openceir.wire.tcap import (
    AbortCause,
    Component,
    Kind,
    Message,
    Problem,
    TransactionIds,
    write_abort,
    write_accept,
    write_continue,
    write_end,
    write_error,
    write_no_common_dialogue,
    write_refusal,
    write_reject,
    write_result,
)

__all__ = ["NO_DEVICE", "OPERATION", "CheckImei", "Dialogues", "Opened", "Verdict"]

OPERATION = 43
NO_DEVICE = -1
_CONTEXT = bytes.fromhex("04000001000d")  # 0.4.0.0.1.0.13; the version follows
_HIGHEST = 3
_SWAPPED = bytes((octet >> 4 | (octet & 15) << 4) for octet in range(256))
_MOST_DEEP = 4  # how far into a vendor's additions an IMSI is looked for


class Verdict(Enum):
    """What an answer can say: an equipment status, or an error. The words are the standard's."""

    WHITELISTED = 0
    BLACKLISTED = 1
    GREYLISTED = 2
    UNKNOWN_EQUIPMENT = 7
    SYSTEM_FAILURE = 34
    DATA_MISSING = 35
    UNEXPECTED_DATA_VALUE = 36


_STATUSES = {Verdict.WHITELISTED, Verdict.BLACKLISTED, Verdict.GREYLISTED}


class CheckImei(NamedTuple):
    """One question.

    Units: `device` is the 14-digit key, NO_DEVICE when the IMEI is none; `imsi` has a leading 1 and is 0 when absent;
    `svn` is -1 when absent.
    """

    device: int
    imsi: int
    svn: int
    invoke_id: int
    version: int
    wants_status: bool


class Opened(NamedTuple):
    """A dialogue with its questions, in order; each place holds a question or the component that already answers it."""

    message: Message
    context: bytes  # empty when the dialogue has no dialogue portion to answer
    asked: tuple[CheckImei | bytes, ...]


class Dialogues:
    """Reads questions and writes answers.

    `imsi_tag`: where a vendor's network puts the IMSI; None when it sends none. `salt` makes our transaction ids this
    run's. `highest` is the highest version spoken, 2 or 3.
    """

    def __init__(self, salt: int, imsi_tag: int | None = None, highest: int = _HIGHEST) -> None:
        self._ids = TransactionIds(salt)
        self._imsi_tag = imsi_tag
        self._highest = highest

    def open(self, message: Message) -> Opened | bytes | None:
        """The questions of a message; the whole answer when it asks none; None when it wants no answer."""
        if message.kind is Kind.BEGIN:
            dialogue = message.dialogue
            if dialogue is None:
                version, context = 1, b""
            else:
                context = dialogue.context
                version = context[6] if len(context) == 7 and context.startswith(_CONTEXT) else 0
                if not dialogue.is_version_1:
                    return write_no_common_dialogue(message.otid, context)
                if not 2 <= version <= self._highest:
                    # Another service of MAP is refused under its own name: we have nothing to offer instead.
                    offered = _CONTEXT + bytes((self._highest,)) if context.startswith(_CONTEXT) else context
                    return write_refusal(message.otid, offered)
            if not message.components:
                accepted = write_accept(context) if context else b""
                return write_continue(self._ids.of_version(version), message.otid, accepted)
        elif message.kind is Kind.CONTINUE:
            version, context = self._ids.version_of(message.dtid), b""
            if not version:
                return write_abort(message.otid, AbortCause.UNRECOGNIZED_TRANSACTION_ID)
            if not message.components:
                return write_end(message.otid, b"", b"")
        else:
            return None
        return Opened(message, context, tuple(self._question(component, version) for component in message.components))

    def answer(self, opened: Opened, verdicts: Sequence[Verdict]) -> bytes:
        """The End that closes the dialogue; `verdicts` are those of its questions, in order."""
        given = iter(verdicts)
        components = b"".join(
            each if isinstance(each, bytes) else component_of(each, next(given)) for each in opened.asked
        )
        return write_end(opened.message.otid, _ACCEPTS.get(opened.context, b""), components)

    def _question(self, component: Component, version: int) -> CheckImei | bytes:
        invoke_id = component.invoke_id
        if component.problem is not None or invoke_id is None:
            return write_reject(invoke_id, component.problem or Problem.MISTYPED_COMPONENT)
        if component.operation != OPERATION:
            return write_reject(invoke_id, Problem.UNRECOGNIZED_OPERATION)
        if not component.rest:
            return write_error(invoke_id, Verdict.DATA_MISSING.value)
        tag, argument = component.rest[0]
        wants_status = True
        if tag == 0x04:
            # The argument of v1 and v2. What it is cannot be mistaken, so it is taken in a dialogue of v3 too.
            imei, added = argument, component.rest[1:]
        elif tag == 0x30:
            try:
                parts = read_elements(argument)
            except InvalidBer:
                return write_reject(invoke_id, Problem.MISTYPED_PARAMETER)
            if not parts or parts[0][0] != 0x04:
                return write_error(invoke_id, Verdict.DATA_MISSING.value)
            imei, added = parts[0][1], parts[1:]
            if version == _HIGHEST:
                if not added or added[0][0] != 0x03:
                    return write_error(invoke_id, Verdict.DATA_MISSING.value)
                wanted = added[0][1]
                if len(wanted) < 2:
                    return write_reject(invoke_id, Problem.MISTYPED_PARAMETER)
                wants_status, added = bool(wanted[1] & 0x80), added[1:]
        else:
            return write_reject(invoke_id, Problem.MISTYPED_PARAMETER)
        device, svn = read_imei(imei)
        imsi = 0 if self._imsi_tag is None else find_imsi(added, self._imsi_tag)
        return CheckImei(device, imsi, svn, invoke_id, version, wants_status)


def read_imei(octets: bytes) -> tuple[int, int]:
    """Device key and software version of telephony BCD; NO_DEVICE when the first 14 are no digits."""
    digits = octets.translate(_SWAPPED).hex()
    if not 14 <= len(digits) <= 16 or not digits[:14].isdigit():
        return NO_DEVICE, -1
    svn = digits[14:16]
    return int(digits[:14]), int(svn) if len(svn) == 2 and svn.isdigit() else -1


def read_imsi(octets: bytes) -> int:
    """The key of an IMSI in telephony BCD; 0 when it is none."""
    digits = octets.translate(_SWAPPED).hex().removesuffix("f")
    return int("1" + digits) if 6 <= len(digits) <= 15 and digits.isdigit() else 0


def find_imsi(elements: Sequence[tuple[int, bytes]], tag: int, depth: int = 0) -> int:
    """The IMSI in the first element with that tag, at any depth that we search; 0 when there is none."""
    for found, contents in elements:
        if found == tag:
            return read_imsi(contents)
        if depth < _MOST_DEEP and found & 0x20 and found < 256:
            try:
                inner = find_imsi(read_elements(contents), tag, depth + 1)
            except InvalidBer:
                continue  # a maker's own octets need not be ours to read
            if inner:
                return inner
    return 0


def component_of(question: CheckImei, verdict: Verdict) -> bytes:
    """The component that answers one question."""
    key = (verdict, question.version == _HIGHEST, question.wants_status)
    tail = _TAILS[key]
    invoke_id = question.invoke_id & 255
    return tail[0] + bytes((invoke_id,)) + tail[1]


def _tail(verdict: Verdict, is_v3: bool, wants_status: bool) -> tuple[bytes, bytes]:
    """A component of ours with its invoke id cut out: what stands before it, what behind."""
    if verdict in _STATUSES:
        status = write_element(0x0A, bytes((verdict.value,)))
        parameter = write_element(0x30, status if wants_status else b"") if is_v3 else status
        whole = write_result(0, OPERATION, parameter)
    else:
        whole = write_error(0, verdict.value)
    return whole[:4], whole[5:]


# Encoded once: there are few, and they are most of an answer.
_TAILS = {
    (v, is_v3, wants): _tail(v, is_v3, wants) for v in Verdict for is_v3 in (False, True) for wants in (False, True)
}
_ACCEPTS = {_CONTEXT + bytes((version,)): write_accept(_CONTEXT + bytes((version,))) for version in (2, 3)}
