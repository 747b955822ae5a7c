"""The sockets that the engine connects to: four connections into one application, answered in order.

One thread serves them all, so that the application never sees two questions at once. A connection whose answers pile
up is not read any further; octets that are no ABCI close that connection and nothing else. What the application
itself cannot survive is told to the engine as an exception, which stops it, and ends the serving with the same words.
"""

import asyncio
import contextlib
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
_READ_OCTETS: Final = 1 << 16
_ANSWERS_AT_ONCE: Final = 32  # before the other connections get their turn


class Handler(Protocol):
    """What answers requests."""

    def handle(self, request: Any) -> Any:
        """The response to a request. Raises: OpenceirError when this node must not go on."""


class AbciServer:
    """Serves one application until it fails; `failed` is done then, with what went wrong."""

    def __init__(self, application: Handler) -> None:
        self.failed: asyncio.Future[OpenceirError] = asyncio.get_running_loop().create_future()
        self._application = application
        self._open = set[asyncio.Task[None]]()

    @asynccontextmanager
    async def listening(self, address: str) -> AsyncIterator[str]:
        """Listen at `unix://PATH` or `tcp://HOST:PORT` while the block runs; gives the address, with the real port."""
        scheme, _, place = address.partition("://")
        if scheme == "unix":
            path = Path(place)
            path.unlink(missing_ok=True)  # of one that died
            server = await asyncio.start_unix_server(self._accept, path, limit=_READ_OCTETS)
            path.chmod(0o600)  # whoever may connect decides what the book takes for ordered
        else:
            host, _, port = place.rpartition(":")
            server = await asyncio.start_server(self._accept, host.strip("[]"), int(port), limit=_READ_OCTETS)
            address = f"tcp://{host}:{server.sockets[0].getsockname()[1]}"
        try:
            yield address
        finally:
            server.close()
            for task in list(self._open):
                task.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)
            await server.wait_closed()
            if scheme == "unix":
                Path(place).unlink(missing_ok=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._open) >= MOST_CONNECTIONS:
            log.warning("a connection more than an engine has was closed")
            writer.close()
            return
        self._open.add(task)
        try:
            await self._serve(reader, writer)
        except AbciError as wrong:
            log.warning("a connection was closed: %s", wrong)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the engine went, or we do: the block it was in comes again
        finally:
            self._open.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests = Requests()
        while octets := await reader.read(_READ_OCTETS):
            for number, request in enumerate(requests.receive(octets)):
                if self.failed.done():
                    return
                writer.write(write_message(self._answer(request)))
                if number % _ANSWERS_AT_ONCE == 0:
                    await writer.drain()
                    await asyncio.sleep(0)
            await writer.drain()

    def _answer(self, request: Any) -> Any:
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
