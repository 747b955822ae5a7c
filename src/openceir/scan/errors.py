"""What this room says when a picture is no picture it reads."""

from openceir.errors import OpenceirError

__all__ = ["OcrAbsent", "PictureRefused", "ScanError"]


class ScanError(OpenceirError):
    """A label could not be looked at."""

    code = "scan-refused"


class PictureRefused(ScanError):
    """A file is no picture of a kind that is read, or larger than is read. Nothing of it was kept."""

    code = "picture-refused"


class OcrAbsent(ScanError):
    """Reading printed digits was asked for, and the packages for it are not installed."""

    code = "ocr-absent"
