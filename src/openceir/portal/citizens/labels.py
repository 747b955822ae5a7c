"""Numbers on a photo of a label, for people and for programs: by its bars, and by its print where that can be read."""

from functools import cache

from openceir.scan import Found, PrintedText, ReadsLines, ocr_is_installed, read_label

__all__ = ["found_on_label"]


def found_on_label(octets: bytes) -> tuple[Found, ...]:
    """The identifiers on a photo; printed digits are looked at where `openceir[ocr]` is installed. Raises: PictureRefused."""
    return read_label(octets, ocr=_print_reader())


@cache
def _print_reader() -> ReadsLines | None:
    return PrintedText() if ocr_is_installed() else None
