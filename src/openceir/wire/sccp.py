"""SCCP, connectionless: datagrams in, answers back to where they came from.

    UDT  09 | class | 3 pointers | called | calling | data
    XUDT 11 | class | hop counter | 4 pointers | called | calling | data | optional parameters
    UDTS 0a | cause | 3 pointers | called | calling | data          what comes back when a datagram found nobody

A pointer counts from its own octet; each address and the data begin with their length. An address is an indicator,
then point code, subsystem number and global title as far as the indicator names them: we read the subsystem number
and hand the octets back as they came, called for calling, so that whatever numbering a network uses finds its way home.

Source: ITU-T Q.713 §3, §4; not read, from public decoders and held against pycrate and tshark.
"""

from enum import IntEnum
from typing import NamedTuple

from openceir.errors import OpenceirError

__all__ = [
    "EIR",
    "MANAGEMENT",
    "Datagram",
    "ReturnCause",
    "SccpError",
    "answer_management",
    "read_datagram",
    "write_answer",
    "write_returned",
]

EIR = 9  # subsystem numbers, TS 23.003 §8.2
MANAGEMENT = 1
_UDT, _UDTS, _XUDT, _XUDTS = 0x09, 0x0A, 0x11, 0x12
_RETURN_ON_ERROR = 0x80
_SEGMENTATION = 0x10
_LONGEST_ADDRESS = 64  # a title of 32 digits needs 24; two of these and an answer still fit their pointers of one octet
_SST, _SSA = 0x03, 0x01


class SccpError(OpenceirError):
    """A datagram that cannot be read, or that nobody may be told about; it is dropped."""

    code = "sccp-unreadable"


class ReturnCause(IntEnum):
    """Source: Q.713 §3.12."""

    UNEQUIPPED_USER = 4
    SEGMENTATION_NOT_SUPPORTED = 13


class Datagram(NamedTuple):
    """One datagram as it came. The addresses are octets without their length; `called_ssn` is 0 when none stands there."""

    protocol_class: int
    called: bytes
    calling: bytes
    data: bytes
    called_ssn: int
    is_segmented: bool

    @property
    def wants_return(self) -> bool:
        """Whether the sender wants to be told when the datagram finds nobody."""
        return bool(self.protocol_class & _RETURN_ON_ERROR)


def read_datagram(octets: bytes) -> Datagram:
    """The datagram in these octets.

    Raises: SccpError when they are none, or one that came back to us (UDTS, XUDTS): that is never answered.
    """
    try:
        kind = octets[0]
        if kind == _UDT:
            first, protocol_class, options = 2, octets[1], 0
        elif kind == _XUDT:
            first, protocol_class, options = 3, octets[1], octets[6]
        elif kind in (_UDTS, _XUDTS):
            raise SccpError("a datagram of ours came back")
        else:
            raise SccpError(f"message type {kind:#x} is no connectionless datagram of those served (UDT, XUDT)")
        called = _read_part(octets, first)
        calling = _read_part(octets, first + 1)
        data = _read_part(octets, first + 2)
        if len(called) > _LONGEST_ADDRESS or len(calling) > _LONGEST_ADDRESS:
            raise SccpError(f"an address has more than {_LONGEST_ADDRESS} octets")
        is_segmented = bool(options) and _has_segmentation(octets, 6 + options)
        return Datagram(protocol_class, called, calling, data, _subsystem(called), is_segmented)
    except IndexError:
        raise SccpError("a datagram is cut short") from None


def _read_part(octets: bytes, pointer: int) -> bytes:
    at = pointer + octets[pointer]
    end = at + 1 + octets[at]
    if end > len(octets):
        raise SccpError("an address or the data goes beyond the datagram's end")
    return octets[at + 1 : end]


def _has_segmentation(octets: bytes, at: int) -> bool:
    """Whether this is one of several parts: a message that was not cut names no more to come and is its own first."""
    while octets[at]:
        name, size = octets[at], octets[at + 1]
        if name == _SEGMENTATION:
            # F bit first segment, then how many remain: 0x80 with none remaining is a whole message.
            return size < 1 or octets[at + 2] & 0x8F != 0x80
        at += 2 + size
    return False


def _subsystem(address: bytes) -> int:
    """The subsystem number that an address names. Raises: IndexError when it is shorter than its indicator says."""
    indicator = address[0]
    if not indicator & 2:
        return 0
    return address[3 if indicator & 1 else 1]


def write_answer(asked: Datagram, data: bytes) -> bytes:
    """A UDT back to where the question came from.

    Raises: SccpError when the data do not fit: a datagram holds 254 octets at most.
    """
    called, calling = asked.calling, asked.called
    if len(data) > 254:
        raise SccpError(f"an answer of {len(data)} octets does not fit into a UDT")
    to, whence = len(called), len(calling)
    return b"".join(
        (
            bytes((_UDT, asked.protocol_class & 0x0F, 3, 3 + to, 3 + to + whence, to)),
            called, bytes((whence,)), calling, bytes((len(data),)), data,
        )
    )  # fmt: skip


def write_returned(asked: Datagram, cause: ReturnCause) -> bytes:
    """The UDTS that gives a datagram back to who sent it, with as much of its data as fits."""
    returned = write_answer(asked, asked.data[:254])
    return bytes((_UDTS, cause)) + returned[2:]


def answer_management(data: bytes) -> bytes | None:
    """What SCCP's own management (subsystem 1) is answered: a test of our subsystem with "allowed", the rest with nothing.

    Source: Q.713 §5: SST 03, SSA 01, then subsystem, point code (2), multiplicity.
    """
    if len(data) == 5 and data[0] == _SST and data[1] == EIR:
        return bytes((_SSA,)) + data[1:]
    return None
