"""The octets of a delivered file, unpacked: plain, gzip or zip, known by their first octets and never by a name.

Nothing is ever unpacked to disk. An archive that grows without bound is a bomb: it is turned away when its contents
pass a ratio of what was read or an absolute size, whichever comes first.
"""

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from isal import igzip, isal_zlib

from openceir.intake.errors import IntakeError

__all__ = ["Bounds", "Octets", "is_parquet", "open_octets"]

# A ratio says nothing of a small file: a thousand equal rows compress better than any bomb is worth.
_RATIO_COUNTS_FROM = 64 * 1024 * 1024
_DAMAGED: Final = (zipfile.BadZipFile, igzip.BadGzipFile, cast(type[Exception], isal_zlib.error), zlib.error)
# First octets of what is no table, though it may bear a table's name.
_STRANGERS = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"SQLite format 3": "a database",
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How large a delivery may be; policy section `intake`.

    Units: octets; the ratio is uncompressed to compressed.
    """

    field: int = 4096
    line: int = 65536
    expansion_ratio: float = 200
    uncompressed: int = 1 << 40


class Octets:
    """The uncompressed contents of one file, read once from start to end, counted and digested on the way."""

    def __init__(
        self, name: str, stream: BinaryIO, packed_read: Callable[[], int], packed: int, bounds: Bounds
    ) -> None:
        self.name = name
        self.packed_octets = packed
        self._stream = stream
        self._packed_read = packed_read
        self._bounds = bounds
        self._hash = hashlib.sha256()
        self._octets = 0

    @property
    def packed_read(self) -> int:
        """How many of the `packed_octets` on the disk have been read: what a progress bar shows."""
        return min(self._packed_read(), self.packed_octets)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the contents read so far; the same for a file and for the same file compressed."""
        return self._hash.digest()

    def read(self, size: int) -> bytes:
        """The next `size` octets, fewer only at the end, none after it.

        Raises: IntakeError for a truncated or damaged archive, a bomb, and a disk that cannot be read.
        """
        try:
            chunk = self._stream.read(size)
        except EOFError as wrong:
            raise IntakeError(
                "intake-truncated", f"{self.name} ends before its archive does; ask for it again, nothing was kept"
            ) from wrong
        except _DAMAGED as wrong:
            raise IntakeError(
                "intake-damaged", f"{self.name} is damaged: {wrong}; ask for it again, nothing was kept"
            ) from wrong
        except OSError as wrong:
            raise IntakeError("intake-unreadable", f"{self.name} cannot be read: {wrong.strerror or wrong}") from wrong
        self._octets += len(chunk)
        self._hash.update(chunk)
        if self._octets > self._bounds.uncompressed:
            raise IntakeError(
                "intake-too-large",
                f"{self.name} unpacks to more than {self._bounds.uncompressed} octets "
                "(intake.largest_uncompressed_octets); split it, or raise the limit",
            )
        if self._octets > _RATIO_COUNTS_FROM and self._octets > self._bounds.expansion_ratio * max(
            self._packed_read(), 1
        ):
            raise IntakeError(
                "intake-bomb",
                f"{self.name} unpacks to more than {self._bounds.expansion_ratio:g} times its size "
                "(intake.largest_expansion_ratio); if it is genuine, send it uncompressed",
            )
        return chunk


def is_parquet(path: Path) -> bool:
    """Whether the file is Parquet, by its first octets."""
    with _open(path) as file:
        return file.read(4) == b"PAR1"


@contextmanager
def open_octets(path: Path, bounds: Bounds) -> Iterator[Octets]:
    """The contents of a plain, gzip or zip file; a zip must hold exactly one file.

    Raises: IntakeError for a file that is absent, empty, no text at all, or an archive we do not open.
    """
    with ExitStack() as stack:
        file = stack.enter_context(_open(path))
        head = file.read(16)
        size = path.stat().st_size
        file.seek(0)
        if not head:
            raise IntakeError("intake-empty", f"{path.name} is empty; a list of nothing still has its header line")
        for magic, what in _STRANGERS.items():
            if head.startswith(magic):
                raise IntakeError("intake-not-a-table", f"{path.name} is {what}, not a table; send CSV, CSV.gz or zip")
        if head.startswith(b"\x1f\x8b"):
            stream = cast(BinaryIO, igzip.IGzipFile(fileobj=file, mode="rb"))  # type: ignore[no-untyped-call]
            stack.enter_context(stream)
            yield Octets(path.name, stream, file.tell, size, bounds)
        elif head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            yield Octets(path.name, _only_member(path.name, file, stack), file.tell, size, bounds)
        else:
            yield Octets(path.name, file, file.tell, size, bounds)


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as wrong:
        raise IntakeError("intake-unreadable", f"{path} cannot be read: {wrong.strerror}") from wrong


def _only_member(name: str, file: BinaryIO, stack: ExitStack) -> BinaryIO:
    try:
        archive = stack.enter_context(zipfile.ZipFile(file))
    except NotImplementedError as wrong:
        raise IntakeError(
            "intake-damaged", f"{name} asks for a newer zip than there is: {wrong}; pack it anew"
        ) from wrong
    except (zipfile.BadZipFile, OSError, ValueError) as wrong:
        raise IntakeError(
            "intake-truncated", f"{name} starts as a zip but does not end as one; ask for it again, nothing was kept"
        ) from wrong
    members = [m for m in archive.infolist() if not m.filename.endswith("/") and not m.filename.startswith("__MACOSX/")]
    if any(m.filename == "[Content_Types].xml" for m in members):
        raise IntakeError(
            "intake-not-a-table", f"{name} is an Office workbook; save the sheet as CSV UTF-8 and send that"
        )
    if len(members) != 1:
        raise IntakeError(
            "intake-zip-members", f"{name} holds {len(members)} files, expected exactly one; send one zip a file"
        )
    if members[0].flag_bits & 1:
        raise IntakeError(
            "intake-encrypted", f"{name} is encrypted; send it over a secured channel, unencrypted inside"
        )
    try:
        return stack.enter_context(archive.open(members[0]))  # type: ignore[return-value]
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as wrong:
        raise IntakeError("intake-damaged", f"{name} cannot be unpacked: {wrong}; send deflate or plain CSV") from wrong
