"""S13 from the asking side, as much of it as an auditor needs: introduce oneself, ask, read the answer.

No socket and no clock: octets in, octets out. What the other side asks of us (RFC 6733 §5.4, §5.5) is answered by
`answer_to`, so that a slow audit is no silent peer.
Source: TS 29.272 §6.2.1, RFC 6733 §5.3.
"""

from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from openceir.wire.diameter.avp import find_avp, read_avps, read_unsigned, write_named, write_unsigned
from openceir.wire.diameter.message import (
    CAPABILITIES_EXCHANGE,
    DEVICE_WATCHDOG,
    DISCONNECT_PEER,
    HEADER,
    PROXIABLE,
    REQUEST,
    Header,
    Identity,
    write_message,
)
from openceir.wire.s13 import APPLICATION, COMMAND, TGPP, EquipmentStatus, vendor_application

__all__ = ["EQUIPMENT_UNKNOWN", "Questions", "Told", "answer_to", "message_end", "read_told"]

EQUIPMENT_UNKNOWN = 5422
_SUCCESS = 2001


class Told(NamedTuple):
    """What an answer says: a status, or the result code it has in place of one."""

    command: int
    ids: int
    status: EquipmentStatus | None
    result: int


class Questions:
    """Writes what one asking host sends to one EIR."""

    def __init__(self, identity: Identity, realm: str, host: str | None = None) -> None:
        self._identity = identity
        self._destination = write_named("Destination-Realm", realm.encode())
        if host is not None:
            self._destination = write_named("Destination-Host", host.encode()) + self._destination

    def introduction(self, address: IPv4Address | IPv6Address) -> bytes:
        """The CER. Source: RFC 6733 §5.3.1; the address family numbers are IANA's, 1 and 2."""
        family = b"\0\1" if address.version == 4 else b"\0\2"
        return write_message(
            REQUEST, CAPABILITIES_EXCHANGE, 0, 1,
            self._identity.origin,
            write_named("Host-IP-Address", family + address.packed),
            write_unsigned("Vendor-Id", self._identity.vendor_id),
            write_named("Product-Name", self._identity.product_name.encode()),
            write_unsigned("Supported-Vendor-Id", TGPP),
            vendor_application(),
        )  # fmt: skip

    def question(self, number: int, imei: str, imsi: str = "") -> bytes:
        """The ECR about 14 digits; `number` comes back in the answer."""
        session = f"{self._identity.origin_host};{number >> 32};{number & 0xFFFFFFFF}"
        return write_message(
            REQUEST | PROXIABLE, COMMAND, APPLICATION, number,
            write_named("Session-Id", session.encode()),
            vendor_application(),
            write_unsigned("Auth-Session-State", 1),
            self._identity.origin,
            self._destination,
            write_named("Terminal-Information", write_named("IMEI", imei.encode())),
            write_named("User-Name", imsi.encode()) if imsi else b"",
        )  # fmt: skip

    def farewell(self) -> bytes:
        """The DPR: nothing more will be asked."""
        return write_message(
            REQUEST, DISCONNECT_PEER, 0, 2, self._identity.origin, write_unsigned("Disconnect-Cause", 2)
        )


def message_end(octets: bytes, largest: int = 65536) -> int:
    """Where the first message in `octets` ends; 0 when more must be read to know.

    Raises: PeerError when there is no message.
    """
    if len(octets) < HEADER.size:
        return 0
    header = Header.read(octets)
    header.check_frame(largest)
    return header.length if len(octets) >= header.length else 0


def answer_to(message: bytes, identity: Identity) -> bytes:
    """What to say to a request of the other side; nothing when it is an answer, or nothing we know."""
    header = Header.read(message)
    if not header.is_request or header.command not in {DEVICE_WATCHDOG, DISCONNECT_PEER}:
        return b""
    return write_message(0, header.command, 0, header.ids, write_unsigned("Result-Code", _SUCCESS), identity.origin)


def read_told(message: bytes) -> Told | None:
    """What an answer says; None when it is a request.

    Raises: PeerError when its AVPs cannot be read.
    """
    header = Header.read(message)
    if header.is_request:
        return None
    avps = list(read_avps(message, HEADER.size))
    status, result = find_avp(avps, "Equipment-Status"), find_avp(avps, "Result-Code")
    experimental = find_avp(avps, "Experimental-Result")
    if experimental is not None:
        result = find_avp(read_avps(experimental.data), "Experimental-Result-Code")
    said = read_unsigned(status) if status is not None and len(status.data) == 4 else None
    known = EquipmentStatus(said) if said in set(EquipmentStatus) else None
    code = read_unsigned(result) if result is not None and len(result.data) == 4 else 0
    return Told(header.command, header.ids, known, code)
