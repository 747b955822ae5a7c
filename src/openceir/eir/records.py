"""One record a check, packed, in a file that only its owner reads.

    octets 0-7   magic "OCEIR-CR", then 4 octets version (1) and 4 octets size of a record (28), little-endian
    a record     time u32 (seconds since 1970 UTC) | asking host u32 (31-bit name) | device i64 (-1: malformed) |
                 imsi i64 (leading 1; 0: absent) | decision u16 (step << 8 | attribute) | svn i8 (-1: absent) | flags u8

They hold subscribers: the file has mode 0600, is written only when asked for, and nothing of it reaches a log.
A batch of records is one write, so a reader finds whole records but for the last moments of a crash.
"""

import os
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from openceir.eir.decision import DECISIONS, Decision
from openceir.eir.errors import EirError

__all__ = ["RECORD", "CheckRecord", "Place", "RecordFile", "read_packed", "read_records"]

_MAGIC = b"OCEIR-CR"
RECORD = struct.Struct("<IIqqHbB")
_HEAD = _MAGIC + struct.pack("<II", 1, RECORD.size)


class RecordsRefused(EirError):
    """A record file cannot be read or written."""

    code = "eir-records-refused"


class CheckRecord(NamedTuple):
    """One check as it was answered."""

    checked_at: datetime
    origin: int
    device: int
    imsi: int
    decision: Decision
    svn: int
    flags: int


class RecordFile:
    """Takes packed records and appends them in batches; never blocks the answers for longer than one write."""

    def __init__(self, path: Path) -> None:
        self.pending: list[bytes] = []
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            if os.fstat(self._file).st_size == 0:
                os.write(self._file, _HEAD)
        except OSError as wrong:
            raise RecordsRefused(f"{path} cannot be written: {wrong.strerror}") from None

    def flush(self) -> int:
        """Write what is pending, in one write; how many records were lost because the disk refused them.

        A write that was cut in the middle of a record is taken back, so that the next batch begins at a border.
        """
        batch, count = b"".join(self.pending), len(self.pending)
        self.pending.clear()
        if not batch:
            return 0
        try:
            written = os.write(self._file, batch)
        except OSError:
            return count
        if written < len(batch):
            os.ftruncate(self._file, os.fstat(self._file).st_size - written % RECORD.size)
        return count - written // RECORD.size

    def fileno(self) -> int:
        """The file's descriptor, as every file of Python has it."""
        return self._file

    def close(self) -> None:
        """Write what is pending and let the file go."""
        self.flush()
        os.close(self._file)


def read_records(path: Path) -> Iterator[CheckRecord]:
    """Yield the records of a file; an unfinished last one is left out.

    Raises: RecordsRefused when it is no such file.
    """
    with path.open("rb") as file:
        if file.read(len(_HEAD)) != _HEAD:
            raise RecordsRefused(f"{path} is not a file of check records of version 1")
        while len(octets := file.read(RECORD.size)) == RECORD.size:
            at, origin, device, imsi, number, svn, flags = RECORD.unpack(octets)
            yield CheckRecord(datetime.fromtimestamp(at, UTC), origin, device, imsi, DECISIONS[number], svn, flags)


class Place(NamedTuple):
    """How far a follower has read a file, and by which first record it would know that file again."""

    octets: int
    begins: bytes


def read_packed(path: Path, place: Place, most: int) -> tuple[list[tuple[int, ...]], Place]:
    """At most so many records from a place on, as their fields, and the place after them; for followers.

    A file that begins otherwise, because another took its place, is read from its beginning.
    Raises: RecordsRefused when it is no such file.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(_HEAD)) != _HEAD:
                raise RecordsRefused(f"{path} is not a file of check records of version 1")
            begins = file.read(RECORD.size)
            start = max(place.octets, len(_HEAD)) if begins == place.begins else len(_HEAD)
            file.seek(start)
            octets = file.read(most * RECORD.size)
    except FileNotFoundError:
        return [], place
    whole = len(octets) - len(octets) % RECORD.size
    return list(RECORD.iter_unpack(octets[:whole])), Place(start + whole, begins)
