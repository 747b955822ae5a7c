"""A file somebody sends becomes grey pixels, or is refused before it costs anything.

The kind of the file is told by its first octets, never by its name. Its size in pixels is read from its header and
judged before anything is unpacked, so that a small file that unpacks to gigabytes is refused for a few microseconds of
work. Only pixels leave this module: where and when the photo was taken, and by which camera, stays behind.
"""

import io
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from openceir.scan.errors import PictureRefused

__all__ = ["Grey", "PictureLimits", "read_picture"]

Grey = NDArray[np.uint8]

# The first octets of what is read -> the reader's name for it.
_KINDS = ((b"\xff\xd8\xff", "JPEG"), (b"\x89PNG\r\n\x1a\n", "PNG"), (b"RIFF", "WEBP"))
# What the readers of a broken file raise besides their own errors.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    ArithmeticError,
    struct.error,
    MemoryError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLimits:
    """The largest picture that is read.

    Units: octets of the file; pixels of the picture.
    """

    octets: int = 12_000_000  # a phone's photo of 12 Mpx is 3 to 6 MB
    pixels: int = 50_000_000  # a phone's largest; grey it is 50 MB of memory


def read_picture(octets: bytes, limits: PictureLimits) -> Grey:
    """The picture in a file, upright, in grey.

    Shapes: rows, columns.
    Raises: PictureRefused, saying which limit or which kind.
    """
    if len(octets) > limits.octets:
        raise PictureRefused(
            f"the picture has {len(octets):,} octets, the most is {limits.octets:,}; send a smaller photo of the label"
        )
    kind = next((name for start, name in _KINDS if octets.startswith(start)), None)
    if kind is None or (kind == "WEBP" and octets[8:12] != b"WEBP"):
        raise PictureRefused("this is no JPEG, PNG or WebP picture; take a photo of the label, or a screenshot")
    try:
        with Image.open(io.BytesIO(octets), formats=[kind]) as image:
            if image.width * image.height > limits.pixels:
                raise PictureRefused(
                    f"the picture has {image.width:,} x {image.height:,} pixels, the most is {limits.pixels:,} in all; "
                    "send a smaller photo of the label"
                )
            return np.asarray(_on_white(ImageOps.exif_transpose(image)), dtype=np.uint8)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureRefused(f"the picture has more than {limits.pixels:,} pixels; send a smaller photo") from None
    except _BROKEN:
        raise PictureRefused(f"the {kind} picture is broken and cannot be read; take the photo again") from None


def _on_white(image: Image.Image) -> Image.Image:
    """The picture in grey; what is see-through becomes white, as paper is."""
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        over = image.convert("RGBA")
        white = Image.new("RGBA", over.size, "white")
        return Image.alpha_composite(white, over).convert("L")
    return image.convert("L")
