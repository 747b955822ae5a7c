"""The IMEI: fourteen digits decide, the fifteenth only helps whoever types.

    TAC (8)            serial number (6)      15th
    3 5 2 0 9 9 0 0  1 7 6 1 4 8            check digit (print), 0 (air), or
                                            software version (2), then it is an IMEISV

On the air the fifteenth digit is a spare zero, so it is never compared and a failed Luhn test is a
typing finding (3GPP TS 23.003 §6.2.1, Annex B). The number is text: as an integer 00440015202000 would be
440015202000, and such numbers are on a million phones.
"""

import re
from dataclasses import dataclass, field

from openceir.identity.checks import luhn_check_digit
from openceir.identity.errors import InvalidImei
from openceir.identity.finding import Finding

__all__ = [
    "ODD_DEVICE_BASE",
    "Imei",
    "device_key_of_imei",
    "format_device_key",
    "format_imei",
    "imei_digits",
    "luhn_finding",
    "malformed_text",
]

# Device keys below are IMEIs; at and above it they are rows of the identifier dictionary (docs/architecture.md §2).
ODD_DEVICE_BASE = 10**14

_PLAIN = re.compile(r"[0-9]{14,16}")
_FOURTEEN = re.compile(r"[0-9]{14}")  # never \d, which takes the digits of every script
# What printers, labels and people put between the digits: blanks, dashes of every kind, slash, dot.
_PRINTED_BETWEEN = re.compile(r"[ \t\u00a0\-\u2010-\u2015/.]+")
_LABEL = re.compile(r"imei(?:sv)?\s*[12]?\s*(?:\([12]\)\s*)?[:#=]\s*", re.IGNORECASE)
_URN = re.compile(
    r"urn:gsma:imei:([0-9]{8})-([0-9]{6})-([0-9])((?:;[a-z0-9\-]{1,20}=[a-z0-9\-]{1,40}){0,4})", re.IGNORECASE
)
_ASCII_UPPER = {lower: lower - 32 for lower in range(ord("a"), ord("z") + 1)}


def device_key_of_imei(text14: str) -> int:
    """The device key of fourteen digits.

    Raises: InvalidImei when `text14` is anything but fourteen ASCII digits.
    """
    if not _FOURTEEN.fullmatch(text14):
        raise InvalidImei(_complaint(text14, "expected exactly 14"))
    return int(text14)


def format_device_key(key: int) -> str:
    """The fourteen digits of a device key, leading zeros restored.

    Raises: InvalidImei for a key of the identifier dictionary (>= ODD_DEVICE_BASE), which is no IMEI.
    """
    if not 0 <= key < ODD_DEVICE_BASE:
        raise InvalidImei(f"device key {key} is no IMEI but a row of the identifier dictionary; look its text up there")
    return f"{key:014d}"


def imei_digits(text: str) -> str | None:
    """The fourteen digits that decide in an IMEI field of a file; None when the field is malformed or empty.

    The field, trimmed of spaces and tabs, has 14 to 16 characters of which the first 14 are ASCII digits.
    What the rest holds (check digit, spare zero, software version, anything) does not matter.
    Units: characters are code points.
    """
    text = text.strip(" \t")
    if 14 <= len(text) <= 16 and _FOURTEEN.match(text):
        return text[:14]
    return None


def malformed_text(text: str) -> str:
    """How a malformed IMEI field is kept in the identifier dictionary: trimmed, ASCII letters raised.

    Only ASCII letters, because engines disagree on the upper case of others.
    """
    return text.strip(" \t").translate(_ASCII_UPPER)


def format_imei(text14: str, check_digit: bool = True) -> str:
    """The IMEI as people and labels write it: fourteen digits and, unless refused, the Luhn digit.

    Raises: InvalidImei when `text14` is anything but fourteen ASCII digits.
    """
    device_key_of_imei(text14)
    return text14 + luhn_check_digit(text14) if check_digit else text14


def luhn_finding(text14: str, written: str) -> Finding | None:
    """A typing finding when `written` is not the check digit of `text14`; None when it is.

    A zero that does not fit is told apart: networks send 0 in that place.
    """
    fitting = luhn_check_digit(text14)
    if written == fitting:
        return None
    if written == "0":
        return Finding(
            "spare-digit",
            f"the last digit is 0, as networks send it; printed on a label it would be {fitting}, so if a person "
            "typed this, a typing slip is possible. The first 14 digits decide.",
        )
    return Finding(
        "luhn-failed",
        f"a typing finding: the last digit is {written}, but {fitting} would fit the other fourteen; compare the "
        "number with *#06# or the label. It says nothing about the device or its owner.",
    )


@dataclass(frozen=True, slots=True)
class Imei:
    """One IMEI. Two are equal when their fourteen digits are; check digit and software version only come along."""

    tac: str
    serial_number: str
    check_digit: str | None = field(default=None, compare=False)  # as written, right or wrong
    svn: str | None = field(default=None, compare=False)  # software version number of an IMEISV

    def __post_init__(self) -> None:
        device_key_of_imei(self.tac + self.serial_number)
        if len(self.tac) != 8:
            raise InvalidImei(f'TAC "{self.tac}" has {len(self.tac)} digits, expected 8')

    @classmethod
    def parse(cls, text: str) -> "Imei":
        """Read what a person typed or scanned: 14, 15 (check digit) or 16 digits (IMEISV), separators allowed, or a URN.

        Raises: InvalidImei, saying what was found instead.
        Source: RFC 7254 §4.2 for the URN.
        """
        if len(text) > 200:
            raise InvalidImei(f"an IMEI has 14 to 16 digits, this text has {len(text)} characters; nothing was read")
        if _PLAIN.fullmatch(text):
            return cls._from_digits(text)
        text = text.strip()
        if urn := _URN.fullmatch(text):
            tac, serial_number, spare, parameters = urn.groups()
            svn = re.search(r";svn=([0-9]{2})(?:;|$)", parameters, re.IGNORECASE)
            # RFC 7254: the digit in the URN is the spare digit of the air interface, not a check digit
            return cls(tac, serial_number, spare if spare != "0" else None, svn.group(1) if svn else None)
        label = _LABEL.match(text)
        digits = _PRINTED_BETWEEN.sub("", text[label.end() :] if label else text)
        if not _PLAIN.fullmatch(digits):
            raise InvalidImei(_complaint(text, "expected 14 to 16"))
        return cls._from_digits(digits)

    @classmethod
    def _from_digits(cls, digits: str) -> "Imei":
        return cls(
            digits[:8],
            digits[8:14],
            digits[14] if len(digits) == 15 else None,
            digits[14:] if len(digits) == 16 else None,
        )

    @property
    def digits(self) -> str:
        """The fourteen digits that decide."""
        return self.tac + self.serial_number

    @property
    def key(self) -> int:
        """The device key (docs/architecture.md §2)."""
        return int(self.digits)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was noticed about the way it was written."""
        if self.check_digit is None:
            return ()
        found = luhn_finding(self.digits, self.check_digit)
        return (found,) if found else ()

    def format_urn(self) -> str:
        """The IMEI URN. It is personal data like the IMEI (RFC 7254 §9)."""
        svn = f";svn={self.svn}" if self.svn else ""
        return f"urn:gsma:imei:{self.tac}-{self.serial_number}-0{svn}"

    def __str__(self) -> str:
        return format_imei(self.digits)


def _complaint(text: str, expected: str) -> str:
    shown = text if len(text) <= 40 else f"{text[:40]}…"
    count = len(re.findall("[0-9]", text))
    other = len(_PRINTED_BETWEEN.sub("", text)) - count
    also = f" and {other} other characters" if other else ""
    return f"IMEI {shown!r} has {count} ASCII digits{also}, {expected} digits; compare it with *#06# or the label"
