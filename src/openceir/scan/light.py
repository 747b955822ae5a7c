"""Even light: shadows, lamps and pale print taken out of a picture before bars are sought in it."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from openceir.scan.picture import Grey

__all__ = ["even_light"]

_TILE = 16  # px; a few bars wide, so that nearly every tile of a code has white in it
_LEAST = 12.0  # grey levels between black and white; less is grain, and is not blown up to bars
_ALL_BLACK = 0.3  # a tile whose lightest spot is darker than this share of the lightest nearby has no white in it


def even_light(grey: Grey) -> Grey:
    """The same picture with every neighbourhood stretched to the full range from black to white.

    White is the lightest spot of a tile, black the darkest of it and the eight around it: the edge of a shadow changes
    what is white within a few bars, what is black hardly. Between tiles both are interpolated.
    """
    rows, columns = -(-grey.shape[0] // _TILE), -(-grey.shape[1] // _TILE)
    padded = np.pad(grey, ((0, rows * _TILE - grey.shape[0]), (0, columns * _TILE - grey.shape[1])), mode="edge")
    tiles = padded.reshape(rows, _TILE, columns, _TILE)
    black, white = _nearby(tiles.min(axis=(1, 3))).min(axis=0), tiles.max(axis=(1, 3))
    whitest = _nearby(white).max(axis=0)
    white = np.where(white < _ALL_BLACK * whitest, whitest, white)
    low, high = (_spread(part, padded.shape[1], padded.shape[0]) for part in (black, white))
    stretched: NDArray[np.float32] = (padded - low) * (255.0 / np.maximum(high - low, _LEAST))
    even: Grey = np.clip(stretched, 0, 255).astype(np.uint8)
    return even[: grey.shape[0], : grey.shape[1]]


def _nearby(tiles: Grey) -> Grey:
    """Every tile and the eight around it. Shapes: nine, rows, columns."""
    rows, columns = tiles.shape
    wide = np.pad(tiles, 1, mode="edge")
    return np.stack([wide[down : down + rows, across : across + columns] for down in range(3) for across in range(3)])


def _spread(tiles: Grey, width: int, height: int) -> NDArray[np.float32]:
    """A value a tile becomes a value a pixel."""
    image = Image.fromarray(tiles.astype(np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
