"""Messages: a header of twenty octets, then AVPs.

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |    Version    |                 Message Length                |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |R P E T r r r r|                  Command Code                 |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |                         Application-ID                        |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |                      Hop-by-Hop Identifier                    |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |                      End-to-End Identifier                    |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

Source: RFC 6733 §3. The two identifiers always travel together and are kept as one number of 64 bits, `ids`.
"""

import struct
from collections.abc import Iterable
from typing import NamedTuple

from openceir.wire.diameter.avp import Avp, write_avp, write_named, write_unsigned
from openceir.wire.diameter.dictionary import NAMED, CommandRule
from openceir.wire.diameter.errors import (
    DiameterError,
    InvalidBitInHeader,
    InvalidHeaderBits,
    InvalidMessageLength,
    UnsupportedVersion,
)

__all__ = [
    "CAPABILITIES_EXCHANGE", "DEVICE_WATCHDOG", "DISCONNECT_PEER", "ERROR", "HEADER", "PROXIABLE", "REQUEST",
    "RETRANSMITTED", "Header", "Identity", "check_flags", "write_error_answer", "write_message",
]  # fmt: skip

REQUEST, PROXIABLE, ERROR, RETRANSMITTED = 0x80, 0x40, 0x20, 0x10
_RESERVED = 0x0F
CAPABILITIES_EXCHANGE, DEVICE_WATCHDOG, DISCONNECT_PEER = 257, 280, 282
HEADER = struct.Struct(">IIIQ")


class Header(NamedTuple):
    """The fixed part of a message. Units: length in octets, header included."""

    version: int
    length: int
    flags: int
    command: int
    application: int
    ids: int

    @classmethod
    def read(cls, octets: bytes, at: int = 0) -> "Header":
        """The header at this place; twenty octets must be there."""
        first, second, application, ids = HEADER.unpack_from(octets, at)
        return cls(first >> 24, first & 0xFFFFFF, second >> 24, second & 0xFFFFFF, application, ids)

    @property
    def is_request(self) -> bool:
        """Whether the R bit is set."""
        return bool(self.flags & REQUEST)

    def check_frame(self, largest: int) -> None:
        """Raises: PeerError when version or length cannot be; after a wrong length the stream has lost its borders."""
        if self.length < HEADER.size or self.length % 4 or self.length > largest:
            raise InvalidMessageLength(
                f"a message says it has {self.length} octets; allowed are multiples of 4 from 20 to {largest}"
            )
        if self.version != 1:
            raise UnsupportedVersion(f"a message has version {self.version}, version 1 is spoken here")


class Identity(NamedTuple):
    """Who we are in Diameter's words."""

    origin_host: str
    origin_realm: str
    product_name: str = "openceir"
    vendor_id: int = 0  # our own enterprise number; 0 while we have none (RFC 6733 §5.3.3: 0 is reserved, "ignored")
    origin_state_id: int = 0

    @property
    def origin(self) -> bytes:
        """Origin-Host and Origin-Realm as every message of ours carries them."""
        return write_named("Origin-Host", self.origin_host.encode()) + write_named(
            "Origin-Realm", self.origin_realm.encode()
        )


def check_flags(header: Header, rule: CommandRule) -> None:
    """Hold a request's command flags against its command.

    Raises: InvalidBitInHeader (5013) for reserved bits; InvalidHeaderBits (3008) for R with E, or P where the command has none.
    Source: RFC 6733 §3: "this [E] bit MUST NOT be set in a request message"; §7.1.3; §7.1.5.
    """
    if header.flags & _RESERVED:
        raise InvalidBitInHeader("a reserved bit of the command flags is set")
    if header.flags & ERROR:
        raise InvalidHeaderBits("a request has the error bit set")
    if header.flags & PROXIABLE and not rule.proxiable:
        raise InvalidHeaderBits(f"{rule.name} has the proxiable bit set; it stays between two peers")


def write_message(flags: int, command: int, application: int, ids: int, *parts: bytes) -> bytes:
    """One message from encoded AVPs."""
    body = b"".join(parts)
    return HEADER.pack(1 << 24 | HEADER.size + len(body), flags << 24 | command, application, ids) + body


def write_error_answer(
    header: Header, avps: Iterable[Avp], error: DiameterError, identity: Identity, *extra: bytes
) -> bytes:
    """The answer to a request that was refused; `avps` is what could be read of it.

    A protocol error (3xxx) has the E bit and the answer-message grammar of RFC 6733 §7.2; `extra` is what the
    command's own grammar wants besides in all other answers. Error-Message is for people and names no device.
    Source: RFC 6733 §6.2: ids, P bit, Session-Id and Proxy-Info as they came; R, T and Route-Record never.
    """
    session, proxies = b"", []
    for avp in avps:
        if avp.vendor == 0 and avp.code == NAMED["Session-Id"].code and not session:
            session = write_avp(avp.code, avp.flags, 0, avp.data)
        elif avp.vendor == 0 and avp.code == NAMED["Proxy-Info"].code:
            proxies.append(write_avp(avp.code, avp.flags, 0, avp.data))
    flags = header.flags & PROXIABLE | (ERROR if error.is_protocol_error else 0)
    return write_message(
        flags,
        header.command,
        header.application,
        header.ids,
        session,
        write_unsigned("Result-Code", error.result_code),
        *(() if error.is_protocol_error else extra),
        identity.origin,
        write_named("Error-Message", str(error).encode()),
        write_named("Failed-AVP", error.failed_avp) if error.failed_avp else b"",
        *proxies,
    )
