"""The shelf of list runs: every list ever delivered, by sequence number; files for the recent ones.

Theory. A run is a folder `lists/NNNNNN/<operator>/` and one SQLite transaction. The files are staged in a folder that
nothing reads, fsynced, then the transaction commits, then the folder is renamed into place. So
- killed before the commit: the staging folder is rubbish, swept by the next run; the number was never seen by anyone;
- killed between commit and rename: the next open finds the committed run still staged and renames it. What was
  committed is what everyone will ever see under that number, hence a number never stands for two contents.
One process commits a run at a time (a file lock); readers never wait. A run of all rows is written without that lock, and
holds only if none was committed meanwhile: a theft does not wait for it.

Content that did not change from one run to the next, or is the same for several operators, is one file with several
names (hard links).
"""

import fcntl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

from openceir.lists import KINDS, ListError, ListHeader, ListKind, UnknownSequence
from openceir.progress import Progress, Silent
from openceir.statements import SigningKey
from openceir.storage.database import Database
from openceir.storage.files import StorageError, fsync_files, fsync_folder
from openceir.storage.list_basis import Basis, BasisShelf
from openceir.storage.list_files import ListFiles
from openceir.storage.list_received import ReceivedShelf
from openceir.storage.list_stage import Stage, staged, sweep
from openceir.storage.list_writing import (
    WHY,
    Contents,
    ListMaker,
    MadeList,
    OldList,
    RunHead,
    is_sound,
    moment_text,
    write_delta,
)

__all__ = [
    "Acknowledgement",
    "Contents",
    "KeptFile",
    "ListRun",
    "ListRuns",
    "MadeList",
    "Overtaken",
    "RunHead",
    "Stage",
]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS list_run (
    sequence INTEGER PRIMARY KEY,
    staged_as TEXT NOT NULL,          -- the folder's name until it was renamed into place
    made_at TEXT NOT NULL,
    as_of_on TEXT NOT NULL,
    policy_sha256 TEXT NOT NULL,
    ledger_size INTEGER NOT NULL,
    ledger_root TEXT NOT NULL,
    signer TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS list_file (
    sequence INTEGER NOT NULL REFERENCES list_run(sequence),
    operator TEXT NOT NULL,
    kind TEXT NOT NULL,
    base INTEGER NOT NULL,            -- 0: a full list; else a delta from that sequence
    rows INTEGER NOT NULL,
    octets INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    oldest_seen_on TEXT,              -- the oldest sighting that a row rests on; null when it rests on none
    kept INTEGER NOT NULL,            -- 0: the files were pruned, the digest stays
    PRIMARY KEY (operator, kind, base, sequence)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS list_acknowledgement (
    operator TEXT NOT NULL,
    kind TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    acknowledged_at TEXT NOT NULL,
    PRIMARY KEY (operator, kind)
) WITHOUT ROWID;
"""

_LOOK_EVERY_S = 0.05
_FULL = 0  # `base` of a full list
_COLUMNS = "sequence, operator, kind, base, rows, octets, sha256, oldest_seen_on, kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRun:
    """One run and what it delivered."""

    sequence: int
    folder: Path
    lists: tuple[MadeList, ...]


class KeptFile(NamedTuple):
    """One list or delta of one run, as the shelf remembers it."""

    sequence: int
    operator: str
    kind: str
    base: int
    rows: int
    octets: int
    sha256: str
    oldest_seen_on: str | None
    kept: int


class Acknowledgement(NamedTuple):
    """What an operator last said it has applied."""

    operator: str
    kind: str
    sequence: int
    sha256: str
    acknowledged_at: str


class Overtaken(ListError):
    """Another run was committed while this one was being written: its deltas would start from what is no more the last."""

    code = "list-overtaken"

    def __init__(self, sequence: int) -> None:
        super().__init__(f"while lists number {sequence} were being written, others took that number; make them again")


class ListRuns:
    """All list runs of one register."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder
        database.define(_SCHEMA)
        self._bases = BasisShelf(database)
        self.received = ReceivedShelf(database)
        self._is_alone = False
        self.recovered = self._put_committed_runs_in_place()

    # -- making a run ---------------------------------------------------------------------------------------------

    def make(
        self,
        head: RunHead,
        contents: Contents,
        operators: Iterable[str],
        key: SigningKey,
        basis: Basis | None = None,
        progress: Progress = Silent(),
    ) -> ListRun:
        """Write, sign and deliver every list of `operators`, full and as a delta from the last run kept.

        `basis` is what the rows were made from; where it is given, the next run can be made from what changed since.
        Either the whole run appears or nothing does.
        Raises: ListError when another process is making one; BaseLost when only touched rows are given and the files
        to exchange them in are not as they were; StorageError when the disk refuses.
        """
        run = self._made(head, contents, operators, key, basis, even_if_same=True, progress=progress)
        assert run is not None
        return run

    def make_if_changed(
        self,
        head: RunHead,
        contents: Contents,
        operators: Iterable[str],
        key: SigningKey,
        basis: Basis,
        progress: Progress = Silent(),
    ) -> ListRun | None:
        """As `make`, but no run when every list, and what words need, would be as it was: it is true from `basis` on."""
        return self._made(head, contents, operators, key, basis, even_if_same=False, progress=progress)

    def begin(self) -> Stage:
        """A folder for the next run, whose maker lets others make theirs meanwhile: for `make_beside`."""
        with self.alone():
            self._put_committed_runs_in_place()
            sweep(self.folder)
            return Stage(self.folder, self.last_sequence() + 1)

    def make_beside(
        self,
        stage: Stage,
        head: RunHead,
        contents: Contents,
        operators: Iterable[str],
        key: SigningKey,
        basis: Basis,
        *,
        even_if_same: bool,
        wait_s: float,
        progress: Progress = Silent(),
    ) -> ListRun | None:
        """As `make` or `make_if_changed`, with others' runs let in while this one is written.

        Raises: Overtaken when one came; nothing was changed then.
        """
        with self._refusals():
            try:
                written = self._write(stage, head, contents, operators, key, progress)
            except FileNotFoundError as wrong:  # pruned, or another run's base, since it was looked up
                raise Overtaken(stage.sequence) from wrong
            with self.alone(wait_s):
                if self.last_sequence() != stage.sequence - 1:
                    raise Overtaken(stage.sequence)
                return self._commit(stage, head, key, written, basis, even_if_same=even_if_same)

    def _made(
        self,
        head: RunHead,
        contents: Contents,
        operators: Iterable[str],
        key: SigningKey,
        basis: Basis | None,
        *,
        even_if_same: bool,
        progress: Progress,
    ) -> ListRun | None:
        with self.alone(), self._refusals(), self.begin() as stage:
            written = self._write(stage, head, contents, operators, key, progress)
            return self._commit(stage, head, key, written, basis, even_if_same=even_if_same)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except OSError as wrong:
            raise StorageError(
                f"lists could not be written in {self.folder}: {wrong.strerror}; nothing was changed"
            ) from wrong

    def _write(
        self,
        stage: Stage,
        head: RunHead,
        contents: Contents,
        operators: Iterable[str],
        key: SigningKey,
        progress: Progress,
    ) -> tuple[list[MadeList], str]:
        """The lists, and the digest of their file of words."""
        maker = ListMaker(stage.path, stage.sequence, head, contents, key)
        lists = maker.write(sorted(operators), self._last_given, self._words_of(stage.sequence - 1), progress)
        return lists, maker.why_sha256

    def _commit(
        self,
        stage: Stage,
        head: RunHead,
        key: SigningKey,
        written: tuple[list[MadeList], str],
        basis: Basis | None,
        *,
        even_if_same: bool,
    ) -> ListRun | None:
        lists, why_sha256 = written
        sequence = stage.sequence
        if basis and not even_if_same and self._is_as_before(sequence - 1, lists, why_sha256):
            self._bases.keep(sequence - 1, basis, why_sha256)
            return None
        stage.may_be_committed = True
        self._note(stage, head, key, lists, basis, why_sha256)
        self._put_in_place(sequence, stage.path.name)
        return ListRun(sequence=sequence, folder=self.run_folder(sequence), lists=tuple(lists))

    def basis(self, operators: Iterable[str]) -> Basis | None:
        """What the last run was made from, when it had every list of these operators and their files are kept."""
        last = self.last_sequence()
        found = self._bases.find(last)
        if found is None:
            return None
        newest = [self.newest(operator, kind) for operator in operators for kind in KINDS]
        is_whole = all(file is not None and file.sequence == last and file.kept for file in newest)
        return found[0] if is_whole else None

    def _words_of(self, sequence: int) -> OldList | None:
        """The file of words of a run, with the digest it had."""
        found = self._bases.find(sequence)
        return OldList(sequence, found[1], self.run_folder(sequence) / WHY, 0, 0, None) if found else None

    def _last_given(self, operator: str, kind: str) -> OldList | None:
        newest = self.newest(operator, kind)
        return self._as_base(newest) if newest else None

    def _as_base(self, file: "KeptFile") -> OldList:
        rows = self.files_of(file).rows
        return OldList(file.sequence, file.sha256, rows, file.rows, file.octets, file.oldest_seen_on)

    def _is_as_before(self, sequence: int, lists: list[MadeList], why_sha256: str) -> bool:
        """Whether no row differs, nor what the next run's words are made from: that is a file of the run as well."""
        found = self._bases.find(sequence)
        is_why_kept = found is not None and found[1] == why_sha256
        return is_why_kept and all(each.delta and not each.delta.rows for each in lists)

    def _note(
        self,
        stage: Stage,
        head: RunHead,
        key: SigningKey,
        lists: list[MadeList],
        basis: Basis | None,
        why_sha256: str,
    ) -> None:
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT INTO list_run VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    stage.sequence,
                    stage.path.name,
                    moment_text(head.made_at),
                    head.as_of_on.isoformat(),
                    head.policy_sha256,
                    head.ledger_size,
                    head.ledger_root,
                    key.name,
                ),
            )
            for made in lists:
                self._record(made.full, made.full_oldest_on)
                if made.delta is not None:
                    self._record(made.delta, made.delta_oldest_on)
            if basis is not None:
                self._bases.keep(stage.sequence, basis, why_sha256)

    def _record(self, header: ListHeader, oldest_on: str | None) -> None:
        base = header.base.sequence if header.base else _FULL
        values = (header.sequence, header.operator, header.kind, base, header.rows, header.octets, header.sha256)
        self.database.connection.execute(
            "INSERT INTO list_file VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)", (*values, oldest_on)
        )

    @contextmanager
    def alone(self, wait_s: float = 0.0) -> Iterator[None]:
        """Hold the lock of the folder, so that nobody else makes or prunes lists; within it, it is held already.

        Rows that are gathered while it is held are never older than those of a run in between. A killed holder has let
        go of it. Raises: ListError when another process holds it for longer than `wait_s` seconds.
        """
        if self._is_alone:
            yield
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        until = monotonic() + wait_s
        with (self.folder / ".lock").open("ab") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as wrong:
                    if monotonic() >= until:
                        raise ListError(
                            "another process is making or pruning lists in this register; let it end, then try again"
                        ) from wrong
                    sleep(_LOOK_EVERY_S)
            self._is_alone = True
            try:
                yield
            finally:
                self._is_alone = False

    def _put_committed_runs_in_place(self) -> list[str]:
        if self.database.read_only or not self.folder.exists():
            return []
        notes = []
        names = staged(self.folder)
        if names:
            for sequence, name in self.database.connection.execute("SELECT sequence, staged_as FROM list_run"):
                if name in names and self._put_in_place(sequence, name):
                    notes.append(f"list run {sequence} was committed but not yet in place; it is now")
        return notes

    def _put_in_place(self, sequence: int, staged_as: str) -> bool:
        """From here on the run is seen. Whoever comes second finds the work done."""
        try:
            (self.folder / staged_as).rename(self.run_folder(sequence))
        except FileNotFoundError:
            return False
        fsync_folder(self.folder)
        return True

    # -- reading --------------------------------------------------------------------------------------------------

    def run_folder(self, sequence: int) -> Path:
        """Where a run's files are."""
        return self.folder / f"{sequence:06d}"

    def last_sequence(self) -> int:
        """The number of the last run; 0 before the first."""
        [(last,)] = self.database.connection.execute("SELECT coalesce(max(sequence), 0) FROM list_run")
        return int(last)

    def true_on(self) -> date | None:
        """The day as of which the last run is known to be true; None before the first."""
        found = self._bases.find(self.last_sequence())
        return found[0].as_of_on if found else None

    def last_given(self, operator: str) -> int:
        """The number of the last run that had lists for this operator; 0 before the first."""
        query = "SELECT coalesce(max(sequence), 0) FROM list_file WHERE operator = ? AND base = 0"
        [(last,)] = self.database.connection.execute(query, (operator,))
        return int(last)

    def history(self, operator: str | None = None) -> list[KeptFile]:
        """Every list and delta ever delivered, newest first."""
        rows = self.database.connection.execute(
            f"SELECT {_COLUMNS} FROM list_file "
            "WHERE ?1 IS NULL OR operator = ?1 ORDER BY sequence DESC, operator, kind, base",
            (operator,),
        )
        return [KeptFile(*row) for row in rows]

    def newest(self, operator: str, kind: str, sequence: int | None = None) -> KeptFile | None:
        """The newest full list, or the one of that sequence number; None when there is none."""
        row = self.database.connection.execute(
            f"SELECT {_COLUMNS} FROM list_file "
            "WHERE operator = ?1 AND kind = ?2 AND base = 0 AND (?3 IS NULL OR sequence = ?3) "
            "ORDER BY sequence DESC LIMIT 1",
            (operator, kind, sequence),
        ).fetchone()
        return KeptFile(*row) if row else None

    def delta_of(self, newest: KeptFile, base: int) -> KeptFile | None:
        """The delta to this list that its own run wrote, when it starts from that number and is kept."""
        row = self.database.connection.execute(
            f"SELECT {_COLUMNS} FROM list_file WHERE operator = ? AND kind = ? AND base = ? AND sequence = ? AND kept",
            (newest.operator, newest.kind, base, newest.sequence),
        ).fetchone()
        return KeptFile(*row) if row else None

    def files_of(self, file: KeptFile) -> ListFiles:
        """Where the three files of a list are, or were."""
        stem = f"{file.operator}_{file.kind}_{file.sequence:06d}"
        if file.base != _FULL:
            stem += f"_from_{file.base:06d}"
        return ListFiles(self.run_folder(file.sequence) / file.operator / stem)

    def make_delta(self, operator: str, kind: ListKind, base: int, folder: Path, key: SigningKey) -> ListHeader:
        """Write into `folder` the delta that takes an operator from any run that is kept to its newest list.

        The same octets whenever it is asked for.
        Raises: UnknownSequence when base or newest list are not kept: then the operator takes the full list;
        ListError for another key than the newest list's.
        """
        newest, old = self.newest(operator, kind.name), self.newest(operator, kind.name, base)
        if newest is None:
            raise UnknownSequence(f"operator {operator} has no {kind.name}; make one with `openceir lists make`")
        if old is None:
            raise UnknownSequence(f"operator {operator} never received {kind.name} number {base}")
        if base == newest.sequence:
            raise UnknownSequence(f"{kind.name} number {base} of {operator} is the newest; there is nothing to apply")
        for file in (old, newest):
            if not (file.kept and is_sound(self.files_of(file).rows, file.sha256)):
                raise UnknownSequence(
                    f"{kind.name} number {file.sequence} of {operator} is not kept any more; give out the full list "
                    f"number {newest.sequence} in place of a delta"
                )
        files = self.files_of(newest)
        header = files.read_header()
        if header.signed_by != key.public.format():
            raise ListError(
                f"{kind.name} number {newest.sequence} was signed by another key than {key.name}'s present one; sign "
                "the delta with that key, since whoever applies it will hold that list"
            )
        folder.mkdir(parents=True, exist_ok=True)
        delta = write_delta(folder, header, files.signature.read_bytes(), self._as_base(old), files.rows, key)
        made = ListFiles(folder / delta.file_stem)
        fsync_files((made.rows, made.header, made.signature))
        fsync_folder(folder)
        return delta

    # -- acknowledgements -----------------------------------------------------------------------------------------

    def acknowledge(self, acknowledgements: Iterable[Acknowledgement]) -> None:
        """Keep what operators say they have applied; the last word of each stands, and when each was first said."""
        said = list(acknowledgements)
        with self.database.transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO list_acknowledgement VALUES (?, ?, ?, ?, ?)", said)
            self.received.applied((one.operator, one.kind, one.sequence, one.acknowledged_at) for one in said)

    def acknowledgements(self) -> list[Acknowledgement]:
        """The last word of every operator on every list."""
        rows = self.database.connection.execute(
            "SELECT operator, kind, sequence, sha256, acknowledged_at FROM list_acknowledgement ORDER BY operator, kind"
        )
        return [Acknowledgement(*row) for row in rows]

    # -- pruning --------------------------------------------------------------------------------------------------

    def prunable(self, keep_runs: int, oldest_day: date) -> list[KeptFile]:
        """The files that pruning would remove: more than `keep_runs` runs old, or resting on an erased sighting.

        The newest list of each kind goes only for the second reason: the law on people's data is above convenience.
        """
        limit = oldest_day.isoformat()
        rank: dict[tuple[str, str], int] = {}
        gone = []
        for file in self.history():
            if file.base == _FULL:
                rank[file.operator, file.kind] = rank.get((file.operator, file.kind), 0) + 1
            if not file.kept:
                continue
            is_old = rank.get((file.operator, file.kind), 1) > max(keep_runs, 1)
            if is_old or (file.oldest_seen_on is not None and file.oldest_seen_on < limit):
                gone.append(file)
        return gone

    def prune(self, files: Iterable[KeptFile]) -> None:
        """Remove these files. Sequence numbers, digests and counts stay on record.

        A base that goes costs its operator a full list in place of a delta, never a wrong delta.
        """
        if not self.folder.exists():
            return
        with self.alone():
            gone = list(files)
            # The record goes first: a kill in between leaves files that the next pruning removes all the same.
            with self.database.transaction() as connection:
                connection.executemany(
                    "UPDATE list_file SET kept = 0 WHERE operator = ? AND kind = ? AND base = ? AND sequence = ?",
                    [(file.operator, file.kind, file.base, file.sequence) for file in gone],
                )
            self._remove_what_is_not_kept()

    def _remove_what_is_not_kept(self) -> None:
        kept = {self.files_of(file) for file in self.history() if file.kept}
        for run in sorted(self.folder.glob("[0-9]*")):
            if not any(files.stem.is_relative_to(run) and "_notifications_" in files.stem.name for files in kept):
                (run / WHY).unlink(missing_ok=True)
            for path in sorted(run.glob("*/*")):
                if ListFiles.of(path) not in kept:
                    path.unlink()
            for folder in (*sorted(path for path in run.iterdir() if path.is_dir()), run):
                if not any(folder.iterdir()):
                    folder.rmdir()
        fsync_folder(self.folder)
