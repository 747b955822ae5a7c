"""A photo of a label becomes identifiers: bars and squares first, printed digits when those gave too few.

Nothing is given that `identity` does not confirm by length and check digit. That catches what a decoder misreads, and
cannot catch a serial number which happens to be built like an IMEI: the person compares with *#06# in any case.
"""

from dataclasses import dataclass
from typing import Any

from openceir.identity import Check, format_imei, parse
from openceir.scan.barcodes import read_codes
from openceir.scan.ocr import ReadsLines
from openceir.scan.picture import Grey, PictureLimits, read_picture
from openceir.scan.text import find_imeis

__all__ = ["Found", "read_grey", "read_label"]

_ENOUGH = 2  # IMEIs; a phone of two SIMs has two, and most others one
_LONGEST_CODE = 2000  # characters; a label holds some hundred, a QR code up to 7,089
_LIMITS = PictureLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One identifier on a label."""

    scheme: str  # imei or eid
    canonical: str  # an IMEI with its check digit
    read_from: str  # code-128, qr-code, data-matrix or print

    def as_json(self) -> dict[str, Any]:
        """The same for `--json` and HTTP."""
        return {"scheme": self.scheme, "canonical": self.canonical, "read_from": self.read_from}


def read_label(octets: bytes, *, limits: PictureLimits = _LIMITS, ocr: ReadsLines | None = None) -> tuple[Found, ...]:
    """The identifiers in a photo of a label, IMEIs first, each once. Empty when none can be read.

    Without `ocr` only codes are read.
    Raises: PictureRefused.
    """
    return read_grey(read_picture(octets, limits), ocr=ocr)


def read_grey(grey: Grey, *, ocr: ReadsLines | None = None) -> tuple[Found, ...]:
    """The same from pixels that were read before."""
    found: dict[tuple[str, str], Found] = {}
    for codes in read_codes(grey):
        for code in codes:
            for each in _in_code(code.text[:_LONGEST_CODE], code.form):
                found.setdefault((each.scheme, each.canonical), each)
        if _imeis(found) >= _ENOUGH:
            break
    if ocr is not None and _imeis(found) < _ENOUGH:
        for each in _in_print(ocr.lines(grey)):
            found.setdefault((each.scheme, each.canonical), each)
    return tuple(sorted(found.values(), key=lambda each: (each.scheme != "imei", each.canonical)))


def _imeis(found: dict[tuple[str, str], Found]) -> int:
    return sum(scheme == "imei" for scheme, _ in found)


def _in_code(text: str, form: str) -> tuple[Found, ...]:
    """What one code says: a number alone, or a text that names its numbers."""
    read = parse(text)
    if read.check is Check.PASSED and read.imei and read.scheme == "imei":
        return (Found(scheme="imei", canonical=format_imei(read.imei), read_from=form),)
    if read.check is Check.PASSED and read.scheme == "eid":
        return (Found(scheme="eid", canonical=read.canonical, read_from=form),)
    named = (each for each in find_imeis(text) if each.is_named and each.has_check_digit)
    return tuple(Found(scheme="imei", canonical=each.imei, read_from=form) for each in named)


def _in_print(lines: tuple[str, ...]) -> tuple[Found, ...]:
    """What printed lines say. Fifteen digits with a fitting last one; where any line says IMEI, only those that do."""
    mentions = [(each, line) for line in lines for each in find_imeis(line) if each.has_check_digit]
    if any(each.is_named for each, _ in mentions):
        mentions = [(each, line) for each, line in mentions if each.is_named or each.shown == line.strip()]
    return tuple(Found(scheme="imei", canonical=each.imei, read_from="print") for each, _ in mentions)
