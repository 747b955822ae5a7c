"""The codes in a picture: the cheap look first, then a larger one in even light, then turned until the bars stand upright.

Each look is made only when those before it read fewer than two IMEIs: most phones have two, and a picture of a clean
label is done after the first.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import zxingcpp
from PIL import Image

from openceir.scan.deskew import Bars, find_bars
from openceir.scan.light import even_light
from openceir.scan.picture import Grey

__all__ = ["Code", "read_codes"]

_FORMATS = (zxingcpp.BarcodeFormat.Code128, zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.DataMatrix)
_NAMES = {"Code 128": "code-128", "QR Code": "qr-code", "Data Matrix": "data-matrix"}
_LONGEST_SIDE = 2600  # px; a picture is not enlarged beyond it, and a larger one not turned at its full size
_BESIDE = (0.0, -4.0, 4.0)  # degrees; under perspective the codes of one label lean differently
_MARGIN = 0.15  # of the box of the bars: the quiet zones, and bars that blur took from the box


@dataclass(frozen=True, slots=True)
class Code:
    """One code as it was read."""

    text: str
    form: str  # code-128, qr-code or data-matrix


def read_codes(grey: Grey) -> Iterator[tuple[Code, ...]]:
    """What each look at the picture reads, the cheapest look first. The caller stops when it has enough."""
    yield _look(grey)
    even = even_light(grey)
    image = Image.fromarray(even)
    if 2 * max(grey.shape) <= _LONGEST_SIDE:
        yield _look(np.asarray(image.resize((2 * image.width, 2 * image.height), Image.Resampling.BICUBIC)))
    bars = find_bars(even)
    if bars is not None:
        for beside in _BESIDE:
            yield _look(_upright(image, bars, bars.lean_degrees + beside))


def _look(grey: Grey) -> tuple[Code, ...]:
    found = zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormats(_FORMATS), text_mode=zxingcpp.TextMode.Plain)
    return tuple(Code(each.text, _NAMES[str(each.format)]) for each in found if each.valid)


def _upright(image: Image.Image, bars: Bars, degrees: float) -> Grey:
    """The box of the bars, turned about its middle and enlarged, white around it."""
    width, height = bars.right - bars.left, bars.bottom - bars.top
    margin = _MARGIN * max(width, height) + 24
    turn = np.radians(degrees)
    cos, sin = float(np.cos(turn)), float(np.sin(turn))
    wide = abs(cos) * width + abs(sin) * height + 2 * margin
    high = abs(sin) * width + abs(cos) * height + 2 * margin
    scale = min(2.0, _LONGEST_SIDE / max(wide, high))
    middle = ((bars.left + bars.right) / 2, (bars.top + bars.bottom) / 2)
    # from a point of the new picture to the one in the old: shrink, turn, move to the middle of the box
    across, down = wide / 2, high / 2
    matrix = (
        cos / scale, -sin / scale, middle[0] - cos * across + sin * down,
        sin / scale, cos / scale, middle[1] - sin * across - cos * down,
    )  # fmt: skip
    size = (round(wide * scale), round(high * scale))
    turned = image.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC, fillcolor=255)
    return np.asarray(turned)
