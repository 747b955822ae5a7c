"""The sightings lake: what networks saw, one Parquet file a day, operator and import (docs/architecture.md §3).

States of a delivery, and what a restart finds after a crash in each:
  staged     parts under lake/staging/; nothing refers to them        -> swept
  renamed    files in their places, the journal does not list them    -> swept
  committed  one SQLite transaction lists them all                    -> the new complete state
Readers ask the journal which files count and never list folders, so they see the last complete state at every moment.
One import at a time: a lock file keeps a sweep from taking what another process is still writing.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from openceir.storage.database import Database
from openceir.storage.files import StorageError, fsync_folder
from openceir.storage.journal import ImportJournal
from openceir.storage.quarantine import QuarantineFile, report_name

__all__ = ["NULL", "SIGHTINGS", "Delivery", "Lake", "LakeFile"]

NULL: Final = -1  # no column of the lake holds negative numbers, so this stands for null until a file is written
COLUMNS: Final = ("device", "imsi", "msisdn", "rat", "ts", "cell")
SIGHTINGS: Final = pa.schema([(name, pa.int64()) for name in COLUMNS])

Columns = Mapping[str, npt.NDArray[np.int64]]
Provisional = npt.NDArray[np.int64]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS lake_file(
    path TEXT PRIMARY KEY,
    operator TEXT NOT NULL,
    day TEXT NOT NULL,
    import_id INTEGER NOT NULL REFERENCES import(id),
    rows INTEGER NOT NULL,
    digest BLOB NOT NULL,
    imeis INTEGER NOT NULL,
    imsis INTEGER NOT NULL,
    msisdns INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS lake_file_by_day ON lake_file(day, operator);
"""
# Rows held in memory before they are written out as sorted runs: 48 octets each.
_ROWS_IN_MEMORY: Final = 3_000_000
_ROW_GROUP: Final = 1_000_000
_FIRST: Final = -(1 << 63)
_PAST_LAST: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LakeFile:
    """One file of the lake that counts.

    `imeis`, `imsis` and `msisdns` are how many distinct ones it holds; they outlive the rows.
    """

    path: Path
    operator: str
    day: date
    import_id: int
    rows: int
    digest: bytes
    imeis: int
    imsis: int
    msisdns: int


class Lake:
    """The sightings of one register."""

    def __init__(self, home: Path, database: Database) -> None:
        self.home = home
        self._database = database
        self._journal = ImportJournal(database)
        database.define(_SCHEMA)

    # -- reading -------------------------------------------------------------------------------------------------

    def files(
        self, *, since: date | None = None, until: date | None = None, operator: str | None = None
    ) -> list[LakeFile]:
        """The files that count, of the days `since` to `until`, both included, in order of day, operator and import."""
        rows = self._database.connection.execute(
            "SELECT path, operator, day, import_id, rows, digest, imeis, imsis, msisdns FROM lake_file"
            " WHERE day >= ? AND day <= ? AND (? IS NULL OR operator = ?) ORDER BY day, operator, import_id",
            ((since or date.min).isoformat(), (until or date.max).isoformat(), operator, operator),
        )
        return [
            LakeFile(
                path=self.home / path, operator=by, day=date.fromisoformat(day), import_id=import_id, rows=count,
                digest=digest, imeis=imeis, imsis=imsis, msisdns=msisdns,
            )
            for path, by, day, import_id, count, digest, imeis, imsis, msisdns in rows
        ]  # fmt: skip

    def last_day(self) -> date | None:
        """The newest day of which there are sightings."""
        [(day,)] = self._database.connection.execute("SELECT MAX(day) FROM lake_file")
        return date.fromisoformat(day) if day else None

    def daily_averages(self, operator: str, days: int) -> tuple[float, float, float] | None:
        """Mean distinct IMEIs, IMSIs and MSISDNs a day-file over the operator's last `days` day-files; None without any."""
        [(count, imeis, imsis, msisdns)] = self._database.connection.execute(
            "SELECT COUNT(*), AVG(imeis), AVG(imsis), AVG(msisdns) FROM"
            " (SELECT * FROM lake_file WHERE operator = ? ORDER BY day DESC, import_id DESC LIMIT ?)",
            (operator, days),
        )
        return (imeis, imsis, msisdns) if count else None

    # -- writing -------------------------------------------------------------------------------------------------

    @contextmanager
    def receive(self, operator: str, file: str) -> Iterator["Delivery"]:
        """A delivery to fill and commit; leaving the block without `commit` leaves nothing behind.

        Raises: StorageError when another import is running, or the disk refuses.
        """
        folder = self.home / "lake"
        with _refusals(folder), self._alone():
            self.sweep()
            staging = folder / "staging"
            staging.mkdir(parents=True)
            delivery = Delivery(self.home, staging, self._database, self._journal, operator, file)
            try:
                yield delivery
            finally:
                delivery.quarantine.close()
                shutil.rmtree(staging, ignore_errors=True)

    def sweep(self) -> list[Path]:
        """Remove what an import that died left behind: staged parts, and files that the journal does not list."""
        staging = self.home / "lake" / "staging"
        swept = [staging] if staging.exists() else []
        shutil.rmtree(staging, ignore_errors=True)
        listed = {path for (path,) in self._database.connection.execute("SELECT path FROM lake_file")}
        for path in (self.home / "lake" / "sightings").glob("day=*/*"):
            if path.relative_to(self.home).as_posix() not in listed:
                path.unlink()
                swept.append(path)
        reports = {
            report_name(kind, operator, digest)
            for kind, operator, digest in self._database.connection.execute("SELECT kind, operator, digest FROM import")
        }
        for path in (self.home / "quarantine").glob("sightings-*.csv.gz"):
            if path.name not in reports:
                path.unlink()
                swept.append(path)
        return swept

    def prune(self, months: int, today: date) -> list[Path]:
        """Erase sightings, and reject reports, of days before the first of the month that lies `months` back.

        What is measured per device without its subscribers is not here and stays.
        """
        first_kept = _months_back(today, months)
        with _refusals(self.home / "lake"), self._alone():
            old = self.files(until=first_kept - timedelta(days=1))
            with self._database.transaction() as rows:
                rows.executemany(
                    "DELETE FROM lake_file WHERE path = ?",
                    [(file.path.relative_to(self.home).as_posix(),) for file in old],
                )
            for file in old:
                file.path.unlink(missing_ok=True)
            erased = [file.path for file in old]
            for folder in {path.parent for path in erased}:
                if not any(folder.iterdir()):
                    folder.rmdir()
            return erased + self._prune_reports(first_kept)

    def _prune_reports(self, first_kept: date) -> list[Path]:
        before = datetime(first_kept.year, first_kept.month, first_kept.day, tzinfo=UTC)
        erased = []
        rows = self._database.connection.execute(
            "SELECT kind, operator, digest FROM import WHERE at < ?", (int(before.timestamp()),)
        )
        for kind, operator, digest in rows:
            path = self.home / "quarantine" / report_name(kind, operator, digest)
            if path.exists():
                path.unlink()
                erased.append(path)
        return erased

    @contextmanager
    def _alone(self) -> Iterator[None]:
        folder = self.home / "lake"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as wrong:
                raise StorageError(
                    f"{folder} is being written by another import; wait until it has ended and try again"
                ) from wrong
            yield


class Delivery:
    """One file's sightings on their way into the lake.

    Rows are gathered by day. Beyond a few million they are written out as sorted runs, so memory does not grow with
    the file; `write` merges each day's runs into one file sorted by device.
    """

    def __init__(
        self, home: Path, staging: Path, database: Database, journal: ImportJournal, operator: str, file: str
    ) -> None:
        self.operator = operator
        self.file = file
        self.report: str | None = None  # the reject report within the home folder, once committed
        self.quarantine = QuarantineFile(staging / "quarantine.csv.gz", file)
        self._home = home
        self._staging = staging
        self._database = database
        self._journal = journal
        self._held: dict[int, list[npt.NDArray[np.int64]]] = {}
        self._rows_held = 0
        self._runs: dict[int, list[Path]] = {}
        self._counts: dict[int, tuple[int, int, int, int]] = {}  # day -> rows, distinct devices, IMSIs, MSISDNs

    def append(self, day: npt.NDArray[np.int64], columns: Columns) -> None:
        """Take rows. Shapes: `day` and each of COLUMNS have one entry a row; NULL where there is none.

        Units: `day` counts days since 1970-01-01.
        """
        if not len(day):
            return
        matrix = np.stack([columns[name] for name in COLUMNS])
        if (day == day[0]).all():
            self._hold(int(day[0]), matrix)
        else:
            order = np.argsort(day, kind="stable")
            days, starts = np.unique(day[order], return_index=True)
            matrix = matrix[:, order]
            for one, start, end in zip(days, starts, [*starts[1:], len(day)], strict=True):
                self._hold(int(one), matrix[:, start:end])
        if self._rows_held > _ROWS_IN_MEMORY:
            for one in list(self._held):
                self._write_run(one)
            self._rows_held = 0

    def count_days(self) -> list[tuple[int, int, int]]:
        """Distinct devices, IMSIs and MSISDNs of each day taken; no rows may follow."""
        if not self._counts:
            for day in sorted(self._held.keys() | self._runs.keys()):
                if day not in self._runs:
                    self._held[day] = [_sorted(_joined(self._held[day]))]
                elif day in self._held:
                    self._write_run(day)
                parts = self._parts(day)
                distinct = [_count_distinct([part[row] for part in parts]) for row in range(3)]
                self._counts[day] = (sum(part.shape[1] for part in parts), *distinct)
        return [(imeis, imsis, msisdns) for _, imeis, imsis, msisdns in self._counts.values()]

    def write(self, devices: Provisional, cells: Provisional) -> list[LakeFile]:
        """Write each day's rows as one staged file, sorted by device, and say what each holds.

        `devices` and `cells` give the keys for numbers below NULL: the first stands for NULL - 1, and so on.
        """
        self.count_days()
        written = []
        for day, (rows, imeis, imsis, msisdns) in self._counts.items():
            path = self._staging / f"{_date_of(day).isoformat()}.parquet"
            _write_day(path, (_keyed(piece, devices, cells) for piece in _pieces(self._parts(day))))
            self._held.pop(day, None)
            written.append(
                LakeFile(
                    path=path, operator=self.operator, day=_date_of(day), import_id=0, rows=rows,
                    digest=_digest_of(path), imeis=imeis, imsis=imsis, msisdns=msisdns,
                )
            )  # fmt: skip
        return written

    def commit(self, staged: Sequence[LakeFile], *, digest: bytes, **noted: Any) -> int:
        """Make the staged files count and note the import in the journal; gives the import's number.

        `noted` is what ImportJournal.add takes. Durable on return; until the transaction at the end nothing counts.
        """
        self.quarantine.close()
        places = []
        for file in staged:
            folder = self._home / "lake" / "sightings" / f"day={file.day.isoformat()}"
            place = folder / f"{self.operator}~{digest.hex()[:16]}.parquet"
            folder.mkdir(parents=True, exist_ok=True)
            file.path.replace(place)  # synced when it was digested
            places.append(place)
        if self.quarantine.was_written:
            report = self._home / "quarantine" / report_name("sightings", self.operator, digest)
            report.parent.mkdir(mode=0o700, exist_ok=True)
            _move(self.quarantine.path, report)
            self.report = report.relative_to(self._home).as_posix()
        for folder in {place.parent for place in places} | {self._home / "lake" / "sightings", self._home / "lake"}:
            if folder.exists():
                fsync_folder(folder)
        with self._database.transaction() as rows:
            number = self._journal.add(kind="sightings", operator=self.operator, digest=digest, file=self.file, **noted)
            rows.executemany(
                "INSERT INTO lake_file(path, operator, day, import_id, rows, digest, imeis, imsis, msisdns)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (place.relative_to(self._home).as_posix(), f.operator, f.day.isoformat(), number, f.rows, f.digest,
                     f.imeis, f.imsis, f.msisdns)
                    for place, f in zip(places, staged, strict=True)
                ],
            )  # fmt: skip
        # From here on a restart finds the import.
        return number

    def _hold(self, day: int, matrix: npt.NDArray[np.int64]) -> None:
        self._held.setdefault(day, []).append(matrix)
        self._rows_held += matrix.shape[1]

    def _write_run(self, day: int) -> None:
        runs = self._runs.setdefault(day, [])
        path = self._staging / f"{day}-{len(runs)}.npy"
        np.save(path, _sorted(_joined(self._held.pop(day))))
        runs.append(path)

    def _parts(self, day: int) -> list[npt.NDArray[np.int64]]:
        """The day's rows as matrices, each sorted by device."""
        if day in self._runs:
            return [np.load(path, mmap_mode="r") for path in self._runs[day]]
        return self._held[day]


def _pieces(runs: list[npt.NDArray[np.int64]]) -> Iterator[npt.NDArray[np.int64]]:
    """One day's rows, sorted by device, a row group at a time.

    Provisional devices sort below all others but are given the highest keys, so they come last.
    """
    if sum(run.shape[1] for run in runs) <= _ROW_GROUP:
        yield _joined(runs) if len(runs) == 1 else _sorted(_joined(runs))
        return
    bounds = [0, *_cuts(runs), _PAST_LAST]
    for low, high in [(NULL, 0), *pairwise(bounds), (_FIRST, NULL)]:
        piece = _joined([run[:, _upto(run, low) : _upto(run, high)] for run in runs])
        if piece.shape[1]:
            yield piece if len(runs) == 1 else _sorted(piece)


def _upto(run: npt.NDArray[np.int64], device: int) -> int:
    return int(np.searchsorted(run[0], device))


def _cuts(runs: list[npt.NDArray[np.int64]]) -> list[int]:
    """Device keys that divide the runs into pieces of about a row group."""
    pieces = sum(run.shape[1] for run in runs) // _ROW_GROUP
    if pieces < 1:
        return []
    sample = np.sort(np.concatenate([run[0, ::1024] for run in runs]))
    sample = sample[sample > 0]
    if not len(sample):
        return []
    return [int(key) for key in np.unique(sample[np.linspace(0, len(sample) - 1, pieces + 1).astype(int)[1:-1]])]


def _joined(parts: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def _sorted(matrix: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return matrix[:, np.argsort(matrix[0], kind="stable")]


def _keyed(matrix: npt.NDArray[np.int64], devices: Provisional, cells: Provisional) -> npt.NDArray[np.int64]:
    """The rows with provisional devices and cells replaced by the keys they were given, sorted by device again."""
    for row, keys in ((COLUMNS.index("device"), devices), (COLUMNS.index("cell"), cells)):
        places = np.flatnonzero(matrix[row] < NULL)
        if len(places):
            matrix = matrix.copy()
            matrix[row, places] = keys[NULL - 1 - matrix[row, places]]
            matrix = _sorted(matrix) if row == 0 else matrix
    return matrix


def _write_day(path: Path, pieces: Iterator[npt.NDArray[np.int64]]) -> None:
    with pq.ParquetWriter(
        path,
        SIGHTINGS,
        compression="zstd",
        compression_level=1,  # higher levels gain nothing once the columns are delta coded
        use_dictionary=["rat", "cell"],
        column_encoding=dict.fromkeys(("device", "imsi", "msisdn", "ts"), "DELTA_BINARY_PACKED"),
        write_statistics=["device", "ts"],
    ) as writer:
        for matrix in pieces:
            arrays = [pa.array(column, mask=column == NULL) for column in matrix]
            writer.write_table(pa.Table.from_arrays(arrays, schema=SIGHTINGS), row_group_size=_ROW_GROUP)


def _count_distinct(parts: list[npt.NDArray[np.int64]]) -> int:
    """Exact count of distinct values, NULL not counted; holds 8 octets a distinct value."""
    seen: npt.NDArray[np.int64] = np.empty(0, np.int64)
    for part in parts:
        fresh = np.sort(part)
        fresh = fresh[np.concatenate(([True], fresh[1:] != fresh[:-1]))] if len(fresh) else fresh
        seen = np.union1d(seen, fresh) if len(seen) else fresh
    return len(seen) - int(np.count_nonzero(seen == NULL))


def _digest_of(path: Path) -> bytes:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
        os.fsync(file.fileno())  # before the rename: a name never stands for octets that are not there
    return digest


def _move(source: Path, place: Path) -> None:
    with source.open("rb") as file:
        os.fsync(file.fileno())
    source.replace(place)
    fsync_folder(place.parent)


def _date_of(day: int) -> date:
    return date(1970, 1, 1) + timedelta(days=day)


def _months_back(today: date, months: int) -> date:
    total = today.year * 12 + today.month - 1 - months
    return date(total // 12, total % 12 + 1, 1)


@contextmanager
def _refusals(folder: Path) -> Iterator[None]:
    """A disk that fills or refuses, said in one sentence."""
    try:
        yield
    except OSError as wrong:
        raise StorageError(f"{folder} could not be written: {wrong.strerror or wrong}; nothing was changed") from wrong
