"""The sockets that the engine connects to: four connections into one application, answered in order.

One thread serves them all, so that the application never sees two questions at once. A connection whose answers pile
up is not read any further; octets that are no ABCI close that connection and nothing else. What the application
itself cannot survive is told to the engine as an exception, which stops it, and ends the serving with the same words.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from openceir.errors import OpenceirError
from openceir.wire.abci import AbciError, Requests, Response, write_message

__all__ = ["AbciServer", "Handler"]

log = logging.getLogger("openceir.consortium")

MOST_CONNECTIONS: Final = 16  # an engine opens four; those of one that just died may still be closing
_READ_OCTETS: Final = 16 << 10  # some fifty statements, before the other connections get their turn


class Handler(Protocol):
    """What answers requests."""

    def handle(self, request: Any) -> Any:
        """The response to a request. Raises: OpenceirError when this node must not go on."""


class AbciServer:
    """Serves one application until it fails; `failed` is done then, with what went wrong."""

    def __init__(self, application: Handler) -> None:
        self.failed: asyncio.Future[OpenceirError] = asyncio.get_running_loop().create_future()
        self._application = application
        self._open = set[_Connection]()

    @asynccontextmanager
    async def listening(self, address: str) -> AsyncIterator[str]:
        """Listen at `unix://PATH` or `tcp://HOST:PORT` while the block runs; gives the address, with the real port."""
        scheme, _, place = address.partition("://")
        loop = asyncio.get_running_loop()
        if scheme == "unix":
            path = Path(place)
            path.unlink(missing_ok=True)  # of one that died
            server = await loop.create_unix_server(lambda: _Connection(self), path)
            path.chmod(0o600)  # whoever may connect decides what the book takes for ordered
        else:
            host, _, port = place.rpartition(":")
            server = await loop.create_server(lambda: _Connection(self), host.strip("[]"), int(port))
            address = f"tcp://{host}:{server.sockets[0].getsockname()[1]}"
        try:
            yield address
        finally:
            server.close()
            open_ = list(self._open)
            for connection in open_:
                connection.end()
            await asyncio.gather(*(connection.lost for connection in open_))
            await server.wait_closed()
            if scheme == "unix":
                Path(place).unlink(missing_ok=True)

    def admit(self, connection: "_Connection") -> bool:
        """Whether there is room for one more."""
        if len(self._open) >= MOST_CONNECTIONS:
            log.warning("a connection more than an engine has was closed")
            return False
        self._open.add(connection)
        return True

    def forget(self, connection: "_Connection") -> None:
        """One that was lost."""
        self._open.discard(connection)

    def answer(self, request: Any) -> Any:
        """The response, or the exception that stops the engine."""
        try:
            return self._application.handle(request)
        except OpenceirError as wrong:
            failure = wrong
        except Exception as wrong:
            log.exception("the application failed at %s", request.WhichOneof("value"))
            failure = OpenceirError(
                f"the application failed ({type(wrong).__name__}); the log of this node shows where"
            )
        if not self.failed.done():
            self.failed.set_result(failure)
        response = Response()
        response.exception.error = str(failure)
        return response


class _Connection(asyncio.BufferedProtocol):
    """One of the engine's connections. What it brings is answered at once: a question costs no turn of a task."""

    def __init__(self, server: AbciServer) -> None:
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._server = server
        self._requests = Requests()
        self._read = bytearray(_READ_OCTETS)
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        if not self._server.admit(self):
            self._transport.close()

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._read

    def buffer_updated(self, nbytes: int) -> None:
        server, answers = self._server, bytearray()
        try:
            for request in self._requests.receive(memoryview(self._read)[:nbytes]):
                if server.failed.done():
                    break
                answers += write_message(server.answer(request))
        except AbciError as wrong:
            log.warning("a connection was closed: %s", wrong)
            self._transport.close()
        self._transport.write(answers)

    def pause_writing(self) -> None:
        self._transport.pause_reading()  # of an engine that does not read

    def resume_writing(self) -> None:
        self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.forget(self)  # the engine went, or we do: the block it was in comes again
        self.lost.set_result(None)

    def end(self) -> None:
        """Let go of it, whatever it has not read."""
        self._transport.abort()
