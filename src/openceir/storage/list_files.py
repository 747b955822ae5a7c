"""Lists as three files in a folder: `X.csv` the rows, `X.json` the header, `X.sig` the signature of the header."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path

from openceir.lists import (
    ListHeader,
    NotAList,
    SortedFile,
    applied_octets,
    check_base,
    check_content,
    kind_named,
    read_header,
    verify_signature,
)
from openceir.statements import PublicKey
from openceir.storage.files import StorageError, replace_file, write_beside

__all__ = ["ListFiles", "apply_delta", "mapped", "verify_list"]

# Lists name subscribers: the owner writes, the group that hands them to operators reads, nobody else.
FILE_MODE = 0o640
# A header is some 700 octets; whatever is a thousand times that is no header, and is not read into memory.
_LARGEST_HEADER_OCTETS = 65536


@dataclass(frozen=True, slots=True)
class ListFiles:
    """The three files of one list or delta, by the path they share up to the ending."""

    stem: Path

    @classmethod
    def of(cls, path: Path) -> "ListFiles":
        """The list that `path` belongs to; any of the three files names it."""
        return cls(path.with_suffix("") if path.suffix in {".csv", ".json", ".sig"} else path)

    @property
    def rows(self) -> Path:
        """The CSV."""
        return self.stem.with_name(f"{self.stem.name}.csv")

    @property
    def header(self) -> Path:
        """The JSON beside it."""
        return self.stem.with_name(f"{self.stem.name}.json")

    @property
    def signature(self) -> Path:
        """The 64 octets beside that."""
        return self.stem.with_name(f"{self.stem.name}.sig")

    def read_header_octets(self) -> bytes:
        """The header file as it stands.

        Raises: NotAList when there is none, or something much too large in its place.
        """
        try:
            with self.header.open("rb") as source:
                octets = source.read(_LARGEST_HEADER_OCTETS + 1)
        except OSError as wrong:
            raise NotAList(
                f"{self.rows.name} has no header beside it: {self.header.name} cannot be read ({wrong.strerror})"
            ) from wrong
        if len(octets) > _LARGEST_HEADER_OCTETS:
            raise NotAList(f"{self.header.name} is not a list header: it has more than {_LARGEST_HEADER_OCTETS} octets")
        return octets

    def read_header(self) -> ListHeader:
        """What the list says of itself, not yet believed."""
        return read_header(self.read_header_octets(), self.header.name)

    def write_head(self, header: ListHeader, signature: bytes) -> None:
        """Put the header and its signature beside the rows."""
        replace_file(self.header, header.to_octets(), FILE_MODE)
        replace_file(self.signature, signature, FILE_MODE)


def verify_list(files: ListFiles, key: PublicKey) -> ListHeader:
    """The header of a list whose signature and content are right.

    Raises: NotAList, WrongListKey, ListTruncated, ListAltered.
    """
    octets = files.read_header_octets()
    header = read_header(octets, files.header.name)
    try:
        signature = files.signature.read_bytes()
    except OSError as wrong:
        raise NotAList(
            f"{files.rows.name} has no signature beside it: {files.signature.name} cannot be read ({wrong.strerror})"
        ) from wrong
    verify_signature(octets, signature, key, files.header.name)
    try:
        with files.rows.open("rb") as source:
            check_content(header, source, files.rows.name)
    except OSError as wrong:
        raise NotAList(f"{files.rows.name} cannot be read ({wrong.strerror})") from wrong
    return header


def apply_delta(full: ListFiles, delta: ListFiles, new: ListFiles, key: PublicKey) -> ListHeader:
    """Write the full list that `delta` leads to, with the header and signature it was delivered with to others.

    All is checked before the new list appears: the delta's signature and content, the base, the outcome. The full
    list may come without a header; then its digest alone says whether it is the base.
    Raises: as verify_list, and WrongBase, SequenceGap, DeltaMismatch.
    """
    header = verify_list(delta, key)
    if not header.is_delta or header.result is None:
        raise NotAList(f"{delta.rows.name} is a full list, not a delta; load it as it is")
    full_header = full.read_header() if full.header.exists() else None
    try:
        with full.rows.open("rb") as source:
            check_base(header, full_header, source, full.rows.name)
    except OSError as wrong:
        raise NotAList(f"{full.rows.name} cannot be read ({wrong.strerror})") from wrong
    result, signature = header.of_result(), bytes.fromhex(header.result.signature)
    # Signed by the same key, or the delta's maker promised a list that he did not sign.
    verify_signature(result.to_octets(), signature, key, f"the result that {delta.header.name} promises")
    kind = kind_named(header.kind)
    with (
        mapped(full.rows) as old,
        delta.rows.open("rb") as changes,
        write_beside(new.rows, FILE_MODE) as fresh,
    ):
        base = SortedFile(old, kind.columns, full.rows.name)
        write_octets(fresh, applied_octets(header, base, changes, delta.rows.name))
    new.write_head(result, signature)
    return result


@contextmanager
def mapped(path: Path) -> Iterator[bytes | mmap]:
    """The octets of a file, not read before they are looked at."""
    with path.open("rb") as source:
        if not path.stat().st_size:  # nothing cannot be mapped
            yield b""
            return
        with mmap(source.fileno(), 0, access=ACCESS_READ) as octets:
            yield octets


def write_octets(path: Path, pieces: Iterable[bytes]) -> None:
    """Write the pieces one after another.

    Raises: StorageError when the disk refuses.
    """
    try:
        with path.open("wb") as out:
            for piece in pieces:
                out.write(piece)
    except OSError as wrong:
        raise StorageError(f"{path} could not be written: {wrong.strerror}; nothing was changed") from wrong
