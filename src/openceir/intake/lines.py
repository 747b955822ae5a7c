"""Delimited text becomes Arrow columns, block by block, each row with the number of its line.

The theory: a record is a line, so no field may hold a line break, and whatever is wrong with a line spoils that line
alone. A block is cut after its last line feed. Lines that no parser should see (NUL octets, not UTF-8, too long) are
taken out by their positions; pyarrow parses the rest. As every record takes at least one line, "as many records as
lines" proves that each record is its own line, and numbers the rows. When the counts differ, a quoted field ran
over a line's end, and the block is parsed again, slowly, a line at a time. Memory is a few blocks, whatever the file.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as arrow_csv

from openceir.intake.aside import Rejects
from openceir.intake.errors import IntakeError
from openceir.intake.octets import Bounds, Octets

__all__ = ["Block", "Form", "Header", "Lines", "Wanted", "match_header"]

_BLOCK_OCTETS = 8 * 1024 * 1024
_LINE_FEED, _RETURN = 10, 13
_LOOKS_LIKE_DATA = re.compile(r"\d{5}|[^\w \-./()]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a file's lines are divided. GSMA's pipe files do not quote; all others do as RFC 4180 says."""

    delimiter: str = ","
    quoted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The columns a reader asks for. Names are lower case; `aliases` maps other spellings to them."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    aliases: Mapping[str, str] | None = None
    keeps_extra: bool = False  # columns that nobody asked for are read too, under their own lower-case names


@dataclass(frozen=True, slots=True)
class Header:
    """What the header line said: where each wanted column stands, and which columns nobody asked for."""

    places: dict[str, int]
    extra: tuple[str, ...]
    width: int


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of text. Shapes: every column and `lines` have one entry a row; fields are never null, empty means absent."""

    columns: dict[str, pa.Array]
    lines: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lines)

    def bounded(self, rejects: Rejects, most: int) -> "Block":
        """The rows without those that have a field of more than `most` octets, which are set aside."""
        keep: npt.NDArray[np.bool_] | None = None
        for name, column in self.columns.items():
            edges = np.frombuffer(column.buffers()[1] or b"", np.int32)[column.offset : column.offset + len(column) + 1]
            lengths = np.diff(edges)
            if len(lengths) == 0 or lengths.max() <= most:
                continue
            is_long = (lengths > most) if keep is None else (lengths > most) & keep
            places = np.flatnonzero(is_long)
            values = [column[int(place)].as_py()[:200] for place in places]
            rejects.add("field-too-long", name, self.lines[places].tolist(), values)
            keep = ~is_long if keep is None else keep & ~is_long
        return self if keep is None else self.filter(keep)

    def filter(self, keep: npt.NDArray[np.bool_]) -> "Block":
        """The rows that are kept."""
        mask = pa.array(keep)
        return Block({name: column.filter(mask) for name, column in self.columns.items()}, self.lines[keep])


def match_header(file: str, names: list[str], wanted: Wanted) -> Header:
    """Where the wanted columns stand; case, order and spaces around names do not matter.

    Raises: IntakeError when one is missing or stands twice.
    """
    aliases = wanted.aliases or {}
    known = {*wanted.required, *wanted.optional}
    places: dict[str, int] = {}
    extra = []
    for place, written in enumerate(names):
        name = written.strip().lower()
        name = name if name in known else aliases.get(name, name)
        if name not in known and not wanted.keeps_extra:
            extra.append(written.strip())
        elif name in places:
            raise IntakeError(
                "intake-header-twice",
                f"{file} line 1: column {name} stands twice (fields {places[name] + 1} and {place + 1}); keep one",
            )
        elif name:
            places[name] = place
    missing = [name for name in wanted.required if name not in places]
    if missing:
        raise IntakeError("intake-header-missing", f"{file} line 1: no column {', '.join(missing)}; {_hint(names)}")
    if wanted.keeps_extra:
        extra = [name for name in places if name not in known]
    return Header(places, tuple(extra), len(names))


def _hint(names: list[str]) -> str:
    alone = names[0] if len(names) == 1 else ""
    for delimiter, what in ((";", "semicolons"), ("\t", "tabs"), ("|", "pipes"), (",", "commas")):
        if delimiter in alone:
            return f"the header is divided by {what}; see the format's page for the right separator"
    if any(_LOOKS_LIKE_DATA.search(name) for name in names):
        return "the first line looks like data: put the header line before it"
    return "the header has " + ", ".join(name.strip()[:40] for name in names[:20])


class Lines:
    """A delimited text file: its header at once, its rows as blocks."""

    def __init__(self, octets: Octets, form: Form, wanted: Wanted, rejects: Rejects, bounds: Bounds) -> None:
        self.octets = octets
        self.form = form
        self.rejects = rejects
        self.bounds = bounds
        self._rest = b""
        self._line = 1  # the number of the line that `_rest` starts with
        self.header = match_header(octets.name, self._header_names(), wanted)

    @property
    def done(self) -> tuple[int, int]:
        """Octets read of the octets on the disk."""
        return self.octets.packed_read, self.octets.packed_octets

    @property
    def digest(self) -> bytes:
        """SHA-256 of the uncompressed contents."""
        return self.octets.digest

    def blocks(self) -> Iterator[Block]:
        """The rows in the file's order; rows that cannot be read are set aside on the way.

        Raises: IntakeError as Octets.read does.
        """
        while True:
            chunk = self.octets.read(_BLOCK_OCTETS)
            data = self._rest + chunk
            cut = len(data) if not chunk else data.rfind(b"\n") + 1
            if cut == 0 and len(data) > self.bounds.line:
                self._skip_line(data)
                continue
            self._rest = data[cut:]
            if cut:
                yield self._parse(data[:cut])
            if not chunk:
                return

    def _header_names(self) -> list[str]:
        name = self.octets.name
        data = self.octets.read(self.bounds.line + 4)  # a mark, a line and more; blocks begin behind it
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise IntakeError("intake-encoding", f"{name} is UTF-16; save it as UTF-8 and send it again")
        data = data.removeprefix(b"\xef\xbb\xbf")
        first, _, self._rest = data.partition(b"\n")
        if not first.strip() and not data.strip():
            raise IntakeError("intake-empty", f"{name} is empty; a list of nothing still has its header line")
        if b"\0" in first:
            raise IntakeError("intake-not-a-table", f"{name} line 1 holds NUL octets: it is no text; send UTF-8 CSV")
        if len(first) > self.bounds.line:
            raise IntakeError(
                "intake-not-a-table",
                f"{name} line 1 is longer than {self.bounds.line} octets (intake.largest_line_octets): it is no header",
            )
        if b"\r" in first.removesuffix(b"\r"):
            raise IntakeError("intake-line-ends", f"{name} line 1: lines end with CR alone; save with LF or CR LF")
        try:
            text = first.removesuffix(b"\r").decode()
        except UnicodeDecodeError as wrong:
            raise IntakeError(
                "intake-encoding", f"{name} line 1 is not UTF-8; save it as UTF-8 and send it again"
            ) from wrong
        self._line = 2
        return next(iter(self._rows([text])))[0] or [""]

    def _rows(self, lines: list[str]) -> Iterator[tuple[list[str], str | None]]:
        """Fields of each line, or the reason why it has none: what pyarrow does, a line at a time."""
        for line in lines:
            if not self.form.quoted:
                yield line.split(self.form.delimiter), None
                continue
            try:
                fields = next(csv.reader([line], delimiter=self.form.delimiter, strict=True), [""])
            except csv.Error as wrong:
                if "unexpected end of data" in str(wrong):
                    yield [], "quote-open"
                    continue
                fields = next(csv.reader([line], delimiter=self.form.delimiter), [""])
            yield fields, None

    def _skip_line(self, start: bytes) -> None:
        """Pass over a line that is longer than any block, without ever holding it."""
        self._rest = b""
        while chunk := self.octets.read(_BLOCK_OCTETS):
            _, feed, rest = chunk.partition(b"\n")
            if feed:
                self._rest = rest
                break
        self._aside("line-too-long", self._line, start)
        self._line += 1

    def _aside(self, reason: str, line: int, octets: bytes) -> None:
        self.rejects.add(reason, "", [line], [octets[:200].decode("utf-8", "replace").rstrip("\r\n")])

    def _parse(self, data: bytes) -> Block:
        octets = np.frombuffer(data, np.uint8)
        ends = np.flatnonzero(octets == _LINE_FEED)
        if data[-1] != _LINE_FEED:
            ends = np.append(ends, len(data))
        starts = np.concatenate(([0], ends[:-1] + 1))
        numbers = np.arange(self._line, self._line + len(ends), dtype=np.int64)
        self._line += len(ends)
        lengths = ends - starts
        # A line of nothing is no row; a lone CR is such a line's end.
        gone = (lengths == 0) | ((lengths == 1) & (octets[np.minimum(starts, len(octets) - 1)] == _RETURN))
        for reason, places in self._unreadable(data, starts, ends, lengths):
            places = places[~gone[places]]
            for place in places:
                self._aside(reason, numbers[place], data[starts[place] : ends[place]])
            gone[places] = True
        if gone.any():
            kept = np.flatnonzero(~gone)
            data = b"\n".join([data[starts[i] : ends[i]] for i in kept])
            numbers = numbers[kept]
        return self._parse_lines(data, numbers)

    def _unreadable(
        self, data: bytes, starts: npt.NDArray[Any], ends: npt.NDArray[Any], lengths: npt.NDArray[Any]
    ) -> Iterator[tuple[str, npt.NDArray[Any]]]:
        yield "line-too-long", np.flatnonzero(lengths > self.bounds.line)
        octets = np.frombuffer(data, np.uint8)
        if b"\0" in data:
            yield "nul", np.unique(np.searchsorted(ends, np.flatnonzero(octets == 0)))
        if b"\r" in data:
            returns = np.flatnonzero(octets == _RETURN)
            lines = np.searchsorted(ends, returns)
            yield "carriage-return", np.unique(lines[returns != ends[lines] - 1])
        if not data.isascii() and not _is_utf8(data):
            high = np.unique(np.searchsorted(ends, np.flatnonzero(octets > 127)))
            yield "not-utf8", np.array([i for i in high if not _is_utf8(data[starts[i] : ends[i]])], dtype=np.int64)

    def _parse_lines(self, data: bytes, numbers: npt.NDArray[np.int64]) -> Block:
        width = self.header.width
        if not len(numbers):
            return self._block([[] for _ in range(width)], numbers)
        if self._is_last_open(data):
            return self._parse_slowly(data, numbers)
        misfits: list[Any] = []

        def skip(row: Any) -> str:
            misfits.append(row)
            return "skip"

        names = [f"f{place}" for place in range(width)]
        wanted = {names[place]: pa.string() for place in self.header.places.values()}
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(data),
                read_options=arrow_csv.ReadOptions(use_threads=False, column_names=names, block_size=len(data) + 16),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self.form.delimiter,
                    quote_char='"' if self.form.quoted else False,
                    ignore_empty_lines=False,
                    invalid_row_handler=skip,
                ),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=wanted,
                    include_columns=list(wanted),
                    strings_can_be_null=False,
                    check_utf8=False,  # checked above, on the whole block
                ),
            )
        except pa.ArrowInvalid:
            return self._parse_slowly(data, numbers)
        if table.num_rows + len(misfits) != len(numbers):
            return self._parse_slowly(data, numbers)
        if misfits:
            places = np.array([row.number - 1 for row in misfits])
            self.rejects.add("field-count", "", numbers[places].tolist(), [row.text[:200] for row in misfits])
            numbers = np.delete(numbers, places)
        columns = {name: _single(table.column(f"f{place}")) for name, place in self.header.places.items()}
        return Block(columns, numbers).bounded(self.rejects, self.bounds.field)

    def _is_last_open(self, data: bytes) -> bool:
        """Whether a quoted field of the last line does not end: there the count of records cannot show it."""
        last = data[data.rfind(b"\n", 0, len(data) - 1) + 1 :]
        if not self.form.quoted or b'"' not in last:
            return False
        [(_, reason)] = self._rows([last.decode().removesuffix("\n").removesuffix("\r")])
        return reason is not None

    def _parse_slowly(self, data: bytes, numbers: npt.NDArray[np.int64]) -> Block:
        kept, fields_of_kept = [], []
        texts = [line.removesuffix("\r") for line in data.decode().removesuffix("\n").split("\n")]
        for place, (fields, reason) in enumerate(self._rows(texts)):
            if reason is None and len(fields) != self.header.width:
                reason = "field-count"
            if reason is not None:
                self.rejects.add(reason, "", [int(numbers[place])], [texts[place][:200]])
            else:
                kept.append(place)
                fields_of_kept.append(fields)
        columns = [list(column) for column in zip(*fields_of_kept, strict=True)] or [
            [] for _ in range(self.header.width)
        ]
        return self._block(columns, numbers[kept] if kept else numbers[:0]).bounded(self.rejects, self.bounds.field)

    def _block(self, columns: list[list[str]], numbers: npt.NDArray[np.int64]) -> Block:
        return Block(
            {name: pa.array(columns[place], pa.string()) for name, place in self.header.places.items()}, numbers
        )


def _single(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _is_utf8(octets: bytes) -> bool:
    """Whether the octets decode. No text is made of them: that costs eight times as much."""
    edges = np.array([0, len(octets)], dtype=np.int64)
    text = pa.Array.from_buffers(pa.large_string(), 1, [None, pa.py_buffer(edges), pa.py_buffer(octets)])
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
