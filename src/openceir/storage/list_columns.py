"""A list's rows by columns, from which the same octets come back: what travels then is hardly more than what is new.

    octets 0-7    magic "OCEIR-LC", then 1 octet version (1) and 1 octet C, how many columns
    10-13         N, how many rows
    14-15         length of the first line, then that line, CR LF included
    C times       one column:
        0   numbers: 1 octet W, how many digits each has; then 8 planes of N octets
        1   words:   4 octets their count, 4 octets the length of their text; the words, a LF between two; then planes
                     of N octets: one when there are at most 256 words, two up to 65,536, else four

Numbers are little-endian. A plane holds one octet of each row, the least significant first: of a number the step from
the row above, modulo 2^64 (from 0 in the first row), of a word its place among the words. Sorted device numbers are
small steps, whose upper planes are nearly all zeros; a compressor sees columns that are alike in themselves.
"""

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from openceir.lists import ListAltered

__all__ = ["from_columns", "to_columns"]

_MAGIC = b"OCEIR-LC"
_HEAD = struct.Struct("<8sBBIH")
_WORDS = struct.Struct("<II")
_VERSION = 1
_NUMBERS, _TEXTS = 0, 1
_MOST_DIGITS = 19  # 10^19 is less than 2^64
_ROWS_AT_ONCE = 1 << 16

Numbers = NDArray[np.uint64]


def to_columns(rows: bytes) -> bytes | None:
    """The rows of a list by columns; None when they would not come back as they are, as where a field needs quotes."""
    first, _, rest = rows.partition(b"\r\n")
    lines = rest.decode().split("\r\n")
    fields = [line.split(",") for line in lines[:-1]]
    width = first.count(b",") + 1
    if lines[-1] or '"' in rest.decode() or width > 255 or any(len(line) != width for line in fields):
        return None
    if not fields or any("\n" in line or "\r" in line for line in lines):
        return None
    parts = [_HEAD.pack(_MAGIC, _VERSION, width, len(fields), len(first) + 2), first, b"\r\n"]
    for column in zip(*fields, strict=True):
        parts.append(_numbers(column) or _words(column))
    return b"".join(parts)


def _numbers(column: tuple[str, ...]) -> bytes | None:
    digits = len(column[0])
    if not 0 < digits <= _MOST_DIGITS or not all(len(each) == digits for each in column):
        return None
    joined = "".join(column)
    if not (joined.isascii() and joined.isdigit()):
        return None
    values = np.fromiter(map(int, column), np.uint64, len(column))
    return bytes([_NUMBERS, digits]) + _planes(np.diff(values, prepend=np.uint64(0)), 8)


def _words(column: tuple[str, ...]) -> bytes:
    words = sorted(set(column))
    place = {word: number for number, word in enumerate(words)}
    text = "\n".join(words).encode()
    places = np.fromiter((place[word] for word in column), np.uint64, len(column))
    return bytes([_TEXTS]) + _WORDS.pack(len(words), len(text)) + text + _planes(places, _octets_of(len(words)))


def _octets_of(words: int) -> int:
    return 1 if words <= 1 << 8 else 2 if words <= 1 << 16 else 4


def _planes(values: Numbers, octets: int) -> bytes:
    return values.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :octets].T.tobytes()


def from_columns(octets: bytes, size: int, name: str) -> bytes:
    """The rows again, which must be `size` octets: known beforehand, it bounds the memory.

    Raises: ListAltered when these octets hold no such rows.
    """
    try:
        return _read(octets, size)
    except (struct.error, ValueError, IndexError, OverflowError) as wrong:
        raise ListAltered(f"{name} came by columns and cannot be read ({wrong}); it is fetched anew") from None


def _read(octets: bytes, size: int) -> bytes:
    magic, version, width, count, line = _HEAD.unpack_from(octets)
    at = _HEAD.size + line
    # Each row has a comma or a CR LF behind every field.
    if (magic, version) != (_MAGIC, _VERSION) or not width or not 0 < count * (width + 1) <= size:
        raise ValueError("no columns of version 1")
    parts, columns, length = [octets[_HEAD.size : at]], [], line + count * (width + 1)
    for _ in range(width):
        column, at = _read_column(octets, at, count)
        columns.append(column)
        length += column.length
    # Before any text is made of it: a long word named often would fill the memory.
    if length != size or at != len(octets):
        raise ValueError("it holds other than was announced")
    for start in range(0, count, _ROWS_AT_ONCE):
        some = [column.texts(slice(start, start + _ROWS_AT_ONCE)) for column in columns]
        parts += [b",".join(row) + b"\r\n" for row in zip(*some, strict=True)]
        parts = [b"".join(parts)]
    return parts[0]


class _Column(NamedTuple):
    """One column as it was read: numbers of so many digits, or the place of each row's word."""

    values: Numbers
    digits: int
    words: list[bytes]
    length: int  # of all its texts together

    def texts(self, rows: slice) -> list[bytes]:
        some = self.values[rows].tolist()
        return [self.words[place] for place in some] if self.words else [b"%0*d" % (self.digits, each) for each in some]


def _read_column(octets: bytes, at: int, count: int) -> tuple[_Column, int]:
    if octets[at] == _NUMBERS:
        digits = octets[at + 1]
        values = np.cumsum(_read_planes(octets, at + 2, count, 8), dtype=np.uint64)
        if not 0 < digits <= _MOST_DIGITS or int(values.max()) >= 10**digits:
            raise ValueError("a number has more digits than its column")
        return _Column(values, digits, [], digits * count), at + 2 + 8 * count
    if octets[at] != _TEXTS:
        raise ValueError("a column of an unknown form")
    number, length = _WORDS.unpack_from(octets, at + 1)
    at += 1 + _WORDS.size
    words = octets[at : at + length].split(b"\n")
    planes = _octets_of(number)
    places = _read_planes(octets, at + length, count, planes)
    if len(words) != number or int(places.max()) >= number:
        raise ValueError("words that are not those of its rows")
    lengths = np.array([len(each) for each in words], np.int64)
    return _Column(places, 0, words, int(lengths[places.astype(np.int64)].sum())), at + length + planes * count


def _read_planes(octets: bytes, at: int, count: int, planes: int) -> Numbers:
    found = np.frombuffer(octets, np.uint8, planes * count, at).reshape(planes, count)
    values = np.zeros((count, 8), np.uint8)
    values[:, :planes] = found.T
    return values.view("<u8").ravel().astype(np.uint64)
