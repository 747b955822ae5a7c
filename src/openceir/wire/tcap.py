"""TCAP: one question, one answer, and what a dialogue can be refused with.

    Begin    [APPLICATION 2] 62 { OTID 48, dialogue portion 6b, components 6c }
    End      [APPLICATION 4] 64 { DTID 49, dialogue portion, components }
    Continue [APPLICATION 5] 65 { OTID, DTID, dialogue portion, components }
    Abort    [APPLICATION 7] 67 { DTID, P-Abort cause 4a or dialogue portion }
    dialogue portion 6b { EXTERNAL 28 { 06 dialogue-as-id, a0 { AARQ 60 | AARE 61 | ABRT 64 } } }

We answer and keep nothing: the End says all, so there is no table of dialogues that a flood could fill. Only a Begin
that brings a dialogue and no question yet is answered with Continue; our transaction id then carries the one thing
to remember, the version that was agreed (`TransactionIds`).

Source: ITU-T Q.773 §3 (encoding), Q.774 §3 (procedures); not read, from public decoders and held against pycrate and tshark.
"""

from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from openceir.errors import OpenceirError
from openceir.wire.ber import InvalidBer, read_element, read_elements, write_element

__all__ = [
    "AbortCause", "BadTransaction", "Component", "Dialogue", "Kind", "Message", "Problem", "TcapError", "TransactionIds",
    "read_message", "write_abort", "write_accept", "write_continue", "write_end", "write_error", "write_no_common_dialogue",
    "write_refusal", "write_reject", "write_result",
]  # fmt: skip

_MOST_COMPONENTS = 8
_PLAIN_OCTETS = 30  # a dialogue portion that names a context of seven octets and holds nothing else
_DIALOGUE_AS_ID = bytes.fromhex("0607 00118605010101".replace(" ", ""))
_VERSION_1 = bytes.fromhex("80020780")
_INVOKE, _RESULT_LAST, _ERROR, _REJECT = 0xA1, 0xA2, 0xA3, 0xA4


class TcapError(OpenceirError):
    """A TCAP message of which nothing can be answered: not even whose transaction it is can be read."""

    code = "tcap-unreadable"


class AbortCause(IntEnum):
    """P-AbortCause. Source: Q.773 §3.1."""

    UNRECOGNIZED_MESSAGE_TYPE = 0
    UNRECOGNIZED_TRANSACTION_ID = 1
    BADLY_FORMATTED_TRANSACTION_PORTION = 2
    INCORRECT_TRANSACTION_PORTION = 3
    RESOURCE_LIMITATION = 4


class Problem(IntEnum):
    """Why a component is rejected: the tag of its kind of problem, then the value. Source: Q.773 §3.2."""

    UNRECOGNIZED_COMPONENT = 0x8000
    MISTYPED_COMPONENT = 0x8001
    BADLY_STRUCTURED_COMPONENT = 0x8002
    UNRECOGNIZED_OPERATION = 0x8101
    MISTYPED_PARAMETER = 0x8102


class BadTransaction(TcapError):
    """A message that is answered with P-Abort; `answer` is that message."""

    def __init__(self, cause: AbortCause, otid: bytes) -> None:
        super().__init__(f"the transaction is aborted: {cause.name.lower().replace('_', ' ')}")
        self.cause = cause
        self.answer = write_abort(otid, cause)


class Kind(IntEnum):
    """What a message is, by its tag."""

    UNIDIRECTIONAL = 0x61
    BEGIN = 0x62
    END = 0x64
    CONTINUE = 0x65
    ABORT = 0x67


class Dialogue(NamedTuple):
    """An AARQ: the application context asked for, and whether the dialogue's own version is one we know."""

    context: bytes
    is_version_1: bool


class Component(NamedTuple):
    """An invocation, or the reason why it can be none. `rest` are the elements behind the operation code."""

    invoke_id: int | None
    operation: int | None
    rest: list[tuple[int, bytes]]
    problem: Problem | None


class Message(NamedTuple):
    """What a peer sent. Results, errors and rejects of ours that come back are no components here."""

    kind: Kind
    otid: bytes
    dtid: bytes
    dialogue: Dialogue | None
    components: list[Component]


class TransactionIds:
    """Our transaction ids: four octets that say "ours, in this run" and, in their last two bits, the agreed version."""

    def __init__(self, salt: int) -> None:
        self._salt = salt & 0xFFFFFFFC

    def of_version(self, version: int) -> bytes:
        """The id of a dialogue in that version, 1 to 3."""
        return (self._salt | version).to_bytes(4, "big")

    def version_of(self, dtid: bytes) -> int:
        """The version agreed in that dialogue; 0 when the id is none of ours."""
        number = int.from_bytes(dtid, "big")
        return number & 3 if len(dtid) == 4 and number & 0xFFFFFFFC == self._salt else 0


def read_message(octets: bytes) -> Message:
    """The message in these octets.

    Raises: BadTransaction when it is answered with P-Abort; TcapError when nobody could be answered.
    """
    try:
        tag, contents, end = read_element(octets)
    except InvalidBer as wrong:
        raise TcapError(f"not a TCAP message: {wrong}") from None
    # A cut or overlong list of parts must not hide whose transaction it is: the ids stand first.
    parts: dict[int, bytes] = {}
    at, is_whole = 0, end == len(octets)
    while at < len(contents):
        try:
            part, inner, at = read_element(contents, at)
        except InvalidBer:
            is_whole = False
            break
        if part in parts or len(parts) == 4:
            is_whole = False
            break
        parts[part] = inner
    otid, dtid = parts.get(0x48, b""), parts.get(0x49, b"")
    if tag not in _KINDS:
        if 1 <= len(otid) <= 4:
            raise BadTransaction(AbortCause.UNRECOGNIZED_MESSAGE_TYPE, otid)
        raise TcapError(f"no TCAP message has the tag {tag:#x}, and no transaction id can be read")
    kind = _KINDS[tag]
    if kind in _ANSWERABLE:
        if not 1 <= len(otid) <= 4:
            raise TcapError("no originating transaction id of one to four octets; the message is discarded")
        if not is_whole or (kind is Kind.CONTINUE and not 1 <= len(dtid) <= 4):
            raise BadTransaction(AbortCause.BADLY_FORMATTED_TRANSACTION_PORTION, otid)
    else:
        # An End, an Abort or a Unidirectional has no answer, so there is nothing more to read in it.
        return Message(kind, otid, dtid, None, [])
    try:
        portion = parts.get(0x6B)
        if portion is None:
            dialogue = None
        else:
            dialogue = _read_plain(portion) if len(portion) <= _PLAIN_OCTETS else _read_dialogue(portion)
    except InvalidBer:
        raise BadTransaction(AbortCause.INCORRECT_TRANSACTION_PORTION, otid) from None
    return Message(kind, otid, dtid, dialogue, _read_components(parts[0x6C]) if 0x6C in parts else [])


def _read_dialogue(portion: bytes) -> Dialogue | None:
    """The AARQ of a dialogue portion; None for other dialogue messages, which say nothing that we act on."""
    tag, external, _ = read_element(portion)
    parts = read_elements(external)
    if tag != 0x28 or len(parts) < 2 or parts[0][0] != 0x06 or parts[1][0] != 0xA0:
        raise InvalidBer("the dialogue portion holds no dialogue message")
    if parts[0][1] != _DIALOGUE_AS_ID[2:]:
        raise InvalidBer("the dialogue portion is of another abstract syntax")
    tag, request, _ = read_element(parts[1][1])
    if tag != 0x60:
        return None
    is_version_1, context = True, b""
    for part, inner in read_elements(request):
        if part == 0x80:
            is_version_1 = len(inner) > 1 and bool(inner[1] & 0x80)
        elif part == 0xA1:
            inner_tag, context, _ = read_element(inner)
            if inner_tag != 0x06:
                raise InvalidBer("the application context is no object identifier")
    if not context:
        raise InvalidBer("the AARQ names no application context")
    return Dialogue(context, is_version_1)


# Networks send the same few again and again. One this short has no room for user information, so what is remembered says
# nothing of any subscriber.
_read_plain = lru_cache(maxsize=16)(_read_dialogue)


def _read_components(portion: bytes) -> list[Component]:
    """The invocations of a component portion. One that cannot be read ends the list: nobody knows where the next begins."""
    found: list[Component] = []
    at = 0
    while at < len(portion):
        try:
            tag, inner, at = read_element(portion, at)
        except InvalidBer:
            found.append(Component(None, None, [], Problem.BADLY_STRUCTURED_COMPONENT))
            break
        component = _read_component(tag, inner)
        if component is not None:
            found.append(component)
        if len(found) == _MOST_COMPONENTS:
            break
    return found


def _read_component(tag: int, inner: bytes) -> Component | None:
    if tag != _INVOKE:
        if tag in _KNOWN_COMPONENTS:
            return None
        return Component(None, None, [], Problem.UNRECOGNIZED_COMPONENT)
    try:
        parts = read_elements(inner)
    except InvalidBer:
        return Component(None, None, [], Problem.BADLY_STRUCTURED_COMPONENT)
    if not parts or parts[0][0] != 0x02 or len(parts[0][1]) != 1:
        return Component(None, None, [], Problem.MISTYPED_COMPONENT)
    invoke_id = int.from_bytes(parts[0][1], "big", signed=True)
    at = 2 if len(parts) > 1 and parts[1][0] == 0x80 else 1  # a linked id is passed over
    if len(parts) <= at or parts[at][0] not in (0x02, 0x06) or not parts[at][1]:
        return Component(invoke_id, None, [], Problem.MISTYPED_COMPONENT)
    code_tag, code = parts[at]
    if code_tag != 0x02 or len(code) != 1:
        return Component(invoke_id, None, [], Problem.UNRECOGNIZED_OPERATION)
    return Component(invoke_id, code[0], parts[at + 1 :], None)


# ------------------------------------------------------------------------------------------------------------ writing


def write_result(invoke_id: int, operation: int, parameter: bytes) -> bytes:
    """A ReturnResultLast."""
    return write_element(
        _RESULT_LAST, _integer(invoke_id), write_element(0x30, write_element(0x02, bytes((operation,))), parameter)
    )


def write_error(invoke_id: int, error: int) -> bytes:
    """A ReturnError without a parameter."""
    return write_element(_ERROR, _integer(invoke_id), write_element(0x02, bytes((error,))))


def write_reject(invoke_id: int | None, problem: Problem) -> bytes:
    """A Reject; the invoke id is NULL when none could be read."""
    asked = b"\x05\x00" if invoke_id is None else _integer(invoke_id)
    return write_element(_REJECT, asked, write_element(problem >> 8, bytes((problem & 255,))))


def write_end(dtid: bytes, dialogue: bytes, components: bytes) -> bytes:
    """An End; `dialogue` is empty or what `write_accept` gave."""
    return write_element(
        Kind.END, write_element(0x49, dtid), dialogue, write_element(0x6C, components) if components else b""
    )


def write_continue(otid: bytes, dtid: bytes, dialogue: bytes) -> bytes:
    """A Continue without components: the dialogue is taken, ask."""
    return write_element(Kind.CONTINUE, write_element(0x48, otid), write_element(0x49, dtid), dialogue)


def write_abort(dtid: bytes, cause: AbortCause) -> bytes:
    """A P-Abort."""
    return write_element(Kind.ABORT, write_element(0x49, dtid), write_element(0x4A, bytes((cause,))))


def write_accept(context: bytes) -> bytes:
    """The dialogue portion that takes a context."""
    return _aare(context, 0, write_element(0xA1, b"\x02\x01\x00"))


def write_refusal(dtid: bytes, context: bytes) -> bytes:
    """A U-Abort: "application-context-name-not-supported", and the context that could be asked for instead."""
    return write_element(Kind.ABORT, write_element(0x49, dtid), _aare(context, 1, write_element(0xA1, b"\x02\x01\x02")))


def write_no_common_dialogue(dtid: bytes, context: bytes) -> bytes:
    """A U-Abort for a dialogue portion of a version that we do not know."""
    return write_element(Kind.ABORT, write_element(0x49, dtid), _aare(context, 1, write_element(0xA2, b"\x02\x01\x02")))


def _aare(context: bytes, result: int, diagnostic: bytes) -> bytes:
    response = write_element(
        0x61,
        _VERSION_1,
        write_element(0xA1, write_element(0x06, context)),
        write_element(0xA2, b"\x02\x01", bytes((result,))),
        write_element(0xA3, diagnostic),
    )
    return write_element(0x6B, write_element(0x28, _DIALOGUE_AS_ID, write_element(0xA0, response)))


def _integer(value: int) -> bytes:
    return b"\x02\x01" + value.to_bytes(1, "big", signed=True)


_KINDS = {int(kind): kind for kind in Kind}
_ANSWERABLE = {Kind.BEGIN, Kind.CONTINUE}
_KNOWN_COMPONENTS = {_RESULT_LAST, 0xA7, _ERROR, _REJECT}  # 0xa7: ReturnResult that is not the last
