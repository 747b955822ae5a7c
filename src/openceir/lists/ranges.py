"""Ranges that are blocked, as rows that overlap nowhere and hold nobody who may use his device.

A range is never expanded: a device inside that is not blocked (permitted, recovered, known to be on many handsets)
is taken out by splitting its range in two.
"""

from collections.abc import Iterable, Iterator

from openceir.lists.desk import RangeBlock

__all__ = ["blocked_ranges"]


def blocked_ranges(pieces: Iterable[RangeBlock], spared: Iterable[int]) -> Iterator[RangeBlock]:
    """Yield the blocked ranges in ascending order, joined where neighbours are blocked alike.

    Shapes: `pieces` ascending and apart from one another; `spared` are device keys that must lie in no range, ascending.
    """
    holes = iter(spared)
    hole = next(holes, None)
    for whole in _joined(pieces):
        lo = whole.lo
        while hole is not None and hole < lo:
            hole = next(holes, None)
        while hole is not None and hole <= whole.hi:
            if lo < hole:
                yield whole._replace(lo=lo, hi=hole - 1)
            lo = hole + 1
            hole = next(holes, None)
        if lo <= whole.hi:
            yield whole._replace(lo=lo)


def _joined(pieces: Iterable[RangeBlock]) -> Iterator[RangeBlock]:
    held: RangeBlock | None = None
    for piece in pieces:
        if held is not None and held.hi + 1 == piece.lo and held[2:] == piece[2:]:
            held = held._replace(hi=piece.hi)
            continue
        if held is not None:
            yield held
        held = piece
    if held is not None:
        yield held
