"""The GSUP proxy: stands where a network thinks its HLR is, answers Check-IMEI, and passes everything else both ways.

For each connection of a network one to the HLR is opened, so that the HLR greets and knows every network itself. What
passes is not altered. Neither side can make us hold more than a write buffer and one frame: whoever does not read stops
whoever sends to it. When either side goes the other goes too: the network then sees what is true, that its HLR is gone.
"""

import asyncio
import socket
from dataclasses import dataclass, field
from time import monotonic
from typing import cast

from openceir.eir.answers import gsup_verdicts
from openceir.eir.decision import InterfacePolicy
from openceir.eir.desk import Desk, origin_of
from openceir.eir.errors import EirError
from openceir.wire.gsup import GsupError, Splitter, read_check, write_answer, write_frame

__all__ = ["GsupOptions", "GsupProxy"]

_FLUSH_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GsupOptions:
    """Where to listen and whom to stand before. Units: seconds, octets."""

    listen: tuple[str, int]
    hlr: tuple[str, int]
    policy: InterfacePolicy = field(default_factory=InterfacePolicy)
    connect_s: float = 5.0
    most_links: int = 256
    most_waiting_octets: int = 262_144  # written and not yet taken by the other side


class GsupProxy:
    """All networks that think we are their HLR."""

    def __init__(self, options: GsupOptions, desk: Desk) -> None:
        self.options, self.desk = options, desk
        self.verdicts = gsup_verdicts(options.policy)
        self.networks: set[NetworkSide] = set()
        self._server: asyncio.AbstractServer | None = None

    async def listen(self) -> int:
        """Begin to listen; the port that was given out when 0 was asked for.

        Raises: EirError when the address is taken or not ours.
        """
        host, port = self.options.listen
        try:
            self._server = await asyncio.get_running_loop().create_server(lambda: NetworkSide(self), host, port)
        except OSError as wrong:
            raise EirError(f"cannot listen on {host} port {port}: {wrong.strerror or wrong}") from None
        given: int = self._server.sockets[0].getsockname()[1]
        return given

    async def close(self) -> None:
        """Stop listening and let every network go."""
        if self._server is not None:
            self._server.close()
        for network in list(self.networks):
            network.transport.close()
        for _ in range(100):
            if not self.networks:
                break
            await asyncio.sleep(0.02)
        for network in list(self.networks):
            network.transport.abort()


class NetworkSide(asyncio.Protocol):
    """One connection of a network, towards its HLR."""

    def __init__(self, proxy: GsupProxy) -> None:
        self.proxy = proxy
        self._splitter = Splitter()
        self._hlr: HlrSide | None = None
        self._opening: asyncio.Task[None] | None = None
        self._holders: set[str] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open the way to the HLR; until it is open nothing is read."""
        self.transport = cast(asyncio.Transport, transport)
        _prepare(self.transport, self.proxy.options)
        address = transport.get_extra_info("peername")
        self.origin = origin_of(str(address[0]))
        links = self.proxy.desk.counters.links
        if len(self.proxy.networks) >= self.proxy.options.most_links:
            links["refused_too_many"] += 1
            self.transport.abort()
            return
        self.proxy.networks.add(self)
        links["opened"] += 1
        self.hold("opening")
        self._opening = asyncio.create_task(self._open())

    async def _open(self) -> None:
        options = self.proxy.options
        try:
            async with asyncio.timeout(options.connect_s):
                await asyncio.get_running_loop().create_connection(lambda: HlrSide(self), *options.hlr)
        except (OSError, TimeoutError) as wrong:
            self.proxy.desk.counters.links["hlr_unreachable"] += 1
            self.proxy.desk.log("alarm", what="the HLR cannot be reached", why=str(wrong) or type(wrong).__name__)
            self.transport.close()

    def joined(self, hlr: "HlrSide") -> None:
        """The way is open."""
        self._hlr = hlr
        self.proxy.desk.log("network joined to its HLR", networks=len(self.proxy.networks))
        if self.transport.is_closing():
            _end(hlr.transport)
        self.release("opening")

    def data_received(self, data: bytes) -> None:
        """Take out what is ours, pass the rest."""
        started = monotonic()
        passes, asked = self._splitter.receive(data)
        desk, verdicts = self.proxy.desk, self.proxy.verdicts
        answers = []
        for message in asked:
            try:
                check = read_check(message)
            except GsupError:
                # Without a subscriber there is nobody to answer; whatever the HLR makes of it is the network's to see.
                desk.counters.links["gsup_unreadable"] += 1
                passes += write_frame(message)
                continue
            number = desk.number(check.device, check.imsi, check.svn, self.origin)
            answers.append(write_answer(check, verdicts[number]))
        if answers:
            self.transport.write(b"".join(answers))
            desk.counters.took(monotonic() - started, len(answers))
        if passes and self._hlr is not None:
            self._hlr.transport.write(passes)

    def hold(self, why: str) -> None:
        """Do not read from the network for now."""
        if not self._holders:
            self.transport.pause_reading()
        self._holders.add(why)

    def release(self, why: str) -> None:
        """That reason is gone; read again when it was the last."""
        if why in self._holders:
            self._holders.discard(why)
            if not self._holders and not self.transport.is_closing():
                self.transport.resume_reading()

    def pause_writing(self) -> None:
        """The network does not read: neither its answers nor what the HLR sends may pile up."""
        self.proxy.desk.counters.links["paused"] += 1
        self.hold("network")
        if self._hlr is not None:
            self._hlr.transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        if self._hlr is not None and not self._hlr.transport.is_closing():
            self._hlr.transport.resume_reading()
        self.release("network")

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the HLR's side down too."""
        if self in self.proxy.networks:
            self.proxy.networks.discard(self)
            self.proxy.desk.counters.links["closed"] += 1
        if self._opening is not None:
            self._opening.cancel()
        if self._hlr is not None:
            _end(self._hlr.transport)


class HlrSide(asyncio.Protocol):
    """The connection to the HLR that belongs to one network."""

    def __init__(self, network: NetworkSide) -> None:
        self._network = network
        self._frames = Splitter(takes_checks=False)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the two."""
        self.transport = cast(asyncio.Transport, transport)
        _prepare(self.transport, self._network.proxy.options)
        self._network.joined(self)

    def data_received(self, data: bytes) -> None:
        """Pass whole frames only, so that an answer of ours never stands within one of the HLR's."""
        passes, _ = self._frames.receive(data)
        if passes:
            self._network.transport.write(passes)

    def pause_writing(self) -> None:
        """The HLR does not read."""
        self._network.hold("hlr")

    def resume_writing(self) -> None:
        """It reads again."""
        self._network.release("hlr")

    def connection_lost(self, exc: Exception | None) -> None:
        """Without its HLR a network is better told than kept waiting."""
        if not self._network.transport.is_closing():
            self._network.proxy.desk.counters.links["hlr_lost"] += 1
            self._network.proxy.desk.log("alarm", what="the HLR closed a network's connection")
            _end(self._network.transport)


def _prepare(transport: asyncio.Transport, options: GsupOptions) -> None:
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # a network that vanished must not hold its place
    transport.set_write_buffer_limits(high=options.most_waiting_octets)


def _end(transport: asyncio.Transport) -> None:
    """Let it send what it has, for a while; who does not read does not keep us."""
    if not transport.is_closing():
        transport.close()
        asyncio.get_running_loop().call_later(_FLUSH_S, transport.abort)
