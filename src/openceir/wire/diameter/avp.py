"""Attribute-value pairs on the wire.

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |                           AVP Code                            |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |V M P r r r r r|                  AVP Length                   |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |                        Vendor-ID (opt)                        |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |    Data ...
    +-+-+-+-+-+-+-+-+

Source: RFC 6733 §4.1.
"""

import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from openceir.wire.diameter.dictionary import AVPS, NAMED, AvpRule, CommandRule
from openceir.wire.diameter.errors import (
    AvpOccursTooOften,
    AvpUnsupported,
    InvalidAvpBits,
    InvalidAvpLength,
    InvalidAvpValue,
    MissingAvp,
)

__all__ = [
    "MANDATORY", "VENDOR", "Avp", "check_command", "check_group", "example_avp", "find_avp", "read_avps",
    "read_unsigned", "write_avp", "write_named", "write_unsigned",
]  # fmt: skip

VENDOR, MANDATORY, PROTECTED = 0x80, 0x40, 0x20
_RESERVED = 0x1F
_HEADER = struct.Struct(">II")
_UNSIGNED = struct.Struct(">I")


class Avp(NamedTuple):
    """One AVP where it stands. Units: `at` and `end` are octets in the buffer it was read from, padding not counted."""

    code: int
    flags: int
    vendor: int
    data: bytes
    at: int
    end: int

    @property
    def data_at(self) -> int:
        """Where the data begin, in octets of the buffer."""
        return self.end - len(self.data)

    @property
    def rule(self) -> AvpRule | None:
        """The dictionary's row; None when we do not know this AVP."""
        return AVPS.get((self.vendor, self.code))


def read_avps(octets: bytes, at: int = 0, end: int | None = None) -> Iterator[Avp]:
    """Yield the AVPs in wire order, padding dropped.

    Units: offsets and lengths are octets; a length counts the AVP header, not the padding.
    Raises: InvalidAvpLength (Result-Code 5014) at the first AVP that does not fit.
    Source: RFC 6733 §4.1.
    """
    end = len(octets) if end is None else end
    while at < end:
        if end - at < _HEADER.size:
            raise InvalidAvpLength("the message ends within an AVP header", _padded_header(octets[at:end]))
        code, word = _HEADER.unpack_from(octets, at)
        flags, length = word >> 24, word & 0xFFFFFF
        size = 12 if flags & VENDOR else 8
        if not size <= length <= end - at:
            header = octets[at : min(at + size, end)]
            raise InvalidAvpLength(f"AVP {code} says it has {length} octets", _corrected(header, code, flags))
        vendor = _UNSIGNED.unpack_from(octets, at + 8)[0] if flags & VENDOR else 0
        yield Avp(code, flags, vendor, octets[at + size : at + length], at, at + length)
        at += length + -length % 4  # on to the next four-octet boundary; the last padding may be missing


def check_group(avp: Avp, path: tuple[Avp, ...] = ()) -> list[Avp]:
    """The members of a grouped AVP, each checked like those of a message.

    Raises: PeerError whose Failed-AVP repeats the groups around the offending member (RFC 6733 §7.5).
    """
    rule = avp.rule
    assert rule is not None
    around = (*path, avp)
    try:
        members = list(read_avps(avp.data))
    except InvalidAvpLength as wrong:
        raise InvalidAvpLength(str(wrong), _wrapped(wrong.failed_avp, around)) from None
    _check(members, rule.required, rule.optional, around)
    return members


def check_command(rule: CommandRule, avps: list[Avp]) -> None:
    """Hold the AVPs of a request against its grammar, in the order in which they came.

    Raises: PeerError with the Result-Code and Failed-AVP of the first fault found.
    Source: RFC 6733 §7.1.3, §7.1.5; the clause of the command.
    """
    if rule.first is not None and (not avps or avps[0].rule is not NAMED[rule.first]):
        raise MissingAvp(f"{rule.name} does not begin with {rule.first}", example_avp(rule.first))
    _check(avps, rule.required, rule.optional, ())


def _check(avps: list[Avp], required: Iterable[str], optional: Iterable[str], around: tuple[Avp, ...]) -> None:
    once = {*required, *optional} - _MANY
    seen: Counter[str] = Counter()
    first: dict[str, Avp] = {}
    for avp in avps:
        rule = avp.rule
        if avp.flags & _RESERVED:
            raise InvalidAvpBits(f"AVP {avp.code} has a flag that nobody defined", _wrapped(_copy(avp), around))
        if rule is None:
            if avp.flags & MANDATORY:
                raise AvpUnsupported(
                    f"AVP {avp.code} of vendor {avp.vendor} is mandatory and unknown", _wrapped(_copy(avp), around)
                )
            continue
        _check_value(avp, rule, around)
        seen[rule.name] += 1
        first.setdefault(rule.name, avp)
        if seen[rule.name] > 1 and rule.name in once:
            raise AvpOccursTooOften(f"{rule.name} stands there twice", _wrapped(_copy(first[rule.name]), around))
    for name in required:
        if not seen[name]:
            raise MissingAvp(f"{name} is missing", _wrapped(example_avp(name), around))
    for avp in avps:
        if avp.rule is not None and avp.rule.required:
            check_group(avp, around)


# One of these is required and more are welcome: `1* { Host-IP-Address }` in RFC 6733 §5.3.1.
_MANY = {"Host-IP-Address"}


def _check_value(avp: Avp, rule: AvpRule, around: tuple[Avp, ...]) -> None:
    size = len(avp.data)
    if size < rule.least or (rule.most is not None and size > rule.most):
        example = write_avp(avp.code, avp.flags, avp.vendor, bytes(rule.least))
        raise InvalidAvpLength(f"{rule.name} has {size} octets of data", _wrapped(example, around))
    if rule.values and _UNSIGNED.unpack(avp.data)[0] not in rule.values:
        raise InvalidAvpValue(f"{rule.name} has a value that its definition lacks", _wrapped(_copy(avp), around))


def find_avp(avps: Iterable[Avp], name: str) -> Avp | None:
    """The first AVP of this name, None when there is none."""
    rule = NAMED[name]
    return next((avp for avp in avps if avp.code == rule.code and avp.vendor == rule.vendor), None)


def read_unsigned(avp: Avp) -> int:
    """The value of an Unsigned32 or Enumerated whose size was checked."""
    value: int = _UNSIGNED.unpack(avp.data)[0]
    return value


def write_avp(code: int, flags: int, vendor: int, data: bytes) -> bytes:
    """One AVP with its padding."""
    size = (12 if flags & VENDOR else 8) + len(data)
    header = struct.pack(">II", code, flags << 24 | size)
    if flags & VENDOR:
        header += _UNSIGNED.pack(vendor)
    return header + data + bytes(-size % 4)


def write_named(name: str, data: bytes) -> bytes:
    """The AVP of this name, its flags as its definition wants them."""
    rule = NAMED[name]
    flags = (VENDOR if rule.vendor else 0) | (MANDATORY if rule.m_bit == "must" else 0)
    return write_avp(rule.code, flags, rule.vendor, data)


def write_unsigned(name: str, value: int) -> bytes:
    """The AVP of this name with an Unsigned32 or Enumerated value."""
    return write_named(name, _UNSIGNED.pack(value))


def example_avp(name: str) -> bytes:
    """What a missing AVP would look like: its header and zeroes. Source: RFC 6733 §7.1.5, 5005."""
    return write_named(name, bytes(NAMED[name].example_octets))


def _copy(avp: Avp) -> bytes:
    return write_avp(avp.code, avp.flags, avp.vendor, avp.data)


def _wrapped(failed: bytes, around: tuple[Avp, ...]) -> bytes:
    for group in reversed(around):
        failed = write_avp(group.code, group.flags, group.vendor, failed)
    return failed


def _padded_header(cut: bytes) -> bytes:
    """RFC 6733 §7.1.5, 5014: an incomplete header is filled with zeroes up to the minimum header length.

    The length field is made to fit what we send: a Failed-AVP must itself be readable.
    """
    code, word = _HEADER.unpack(cut.ljust(_HEADER.size, b"\0"))
    return _corrected(cut, code, word >> 24)


def _corrected(header: bytes, code: int, flags: int) -> bytes:
    vendor = _UNSIGNED.unpack(header[8:12].ljust(4, b"\0"))[0] if flags & VENDOR else 0
    rule = AVPS.get((vendor, code))
    return write_avp(code, flags, vendor, bytes(rule.least if rule else 0))
