"""Sockets that keep the borders of messages, SCTP's one-to-one style above all, as asyncio transports.

asyncio's own transports join what they could not send at once, which would make two messages of M3UA one message of
SCTP. This one sends each by itself, and holds back what the socket does not take.
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import Any

from openceir.eir.errors import EirError

__all__ = ["MessageTransport", "connect_sctp", "sctp_stream"]

_IPPROTO_SCTP = 132
_SCTP_NODELAY, _SCTP_SNDRCV = 3, 1
# struct sctp_sndrcvinfo: stream, ssn, flags, pad, ppid in network order, context, lifetime, tsn, cumulative tsn, association.
_SEND_INFO = struct.Struct("@HHHxxIIIIIi")
_LARGEST = 65536
_MOST_WAITING = 64  # messages; beyond them the protocol is told to stop


async def connect_sctp(host: str, port: int) -> socket.socket:
    """A connected socket, one-to-one style.

    Raises: EirError when this kernel has no SCTP; OSError when nobody answers there.
    """
    try:
        link = socket.socket(socket.AF_INET, socket.SOCK_STREAM, _IPPROTO_SCTP)
    except OSError:
        raise EirError("this kernel has no SCTP (CONFIG_IP_SCTP); load its module, or ask over TCP") from None
    try:
        link.setblocking(False)
        link.setsockopt(_IPPROTO_SCTP, _SCTP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(link, (host, port))
    except BaseException:
        link.close()
        raise
    return link


def sctp_stream(stream: int, ppid: int) -> tuple[int, int, bytes]:
    """What must accompany a message so that it goes on that stream with that payload protocol identifier."""
    return _IPPROTO_SCTP, _SCTP_SNDRCV, _SEND_INFO.pack(stream, 0, 0, socket.htonl(ppid), 0, 0, 0, 0, 0)


class MessageTransport(asyncio.Transport):
    """One `write` is one message of the socket. `beside` gives what accompanies it, as `sctp_stream` does."""

    def __init__(
        self,
        link: socket.socket,
        protocol: asyncio.Protocol,
        beside: Callable[[bytes], list[tuple[int, int, bytes]]] = lambda message: [],
    ) -> None:
        super().__init__({"socket": link, "peername": link.getpeername(), "sockname": link.getsockname()})
        self._loop = asyncio.get_running_loop()
        self._link, self._protocol, self._beside = link, protocol, beside
        self._waiting: deque[bytes] = deque()
        self._is_closing = self._is_paused = self._holds_up = self._is_lost = False
        protocol.connection_made(self)
        if not self._is_closing:
            self._loop.add_reader(link, self._read)

    def write(self, data: Any) -> None:
        """Send one message, or hold it until the socket takes it."""
        if self._is_closing:
            return
        if not self._waiting:
            try:
                self._link.sendmsg([data], self._beside(data))
            except (BlockingIOError, InterruptedError):
                self._loop.add_writer(self._link, self._send_waiting)
            except OSError as wrong:
                self._lose(wrong)
                return
            else:
                return
        self._waiting.append(bytes(data))
        if len(self._waiting) > _MOST_WAITING and not self._holds_up:
            self._holds_up = True
            self._protocol.pause_writing()

    def _send_waiting(self) -> None:
        try:
            while self._waiting:
                self._link.sendmsg([self._waiting[0]], self._beside(self._waiting[0]))
                self._waiting.popleft()
        except (BlockingIOError, InterruptedError):
            return
        except OSError as wrong:
            self._lose(wrong)
            return
        self._loop.remove_writer(self._link)
        if self._is_closing:
            self._lose(None)
        elif self._holds_up:
            self._holds_up = False
            self._protocol.resume_writing()

    def _read(self) -> None:
        try:
            octets = self._link.recv(_LARGEST)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as wrong:
            self._lose(wrong)
            return
        if octets:
            self._protocol.data_received(octets)
        else:
            self._lose(None)

    def pause_reading(self) -> None:
        """Leave what comes in the socket."""
        if not self._is_paused and not self._is_closing:
            self._is_paused = True
            self._loop.remove_reader(self._link)

    def resume_reading(self) -> None:
        """Read again."""
        if self._is_paused and not self._is_closing:
            self._is_paused = False
            self._loop.add_reader(self._link, self._read)

    def is_closing(self) -> bool:
        """Whether the end was asked for."""
        return self._is_closing

    def close(self) -> None:
        """Send what waits, then end."""
        if not self._is_closing:
            self._is_closing = True
            self._loop.remove_reader(self._link)
            if not self._waiting:
                self._loop.call_soon(self._lose, None)

    def abort(self) -> None:
        """End now."""
        self._waiting.clear()
        self._lose(None)

    def _lose(self, wrong: OSError | None) -> None:
        if self._is_lost:
            return
        self._is_lost = self._is_closing = True
        self._loop.remove_reader(self._link)
        self._loop.remove_writer(self._link)
        self._waiting.clear()
        self._loop.call_soon(self._end, wrong)

    def _end(self, wrong: OSError | None) -> None:
        try:
            self._protocol.connection_lost(wrong)
        finally:
            self._link.close()
