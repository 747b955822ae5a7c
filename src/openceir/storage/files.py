"""Files that are either the old whole or the new whole, whatever dies in between."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from openceir.errors import OpenceirError

__all__ = ["StorageError", "fsync_files", "fsync_folder", "replace_file", "write_beside"]

_SYNCS_AT_ONCE = 8


class StorageError(OpenceirError):
    """A shelf cannot be read or written; the sentence names the path and what to do."""

    code = "storage-failed"
    http_status = 503


def fsync_folder(folder: Path) -> None:
    """Make renames and new names in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def fsync_files(paths: Iterable[Path]) -> None:
    """Make the contents of all these files survive a power cut. Several at once: a disk then writes them together."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_SYNCS_AT_ONCE) as pool:
        for _ in pool.map(_fsync_file, paths):
            pass


def _fsync_file(path: Path) -> None:
    with path.open("rb") as written:
        os.fsync(written.fileno())


@contextmanager
def write_beside(path: Path, mode: int = 0o644) -> Iterator[Path]:
    """Yield a fresh path in the same folder; when the block ends well its file takes the place of `path`.

    Until the rename a crash leaves the old file and a `.new-*` file that nothing reads.
    Raises: StorageError when the disk refuses; nothing is left behind then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    os.close(handle)
    fresh = Path(name)
    try:
        yield fresh
        fresh.chmod(mode)
        _fsync_file(fresh)
        fresh.replace(path)
        fsync_folder(path.parent)
    except OSError as wrong:
        raise StorageError(f"{path} could not be written: {wrong.strerror}; nothing was changed") from wrong
    finally:
        fresh.unlink(missing_ok=True)


def replace_file(path: Path, octets: bytes, mode: int = 0o644) -> None:
    """Make `path` hold exactly `octets`, atomically and durably."""
    with write_beside(path, mode) as fresh:
        fresh.write_bytes(octets)
