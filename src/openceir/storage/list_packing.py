"""Deltas of block lists as they travel: made small once, and unpacked to the octets that were signed.

Two forms, by the name that HTTP has for them (`Content-Encoding`): the rows by columns in a zstd frame (RFC 8878), and
the rows as they are in one, for who knows nothing newer.
"""

import struct
from collections.abc import Collection
from pathlib import Path

import pyarrow as pa

from openceir.lists import ListAltered, ListHeader
from openceir.storage.files import write_beside
from openceir.storage.list_columns import from_columns, to_columns
from openceir.storage.list_files import FILE_MODE, ListFiles

__all__ = ["COLUMNS", "FORMS", "LARGEST_PACKED_OCTETS", "ZSTD", "packed", "unpack"]

COLUMNS, ZSTD = "x-openceir-columns-1", "zstd"
FORMS = (COLUMNS, ZSTD)  # the smaller first

# Whole in memory on both sides: some 1.5 million changes. Larger ones travel as they are.
LARGEST_PACKED_OCTETS = 64 << 20
# 50,000 changes from all over a list, 2.2 MB, are 143 kB by columns and 252 kB as rows (bench/eir.py), in a third of the
# time that levels up to 19 take for the same octets.
_LEVEL = 16
_LENGTH = struct.Struct("<I")  # before the frame of columns: how long they are


def packed(files: ListFiles, folder: Path, accepted: Collection[str]) -> tuple[Path, str] | None:
    """The rows of a list in the smallest form accepted, kept in `folder`, and that form; made when it is not there yet.

    Raises: StorageError when the disk refuses.
    """
    for form, ending in ((COLUMNS, "columns"), (ZSTD, "zst")):
        if form not in accepted:
            continue
        path = folder / f"{files.stem.name}.csv.{ending}"
        if path.exists():
            return path, form
        octets = files.rows.read_bytes() if form == ZSTD else to_columns(files.rows.read_bytes())
        if octets is None:
            continue
        with write_beside(path, FILE_MODE) as fresh:
            frame = pa.Codec("zstd", _LEVEL).compress(octets, asbytes=True)
            fresh.write_bytes(frame if form == ZSTD else _LENGTH.pack(len(octets)) + frame)
        return path, form
    return None


def unpack(path: Path, header: ListHeader, rows: Path, form: str) -> None:
    """Write the rows that `path` holds. The header's signature was checked before: its size bounds the memory.

    Raises: ListAltered when it does not hold them; StorageError when the disk refuses.
    """
    if header.octets > LARGEST_PACKED_OCTETS:
        raise ListAltered(f"{rows.name} came compressed and is larger than {LARGEST_PACKED_OCTETS} octets")
    try:
        octets = _unpacked(path.read_bytes(), header, rows.name, form)
    except (OSError, struct.error, pa.ArrowException) as wrong:
        raise ListAltered(f"{rows.name} came compressed and cannot be unpacked; it is fetched anew") from wrong
    with write_beside(rows, FILE_MODE) as fresh:
        fresh.write_bytes(octets)


def _unpacked(octets: bytes, header: ListHeader, name: str, form: str) -> bytes:
    if form == ZSTD:
        rows: bytes = pa.Codec("zstd").decompress(octets, decompressed_size=header.octets, asbytes=True)
        return rows
    [length] = _LENGTH.unpack_from(octets)
    # A field of one letter and its comma are two octets, its place among the words at most four.
    if form != COLUMNS or length > 4 * header.octets + 1024:
        raise ListAltered(f"{name} came in a form that is not known here; it is fetched anew")
    columns = pa.Codec("zstd").decompress(octets[_LENGTH.size :], decompressed_size=length, asbytes=True)
    return from_columns(columns, header.octets, name)
