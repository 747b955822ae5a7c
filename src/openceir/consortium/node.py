"""One node: the application, its socket and the engine, started and stopped together."""

import asyncio
import contextlib
import fcntl
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, cast

from openceir.consortium.application import Application
from openceir.consortium.engine import relay, start_engine, stop_engine
from openceir.consortium.errors import ConsortiumError
from openceir.consortium.layout import NodeFolder
from openceir.consortium.server import AbciServer
from openceir.errors import OpenceirError
from openceir.storage.ordered_log import OrderedLog

__all__ = ["open_application", "run_node"]

_LONGEST_SOCKET: Final = 100  # the kernel takes 107 octets
_LOCK_TRIES: Final = 200  # twenty seconds, for what a node that was killed a moment ago leaves to end
_LOCK_PAUSE: Final = 0.1  # seconds


def open_application(
    folder: NodeFolder, now: Callable[[], datetime], on_step: Callable[[str, int], None] = lambda step, height: None
) -> Application:
    """The application over the node's book. Raises: LedgerBroken, StorageError, ConsortiumError."""
    return Application(OrderedLog(folder.book), folder.chain_id, now, moved=folder.moved, on_step=on_step)


async def run_node(
    folder: NodeFolder,
    engine: Path,
    open_: Callable[[NodeFolder], Application],
    *,
    output: int = 2,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Run the node until it is asked to stop (SIGINT, SIGTERM).

    `output`: where the engine's own log goes.
    Raises: the application's OpenceirError when this node must not go on; ConsortiumError when the engine ended.
    """
    with _locked(folder.path) as lock, _socket_path(folder.path) as socket:
        application = open_(folder)
        try:
            server = AbciServer(application)
            async with server.listening(f"unix://{socket}") as address:
                process = await start_engine(engine, folder.path, address, held=(lock,))
                ready()
                try:
                    await _until_it_ends(server, process, output)
                finally:
                    await stop_engine(process)
        finally:
            application.log.close()


async def _until_it_ends(server: AbciServer, process: asyncio.subprocess.Process, output: int) -> None:
    async with _asked_to_stop() as stop:
        ended = asyncio.create_task(relay(process, output))
        try:
            await asyncio.wait(
                cast("list[asyncio.Future[object]]", [ended, stop, server.failed]), return_when=asyncio.FIRST_COMPLETED
            )
            if server.failed.done():
                raise server.failed.result()
            if ended.done() and not stop.done():
                await ended  # which raises what it found
                raise ConsortiumError(
                    f"the engine ended by itself (status {await process.wait()}); what it said last stands in its log"
                )
        finally:
            ended.cancel()
            with contextlib.suppress(asyncio.CancelledError, OpenceirError):
                await ended


@asynccontextmanager
async def _asked_to_stop() -> AsyncIterator["asyncio.Future[None]"]:
    loop = asyncio.get_running_loop()
    stop = loop.create_future()

    def on_signal() -> None:
        if not stop.done():
            stop.set_result(None)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    try:
        yield stop
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """Hold the node's lock; the engine holds it too, so that an orphan is waited for."""
    if not folder.is_dir():
        raise ConsortiumError(f"there is no {folder}; `openceir consortium init` makes nodes")
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        for _ in range(_LOCK_TRIES):
            if _is_locked(handle):
                break
            time.sleep(_LOCK_PAUSE)
        else:
            raise ConsortiumError(f"another process runs the node in {folder}; stop it first")
        yield handle
    finally:
        os.close(handle)


def _is_locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _socket_path(folder: Path) -> Iterator[Path]:
    """A path that a socket can have: in the node's folder, or in a short one when that is too long."""
    path = folder.absolute() / "abci.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="openceir-") as short:
        yield Path(short) / "abci.sock"
