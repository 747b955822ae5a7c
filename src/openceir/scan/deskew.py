"""Where the bars are in a picture, and how far they lean.

Bars are long and flat: a line across the picture at more than about seven degrees leaves them before it has crossed
the last, and the decoder draws its lines only level and upright. So the lean is measured first and the picture turned.

Theory: over a tile, the structure tensor J = sum of (gx, gy)(gx, gy)^T has its large axis across the bars. With
a = Jxx - Jyy and b = 2 Jxy its direction is atan2(b, a)/2, and hypot(a, b)/(Jxx + Jyy) says how much all edges of the
tile agree: 1 in bars, near 0 in paper grain, between them in print. Directions are added as (a, b), the doubled angle,
since a bar has no front; agreement weighs fourfold, so that bars win over print.
Limits: one lean a picture; labels that lean differently are found one by one only if the decoder bears the difference.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openceir.scan.picture import Grey

__all__ = ["Bars", "find_bars"]

_TILE = 24  # px: some bars of one code wide, and lower than the lowest code
_AGREE = 0.6  # tiles below this are print, grain and background
_NEAR = np.cos(2 * np.radians(12))  # tiles this near the common lean belong to the bars


@dataclass(frozen=True, slots=True)
class Bars:
    """Where bars are and how they lean.

    Units: pixels; degrees by which the picture is turned anticlockwise to set the bars upright, -90 to 90.
    """

    left: int
    top: int
    right: int
    bottom: int
    lean_degrees: float


def find_bars(grey: Grey) -> Bars | None:
    """The bars of a picture taken together; None when nothing in it looks like bars."""
    rows, columns = grey.shape[0] // _TILE, grey.shape[1] // _TILE
    if rows < 2 or columns < 2:
        return None
    a, b, energy = _tensor(grey[: rows * _TILE, : columns * _TILE].astype(np.float32))
    agreement = np.hypot(a, b) / np.maximum(energy, 1e-6)
    weight = np.where(agreement > _AGREE, agreement**4, 0.0) * (energy > 0.05 * energy.max())
    if not weight.any():
        return None
    strength = np.hypot(a, b) + 1e-6
    cosine, sine = a / strength, b / strength
    doubled = float(np.arctan2((sine * energy * weight).sum(), (cosine * energy * weight).sum()))
    inside = (weight > 0) & (cosine * np.cos(doubled) + sine * np.sin(doubled) > _NEAR)
    down, across = np.nonzero(inside)
    if not down.size:
        return None
    # The edges of the box leave out the tiles that lie furthest out: a table's edge is as straight as a bar.
    top, bottom = np.quantile(down, (0.01, 0.99)).astype(int) * _TILE
    left, right = np.quantile(across, (0.01, 0.99)).astype(int) * _TILE
    return Bars(int(left), int(top), int(right) + _TILE, int(bottom) + _TILE, float(np.degrees(doubled) / 2))


def _tensor(grey: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Jxx - Jyy, 2 Jxy and Jxx + Jyy of every tile."""
    down, across = np.gradient(grey)
    shape = (grey.shape[0] // _TILE, _TILE, grey.shape[1] // _TILE, _TILE)
    jxx, jyy, jxy = (part.reshape(shape).sum(axis=(1, 3)) for part in (across * across, down * down, across * down))
    return jxx - jyy, 2 * jxy, jxx + jyy
