"""The processes that answer 5G cores, beside the one that runs them and answers Diameter.

    the EIR's process   binds the sockets, watches the list, collects counts, starts a process again when it dies
      │ pipe: use this list │ tell your counts │ stop
      ▼
    1 … n processes     accept from the same sockets, map the same list file, answer

A flood on one interface cannot slow the other, a crash loses no listening socket, and the list lies in memory once.
A process ends when the pipe ends, so none outlives its EIR; signals are left to the EIR, which stops them in order.
"""

import asyncio
import contextlib
import gc
import os
import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from openceir.eir.changes import changes_over
from openceir.eir.counters import Counters
from openceir.eir.decision import Decider, DecisionPolicy
from openceir.eir.errors import EirError, IndexRefused
from openceir.eir.index import Check, Index, Overlay, open_index
from openceir.eir.log import Log
from openceir.eir.n5g import N5gApplication, N5gOptions, counters_of_n5g
from openceir.eir.records import RecordFile
from openceir.errors import OpenceirError
from openceir.statements import PublicKey

__all__ = ["N5gListener", "N5gProcesses", "Place", "TlsFiles", "listen"]

_TOLD_EVERY_S = 1.0
_AGAIN_AFTER_S = 1.0
_DRAIN_S = 2.0  # an answer takes microseconds; what is longer are consumers that keep an idle connection
_BACKLOG = 1024
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # by the processes: the EIR stops them in order

# What one connection may hold of ours: a core asks with GET, so bodies get the smallest window that HTTP/2 allows.
_MOST_CONNECTIONS = 512
_MOST_STREAMS = 128
_WINDOW_OCTETS = 65_535
_LARGEST_HEADERS_OCTETS = 16 << 10
_SILENT_AFTER_MS = 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files: our certificate, its key, and who may have signed a consumer's certificate."""

    certificate: Path
    key: Path
    authorities: Path


@dataclass(frozen=True, slots=True)
class N5gListener:
    """A socket that listens, and whether TLS is spoken on it."""

    socket: socket.socket
    tls: TlsFiles | None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that were given out."""
        name = self.socket.getsockname()
        return name[0], name[1]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the list lies that the EIR verified, and by which digest it is known."""

    path: Path
    trust: PublicKey | None  # None: the file needs no signature
    digest: bytes
    has_changes: bool = False  # whether to answer from what stands beside it too

    def open(self) -> Index:
        """The list, mapped.

        Raises: IndexRefused when another one lies there; the EIR will say where the next one is.
        """
        index = open_index(
            self.path, [self.trust] if self.trust else [], accept_unsigned=self.trust is None, check=Check.LATER
        )
        if index.digest != self.digest:
            raise IndexRefused(f"{self.path.name} was replaced before it was opened; waiting to be told again")
        return index

    def decider(self, policy: DecisionPolicy) -> Decider:
        """What answers from it.

        Raises: as `open`; IndexRefused when the changes beside it are torn.
        """
        index = self.open()
        return Decider(index, changes_over(index) if self.has_changes else Overlay(), policy)


def listen(host: str, port: int, tls: TlsFiles | None = None) -> N5gListener:
    """A listening socket, before any process is there to accept from it: nobody is turned away while one starts.

    Raises: EirError when the address is taken or not ours.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        found = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as wrong:
        raise EirError(f"cannot listen on {host} port {port}: {wrong.strerror or wrong}") from None
    found.setblocking(False)
    # Inherited by what is accepted: an answer is one small segment that must not wait for another one.
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return N5gListener(found, tls)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Orders:
    """What a process is started with; all of it can be pickled."""

    options: N5gOptions
    policy: DecisionPolicy
    listeners: tuple[N5gListener, ...]
    place: Place
    clock: Callable[[], datetime]
    log: Log
    records: Path | None


# ---------------------------------------------------------------------------------------- in the EIR's process


class N5gProcesses:
    """The processes, seen from the EIR. `clock` and `log` must be functions of a module: they travel by name."""

    def __init__(
        self,
        options: N5gOptions,
        policy: DecisionPolicy,
        listeners: Sequence[N5gListener],
        *,
        processes: int,
        clock: Callable[[], datetime],
        log: Log,
        records: Path | None = None,
    ) -> None:
        self.options, self.policy, self.listeners = options, policy, tuple(listeners)
        self.log = log
        self._clock, self._records, self._wanted = clock, records, processes
        self._own = counters_of_n5g()  # what the EIR's process itself saw, and the counts of processes that ended
        self._running: list[_Running] = []
        self._place: Place | None = None
        self._is_started = self._is_stopping = False
        self._ticker: asyncio.TimerHandle | None = None

    @property
    def is_ready(self) -> bool:
        """Whether every process answers."""
        return len(self._running) == self._wanted and all(each.is_ready for each in self._running)

    @property
    def pids(self) -> list[int]:
        """The processes' ids."""
        return [each.process.pid for each in self._running if each.process.pid is not None]

    @property
    def counters(self) -> Counters:
        """The counts of all processes together, as told a second ago at most."""
        whole = counters_of_n5g()
        for each in (self._own, *(running.told for running in self._running)):
            whole.add(each)
        return whole

    async def start(self, index: Index, trust: PublicKey | None, *, has_changes: bool = False) -> None:
        """Start the processes and wait until they answer.

        Raises: EirError with the reason of the first that cannot.
        """
        self._place = Place(index.file.path, trust, index.digest, has_changes)
        for _ in range(self._wanted):
            self._spawn()
        try:
            for each in self._running:
                await each.begun
        except EirError:
            await self.stop()
            raise
        self._is_started = True
        self._tick()

    def use(self, index: Index, trust: PublicKey | None, *, has_changes: bool = False) -> None:
        """Have every process answer from this list, and from the changes beside it."""
        self._place = Place(index.file.path, trust, index.digest, has_changes)
        for each in self._running:
            each.send(("use", self._place))

    async def refresh(self) -> None:
        """Wait until every process told its counts of now."""
        await asyncio.gather(*(each.tell() for each in self._running))

    async def stop(self) -> None:
        """Take no more connections, let what was asked be answered, and end."""
        self._is_stopping = True
        if self._ticker is not None:
            self._ticker.cancel()
        for each in self._running:
            each.send(("stop",))
        loop = asyncio.get_running_loop()
        for each in list(self._running):
            try:
                await asyncio.wait_for(each.ended.wait(), 2 * _DRAIN_S)
            except TimeoutError:
                each.process.kill()
                await each.ended.wait()
            await loop.run_in_executor(None, each.process.join)
        for listener in self.listeners:
            listener.socket.close()

    def _spawn(self) -> None:
        assert self._place is not None
        # Each process has a record file of its own: of a write that the disk cut short it takes back the torn record.
        number = min(set(range(1, self._wanted + 1)) - {each.number for each in self._running})
        records = self._records.with_name(f"{self._records.name}.n5g-{number}") if self._records else None
        orders = _Orders(
            options=self.options,
            policy=self.policy,
            listeners=self.listeners,
            place=self._place,
            clock=self._clock,
            log=self.log,
            records=records,
        )
        self._running.append(_Running(number, orders, self._ended))

    def _ended(self, running: "_Running") -> None:
        self._running.remove(running)
        self._own.add(running.told)
        if not self._is_started or self._is_stopping:
            return
        self._own.links["process_lost"] += 1
        self.log("alarm", what="a process that answers 5G cores ended; another one is started", pid=running.process.pid)
        asyncio.get_running_loop().call_later(_AGAIN_AFTER_S, self._spawn_again)

    def _spawn_again(self) -> None:
        if not self._is_stopping:
            self._spawn()

    def _tick(self) -> None:
        for each in self._running:
            each.ask()
        self._ticker = asyncio.get_running_loop().call_later(_TOLD_EVERY_S, self._tick)


class _Running:
    """One process and our end of its pipe."""

    def __init__(self, number: int, orders: _Orders, ended: Callable[["_Running"], None]) -> None:
        self.number = number
        fresh = get_context("spawn")
        ours, theirs = fresh.Pipe()
        self.process = fresh.Process(target=_run, args=(theirs, orders), name="openceir-n5g", daemon=True)
        # A signal to the whole group must not end it before it says itself which it ignores.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _IGNORED)
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        self._pipe, self._on_end = ours, ended
        self._loop = asyncio.get_running_loop()
        self.begun: asyncio.Future[None] = self._loop.create_future()
        self.ended = asyncio.Event()
        self.told = counters_of_n5g()
        self._asked = self._answered = 0  # how often it was asked for its counts, and how often it told them
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._loop.add_reader(ours.fileno(), self._receive)

    @property
    def is_ready(self) -> bool:
        """Whether it said that it answers."""
        return self.begun.done() and not self.begun.cancelled() and self.begun.exception() is None

    def send(self, order: tuple[object, ...]) -> None:
        """Give an order; to one that is gone it is no longer of use."""
        with contextlib.suppress(OSError):
            self._pipe.send(order)

    def ask(self) -> None:
        """Ask for its counts, unless it still owes them: a process that hangs fills no pipe."""
        if self._asked == self._answered:
            self._asked += 1
            self.send(("tell",))

    async def tell(self) -> None:
        """Its counts of now."""
        heard: asyncio.Future[None] = self._loop.create_future()
        self._asked += 1
        self._waiting.append((self._asked, heard))
        self.send(("tell",))
        await heard

    def _receive(self) -> None:
        try:
            kind, *what = self._pipe.recv()
        except (EOFError, OSError):
            self._close()
            return
        if kind == "ready":
            self.begun.set_result(None)
        elif kind == "failed":
            self.begun.set_exception(EirError(what[0]))
        else:
            self.told = what[0]
            self._heard(self._answered + 1)

    def _heard(self, answered: int) -> None:
        """Answers come in the order of the questions."""
        self._answered = answered
        while self._waiting and self._waiting[0][0] <= answered:
            _, heard = self._waiting.pop(0)
            if not heard.done():
                heard.set_result(None)

    def _close(self) -> None:
        self._loop.remove_reader(self._pipe.fileno())
        self._pipe.close()
        if not self.begun.done():
            self.begun.set_exception(EirError("a process that answers 5G cores ended while it started"))
        if not self.is_ready:
            self.begun.exception()  # looked at: nobody may be waiting for a process that was started again
        self._heard(self._asked)  # no more will come
        self.ended.set()
        self._on_end(self)


# ---------------------------------------------------------------------------------------- in a process of its own


def _run(pipe: Connection, orders: _Orders) -> None:
    """Serve until told to stop or until the pipe ends."""
    for ignored in _IGNORED:
        signal.signal(ignored, signal.SIG_IGN)
    runner: Callable[[Any], None]
    try:
        import uvloop
    except ImportError:
        runner = asyncio.run
    else:
        runner = uvloop.run
    runner(_serve(pipe, orders))
    # The server's own threads still live: were the interpreter taken down around them, they would abort the process.
    pipe.close()
    os._exit(0)


async def _serve(pipe: Connection, orders: _Orders) -> None:
    try:
        application = N5gApplication(
            orders.options,
            orders.place.decider(orders.policy),
            counters_of_n5g(),
            orders.log,
            orders.clock,
            RecordFile(orders.records) if orders.records else None,
        )
        servers = [_server(listener, application) for listener in orders.listeners]
    except (OpenceirError, OSError, ImportError) as wrong:
        pipe.send(("failed", str(wrong)))
        return
    gc.collect()
    gc.freeze()  # the list's tables make no garbage; a collector that walks them would hold up answers
    running = [asyncio.create_task(server.serve()) for server in servers]
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(pipe.fileno(), _obey, pipe, application, orders, stopped)
    pipe.send(("ready",))
    await stopped.wait()
    loop.remove_reader(pipe.fileno())
    for server in servers:
        server.stop()
    await asyncio.wait(running, timeout=_DRAIN_S)
    if application.records is not None:
        application.records.close()
    with contextlib.suppress(OSError):
        pipe.send(("counts", application.counters))


def _obey(pipe: Connection, application: N5gApplication, orders: _Orders, stopped: asyncio.Event) -> None:
    try:
        kind, *what = pipe.recv()
    except (EOFError, OSError):
        stopped.set()
        return
    if kind == "stop":
        stopped.set()
    elif kind == "tell":
        pipe.send(("counts", application.counters))
    else:
        try:
            old = application.decider
            application.use(what[0].decider(orders.policy))
            old.retire()
        except OpenceirError as wrong:
            application.counters.reloads["refused"] += 1
            orders.log("alarm", what="a new list was refused; the last good one serves on", why=str(wrong))
        else:
            application.counters.reloads["done"] += 1


def _server(listener: N5gListener, application: N5gApplication) -> Any:
    """A server on a socket that already listens."""
    from granian._granian import SocketHolder
    from granian.constants import HTTPModes, Interfaces, SSLProtocols
    from granian.http import HTTP1Settings, HTTP2Settings
    from granian.server.embed import Server

    holder: Any = SocketHolder  # its stub lacks the arguments it takes

    class OnSocket(Server):
        """granian binds sockets by address; ours must outlive the process that accepts from it."""

        _shd: Any

        def _init_shared_socket(self) -> None:
            self._shd = holder(listener.socket.fileno(), False, _BACKLOG)

    tls = listener.tls
    host, port = listener.address
    return OnSocket(
        application,
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        http=HTTPModes.auto,  # HTTP/2 with prior knowledge or by ALPN; HTTP/1.1 for people's tools
        websockets=False,
        log_enabled=False,
        backpressure=_MOST_CONNECTIONS,
        http1_settings=HTTP1Settings(max_buffer_size=_LARGEST_HEADERS_OCTETS),
        http2_settings=HTTP2Settings(
            initial_connection_window_size=_WINDOW_OCTETS,
            initial_stream_window_size=_WINDOW_OCTETS,
            keep_alive_interval=_SILENT_AFTER_MS,
            max_concurrent_streams=_MOST_STREAMS,
            max_headers_size=_LARGEST_HEADERS_OCTETS,
        ),
        ssl_cert=tls.certificate if tls else None,
        ssl_key=tls.key if tls else None,
        ssl_ca=tls.authorities if tls else None,
        ssl_client_verify=tls is not None,
        ssl_protocol_min=SSLProtocols.tls12,
    )
