"""What a camera or a text shows becomes identifiers: label photos by bars and print, IMEIs in free text. No register."""

from openceir.scan.errors import OcrAbsent, PictureRefused, ScanError
from openceir.scan.label import Found, read_grey, read_label
from openceir.scan.ocr import PrintedText, ReadsLines, ocr_is_installed
from openceir.scan.picture import Grey, PictureLimits, read_picture
from openceir.scan.text import Folded, Mention, Token, find_imeis, fold, tokens_of

__all__ = [
    # a photo
    "read_label", "Found", "PictureLimits", "read_picture", "read_grey", "Grey",
    # print
    "PrintedText", "ReadsLines", "ocr_is_installed",
    # a text
    "find_imeis", "Mention", "fold", "Folded", "tokens_of", "Token",
    # words
    "ScanError", "PictureRefused", "OcrAbsent",
]  # fmt: skip
