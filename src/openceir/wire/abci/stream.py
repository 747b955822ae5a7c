"""How messages stand in the stream: each behind its length, a varint as protobuf writes it (not the zig-zag of old).

    stream  = *( length message )
    length  = 1*5 octets, seven bits each, the lowest first, the top bit set on all but the last

Source: CometBFT 0.38, spec/abci/abci++_client_server.md ("socket protocol").
"""

from collections.abc import Iterator
from typing import Any, Final

from google.protobuf.message import DecodeError

from openceir.errors import OpenceirError
from openceir.wire.abci.messages import Request, Response

__all__ = ["AbciError", "Requests", "Responses", "write_message"]

MOST_OCTETS: Final = 64 << 20  # three times the engine's largest block; a chunk of a snapshot has at most 16 MiB
_LONGEST_LENGTH: Final = 5


class AbciError(OpenceirError):
    """The other side does not speak ABCI, or sends more than was agreed; the connection is of no more use."""

    code = "abci-unreadable"


class _Messages:
    """Cuts a stream into messages of one kind. Memory: one message of `most_octets` and what was received with it."""

    def __init__(self, kind: Any, most_octets: int) -> None:
        self._kind = kind
        self._most = most_octets
        self._waiting = bytearray()

    def receive(self, octets: bytes | memoryview) -> Iterator[Any]:
        """The messages that `octets` complete, in order; take all of them before giving more.

        Raises: AbciError at a length that is too large or a message that is none; nothing after it can be read.
        """
        waiting = self._waiting
        waiting += octets
        at = 0
        try:
            while (head := _read_length(waiting, at, self._most)) is not None:
                length, start = head
                if len(waiting) < start + length:
                    break
                message = self._kind()
                try:
                    message.ParseFromString(bytes(memoryview(waiting)[start : start + length]))
                except DecodeError as wrong:
                    raise AbciError("what came is no message of ABCI 2.0; is it CometBFT 0.38 or newer?") from wrong
                at = start + length
                yield message
        finally:
            del waiting[:at]


class Requests(_Messages):
    """What an engine sends."""

    def __init__(self, most_octets: int = MOST_OCTETS) -> None:
        super().__init__(Request, most_octets)


class Responses(_Messages):
    """What an application answers."""

    def __init__(self, most_octets: int = MOST_OCTETS) -> None:
        super().__init__(Response, most_octets)


def write_message(message: Any) -> bytes:
    """A request or response as it stands in the stream."""
    octets: bytes = message.SerializeToString()
    length, head = len(octets), bytearray()
    while length > 0x7F:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return bytes(head) + octets


def _read_length(octets: bytearray, at: int, most: int) -> tuple[int, int] | None:
    """The length at `at` and where the message begins; None when it is not whole yet."""
    length = 0
    for place in range(_LONGEST_LENGTH):
        if at + place >= len(octets):
            return None
        octet = octets[at + place]
        length |= (octet & 0x7F) << 7 * place
        if octet < 0x80:
            if length > most:
                raise AbciError(f"a message of {length} octets is announced, the most is {most}")
            return length, at + place + 1
    raise AbciError(f"the length of a message has more than {_LONGEST_LENGTH} octets")
