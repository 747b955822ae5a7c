"""M3UA as an application server process (ASP): a link to a signalling gateway, as a table of states.

    state        sends            until              then
    DOWN         ASP Up           ASP Up Ack         INACTIVE
    INACTIVE     ASP Active       ASP Active Ack     ACTIVE
    ACTIVE       answers          ASP Inactive Ack   INACTIVE        an Ack nobody asked for is the gateway's wish
    any          -                ASP Down Ack       DOWN            and from there it begins anew
    LEAVING      ASP Inactive, ASP Down; the driver closes when ASP Down is acknowledged or its patience ends

    message  | version 1 | 0 | class | type | length (4) |   parameter  | tag (2) | length (2) | value, padded to 4 |

What is sent and not acknowledged is sent again every `resend_s`. A gateway that was silent for `beat_s` gets a BEAT; if it
stays silent as long again the link is given up. The length field is the border of messages, so TCP does as well as SCTP.

Source: RFC 4666 §3 (formats), §4.3 (procedures), §3.8.1 (errors).
"""

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import NamedTuple

from openceir.errors import OpenceirError

__all__ = [
    "Asp",
    "AspLimits",
    "AspState",
    "Data",
    "M3uaError",
    "Type",
    "read_parameters",
    "write_message",
    "write_parameter",
]

SCCP = 3  # service indicator
_HEADER = struct.Struct(">BBHI")
_LABEL = struct.Struct(">IIBBBB")
_PARAMETER = struct.Struct(">HH")


class Type(IntEnum):
    """Class and type of a message. Source: RFC 4666 §3.1.2."""

    ERR = 0x0000
    NTFY = 0x0001
    DATA = 0x0101
    DUNA = 0x0201
    DAVA = 0x0202
    DAUD = 0x0203
    SCON = 0x0204
    DUPU = 0x0205
    DRST = 0x0206
    ASPUP = 0x0301
    ASPDN = 0x0302
    BEAT = 0x0303
    ASPUP_ACK = 0x0304
    ASPDN_ACK = 0x0305
    BEAT_ACK = 0x0306
    ASPAC = 0x0401
    ASPIA = 0x0402
    ASPAC_ACK = 0x0403
    ASPIA_ACK = 0x0404


class Tag(IntEnum):
    """Source: RFC 4666 §3.2."""

    ROUTING_CONTEXT = 0x0006
    HEARTBEAT_DATA = 0x0009
    TRAFFIC_MODE_TYPE = 0x000B
    ERROR_CODE = 0x000C
    STATUS = 0x000D
    ASP_IDENTIFIER = 0x0011
    AFFECTED_POINT_CODE = 0x0012
    NETWORK_APPEARANCE = 0x0200
    PROTOCOL_DATA = 0x0210


# The three that every question bears, as plain numbers, and the heads of those whose value is a number.
_PROTOCOL_DATA, _ROUTING_CONTEXT = int(Tag.PROTOCOL_DATA), int(Tag.ROUTING_CONTEXT)
_NETWORK_APPEARANCE = int(Tag.NETWORK_APPEARANCE)
_NUMBER_HEAD = {tag: struct.pack(">HH", tag, 8) for tag in (_ROUTING_CONTEXT, _NETWORK_APPEARANCE)}


class ErrorCode(IntEnum):
    """Source: RFC 4666 §3.8.1."""

    INVALID_VERSION = 0x01
    UNSUPPORTED_MESSAGE_CLASS = 0x03
    UNSUPPORTED_MESSAGE_TYPE = 0x04
    UNEXPECTED_MESSAGE = 0x06
    PROTOCOL_ERROR = 0x07
    PARAMETER_FIELD_ERROR = 0x12
    MISSING_PARAMETER = 0x16
    INVALID_ROUTING_CONTEXT = 0x19


class AspState(Enum):
    """Where the link stands."""

    DOWN = "down"
    INACTIVE = "inactive"
    ACTIVE = "active"
    LEAVING = "leaving"


# Python 3.11 finds a member of an enumeration through a property, which is ten times as dear as a name of the module.
_DATA, _ACTIVE, _LEAVING = int(Type.DATA), AspState.ACTIVE, AspState.LEAVING


class M3uaError(OpenceirError):
    """A message that is refused with ERR and this code."""

    code = "m3ua-refused"

    def __init__(self, error: ErrorCode, sentence: str) -> None:
        super().__init__(sentence)
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class AspLimits:
    """Units: octets, seconds."""

    message_octets: int = 4096  # CheckIMEI needs about 200; an SCCP datagram 300
    resend_s: float = 2.0  # T(ack), RFC 4666 §4.3.4.1
    beat_s: float = 30.0
    most_unavailable: int = 4096  # point codes remembered as unreachable


class Data(NamedTuple):
    """User data of the gateway, with what the answer repeats. Units: point codes as numbers."""

    opc: int
    dpc: int
    network: int
    priority: int
    selection: int
    scope: bytes  # Network Appearance and Routing Context as they came, encoded
    user: bytes


class Asp:
    """One link as an ASP. Octets in, user data out; what is to be sent is a list of whole messages.

    `routing_context` None leaves the parameter out, which a gateway allows that serves one application server on the link.
    `traffic_mode`: 1 override, 2 loadshare, 3 broadcast; 0 leaves it out.
    """

    def __init__(
        self,
        now: float,
        limits: AspLimits | None = None,
        *,
        routing_context: int | None = None,
        traffic_mode: int = 2,
        asp_identifier: int | None = None,
        counts: Counter[int] | None = None,
    ) -> None:
        self._limits = limits or AspLimits()
        self.state = AspState.DOWN
        self.wants_close = False
        self.unavailable: set[int] = set()
        self.notices: list[str] = []  # what the driver may log: the gateway's notifications and errors, by name
        self.counts: Counter[int] = Counter() if counts is None else counts  # ERR codes sent
        self._context = b"" if routing_context is None else write_parameter(Tag.ROUTING_CONTEXT, routing_context)
        self._routing_context = routing_context
        self._active = write_message(
            Type.ASPAC, write_parameter(Tag.TRAFFIC_MODE_TYPE, traffic_mode) if traffic_mode else b"", self._context
        )
        self._up = write_message(
            Type.ASPUP, b"" if asp_identifier is None else write_parameter(Tag.ASP_IDENTIFIER, asp_identifier)
        )
        self._rest = b""
        self._padding = 0  # zeroes that may yet follow the last message
        self._out: list[bytes] = [self._up]
        self._due = now + self._limits.resend_s
        self._heard = now
        self._beats = 0

    def receive(self, octets: bytes, now: float) -> list[Data]:
        """Take octets of the stream; user data to answer, in order."""
        self._heard, self._beats = now, 0
        stream = self._rest + octets if self._rest else octets
        at, size, found = 0, len(stream), list[Data]()
        while not self.wants_close:
            # RFC 4666 §3.1.4: the length counts the last parameter's padding; take messages where it does not, too.
            while self._padding and at < size and stream[at] == 0:
                at, self._padding = at + 1, self._padding - 1
            if size - at < 8:
                break
            version, _, kind, length = _HEADER.unpack_from(stream, at)
            if version != 1 or length < 8 or length > self._limits.message_octets:
                # After a length that cannot be, nobody knows where the next message begins.
                wrong = ErrorCode.INVALID_VERSION if version != 1 else ErrorCode.PROTOCOL_ERROR
                self._refuse(wrong)
                self.wants_close = True
                break
            if size - at < length:
                break
            self._take(kind, stream[at + 8 : at + length], now, found)
            at += length
            self._padding = -length % 4
        self._rest = b"" if self.wants_close else stream[at:]
        return found

    def answer(self, asked: Data, user: bytes) -> None:
        """Send user data back to where `asked` came from."""
        if self.state is not _ACTIVE:
            return
        label = _LABEL.pack(asked.dpc, asked.opc, SCCP, asked.network, asked.priority, asked.selection)
        size = 4 + len(label) + len(user)
        body = b"".join((asked.scope, _PARAMETER.pack(_PROTOCOL_DATA, size), label, user, bytes(-size % 4)))
        self._out.append(_HEADER.pack(1, 0, _DATA, 8 + len(body)) + body)

    def messages_to_send(self) -> list[bytes]:
        """Whole messages, in order; each is one message of SCTP."""
        out, self._out = self._out, []
        return out

    def tick(self, now: float) -> None:
        """Send again what was not acknowledged; notice silence."""
        if self.state in (AspState.DOWN, AspState.INACTIVE, AspState.LEAVING) and now >= self._due:
            self._due = now + self._limits.resend_s
            if self.state is AspState.LEAVING:
                self.wants_close = True
            else:
                self._out.append(self._up if self.state is AspState.DOWN else self._active)
        if now >= self._heard + self._limits.beat_s * (self._beats + 1):
            self._beats += 1
            if self._beats > 1:
                self.wants_close = True
            else:
                self._out.append(write_message(Type.BEAT, write_parameter(Tag.HEARTBEAT_DATA, b"eir")))

    def stop(self, now: float) -> None:
        """Leave: traffic goes elsewhere first, then the link goes down."""
        if self.state is AspState.ACTIVE:
            self._out.append(write_message(Type.ASPIA, self._context))
        if self.state is not AspState.DOWN:
            self._out.append(write_message(Type.ASPDN))
            self.state, self._due = AspState.LEAVING, now + self._limits.resend_s
        else:
            self.wants_close = True

    # ------------------------------------------------------------------------------------------------- what comes in

    def _take(self, kind: int, body: bytes, now: float, found: list[Data]) -> None:
        try:
            if kind == _DATA:
                brought = self._read_data(body)
                if brought is not None:
                    found.append(brought)
            else:
                self._serve(kind, body, now)
        except M3uaError as wrong:
            self._refuse(wrong.error)

    def _read_data(self, body: bytes) -> Data | None:
        """The user data, if they are SCCP's."""
        if self.state not in (_ACTIVE, _LEAVING):
            raise M3uaError(ErrorCode.UNEXPECTED_MESSAGE, "user data came before the link was active")
        scope, carried = b"", b""
        for tag, value in read_parameters(body):
            if tag == _PROTOCOL_DATA:
                carried = value
            elif tag in _NUMBER_HEAD:
                if len(value) != 4:
                    raise M3uaError(ErrorCode.PARAMETER_FIELD_ERROR, "a number of four octets has another size")
                if tag == _ROUTING_CONTEXT and self._routing_context not in (None, int.from_bytes(value, "big")):
                    raise M3uaError(ErrorCode.INVALID_ROUTING_CONTEXT, "user data are of another routing context")
                scope += _NUMBER_HEAD[tag] + value
        if len(carried) < _LABEL.size:
            raise M3uaError(ErrorCode.MISSING_PARAMETER, "user data have no Protocol Data, or one that is cut short")
        opc, dpc, service, network, priority, selection = _LABEL.unpack_from(carried)
        if service != SCCP:
            return None
        return Data(opc, dpc, network, priority, selection, scope, carried[_LABEL.size :])

    def _serve(self, kind: int, body: bytes, now: float) -> None:
        match kind:
            case Type.ASPUP_ACK:
                if self.state is AspState.DOWN:
                    self._move(AspState.INACTIVE, now)
            case Type.ASPAC_ACK:
                if self.state is AspState.INACTIVE:
                    self._move(AspState.ACTIVE, now)
            case Type.ASPIA_ACK:
                if self.state is AspState.ACTIVE:
                    self._move(AspState.INACTIVE, now)
            case Type.ASPDN_ACK:
                if self.state is AspState.LEAVING:
                    self.wants_close = True
                else:
                    self._move(AspState.DOWN, now)
            case Type.BEAT:
                beat = [
                    write_parameter(tag, value) for tag, value in read_parameters(body) if tag == Tag.HEARTBEAT_DATA
                ]
                self._out.append(write_message(Type.BEAT_ACK, *beat))
            case Type.BEAT_ACK | Type.DAUD | Type.SCON | Type.DUPU:
                pass
            case Type.DUNA | Type.DAVA | Type.DRST:
                self._mark(body, reachable=kind != Type.DUNA)
            case Type.NTFY | Type.ERR:
                tag = Tag.STATUS if kind == Type.NTFY else Tag.ERROR_CODE
                for each, value in read_parameters(body):
                    if each == tag and len(self.notices) < 16:
                        self.notices.append(f"{Type(kind).name} {value[:4].hex()}")
            case _:
                wrong = ErrorCode.UNSUPPORTED_MESSAGE_CLASS
                if kind >> 8 in (0, 1, 2, 3, 4):
                    wrong = ErrorCode.UNSUPPORTED_MESSAGE_TYPE
                raise M3uaError(wrong, f"class {kind >> 8} type {kind & 255} is not served by an ASP")

    def _move(self, state: AspState, now: float) -> None:
        self.state, self._due = state, now + self._limits.resend_s
        if state is AspState.DOWN:
            self._out.append(self._up)
        elif state is AspState.INACTIVE:
            self._out.append(self._active)

    def _mark(self, body: bytes, *, reachable: bool) -> None:
        """Point codes that the gateway cannot reach, or can again. Answers go out all the same: the question came from there."""
        for tag, value in read_parameters(body):
            if tag != Tag.AFFECTED_POINT_CODE:
                continue
            codes = {int.from_bytes(value[at + 1 : at + 4], "big") for at in range(0, len(value) - 3, 4)}
            if reachable:
                self.unavailable -= codes
            elif len(self.unavailable) + len(codes) <= self._limits.most_unavailable:
                self.unavailable |= codes

    def _refuse(self, error: ErrorCode) -> None:
        self.counts[error] += 1
        self._out.append(write_message(Type.ERR, write_parameter(Tag.ERROR_CODE, error)))


def read_parameters(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The parameters of a message as (tag, value).

    Raises: M3uaError at the first that does not fit.
    """
    at, size = 0, len(body)
    while at < size:
        if size - at < 4:
            if any(body[at:]):
                raise M3uaError(ErrorCode.PARAMETER_FIELD_ERROR, "a parameter is cut short in its head")
            return  # padding that was counted
        tag, length = _PARAMETER.unpack_from(body, at)
        if length < 4 or at + length > size:
            raise M3uaError(ErrorCode.PARAMETER_FIELD_ERROR, f"a parameter says {length} octets; {size - at} are there")
        yield tag, body[at + 4 : at + length]
        at += length + -length % 4


def write_parameter(tag: int, value: bytes | int) -> bytes:
    """A parameter, padded; a number takes four octets."""
    octets = value.to_bytes(4, "big") if isinstance(value, int) else value
    return struct.pack(">HH", tag, 4 + len(octets)) + octets + bytes(-len(octets) % 4)


def write_message(kind: Type, *parameters: bytes) -> bytes:
    """A whole message."""
    body = b"".join(parameters)
    return _HEADER.pack(1, 0, kind, 8 + len(body)) + body
