"""Diameter on sockets: octets to `wire/`, decisions from the list, octets back, one write a read.

Between the read and the write nothing waits: a look-up takes two microseconds, so there is no queue of ours. What
can queue is the kernel's socket buffer when a country asks faster than we answer; the loop then runs late, and while
it is later than `busy_after_s` questions of low priority get 3004 at once (RFC 7944). A peer that does not read its
answers is not read from either, so it can fill its own socket and no memory of ours. What comes in one read is taken a
piece at a time, and after two milliseconds the other links have their turn: a peer whose every question is of a new
shape costs ten times as much as others, and no more than that a turn.
"""

import asyncio
import random
import socket
import ssl
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from time import monotonic
from typing import Any, cast

from openceir.eir.answers import s13_verdicts
from openceir.eir.counters import Counters
from openceir.eir.decision import FAILURE, MALFORMED, Decider, InterfacePolicy
from openceir.eir.errors import EirError
from openceir.eir.log import Log
from openceir.eir.peers import ANYBODY, PeerRule, find_rule
from openceir.eir.records import RECORD, RecordFile
from openceir.wire import s13
from openceir.wire.diameter.errors import UnknownPeer
from openceir.wire.diameter.message import RETRANSMITTED, Identity
from openceir.wire.diameter.peer import Introduced, Limits, Peer, State

__all__ = ["DiameterServer", "ServerOptions", "tls_context"]

_SETTLED_AT_ONCE = 64
_TAKEN_AT_ONCE = 16384  # octets of one read; 64 questions
_TURN_S = 0.002
_REMEMBERED = 1 << 17  # places for questions that a repeated one (T bit) is looked for in
_IPPROTO_SCTP = 132
_SCTP_NODELAY, _SCTP_DEFAULT_SEND_PARAM = 3, 10
_DIAMETER_PPID = 46  # RFC 6733 §2.1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """How the server treats its peers. Units: seconds."""

    identity: Identity
    realms: tuple[str, ...] = ()
    peers: tuple[PeerRule, ...] = ANYBODY
    limits: Limits = field(default_factory=Limits)
    policy: InterfacePolicy = field(default_factory=InterfacePolicy)
    busy_after_s: float = 0.5  # how late the loop runs when it is busy
    busy_from_priority: int = 10  # DRMP from which on a busy EIR refuses; 0 is the most urgent, 10 the default
    duplicate_after_s: float = 2.0  # how long the old link of a peer has to answer a DWR when a new one comes
    most_links: int = 1000


class DiameterServer:
    """All links of one EIR, and the one list they are answered from."""

    def __init__(self, options: ServerOptions, decider: Decider, counters: Counters, log: Log) -> None:
        self.options, self.log = options, log
        self._counters = counters
        # What was answered and is not in the books yet: decision and question; and of each read, how long and how many.
        # Between two questions of a quiet hour a processor forgets all code, so each is answered by as little of it as
        # can be, and the rest is done for many at once.
        self.answered: list[tuple[int, s13.EquipmentCheck]] = []
        self.reads: list[tuple[float, int]] = []
        self.answers = s13.Answers(options.identity)
        self.tails = [self.answers.tail(verdict) for verdict in s13_verdicts(options.policy)]
        self.says_error_for_malformed = options.policy.malformed == "error"
        self.records: RecordFile | None = None
        self.epoch_s = 0.0  # add the steady clock to it for seconds since 1970
        self.is_busy = self.is_draining = False
        self.by_host: dict[str, Link] = {}
        self.links: set[Link] = set()
        # Which question, by asking host and End-to-End Identifier, was answered last at each place; the place is the
        # identifier's lower bits. RFC 6733 §3: who receives the T bit looks for the pair among what it received. We
        # keep the last hundred thousand questions rather than four minutes of them, and use it for counting only:
        # a look-up may be answered twice.
        self.latest = [0] * _REMEMBERED
        self._servers: list[asyncio.AbstractServer] = []
        self._ticker: asyncio.TimerHandle | None = None
        self.use(decider)

    @property
    def counters(self) -> Counters:
        """What was counted, up to the last answer."""
        self.settle()
        return self._counters

    def settle(self) -> None:
        """Count and record what was answered since the last time; at most `_tick` later."""
        counters, records, latest = self._counters, self.records, self.latest
        counts, at = counters.decisions, int(self.epoch_s + monotonic())
        for number, check in self.answered:
            device, imsi, svn, opening, shape, _ = check
            question = shape.origin << 32 | int.from_bytes(opening[4:8], "big")
            place = question & _REMEMBERED - 1
            if shape.flags & RETRANSMITTED and latest[place] == question:
                counters.repeated += 1
                continue
            latest[place] = question
            counts[number] += 1
            if records is not None:
                records.pending.append(RECORD.pack(at, shape.origin, device, imsi, number, svn, shape.flags))
        for seconds, questions in self.reads:
            counters.took(seconds, questions)
        self.answered.clear()
        self.reads.clear()

    def use(self, decider: Decider) -> None:
        """Answer from this from now on: one assignment, between two reads."""
        self.decider = decider
        self.decide: Callable[[int, int, int], int] = decider.decide

    async def listen_tcp(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Begin to listen; the port that was given out when `port` is 0.

        Raises: EirError when the address is taken or not ours.
        """
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(
                lambda: Link(self), host, port, ssl=tls, ssl_handshake_timeout=10 if tls else None, backlog=256
            )
        except OSError as wrong:
            raise EirError(f"cannot listen on {host} port {port}: {wrong.strerror or wrong}") from None
        return self._listening(server)

    async def listen_sctp(self, host: str, port: int) -> int:
        """The same over SCTP, one-to-one style, with Diameter's payload protocol identifier.

        Raises: EirError when this kernel has no SCTP.
        """
        try:
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, _IPPROTO_SCTP)
        except OSError:
            raise EirError("this kernel has no SCTP (CONFIG_IP_SCTP); load its module, or leave --sctp out") from None
        try:
            listener.setsockopt(_IPPROTO_SCTP, _SCTP_NODELAY, 1)
            # struct sctp_sndrcvinfo: stream, ssn, flags, pad, ppid in network order, then zeroes.
            send = struct.pack("@HHHxxI", 0, 0, 0, socket.htonl(_DIAMETER_PPID)) + bytes(20)
            listener.setsockopt(_IPPROTO_SCTP, _SCTP_DEFAULT_SEND_PARAM, send)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setblocking(False)
            listener.bind((host, port))
            loop = asyncio.get_running_loop()
            server = await loop.create_server(lambda: Link(self), sock=listener, backlog=256)
        except OSError as wrong:
            listener.close()
            raise EirError(f"cannot listen on {host} port {port} over SCTP: {wrong.strerror or wrong}") from None
        return self._listening(server)

    def _listening(self, server: asyncio.AbstractServer) -> int:
        self._servers.append(server)
        if self._ticker is None:
            self._tick(monotonic())
        port: int = server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        return port

    async def drain(self) -> None:
        """Stop listening, tell every peer (DPR), wait until they are gone or their time is over."""
        self.is_draining = True
        for server in self._servers:
            server.close()
        for link in list(self.links):
            link.stop()
        while self.links:
            await asyncio.sleep(0.02)
        self.settle()
        if self._ticker is not None:
            self._ticker.cancel()

    def failed(self, wrong: Exception) -> None:
        """Raise the alarm; when everything fails the first, second, fourth … alarm are logged, the counter has all."""
        self.counters.failures += 1
        count = self.counters.failures
        if count & (count - 1) == 0:
            self.log(
                "alarm", what="a decision failed and was answered by policy", error=type(wrong).__name__, count=count
            )

    def _tick(self, due: float) -> None:
        """Ten times a second. A steady clock of full resolution is read: a loop's own may stand still for a while."""
        now = monotonic()
        self._ticker = asyncio.get_running_loop().call_later(0.1, self._tick, now + 0.1)
        self.is_busy = now - due > self.options.busy_after_s
        self.settle()
        for link in list(self.links):
            link.tick(now)
        if self.records is not None and (lost := self.records.flush()):
            if not self._counters.records_lost:
                self.log("alarm", what="check records cannot be written; answers go on without them")
            self._counters.records_lost += lost


class Link(asyncio.Protocol):
    """One connection: a `Peer` and its transport."""

    def __init__(self, server: DiameterServer) -> None:
        self._server = server
        self._rule: PeerRule | None = None
        self._introduced: Introduced | None = None
        self._was_admitted = self._is_stuffed = False
        self._rest = b""  # of a long read, for the next turns

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Make the peer; refuse when there are too many, or when we are leaving."""
        server = self._server
        self.transport: asyncio.Transport = cast(asyncio.Transport, transport)  # uvloop's own derives from nothing
        raw = transport.get_extra_info("socket")
        if raw is not None and raw.proto in {0, socket.IPPROTO_TCP} and raw.family in {socket.AF_INET, socket.AF_INET6}:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address = _address_of(transport.get_extra_info("peername"))
        local = _address_of(transport.get_extra_info("sockname"))
        options = server.options
        self.peer = Peer(
            options.identity,
            (s13.application(options.identity, options.realms),),
            (local,),
            monotonic(),
            lambda: random.uniform(-2, 2),  # noqa: S311 — jitter against peers in step, not a secret
            options.limits,
            random.getrandbits(62) | 1,
            server.counters.refusals,
        )
        server.links.add(self)
        if server.is_draining or len(server.links) > options.most_links:
            server.counters.links["refused_too_many"] += 1
            self.transport.abort()
        elif not any(rule.reaches(self.address) for rule in options.peers):
            # Nobody whom we know can come from there: no need to hold a link open until its CER.
            server.counters.links["refused_address"] += 1
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take what came, or so much of it that the other links need not wait long."""
        if self._rest or len(data) > _TAKEN_AT_ONCE:
            is_new, self._rest = not self._rest, self._rest + data
            if is_new:
                self.transport.pause_reading()
                self._take_turn()
        else:
            self._take(data)

    def _take_turn(self) -> None:
        until = monotonic() + _TURN_S
        while self._rest and not self.transport.is_closing():
            piece, self._rest = self._rest[:_TAKEN_AT_ONCE], self._rest[_TAKEN_AT_ONCE:]
            self._take(piece)
            if monotonic() >= until and self._rest:
                asyncio.get_running_loop().call_soon(self._take_turn)
                return
        self._rest = b""
        self._read_on()

    def _read_on(self) -> None:
        """Read again, unless something else still speaks against it."""
        if not (self._rest or self._is_stuffed or self.transport.is_closing() or self.peer.state is State.ASKING):
            self.transport.resume_reading()

    def _take(self, data: bytes) -> None:
        """The hot path."""
        started = monotonic()
        asked = self.peer.receive(data, started)
        if asked:
            self._answer(asked, started)
        self._send()
        if len(self._server.answered) >= _SETTLED_AT_ONCE:
            self._server.settle()

    def _answer(self, asked: Sequence[Any], started: float) -> None:
        """Answer all that came in one read; the books on it are kept later, by `settle`."""
        server, answer = self._server, self.peer.answer
        decide, tails, write, answered = server.decide, server.tails, server.answers.write, server.answered
        for check in asked:
            if check.__class__ is Introduced:
                self._introduce(check)
                continue
            device, imsi, svn, _, shape, _ = check
            if server.is_busy and shape.priority >= server.options.busy_from_priority:
                answer(server.answers.write_too_busy(check))
                server.counters.refusals[3004] += 1
                continue
            if device >= 0:
                try:
                    number = decide(device, imsi, svn)
                except Exception as wrong:
                    number = FAILURE
                    server.failed(wrong)
                answer(write(check, tails[number]))
            else:
                number = MALFORMED
                with_error = server.says_error_for_malformed
                answer(write(check, server.answers.tail_for_invalid_imei(check) if with_error else tails[number]))
            answered.append((number, check))
        server.reads.append((monotonic() - started, len(asked)))

    def _send(self) -> None:
        octets = self.peer.bytes_to_send()
        if octets:
            self.transport.write(octets)
        if self.peer.wants_close:
            self.transport.close()

    # ------------------------------------------------------------------------------------------- admission

    def _introduce(self, introduced: Introduced) -> None:
        """Let a peer in, refuse it, or first ask the link that already bears its name whether it lives."""
        server = self._server
        certificate = self.transport.get_extra_info("peercert")
        names = None if self.transport.get_extra_info("ssl_object") is None else certificate_names(certificate or {})
        rule = find_rule(server.options.peers, introduced.origin_host, introduced.origin_realm, self.address, names)
        if rule is None or server.is_draining:
            server.counters.links["refused_unknown"] += 1
            server.log("peer refused", host=introduced.origin_host, address=str(self.address), why="unknown peer")
            self.peer.refuse(UnknownPeer("this EIR does not know that peer, or not from there"))
            return
        self._rule, self._introduced = rule, introduced
        other = server.by_host.get(introduced.origin_host)
        if other is None or rule.several_links:
            self._admit()
            return
        # RFC 6733 §5.6 rejects the second link of a peer whose first is open. A peer that crashed comes again
        # while its old link still looks open, so that link has to show that it lives. Meanwhile the new one waits.
        self.transport.pause_reading()
        other.probe()
        asyncio.get_running_loop().call_later(server.options.duplicate_after_s, self._settle, other)

    def _settle(self, other: "Link") -> None:
        if self.peer.state is not State.ASKING:
            return
        assert self._introduced is not None
        # Its place may have gone to a third link meanwhile, which then is the one that lives.
        holder = self._server.by_host.get(self._introduced.origin_host, other)
        if holder is not other or (other in self._server.links and not other.peer.is_doubted):
            self._server.counters.links["refused_duplicate"] += 1
            self._server.log("peer refused", host=self._introduced.origin_host, why="its other link lives")
            self.transport.abort()
            return
        other.transport.abort()
        self._admit()
        self._read_on()

    def _admit(self) -> None:
        introduced, server = self._introduced, self._server
        assert introduced is not None
        self._was_admitted = True
        server.by_host[introduced.origin_host] = self
        server.counters.links["opened"] += 1
        server.log("peer open", host=introduced.origin_host, realm=introduced.origin_realm, address=str(self.address))
        now = monotonic()
        asked = self.peer.admit(now)
        if asked:
            self._answer(asked, now)
        self._send()

    # ------------------------------------------------------------------------------------------- time and ends

    def probe(self) -> None:
        """Ask the peer whether it lives."""
        self.peer.probe(monotonic())
        self._send()

    def tick(self, now: float) -> None:
        """Let time pass; a connection that does not close in its time is cut."""
        if self.peer.state is State.GONE:
            if not self.transport.is_closing() or now > self.peer.next_deadline:
                self.transport.abort()
            return
        self.peer.tick(now)
        self._send()

    def stop(self) -> None:
        """Say goodbye."""
        self.peer.stop(monotonic())
        self._send()

    def pause_writing(self) -> None:
        """The peer does not read its answers: then its questions wait too."""
        self._is_stuffed = True
        self._server.counters.links["paused"] += 1
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self._is_stuffed = False
        self._read_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the link."""
        server = self._server
        server.links.discard(self)
        if server.by_host.get(self.peer.peer_host) is self:
            del server.by_host[self.peer.peer_host]
        if self._was_admitted:
            server.counters.links["closed"] += 1
            server.log("peer closed", host=self.peer.peer_host, why=type(exc).__name__ if exc else "closed")
        self.peer.lost()


def _address_of(name: Any) -> IPv4Address | IPv6Address:
    """The IP address of a socket name; an IPv4 address in IPv6 dress is undressed."""
    address = ip_address(name[0].partition("%")[0])
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def certificate_names(certificate: Any) -> list[str]:
    """The DNS names of a verified certificate, as `ssl` gives it; its common name when it has no DNS name."""
    names = [value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"]
    common = [value for part in certificate.get("subject", ()) for kind, value in part if kind == "commonName"]
    return names or common


def tls_context(certificate: str, key: str, authorities: str) -> ssl.SSLContext:
    """TLS from the first octet with certificates on both sides. Source: RFC 6733 §13.1; TLS 1.2 is the oldest taken.

    Raises: EirError when a file cannot be read or key and certificate do not fit.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(authorities)
    except (OSError, ssl.SSLError) as wrong:
        raise EirError(
            f"the TLS files cannot be used: {wrong}; give a certificate, its key and the authorities in PEM"
        ) from None
    return context
