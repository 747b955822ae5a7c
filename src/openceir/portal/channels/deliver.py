"""A message from a message centre, read by aiosmpplib with two of its limits taken away.

It reads the TLVs of USSD as ASCII, so a session numbered above 127 would be refused, and drops a last octet of nought;
and a header of user data that is cut short would end its receiver with an error that it does not expect, again and again
since the centre sends an unanswered message anew. Here the two TLVs are cut out before it reads, and whatever
it stumbles over is its own ValueError, which it answers with generic_nack.
Source: SMPP 3.4 §4.6.1 (deliver_sm), §5.3.2 (TLVs), §5.3.2.44 (ussd_service_op); 0x1383 its_session_info.
"""

import struct
from codecs import CodecInfo
from dataclasses import dataclass, replace

from aiosmpplib import DeliverSm, OptionalParam, PduHeader, SmppCommand, SmppMessage
from aiosmpplib.protocol import MESSAGE_TYPE_MAP

__all__ = ["OctetsParam", "TakenMessage", "cut_ussd", "install"]

USSD_SERVICE_OP, ITS_SESSION_INFO = 0x0501, 0x1383
_HEADER_OCTETS = 16


@dataclass
class TakenMessage(DeliverSm):  # type: ignore[misc]
    """A deliver_sm with what it says of a USSD session."""

    ussd_service_op: int | None = None
    its_session_info: bytes = b""  # session number, then sequence number and end bit

    @classmethod
    def from_pdu(
        cls,
        pdu: bytes,
        header: PduHeader,
        default_encoding: str = "",
        custom_codecs: dict[str, CodecInfo] | None = None,
    ) -> SmppMessage:
        """The message. Raises: ValueError for whatever cannot be read."""
        try:
            kept, operation, session = cut_ussd(pdu)
            message = super().from_pdu(kept, replace(header, pdu_length=len(kept)), default_encoding, custom_codecs)
        except (struct.error, LookupError, TypeError) as odd:
            raise ValueError(f"a deliver_sm cannot be read: {type(odd).__name__}") from None
        assert isinstance(message, TakenMessage)
        message.ussd_service_op, message.its_session_info = operation, session
        return message


def cut_ussd(pdu: bytes) -> tuple[bytes, int | None, bytes]:
    """The PDU without the TLVs of USSD, and the values of these: operation and session; None and empty where absent.

    Raises: ValueError when a string or TLV does not end.
    """
    at = pdu.index(0, _HEADER_OCTETS) + 1  # service_type
    for _address in range(2):
        at = pdu.index(0, at + 2) + 1  # TON, NPI, address
    at += 3  # esm_class, protocol_id, priority_flag
    for _time in range(2):
        at = pdu.index(0, at) + 1
    at += 4  # registered_delivery, replace_if_present_flag, data_coding, sm_default_msg_id
    at += 1 + pdu[at]  # short_message
    kept, operation, session = pdu[:at], None, b""
    while at < len(pdu):
        tag, length = struct.unpack_from("!HH", pdu, at)
        end = at + 4 + length
        if end > len(pdu):
            raise ValueError("a TLV is longer than its message")
        value = pdu[at + 4 : end]
        if tag == USSD_SERVICE_OP and length == 1:
            operation = value[0]
        elif tag == ITS_SESSION_INFO and length == 2:
            session = value
        else:
            kept += pdu[at:end]
        at = end
    return kept, operation, session


class OctetsParam(OptionalParam):  # type: ignore[misc]
    """A TLV of any octets; the library's own takes ASCII."""

    def __init__(self, tag: int, octets: bytes) -> None:
        """Raises nothing: the tag is a constant of ours."""
        self.tag, self.value, self.octets = tag, "", octets

    @property
    def length(self) -> int:
        """Octets of the value."""
        return len(self.octets)

    @property
    def tlv(self) -> bytes:
        """Tag, length and value as they go on the wire."""
        return struct.pack("!HH", self.tag, len(self.octets)) + self.octets


def install() -> None:
    """Let aiosmpplib read every deliver_sm as a TakenMessage. For the whole process."""
    MESSAGE_TYPE_MAP[SmppCommand.DELIVER_SM] = TakenMessage
