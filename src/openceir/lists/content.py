"""Rows as the octets that operators receive, and back.

The form: CSV as RFC 4180, UTF-8, no byte order mark, one header line, every line ended by CRLF, a field quoted only
when it holds a comma, a quote or a line end. The same rows are always the same octets, on every Python, which is why
the writer is ours: two honest writers may quote differently, and then equal lists would have unequal digests.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import lt
from typing import BinaryIO

from openceir.lists.errors import ListTruncated, NotAList
from openceir.lists.kinds import Row

__all__ = ["format_line", "format_rows", "read_line", "read_lines", "read_rows"]

_MUST_QUOTE = frozenset(',"\r\n')
_CHUNK_ROWS = 4096


def format_rows(columns: tuple[str, ...], rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield the octets of a file with these columns and rows, in pieces of a few thousand rows."""
    yield format_line(columns)
    rows = iter(rows)
    while some := list(islice(rows, _CHUNK_ROWS)):
        text = "\r\n".join(map(",".join, some)) + "\r\n"
        # One look at many rows settles the usual case: no field needs a quote.
        seen = (text.count(","), text.count("\r"), text.count("\n"))
        if '"' in text or seen != (sum(map(len, some)) - len(some), len(some), len(some)):
            text = "".join(map(_line, some))
        yield text.encode()


def format_line(row: Row) -> bytes:
    """The octets of one row, line end included."""
    return _line(row).encode()


def _line(row: Row) -> str:
    return ",".join(map(_quoted, row)) + "\r\n"


def _quoted(field: str) -> str:
    return '"' + field.replace('"', '""') + '"' if _MUST_QUOTE.intersection(field) else field


def read_rows(columns: tuple[str, ...], key_length: int, source: BinaryIO, name: str) -> Iterator[Row]:
    """Yield the rows of a file that must have exactly these columns, in ascending order of their key.

    Shapes: memory does not grow with the file.
    Raises: NotAList for other columns, a row of other width, or rows out of order; ListTruncated when the last line
    has no end.
    """
    text = io.TextIOWrapper(io.BufferedReader(_EndsWithNewline(source, name)), encoding="utf-8", newline="")
    reader = csv.reader(text, strict=True)
    try:
        head = next(reader, None)
        if head is None or tuple(head) != columns:
            raise NotAList(f"{name}: the first line must be {','.join(columns)}; is this the right kind of list?")
        before: Row = ()
        line, width = reader.line_num, len(columns)
        # Held against one another many at a time, at half the cost; the line is only sought once something is wrong.
        while rows := list(map(tuple, islice(reader, _CHUNK_ROWS))):
            keys = [before, *(row[:key_length] for row in rows)]
            if {*map(len, rows)} != {width} or not all(map(lt, keys, islice(keys, 1, None))):
                raise _fault(name, rows, keys, line, width)
            yield from rows
            line, before = reader.line_num, keys[-1]
    except UnicodeDecodeError as wrong:
        raise NotAList(f"{name} is not UTF-8 text near octet {wrong.start}") from wrong
    except csv.Error as wrong:
        raise NotAList(f"line {reader.line_num} of {name} is not CSV: {wrong}") from wrong
    finally:
        text.detach()


def read_lines(columns: tuple[str, ...], source: BinaryIO) -> Iterator[bytes]:
    """Yield the rows of a file that must have exactly these columns as they stand there: a line, or several if quoted.

    Raises: NotAList for other columns.
    """
    if next(source, b"") != format_line(columns):
        raise NotAList(f"the first line must be {','.join(columns)}; is this the right kind of list?")
    for line in source:
        while line.count(b'"') % 2:  # a line end inside quotes ends no row
            line += next(source)
        yield line


def read_line(line: bytes) -> Row:
    """The row of one of these."""
    return tuple(next(csv.reader([line.decode()], strict=True)))


def _fault(name: str, rows: list[Row], keys: list[Row], line: int, width: int) -> NotAList:
    """What is wrong with the first bad row; `line` is that before the first, `keys` begin with the key before it."""
    for row, before, key in zip(rows, keys, islice(keys, 1, None), strict=False):
        line += 1
        if len(row) != width:
            return NotAList(f"line {line} of {name} has {len(row)} fields, expected {width}")
        if key <= before:
            break
    return NotAList(f"line {line} of {name} is out of order or there twice")


class _EndsWithNewline(io.RawIOBase):
    """Passes octets on, and refuses an end that is not an end of line: the sign of a cut transfer."""

    def __init__(self, source: BinaryIO, name: str) -> None:
        self._source = source
        self._name = name
        self._last = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        piece = self._source.read(len(buffer))
        if not piece and self._last != b"\n":
            raise ListTruncated(f"{self._name} ends in the middle of a line; fetch it again")
        self._last = piece[-1:] or self._last
        buffer[: len(piece)] = piece
        return len(piece)
