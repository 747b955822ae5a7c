"""Three pages for those who run the machine: `/metrics`, `/healthz` (the process lives), `/readyz` (it may be asked).

A hundred lines of HTTP/1.1 would be too many: GET, one answer, connection closed. It listens on the local host unless
told otherwise, and nothing on its pages names a device, a subscriber or a peer.
"""

import asyncio
from collections.abc import Callable

from openceir.eir.errors import EirError

__all__ = ["serve_pages"]

_LARGEST_REQUEST_OCTETS = 8192
_SLOWEST_S = 5.0
_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


async def serve_pages(
    host: str, port: int, metrics: Callable[[], str], is_ready: Callable[[], bool]
) -> tuple[asyncio.AbstractServer, int]:
    """Begin to serve the pages; the server and the port that was given out when `port` is 0.

    Raises: EirError when the address is taken or not ours.
    """

    def page(method: str, path: str) -> tuple[str, str, str]:
        if method not in {"GET", "HEAD"}:
            return "405 Method Not Allowed", "text/plain; charset=utf-8", "only GET is answered here\n"
        if path == "/metrics":
            return "200 OK", _PROMETHEUS, metrics()
        if path == "/healthz":
            return "200 OK", "text/plain; charset=utf-8", "alive\n"
        if path == "/readyz":
            ready = is_ready()
            return (
                "200 OK" if ready else "503 Service Unavailable",
                "text/plain; charset=utf-8",
                "ready\n" if ready else "not ready: draining, or no list in use\n",
            )
        return "404 Not Found", "text/plain; charset=utf-8", "pages here: /metrics /healthz /readyz\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _SLOWEST_S)
            words = head.split(b"\r\n", 1)[0].decode("ascii", "replace").split(" ")
            method, path = (words[0], words[1].partition("?")[0]) if len(words) == 3 else ("", "")
            status, kind, text = page(method, path)
            body = text.encode()
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
                "Cache-Control: no-store\r\nConnection: close\r\n\r\n".encode()
                + (b"" if method == "HEAD" else body)
            )
            await asyncio.wait_for(writer.drain(), _SLOWEST_S)
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass  # whoever asks in pieces for ever, or goes away, gets nothing
        finally:
            writer.close()

    try:
        server = await asyncio.start_server(answer, host, port, limit=_LARGEST_REQUEST_OCTETS)
    except OSError as wrong:
        raise EirError(f"cannot listen on {host} port {port}: {wrong.strerror or wrong}") from None
    given: int = server.sockets[0].getsockname()[1]
    return server, given
