"""Reject reports: the rows that an import set aside, one private file an import."""

import csv
import gzip
import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from openceir.storage.files import StorageError, fsync_folder

__all__ = ["QuarantineFile", "RejectReport", "reject_report", "report_name"]

_HEADER = ("file", "line", "column", "value", "reason")


class QuarantineFile:
    """A reject report being written: gzip CSV of file, line, column, value and reason.

    The values are people's numbers, so the file is made with mode 0600 before its first octet. Nothing is made at all
    while no row is set aside.
    """

    def __init__(self, path: Path, file: str) -> None:
        self.path = path
        self._file = file
        self._text: io.TextIOWrapper | None = None

    def __call__(self, rows: Iterable[tuple[int, str, str, str]]) -> None:
        """Write rows; raises StorageError when the disk refuses."""
        try:
            text = self._text or self._open()
            csv.writer(text).writerows((self._file, *row) for row in rows)
        except OSError as wrong:
            raise StorageError(f"{self.path} could not be written: {wrong.strerror}; nothing was changed") from wrong

    @property
    def was_written(self) -> bool:
        """Whether any row came."""
        return self._text is not None

    def _open(self) -> io.TextIOWrapper:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path.touch(mode=0o600)
        # mtime=0: the same rows give the same octets
        packed = gzip.GzipFile(self.path, "wb", compresslevel=1, mtime=0)
        self._text = io.TextIOWrapper(packed, encoding="utf-8", newline="")
        csv.writer(self._text).writerow(_HEADER)
        return self._text

    def close(self) -> None:
        """Finish the file; a report without rows leaves none."""
        if self._text is not None:
            try:
                self._text.close()
            except OSError as wrong:
                raise StorageError(
                    f"{self.path} could not be written: {wrong.strerror}; nothing was changed"
                ) from wrong


def report_name(kind: str, operator: str, digest: bytes) -> str:
    """The file name of an import's reject report: the same contents give the same name."""
    return "-".join(filter(None, (kind, operator, digest.hex()[:16]))) + ".csv.gz"


@contextmanager
def reject_report(home: Path, kind: str, file: str) -> Iterator["RejectReport"]:
    """A reject report that stays only when it is published inside the block."""
    report = RejectReport(home, kind, file)
    try:
        yield report
    finally:
        report.rows.close()
        report.rows.path.unlink(missing_ok=True)


class RejectReport:
    """The rows of a list that are set aside, beside their place until the import counts."""

    def __init__(self, home: Path, kind: str, file: str) -> None:
        self._folder = home / "quarantine"
        self._kind = kind
        self.rows = QuarantineFile(self._folder / f".new-{kind}.csv.gz", file)

    def publish(self, digest: bytes) -> str | None:
        """Put the report in its place; the path within the home folder, None when no row was set aside."""
        self.rows.close()
        if not self.rows.was_written:
            return None
        name = report_name(self._kind, "", digest)
        with self.rows.path.open("rb") as written:
            os.fsync(written.fileno())
        self.rows.path.replace(self._folder / name)
        fsync_folder(self._folder)
        return f"quarantine/{name}"
