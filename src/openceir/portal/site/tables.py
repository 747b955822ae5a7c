"""Tables that people upload: CSV or XLSX, read within bounds, each row with its line number.

Columns are found by name, whatever their order and case; what is no table is refused with a sentence for the field.
"""

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.utils.translation import gettext as _

from openceir.portal.accounts.errors import PortalError

__all__ = ["Row", "TableRefused", "Upload", "read_table"]

MOST_OCTETS = 16 << 20
MOST_UNPACKED_OCTETS = 128 << 20
_MOST_CELL = 1000


class TableRefused(PortalError):
    """The file is no table that could be read, or lacks a column."""

    code = "table-refused"


class Upload(Protocol):
    """A file as a form hands it over."""

    name: str | None
    size: int | None

    def read(self, num_bytes: int | None = None) -> bytes:
        """Its octets."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line a person would count, and its cells by column."""

    line: int
    cells: Mapping[str, str]


def read_table(
    upload: Upload, *, needs: Sequence[str], may_have: Sequence[str] = (), most_rows: int = 100_000
) -> list[Row]:
    """The rows of an uploaded CSV or XLSX. Empty rows are passed over, unknown columns too.

    Raises: TableRefused.
    """
    octets = upload.read(MOST_OCTETS + 1)
    if len(octets) > MOST_OCTETS:
        raise TableRefused(_("The file is larger than 16 MB; send it in parts."))
    lines = _xlsx(octets) if octets[:4] == b"PK\x03\x04" else _csv(octets)
    head = [cell.strip().lower().replace(" ", "_") for cell in next(lines, [])]
    missing = [name for name in needs if name not in head]
    if missing:
        raise TableRefused(
            _("The first row must name the columns; %(missing)s is missing.") % {"missing": ", ".join(missing)}
        )
    doubled = {name for name in head if name and head.count(name) > 1}
    if doubled:
        raise TableRefused(_("The column %(name)s stands twice.") % {"name": sorted(doubled)[0]})
    wanted = [(at, name) for at, name in enumerate(head) if name in {*needs, *may_have}]
    rows: list[Row] = []
    for line, cells in enumerate(lines, 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(rows) >= most_rows:
            raise TableRefused(_("The file has more than %(most)d rows; send it in parts.") % {"most": most_rows})
        rows.append(Row(line, {name: cells[at].strip()[:_MOST_CELL] if at < len(cells) else "" for at, name in wanted}))
    return rows


def _csv(octets: bytes) -> Iterator[list[str]]:
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TableRefused(_("The file is neither a CSV in UTF-8 nor an XLSX; save it as one of these.")) from None
    if "\0" in text:
        raise TableRefused(_("The file is neither a CSV in UTF-8 nor an XLSX; save it as one of these."))
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    except csv.Error as wrong:
        raise TableRefused(_("The CSV cannot be read: %(why)s") % {"why": wrong}) from wrong


def _xlsx(octets: bytes) -> Iterator[list[str]]:
    from openpyxl import load_workbook  # slow to load, and few uploads are workbooks
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as packed:
            if sum(item.file_size for item in packed.infolist()) > MOST_UNPACKED_OCTETS:
                raise TableRefused(_("The workbook unpacks to more than 128 MB; send it in parts."))
        book = load_workbook(io.BytesIO(octets), read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as wrong:
        raise TableRefused(_("The workbook cannot be read; save it again as XLSX or CSV.")) from wrong
    try:
        for cells in book.worksheets[0].iter_rows(values_only=True):
            yield ["" if cell is None else _text(cell) for cell in cells]
    finally:
        book.close()


def _text(cell: object) -> str:
    """A number that a spreadsheet made of an IMEI, as its digits."""
    return f"{cell:.0f}" if isinstance(cell, float) and cell.is_integer() else str(cell)
