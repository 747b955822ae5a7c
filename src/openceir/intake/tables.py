"""A delivered table, text or Parquet: its header, its rows as blocks of text, its digest."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from openceir.intake.aside import Rejects
from openceir.intake.errors import IntakeError
from openceir.intake.lines import Block, Form, Header, Lines, Wanted, match_header
from openceir.intake.octets import Bounds, is_parquet, open_octets

__all__ = ["Table", "open_table"]

_ROWS_A_BLOCK = 131_072
# A column of numbers has lost leading zeros, and with them what the number says.
_TEXT_ONLY = frozenset({"imei", "imsi", "msisdn", "uid", "tac", "imei_from", "imei_to"})


class Table(Protocol):
    """Rows of text. `digest` (SHA-256 of the contents) is right once the last block has been taken."""

    header: Header

    @property
    def done(self) -> tuple[int, int]:
        """How much of how much has been read, for a progress bar."""

    @property
    def digest(self) -> bytes:
        """SHA-256 of the contents."""

    def blocks(self) -> Iterator[Block]:
        """The rows in order; raises IntakeError."""


@contextmanager
def open_table(path: Path, form: Form, wanted: Wanted, rejects: Rejects, bounds: Bounds) -> Iterator[Table]:
    """Open a file as what its first octets say it is.

    Raises: IntakeError when it is no table, or its header lacks a column.
    """
    if is_parquet(path):
        yield _ParquetTable(path, wanted, rejects, bounds)
    else:
        with open_octets(path, bounds) as octets:
            yield Lines(octets, form, wanted, rejects, bounds)


class _ParquetTable:
    """Parquet as delivered. `lines` are row numbers, counted from 1."""

    def __init__(self, path: Path, wanted: Wanted, rejects: Rejects, bounds: Bounds) -> None:
        self._path = path
        self._rejects = rejects
        self._bounds = bounds
        self._rows = 0
        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError, ValueError) as wrong:
            raise IntakeError(
                "intake-damaged", f"{path.name} starts as Parquet but cannot be read as such; ask for it again"
            ) from wrong
        schema = self._file.schema_arrow
        self.header = match_header(path.name, list(schema.names), wanted)
        for name, place in self.header.places.items():
            kind = schema.field(place).type
            if name in _TEXT_ONLY and not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
                raise IntakeError(
                    "intake-column-type",
                    f"{path.name}: column {name} is {kind}, so its leading zeros are lost; deliver it as text",
                )

    @property
    def done(self) -> tuple[int, int]:
        """Rows read of rows there are."""
        return self._rows, self._file.metadata.num_rows

    @property
    def digest(self) -> bytes:
        """SHA-256 of the file."""
        with self._path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()

    def blocks(self) -> Iterator[Block]:
        """The rows in the file's order."""
        names = self._file.schema_arrow.names
        wanted = {name: names[place] for name, place in self.header.places.items()}
        try:
            for batch in self._file.iter_batches(_ROWS_A_BLOCK, columns=list(wanted.values()), use_threads=False):
                if batch.nbytes > 4 * _ROWS_A_BLOCK * self._bounds.line:
                    raise IntakeError(
                        "intake-too-large", f"{self._path.name}: row {self._rows + 1} and after: fields too long"
                    )
                columns = {name: _as_text(batch.column(written)) for name, written in wanted.items()}
                lines = np.arange(self._rows + 1, self._rows + 1 + batch.num_rows, dtype=np.int64)
                self._rows += batch.num_rows
                yield Block(columns, lines).bounded(self._rejects, self._bounds.field)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as wrong:
            raise IntakeError(
                "intake-damaged", f"{self._path.name} is damaged near row {self._rows + 1}; ask for it again"
            ) from wrong


def _as_text(column: pa.Array) -> pa.Array:
    text = column.cast(pa.string()).fill_null("")
    text.validate(full=True)  # a file may claim that any octets are UTF-8
    return text
