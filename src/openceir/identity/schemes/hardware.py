"""Identities of interfaces and boards: EUI-48, EUI-64, Bluetooth addresses, makers' serial numbers."""

import re

from openceir.identity.finding import Finding
from openceir.identity.identifier import Identifier

__all__ = [
    "eui48_identifier", "eui64_identifier",
    "guess_maker_serial", "read_bd_addr", "read_eui48", "read_eui64", "read_maker_serial",
]  # fmt: skip

_PAIRS = r"[0-9A-F]{{2}}(?:{sep}[0-9A-F]{{2}}){{{more}}}"
_QUADS = r"[0-9A-F]{{4}}(?:\.[0-9A-F]{{4}}){{{more}}}"
_EUI48 = re.compile(
    "|".join([_PAIRS.format(sep="-", more=5), _PAIRS.format(sep=":", more=5), _QUADS.format(more=2)]), re.I
)
_EUI64 = re.compile(
    "|".join([_PAIRS.format(sep="-", more=7), _PAIRS.format(sep=":", more=7), _QUADS.format(more=3)]), re.I
)
_SERIAL = re.compile(r"[0-9A-Z][0-9A-Z\-./_]{2,38}[0-9A-Z]")


def read_eui48(text: str) -> Identifier | None:
    """A MAC address with separators, or twelve bare hexadecimal digits with a letter among them."""
    return eui48_identifier(text, "eui-48") if _is_eui(text, _EUI48, 12) else None


def read_eui64(text: str) -> Identifier | None:
    """An EUI-64 with separators, or sixteen bare hexadecimal digits with a letter among them."""
    return eui64_identifier(text, "eui-64") if _is_eui(text, _EUI64, 16) else None


def read_bd_addr(text: str) -> Identifier | None:
    """The same twelve digits as a Bluetooth address."""
    if not (_EUI48.fullmatch(text) or re.fullmatch(r"[0-9A-Fa-f]{12}", text)):
        return None
    octets = _octets(text)
    random_kind = {0b11: "static", 0b01: "resolvable private", 0b00: "non-resolvable private"}
    return Identifier(
        scheme="bd-addr", canonical=octets.hex(":").upper(), written_as="bd-addr",
        parts={
            "nap": octets[:2].hex().upper(), "uap": octets[2:3].hex().upper(), "lap": octets[3:].hex().upper(),
            "if_random": random_kind.get(octets[0] >> 6, "reserved"),
        },
    )  # fmt: skip


def read_maker_serial(text: str) -> Identifier | None:
    """What was said to be a maker's serial number: 4 to 40 letters, digits and - . / _, letters raised."""
    serial = re.sub(r"[ \t]+", "", text).upper()
    if not text.isascii() or not _SERIAL.fullmatch(serial):  # upper() turns ſ into S
        return None
    note = Finding(
        "serial-needs-maker",
        "a serial number is unique only together with maker and model; nothing in it can be checked",
    )
    return Identifier(scheme="maker-serial", canonical=serial, written_as="maker-serial", findings=(note,))


def guess_maker_serial(text: str) -> Identifier | None:
    """Eight to twenty letters and digits, both present: no more than a guess."""
    looks_so = re.fullmatch(r"(?=[0-9]*[A-Za-z])(?=[A-Za-z]*[0-9])[0-9A-Za-z]{8,20}", text)
    return read_maker_serial(text) if looks_so else None


def eui48_identifier(text: str, written_as: str, findings: tuple[Finding, ...] = ()) -> Identifier:
    """Six octets, however separated, as an EUI-48."""
    octets = _octets(text)
    return Identifier(
        scheme="eui-48", canonical=octets.hex("-").upper(), written_as=written_as,
        parts=_parts(octets), findings=(*findings, *_findings(octets)),
    )  # fmt: skip


def eui64_identifier(text: str, written_as: str) -> Identifier:
    """Eight octets, however separated, as an EUI-64."""
    octets = _octets(text)
    parts = _parts(octets)
    if octets[3:5] == b"\xff\xfe":
        # RFC 4291 Appendix A turns the universal bit over for IPv6; plain mapped EUI-64s leave it
        parts["mapped_from_eui48"] = (octets[:3] + octets[5:]).hex("-").upper()
    return Identifier(
        scheme="eui-64", canonical=octets.hex("-").upper(), written_as=written_as,
        parts=parts, findings=_findings(octets),
    )  # fmt: skip


def _is_eui(text: str, separated: re.Pattern[str], digits: int) -> bool:
    # Bare decimal digits are left to the IMEI and its kin, which people write far more often.
    bare = len(text) == digits and re.fullmatch(r"[0-9A-Fa-f]+", text) and not text.isdecimal()
    return bool(separated.fullmatch(text) or bare)


def _octets(text: str) -> bytes:
    return bytes.fromhex(re.sub(r"[-:.]", "", text))


def _parts(octets: bytes) -> dict[str, str]:
    #   octet 1:  b7 b6 b5 b4 b3 b2 b1 b0
    #                               |  +-- I/G: 1 group address
    #                               +----- U/L: 1 locally administered
    return {
        "oui": octets[:3].hex("-").upper(),
        "administered": "locally" if octets[0] & 2 else "universally",
        "addresses": "group" if octets[0] & 1 else "individual",
    }


def _findings(octets: bytes) -> tuple[Finding, ...]:
    if len(set(octets)) == 1 and octets[0] in (0x00, 0xFF):
        return (Finding("non-unique", "all zeros or all ones: a filler or the broadcast address, nobody's device"),)
    if octets[0] & 1:
        return (Finding("group-address", "a group address: many interfaces listen to it, none owns it"),)
    if octets[0] & 2:
        return (
            Finding("locally-administered", "set by software, often made up anew for each network; it identifies nothing"),
        )  # fmt: skip
    return ()
