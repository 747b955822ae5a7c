"""A list as it lies in its file: rows are looked up and exchanged without reading what stands between them.

Theory. Rows stand in the order of their keys by code point, UTF-8 keeps that order among octets, and all rows of one
device follow one another. So a device's rows are found by halving: any place of the file lies in a row that begins
behind the last line end before it. Only a quoted field can hold a line end, and rows with a quote are rare: their
places are found once, when the file is opened. Devices are asked for in ascending order, each from where the one before
was found, by steps that double: a few devices cost a few steps, all of them little more than reading the file once.
"""

import csv
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from mmap import mmap
from typing import NamedTuple

from openceir.lists.content import format_line, read_line
from openceir.lists.errors import ListTruncated, NotAList
from openceir.lists.kinds import Row

__all__ = ["Place", "SortedFile", "spliced"]

_PIECE_OCTETS = 1 << 20
_FIRST_STEP_OCTETS = 4096


class Place(NamedTuple):
    """Where the rows of one device stand, or would stand. Units: octets from the file's begin."""

    start: int
    end: int
    rows: Sequence[Row]


class SortedFile:
    """The octets of a sound file with these columns; what is not sound is found out by its digest, not here."""

    def __init__(self, octets: bytes | mmap, columns: tuple[str, ...], name: str) -> None:
        head = format_line(columns)
        if octets[: len(head)] != head:
            raise NotAList(f"{name}: the first line must be {','.join(columns)}; is this the right kind of list?")
        if octets[-1:] != b"\n":
            raise ListTruncated(f"{name} ends in the middle of a line; fetch it again")
        self.octets, self.name = octets, name
        self._begin = len(head)
        quoted = list(self._rows_with_quotes())
        self._quoted_starts = [start for start, _ in quoted]
        self._quoted_ends = [end for _, end in quoted]

    def find(self, text: str, after: Place | None = None) -> Place:
        """The rows whose first column is `text`; `after` is a place found before, of a smaller text."""
        wanted = text.encode()
        start = end = self._first_not_below(wanted, self._begin if after is None else after.end)
        rows = []
        while end < len(self.octets) and self._key(end) == wanted:
            at, end = end, self._end(end)
            rows.append(self._row(at, end))
        return Place(start, end, rows)

    def _first_not_below(self, wanted: bytes, low: int) -> int:
        """The begin of the first row from `low` on whose key is not below `wanted`; the file's end when all are."""
        step, high, size = _FIRST_STEP_OCTETS, low, len(self.octets)
        while (ahead := high + step) < size:  # steps that double, until one is too far
            at = self._start(ahead)
            if self._key(at) >= wanted:
                high = at
                break
            low = high = self._end(at)
            step *= 2
        else:
            high = size
        while low < high:
            at = self._start((low + high) // 2)
            if self._key(at) < wanted:
                low = self._end(at)
            else:
                high = at
        return low

    def _start(self, place: int) -> int:
        """Where the row that holds this octet begins."""
        near = bisect_right(self._quoted_starts, place) - 1
        if near >= 0 and place < self._quoted_ends[near]:
            return self._quoted_starts[near]
        return self.octets.rfind(b"\n", self._begin - 1, place) + 1

    def _end(self, start: int) -> int:
        """Where the row that begins here ends."""
        near = bisect_right(self._quoted_starts, start) - 1
        if near >= 0 and start < self._quoted_ends[near]:
            return self._quoted_ends[near]
        return self.octets.find(b"\n", start) + 1

    def _key(self, start: int) -> bytes:
        octets = self.octets
        if octets[start : start + 1] == b'"':
            return self._row(start, self._end(start))[0].encode()
        return octets[start : octets.find(b",", start)]

    def _row(self, start: int, end: int) -> Row:
        try:
            return read_line(self.octets[start:end])
        except (csv.Error, UnicodeDecodeError) as wrong:
            raise NotAList(
                f"{self.name} has a row that is no CSV in UTF-8 near octet {start}; fetch it again"
            ) from wrong

    def _rows_with_quotes(self) -> Iterator[tuple[int, int]]:
        octets, quote = self.octets, self.octets.find(b'"', self._begin)
        while quote >= 0:
            start = octets.rfind(b"\n", self._begin - 1, quote) + 1
            end = octets.find(b"\n", quote) + 1
            while octets[start:end].count(b'"') % 2:  # a line end inside quotes ends no row
                end = octets.find(b"\n", end) + 1
                if not end:
                    raise ListTruncated(f"{self.name} ends in the middle of a quoted field; fetch it again")
            yield start, end
            quote = octets.find(b'"', end)


def spliced(file: SortedFile, exchanges: Iterable[tuple[Place, Iterable[Row]]]) -> Iterator[bytes]:
    """Yield the octets of the file with other rows in these places, which ascend.

    Shapes: streams; one piece in memory.
    """
    at = 0
    for place, rows in exchanges:
        yield from _copied(file, at, place.start)
        if octets := b"".join(map(format_line, rows)):
            yield octets
        at = place.end
    yield from _copied(file, at, len(file.octets))


def _copied(file: SortedFile, start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, _PIECE_OCTETS):
        yield file.octets[at : min(at + _PIECE_OCTETS, end)]
