"""MAP CheckIMEI on sockets: we go to the signalling gateways, as an ASP does, and answer what they bring.

Each gateway has one link that is opened again whenever it is lost, at first after half a second, then after twice as
long each time up to half a minute. Between question and answer nothing waits. A gateway that does not read its answers
is not read from either.
"""

import asyncio
import contextlib
import random
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import cast

from openceir.eir.answers import map_verdicts
from openceir.eir.decision import InterfacePolicy
from openceir.eir.desk import Desk, origin_of
from openceir.eir.errors import EirError
from openceir.eir.sctp import MessageTransport, connect_sctp, sctp_stream
from openceir.wire import sccp
from openceir.wire.m3ua import Asp, AspLimits, AspState, Data
from openceir.wire.map_check_imei import CheckImei, Dialogues, Verdict
from openceir.wire.map_shapes import KnownQuestion, KnownShapes
from openceir.wire.tcap import BadTransaction, TcapError, read_message

__all__ = ["Gateway", "MapOptions", "MapSide"]

_M3UA_PPID = 3  # RFC 4666 §7.1
_FLUSH_S = 1.0  # how long a link that ends may still send
_USER_DATA = 1  # the class of DATA, the third octet of a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """One signalling gateway (or STP) to go to."""

    host: str
    port: int = 2905
    sctp: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOptions:
    """How MAP is spoken. Units: seconds."""

    gateways: tuple[Gateway, ...]
    routing_context: int | None = None
    traffic_mode: int = 2
    asp_identifier: int | None = None
    imsi_tag: int | None = None
    highest_version: int = 3
    policy: InterfacePolicy = field(default_factory=InterfacePolicy)
    limits: AspLimits = field(default_factory=AspLimits)
    connect_s: float = 5.0
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0


class MapSide:
    """All links to gateways, and the one list they are answered from."""

    def __init__(self, options: MapOptions, desk: Desk) -> None:
        self.options, self.desk = options, desk
        self.verdicts = map_verdicts(options.policy)
        self.dialogues = Dialogues(random.getrandbits(32), options.imsi_tag, options.highest_version)
        self.known = KnownShapes(self.dialogues)
        self.links: set[AspLink] = set()
        self._keepers: list[asyncio.Task[None]] = []
        self._ticker: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to connect. A gateway that is away at the start is only logged: it may come later."""
        self._keepers = [asyncio.create_task(self._keep(gateway)) for gateway in self.options.gateways]
        self._tick()

    @property
    def active(self) -> int:
        """How many links carry traffic."""
        return sum(link.asp.state is AspState.ACTIVE for link in self.links)

    async def close(self) -> None:
        """Tell every gateway to send elsewhere, then that we go; wait until it said so or its time is over."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for link in list(self.links):
            link.stop()
        while self.links:
            await asyncio.sleep(0.02)
        if self._ticker is not None:
            self._ticker.cancel()

    async def _keep(self, gateway: Gateway) -> None:
        """One link to one gateway, for ever."""
        pause = self.options.first_pause_s
        name = f"{gateway.host}:{gateway.port}"
        is_known_away = False
        while True:
            link = AspLink(self, name, keeps_borders=gateway.sctp)
            try:
                async with asyncio.timeout(self.options.connect_s):
                    await _connect(gateway, link)
            except (OSError, TimeoutError, EirError) as wrong:
                self.desk.counters.links["unreachable"] += 1
                if not is_known_away:
                    self.desk.log("gateway unreachable", gateway=name, why=str(wrong) or type(wrong).__name__)
                    is_known_away = True
            else:
                is_known_away = False
                await link.ended.wait()
                if link.was_active:
                    pause = self.options.first_pause_s
            # Jitter, so that all EIRs of a network do not come back in the same instant.
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311
            pause = min(pause * 2, self.options.longest_pause_s)

    def _tick(self) -> None:
        now = monotonic()
        for link in list(self.links):
            link.tick(now)
        self._ticker = asyncio.get_running_loop().call_later(0.1, self._tick)


async def _connect(gateway: Gateway, link: "AspLink") -> None:
    if gateway.sctp:
        MessageTransport(await connect_sctp(gateway.host, gateway.port), link, _stream_of)
    else:
        await asyncio.get_running_loop().create_connection(lambda: link, gateway.host, gateway.port)


def _stream_of(message: bytes) -> list[tuple[int, int, bytes]]:
    """RFC 4666 §1.4.7: user data never go on stream 0, what manages the link does. osmo-stp refuses those that do."""
    return [sctp_stream(1 if message[2] == _USER_DATA else 0, _M3UA_PPID)]


class AspLink(asyncio.Protocol):
    """One connection: an `Asp` and its transport."""

    def __init__(self, side: MapSide, gateway: str, *, keeps_borders: bool = False) -> None:
        self._side, self._gateway, self._keeps_borders = side, gateway, keeps_borders
        self._logged = AspState.DOWN
        self.was_active = False
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say ASP Up."""
        self.transport = cast(asyncio.Transport, transport)
        raw = transport.get_extra_info("socket")
        if raw is not None and not self._keeps_borders and raw.family in {socket.AF_INET, socket.AF_INET6}:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        options = self._side.options
        self.asp = Asp(
            monotonic(),
            options.limits,
            routing_context=options.routing_context,
            traffic_mode=options.traffic_mode,
            asp_identifier=options.asp_identifier,
            counts=self._side.desk.counters.refusals,
        )
        self._side.links.add(self)
        self._send()

    def data_received(self, data: bytes) -> None:
        """The hot path."""
        started = monotonic()
        brought = self.asp.receive(data, started)
        if brought:
            self._answer(brought)
            self._side.desk.counters.took(monotonic() - started, len(brought))
        if self.asp.state is not self._logged or self.asp.notices:
            self._tell()
        self._send()

    def _answer(self, brought: Sequence[Data]) -> None:
        """Answer all that came in one read. What cannot be read is counted and costs its sender alone."""
        links = self._side.desk.counters.links
        known_of = self._side.known.find
        for data in brought:
            try:
                known = known_of(data.user)
                if known is not None:
                    self.asp.answer(data, known.answer(self._verdict(known, data.opc, known.shape.calling)))
                    continue
                datagram = sccp.read_datagram(data.user)
                answer = self._answer_datagram(datagram, data)
                if answer is not None:
                    self.asp.answer(data, answer)
            except sccp.SccpError:
                links["sccp_dropped"] += 1
            except TcapError:
                links["tcap_dropped"] += 1

    def _verdict(self, asked: CheckImei | KnownQuestion, opc: int, calling: bytes) -> Verdict:
        desk = self._side.desk
        origin = opc & 0x7FFFFFFF if desk.records is None else origin_of(f"{opc}/{calling.hex()}")
        return self._side.verdicts[desk.number(asked.device, asked.imsi, asked.svn, origin)]

    def _answer_datagram(self, datagram: sccp.Datagram, data: Data) -> bytes | None:
        side = self._side
        ssn = datagram.called_ssn
        if ssn == sccp.MANAGEMENT:
            said = sccp.answer_management(datagram.data)
            return None if said is None else sccp.write_answer(datagram, said)
        cause = sccp.ReturnCause.SEGMENTATION_NOT_SUPPORTED if datagram.is_segmented else None
        if ssn not in {sccp.EIR, 0}:
            cause = sccp.ReturnCause.UNEQUIPPED_USER
        if cause is not None:
            side.desk.counters.links["sccp_returned"] += 1
            return sccp.write_returned(datagram, cause) if datagram.wants_return else None
        try:
            opened = side.dialogues.open(read_message(datagram.data))
        except BadTransaction as wrong:
            side.desk.counters.links["tcap_aborted"] += 1
            return sccp.write_answer(datagram, wrong.answer)
        if opened is None:
            return None
        if isinstance(opened, bytes):
            return sccp.write_answer(datagram, opened)
        side.known.learn(data.user, datagram, opened)
        verdicts = [
            self._verdict(each, data.opc, datagram.calling) for each in opened.asked if isinstance(each, CheckImei)
        ]
        return sccp.write_answer(datagram, side.dialogues.answer(opened, verdicts))

    def _send(self) -> None:
        messages = self.asp.messages_to_send()
        if messages:
            if self._keeps_borders:
                for message in messages:
                    self.transport.write(message)
            else:
                self.transport.write(b"".join(messages))
        if self.asp.wants_close and not self.transport.is_closing():
            self.transport.close()
            # A gateway that is gone takes nothing any more: without this the link would wait for it and never come again.
            asyncio.get_running_loop().call_later(_FLUSH_S, self.transport.abort)

    def _tell(self) -> None:
        for notice in self.asp.notices:
            self._side.desk.log("gateway says", gateway=self._gateway, notice=notice)
        self.asp.notices.clear()
        if self.asp.state is not self._logged:
            self._logged = self.asp.state
            self.was_active = self.was_active or self._logged is AspState.ACTIVE
            self._side.desk.counters.links[self._logged.value] += 1
            self._side.desk.log("gateway link", gateway=self._gateway, state=self._logged.value)

    def tick(self, now: float) -> None:
        """Send again, or notice silence."""
        self.asp.tick(now)
        self._send()

    def stop(self) -> None:
        """Leave."""
        self.asp.stop(monotonic())
        with contextlib.suppress(OSError):
            self._send()

    def pause_writing(self) -> None:
        """The gateway does not read its answers: then its questions wait too."""
        self._side.desk.counters.links["paused"] += 1
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the keeper come again."""
        side = self._side
        side.links.discard(self)
        side.desk.counters.links["closed"] += 1
        side.desk.log("gateway lost", gateway=self._gateway, why=type(exc).__name__ if exc else "closed")
        self.ended.set()
