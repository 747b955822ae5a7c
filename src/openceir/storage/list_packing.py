"""Deltas of block lists as they travel: compressed once, and unpacked to the octets that were signed."""

from pathlib import Path

import pyarrow as pa

from openceir.lists import ListAltered, ListHeader
from openceir.storage.files import write_beside
from openceir.storage.list_files import FILE_MODE, ListFiles

__all__ = ["LARGEST_PACKED_OCTETS", "packed", "unpack"]

# Whole in memory on both sides: some 1.5 million changes. Larger ones travel as they are.
LARGEST_PACKED_OCTETS = 64 << 20
# 50,000 changes from all over a list, 2.2 MB, are 252 kB (bench/eir.py), in a third of the time that levels up to 19 take
# for the same octets; lower levels, without the search for the cheapest parse, give a third to two thirds as much again.
_LEVEL = 16


def packed(files: ListFiles, folder: Path) -> Path:
    """The rows of a list in one zstd frame (RFC 8878), kept in `folder`; made when it is not there yet.

    Raises: StorageError when the disk refuses.
    """
    path = folder / f"{files.stem.name}.csv.zst"
    if not path.exists():
        with write_beside(path, FILE_MODE) as fresh:
            fresh.write_bytes(pa.Codec("zstd", _LEVEL).compress(files.rows.read_bytes(), asbytes=True))
    return path


def unpack(path: Path, header: ListHeader, rows: Path) -> None:
    """Write the rows that `path` holds. The header's signature was checked before: its size bounds the memory.

    Raises: ListAltered when it does not hold them; StorageError when the disk refuses.
    """
    if header.octets > LARGEST_PACKED_OCTETS:
        raise ListAltered(f"{rows.name} came compressed and is larger than {LARGEST_PACKED_OCTETS} octets")
    try:
        octets = pa.Codec("zstd").decompress(path.read_bytes(), decompressed_size=header.octets, asbytes=True)
    except (OSError, pa.ArrowException) as wrong:
        raise ListAltered(f"{rows.name} came compressed and cannot be unpacked; it is fetched anew") from wrong
    with write_beside(rows, FILE_MODE) as fresh:
        fresh.write_bytes(octets)
