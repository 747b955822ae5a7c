"""Printed digits read off a photo, where the bars were too small or too blurred. Optional: `openceir[ocr]`.

The engine and its models come with its packages; nothing is fetched when it runs. It is loaded when it is first asked
and costs a few seconds of work a picture, so it is asked only when the codes gave fewer than two IMEIs.
"""

import importlib.util
import logging
import threading
from typing import Any, Protocol

import numpy as np
from PIL import Image

from openceir.scan.errors import OcrAbsent
from openceir.scan.picture import Grey

__all__ = ["PrintedText", "ReadsLines", "ocr_is_installed"]

_LONGEST_SIDE = 2000  # px; more costs time and memory, and the engine shrinks it anyway


class ReadsLines(Protocol):
    """What reads printed text: ours, or another engine in its place."""

    def lines(self, grey: Grey) -> tuple[str, ...]:
        """The lines of print in a picture, from top to bottom."""


def ocr_is_installed() -> bool:
    """Whether the packages of `openceir[ocr]` are there."""
    return all(importlib.util.find_spec(name) is not None for name in ("rapidocr", "onnxruntime"))


class PrintedText:
    """Reads lines of print with rapidocr on onnxruntime. May be shared by threads; one picture is read at a time."""

    def __init__(self) -> None:
        if not ocr_is_installed():
            raise OcrAbsent("reading printed digits needs more packages: pip install 'openceir[ocr]'")
        self._one_at_a_time = threading.Lock()
        self._engine: Any = None

    def lines(self, grey: Grey) -> tuple[str, ...]:
        """The lines of print in a picture, from top to bottom."""
        image = Image.fromarray(grey)
        image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
        with self._one_at_a_time:
            if self._engine is None:
                self._engine = _engine()
            read = self._engine(np.asarray(image.convert("RGB")))
        if read.txts is None:
            return ()
        placed = sorted(zip((float(box[0][1]) for box in read.boxes), read.txts, strict=True))
        return tuple(text for _, text in placed)


def _engine() -> Any:
    from rapidocr import RapidOCR  # half a second and 200 MB, for this job only

    logging.getLogger("RapidOCR").setLevel(logging.ERROR)  # it would log what it reads
    return RapidOCR(params={"Global.log_level": "error"})
