"""One link with one peer that came to us: the responder's side of the peer state machine, without sockets or clock.

Laid beside RFC 6733 §5.6 (rows of the initiator left out: an EIR is asked and never asks):

    state     event             action                              next state
    -----------------------------------------------------------------------------
    CLOSED    R-Conn-CER        R-Accept, Process-CER, R-Snd-CEA    R_OPEN
    R_OPEN    Send-Message      R-Snd-Message                       R_OPEN
    R_OPEN    R-Rcv-Message     Process                             R_OPEN
    R_OPEN    R-Rcv-DWR         Process-DWR, R-Snd-DWA              R_OPEN
    R_OPEN    R-Rcv-DWA         Process-DWA                         R_OPEN
    R_OPEN    R-Conn-CER        R-Reject: the new link's driver     R_OPEN
    R_OPEN    Stop              R-Snd-DPR                           CLOSING
    R_OPEN    R-Rcv-DPR         R-Snd-DPA                           CLOSING
    R_OPEN    R-Peer-Disc       R-Disc                              CLOSED
    CLOSING   R-Rcv-DPA         R-Disc                              CLOSED
    CLOSING   Timeout           Error                               CLOSED
    CLOSING   R-Peer-Disc       R-Disc                              CLOSED

Ours: CLOSED is a link whose CER has not come; ASKING one whose CER came and whose admission the driver decides, since
only the driver knows addresses, certificates and other links; GONE is CLOSED for good.

The watchdog is RFC 3539 §3.4 and its Appendix for a link that was accepted: OKAY, SUSPECT after one silent Tw with
a DWR out, closed after the second. The REOPEN state belongs to the side that connects again.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from ipaddress import IPv4Address, IPv6Address
from typing import Any, NamedTuple, Protocol

from openceir.wire.diameter.avp import (
    Avp,
    check_command,
    check_group,
    find_avp,
    read_avps,
    read_unsigned,
    write_named,
    write_unsigned,
)
from openceir.wire.diameter.dictionary import COMMANDS
from openceir.wire.diameter.errors import (
    ApplicationUnsupported,
    CommandUnsupported,
    DiameterError,
    InvalidAvpLength,
    InvalidMessageLength,
    NoCommonApplication,
    NoCommonSecurity,
    UnsupportedVersion,
)
from openceir.wire.diameter.message import (
    CAPABILITIES_EXCHANGE,
    DEVICE_WATCHDOG,
    DISCONNECT_PEER,
    HEADER,
    REQUEST,
    Header,
    Identity,
    check_flags,
    write_error_answer,
    write_message,
)

__all__ = ["Application", "Asked", "DisconnectCause", "Introduced", "Limits", "Peer", "State"]

_RELAY = 0xFFFFFFFF  # RFC 6733 §2.4: an agent that passes every application on
_NO_INBAND_SECURITY = 0
_SUCCESS = 2001
# The beginning of a header in two numbers: version and length; flags, command and application.
_BORDERS = struct.Struct(">IQ")
_IS_REQUEST, _COMMAND_OF_APPLICATION = REQUEST << 56, 0x00FFFFFF_FFFFFFFF


class State(Enum):
    """Where the link stands."""

    CLOSED = auto()
    ASKING = auto()
    R_OPEN = auto()
    CLOSING = auto()
    GONE = auto()


class Watchdog(Enum):
    """Source: RFC 3539 §3.4.2 and its state machine."""

    OKAY = auto()
    SUSPECT = auto()


# Python 3.11 finds a member of an enumeration through a property, which is ten times as dear as a name of the module.
_ASKING, _R_OPEN, _OKAY = State.ASKING, State.R_OPEN, Watchdog.OKAY


class DisconnectCause(Enum):
    """Source: RFC 6733 §5.4.3."""

    REBOOTING = 0
    BUSY = 1
    DO_NOT_WANT_TO_TALK_TO_YOU = 2


class Asked(Protocol):
    """What an application's reader makes of a request."""

    @property
    def ids(self) -> int:
        """Hop-by-Hop and End-to-End Identifier, as one number."""
        ...


class Reader(Protocol):
    """Reads one application's requests; raises PeerError when one cannot be answered."""

    def read(self, message: bytes) -> Asked:
        """The request that a whole message is."""
        ...

    def read_known(self, octets: bytes, at: int, read: list[Any]) -> int:
        """Add to `read` the requests from `at` on that look like earlier ones which were read; where the first other begins."""
        ...


@dataclass(frozen=True, slots=True)
class Application:
    """One application that this node serves: its one command, its reader, and what its answers hold besides."""

    id: int
    vendor: int
    command: int
    reader: Reader
    in_every_answer: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a peer may ask of us. Units: octets, seconds."""

    largest_message_octets: int = 16384  # an ECR has about 250; one with Proxy-Info and twenty Route-Records 2,000
    slowest_message_s: float = 10.0  # from the first octet of a message to its last
    cer_within_s: float = 10.0  # from the connection to the CER (RFC 6733 §5.6.1)
    watchdog_s: float = 30.0  # Twinit; RFC 3539 §3.4.1: never below 6
    closing_s: float = 5.0  # from our DPR to the peer's DPA

    def __post_init__(self) -> None:
        if self.watchdog_s < 6:
            raise ValueError("Tw must not be below 6 s (RFC 3539 §3.4.1)")


class Introduced(NamedTuple):
    """A CER came that we could serve; the driver answers with `admit` or `refuse`."""

    origin_host: str
    origin_realm: str
    origin_state_id: int | None


class Peer:
    """One link. Give it octets and time, take events and octets.

    `jitter` gives a number between -2 and 2 at each call (RFC 3539 §3.4.1 [1]). `now` is seconds of a steady clock.
    """

    def __init__(
        self,
        identity: Identity,
        applications: tuple[Application, ...],
        local_addresses: tuple[IPv4Address | IPv6Address, ...],
        now: float,
        jitter: Callable[[], float],
        limits: Limits | None = None,
        first_ids: int = 1,
        refusals: dict[int, int] | None = None,
    ) -> None:
        self.identity, self.limits = identity, limits or Limits()
        self.state, self.watchdog = State.CLOSED, Watchdog.OKAY
        self.peer_host = ""
        self.wants_close = False
        self.refusals = {} if refusals is None else refusals  # Result-Code of our error answers -> how many
        self._applications: Mapping[int, Application] = {each.id: each for each in applications}
        self._readers = {each.command << 32 | each.id: each.reader.read for each in applications}
        self._read_known = [each.reader.read_known for each in applications]
        self._addresses = local_addresses
        self._jitter = jitter
        self._waiting = b""
        self._partial_since: float | None = None
        self._out: list[bytes] = []
        # Send the answer to a question. A link that is closing still answers what it was asked before.
        self.answer: Callable[[bytes], None] = self._out.append
        self._cer: tuple[Header, list[Avp]] | None = None
        self._heard_at = now
        self._tw = self.limits.watchdog_s + jitter()
        self._dwr_ids: int | None = None
        self._next_ids = first_ids
        self._deadline = now + self.limits.cer_within_s  # of the CER, later of the DPA

    # ------------------------------------------------------------------------------------------- octets and time

    def receive(self, octets: bytes, now: float) -> list[Asked | Introduced]:
        """Take octets as the transport gives them; the questions and introductions that became complete."""
        if self._waiting:
            octets = self._waiting + octets
        events: list[Asked | Introduced] = []
        at, size = 0, len(octets)
        unpack, largest, readers = _BORDERS.unpack_from, self.limits.largest_message_octets, self._readers
        while True:
            if self.state is _R_OPEN:
                for read_known in self._read_known:
                    at = read_known(octets, at, events)
            if size - at < 20 or self.wants_close or self.state is _ASKING:
                break
            first, kind = unpack(octets, at)
            length = first - 0x01000000  # less the version: any other than 1 makes a length that cannot be
            reader = readers.get(kind & _COMMAND_OF_APPLICATION)
            if not 20 <= length <= largest or length & 3:
                header = Header.read(octets, at)
                if not self._survives_frame(header):
                    break
                length, reader = header.length, None
            end = at + length
            if end > size:
                break
            if reader is not None and kind & _IS_REQUEST and self.state is _R_OPEN:
                try:
                    events.append(reader(octets[at:end]))
                except DiameterError as wrong:
                    self._refuse_request(octets[at:end], wrong)
            else:
                event = self._process(octets[at:end], now)
                if event is not None:
                    events.append(event)
            at = end
        if at:
            self._heard(now)
        if at < size or self._waiting:
            self._keep(octets[at:] if not self.wants_close else b"", now, has_moved=at > 0)
        return events

    def bytes_to_send(self) -> bytes:
        """What the transport must carry now; taken once."""
        out = b"".join(self._out)
        self._out.clear()
        return out

    @property
    def next_deadline(self) -> float:
        """When `tick` has something to do, at the earliest. Units: seconds of the caller's clock."""
        if self.state in {State.CLOSED, State.ASKING, State.CLOSING}:
            deadline = self._deadline
        else:
            deadline = self._heard_at + self._tw
        if self._partial_since is not None:
            deadline = min(deadline, self._partial_since + self.limits.slowest_message_s)
        return deadline

    def tick(self, now: float) -> None:
        """Let time pass: send a DWR, or give the peer up."""
        if self.state is State.GONE or now < self.next_deadline:
            return
        if self._partial_since is not None and now >= self._partial_since + self.limits.slowest_message_s:
            self._close()  # half a message for ever: the peer is broken or wants to hold our memory
        elif self.state is not State.R_OPEN:
            self._close()  # §5.6.1: no CER in time; §5.6: Closing, Timeout
        elif self._dwr_ids is None:
            self._dwr_ids = self._send_request(DEVICE_WATCHDOG, self._state_id())
            self._set_watchdog(now)
        elif self.watchdog is Watchdog.OKAY:
            self.watchdog = Watchdog.SUSPECT
            self._set_watchdog(now)
        else:
            self._close()

    # ------------------------------------------------------------------------------------------- what the driver says

    def admit(self, now: float) -> list[Asked | Introduced]:
        """R-Accept and R-Snd-CEA; the questions that came right behind the CER are returned."""
        assert self.state is State.ASKING
        self._send_cea(_SUCCESS)
        self.state = State.R_OPEN
        self._set_watchdog(now)
        octets, self._waiting = self._waiting, b""
        return self.receive(octets, now) if octets else []

    def refuse(self, error: DiameterError) -> None:
        """R-Reject with a CEA that says why; the driver closes the transport."""
        assert self._cer is not None
        header, avps = self._cer
        self._send_error(header, avps, error)
        self._close()

    def stop(self, now: float, cause: DisconnectCause = DisconnectCause.REBOOTING) -> None:
        """Stop: send a DPR and wait for the DPA, or close at once when the link never opened."""
        if self.state is State.R_OPEN:
            self._dwr_ids = None
            self._send_request(DISCONNECT_PEER, write_unsigned("Disconnect-Cause", cause.value))
            self.state, self._deadline = State.CLOSING, now + self.limits.closing_s
        elif self.state is not State.CLOSING:
            self._close()

    def probe(self, now: float) -> None:
        """Send a DWR now: another link claims to be this peer, and only a living one keeps its place."""
        if self.state is State.R_OPEN and self._dwr_ids is None:
            self._dwr_ids = self._send_request(DEVICE_WATCHDOG, self._state_id())
            self._set_watchdog(now)

    @property
    def is_doubted(self) -> bool:
        """Whether a DWR of ours has no answer yet."""
        return self._dwr_ids is not None

    def lost(self) -> None:
        """R-Peer-Disc: the transport ended."""
        self.state = State.GONE

    # ------------------------------------------------------------------------------------------- messages

    def _survives_frame(self, header: Header) -> bool:
        """Answer what is wrong with version or length; False when the stream has lost its borders."""
        try:
            header.check_frame(self.limits.largest_message_octets)
        except InvalidMessageLength as wrong:
            if header.is_request and self.state is State.R_OPEN:
                self._send_error(header, [], wrong)
            self._close()
            return False
        except UnsupportedVersion:
            return True  # its length is sound: `_process` answers it when it is whole
        return True

    def _process(self, message: bytes, now: float) -> Introduced | None:
        header = Header.read(message)
        try:
            header.check_frame(self.limits.largest_message_octets)
        except UnsupportedVersion as wrong:
            if self.state is State.R_OPEN and header.is_request:
                self._send_error(header, [], wrong)
            elif self.state is State.CLOSED:
                self._close()
            return None
        if self.state is State.CLOSED:
            return self._process_cer(header, message)
        if not header.is_request:
            self._process_answer(header, now)
        elif (header.application, header.command) in {(0, DEVICE_WATCHDOG), (0, DISCONNECT_PEER)}:
            self._process_base(header, message, now)
        elif header.command in {CAPABILITIES_EXCHANGE, DEVICE_WATCHDOG, DISCONNECT_PEER}:
            # A second CER on an open link: RFC 6733 §5.6 has no such row, so it is no command we support there.
            self._refuse_request(message, CommandUnsupported("this command is not expected on an open link"))
        elif self.state is State.R_OPEN:
            known = {each.command for each in self._applications.values()}
            if header.application not in self._applications and header.application != 0:
                error: DiameterError = ApplicationUnsupported("this node does not serve that application")
            elif header.command in known and header.application == 0:
                error = ApplicationUnsupported("the command belongs to another application than its header says")
            else:
                error = CommandUnsupported("this node does not know that command")
            self._refuse_request(message, error)
        return None

    def _process_cer(self, header: Header, message: bytes) -> Introduced | None:
        if not header.is_request or (header.application, header.command) != (0, CAPABILITIES_EXCHANGE):
            self._close()  # §5.6.1: anything but a CER drops the connection
            return None
        avps: list[Avp] = []
        try:
            rule = COMMANDS[0, CAPABILITIES_EXCHANGE]
            check_flags(header, rule)
            avps = list(read_avps(message, HEADER.size))
            check_command(rule, avps)
            self._check_common(avps)
        except DiameterError as wrong:
            self._send_error(header, avps, wrong)
            self._close()
            return None
        host, realm, state = (find_avp(avps, name) for name in ("Origin-Host", "Origin-Realm", "Origin-State-Id"))
        assert host is not None
        assert realm is not None
        self._cer, self.state = (header, avps), State.ASKING
        self.peer_host = host.data.decode("ascii", "replace").lower()
        return Introduced(
            self.peer_host,
            realm.data.decode("ascii", "replace").lower(),
            None if state is None else read_unsigned(state),
        )

    def _check_common(self, avps: list[Avp]) -> None:
        """Raises: NoCommonApplication (5010), NoCommonSecurity (5017). Source: RFC 6733 §5.3, §6.10, §6.11."""
        offered = set()
        securities = set()
        for avp in avps:
            if avp.rule is None:
                continue
            if avp.rule.name == "Auth-Application-Id":
                offered.add(read_unsigned(avp))
            elif avp.rule.name == "Vendor-Specific-Application-Id":
                inner = find_avp(check_group(avp), "Auth-Application-Id")
                offered |= {read_unsigned(inner)} if inner else set()
            elif avp.rule.name == "Inband-Security-Id":
                securities.add(read_unsigned(avp))
        if not offered & {*self._applications, _RELAY}:
            raise NoCommonApplication("the peer offers no application that is served here")
        if securities and _NO_INBAND_SECURITY not in securities:
            raise NoCommonSecurity("TLS begins with the first octet here, on the secure port, and not within the link")

    def _process_base(self, header: Header, message: bytes, now: float) -> None:
        try:
            rule = COMMANDS[0, header.command]
            check_flags(header, rule)
            check_command(rule, list(read_avps(message, HEADER.size)))
        except DiameterError as wrong:
            self._refuse_request(message, wrong)
            return
        extra = self._state_id() if header.command == DEVICE_WATCHDOG else b""
        self._out.append(
            write_message(
                0, header.command, 0, header.ids, write_unsigned("Result-Code", _SUCCESS), self.identity.origin, extra
            )
        )
        if header.command == DISCONNECT_PEER and self.state is State.R_OPEN:
            self.state, self._deadline = State.CLOSING, now + self.limits.closing_s

    def _process_answer(self, header: Header, now: float) -> None:
        """Only answers to what we sent count; any other is dropped, for an answer is never answered."""
        if header.command == DEVICE_WATCHDOG and header.ids == self._dwr_ids:
            self._dwr_ids, self.watchdog = None, Watchdog.OKAY
            self._set_watchdog(now)
        elif self.state is State.CLOSING and header.command == DISCONNECT_PEER:
            self._close()

    def _refuse_request(self, message: bytes, error: DiameterError) -> None:
        """Answer with an error, giving back of the request what can be read of it."""
        header = Header.read(message)
        avps: list[Avp] = []
        try:
            for avp in read_avps(message, HEADER.size):
                avps.append(avp)
        except InvalidAvpLength:
            pass  # the error at hand says this, or something that was found before it
        self._send_error(header, avps, error)

    def _send_error(self, header: Header, avps: list[Avp], error: DiameterError) -> None:
        application = self._applications.get(header.application)
        extra = application.in_every_answer if application and header.command == application.command else b""
        self.refusals[error.result_code] = self.refusals.get(error.result_code, 0) + 1
        if header.command == CAPABILITIES_EXCHANGE and not error.is_protocol_error:
            extra = self._capabilities()
        self._out.append(write_error_answer(header, avps, error, self.identity, extra))

    def _send_cea(self, result_code: int) -> None:
        assert self._cer is not None
        header, _ = self._cer
        self._out.append(
            write_message(
                0,
                CAPABILITIES_EXCHANGE,
                0,
                header.ids,
                write_unsigned("Result-Code", result_code),
                self.identity.origin,
                self._capabilities(),
            )
        )

    def _capabilities(self) -> bytes:
        """What a CEA says of us. Source: RFC 6733 §5.3.2; an Address begins with its family, 1 IPv4 or 2 IPv6 (§4.3.1)."""
        parts = [
            write_named("Host-IP-Address", (b"\0\1" if address.version == 4 else b"\0\2") + address.packed)
            for address in self._addresses
        ]
        parts.append(write_unsigned("Vendor-Id", self.identity.vendor_id))
        parts.append(write_named("Product-Name", self.identity.product_name.encode()))
        parts.append(self._state_id())
        for each in self._applications.values():
            parts.append(write_unsigned("Supported-Vendor-Id", each.vendor))
        for each in self._applications.values():
            pair = write_unsigned("Vendor-Id", each.vendor) + write_unsigned("Auth-Application-Id", each.id)
            parts.append(write_named("Vendor-Specific-Application-Id", pair))
        return b"".join(parts)

    def _send_request(self, command: int, *parts: bytes) -> int:
        ids, self._next_ids = self._next_ids, (self._next_ids + 0x100000001) & 0xFFFFFFFFFFFFFFFF
        self._out.append(write_message(REQUEST, command, 0, ids, self.identity.origin, *parts))
        return ids

    def _state_id(self) -> bytes:
        return write_unsigned("Origin-State-Id", self.identity.origin_state_id)

    # ------------------------------------------------------------------------------------------- time and ends

    def _heard(self, now: float) -> None:
        """RFC 3539 §3.4.1 [2]: any message resets Tw, and a suspect that speaks is trusted again."""
        self._heard_at = now
        self.watchdog = _OKAY

    def _set_watchdog(self, now: float) -> None:
        self._heard_at = now
        self._tw = self.limits.watchdog_s + self._jitter()

    def _keep(self, rest: bytes, now: float, *, has_moved: bool) -> None:
        """Hold what is not a whole message yet. A CER that waits for its admission holds no peer to a time limit."""
        self._waiting = rest
        if not rest or self.state is State.ASKING:
            self._partial_since = None
        elif has_moved or self._partial_since is None:
            self._partial_since = now

    def _close(self) -> None:
        self.state, self.wants_close = State.GONE, True
