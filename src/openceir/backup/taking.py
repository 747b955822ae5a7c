"""`openceir backup take`: copy a register that is in use, as it stood at one moment."""

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from openceir.backup.errors import BackupRefused
from openceir.backup.keys import seal_keys
from openceir.backup.manifest import KeptFile, Manifest
from openceir.backup.postgresql import dump_portal, is_postgresql, snapshot_of
from openceir.backup.standstill import Moment, moment_of
from openceir.progress import Progress, Silent
from openceir.settings import Settings, load_settings
from openceir.storage.files import StorageError, fsync_folder, replace_file

__all__ = ["Backup", "take_backup"]

_UNFINISHED = ".making-"
_MEASURES = ("lake", "measures")
_TRIES = 5
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup that was taken."""

    folder: Path
    manifest: Manifest

    @property
    def octets(self) -> int:
        """All files together."""
        return sum(file.octets for file in self.manifest.files)


def take_backup(
    home: Path,
    into: Path,
    *,
    at: datetime,
    environment: Mapping[str, str],
    passphrase: str = "",
    progress: Progress = Silent(),
) -> Backup:
    """Copy the register in `home` into a new folder inside `into`; keys only with a passphrase, sealed under it.

    The register may be in use. Killed half-way it leaves a folder that is no backup, which the next one removes.
    Raises: BackupRefused; StorageError when the disk refuses.
    """
    home, into = home.absolute(), into.absolute()
    if not (home / "register.sqlite").exists() and not (home / "ledger").exists():
        raise BackupRefused(f"{home} holds no register; name it with --home or OPENCEIR_HOME")
    if into.resolve().is_relative_to(home.resolve()):
        raise BackupRefused(f"{into} lies inside the register's own folder; choose a place on another disk")
    settings, _ = load_settings(home, environment)
    name = f"openceir-{at:%Y%m%dT%H%M%SZ}"
    try:
        into.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(into):
            if (into / name).exists():
                raise BackupRefused(f"there is a backup {into / name} already; take the next one a second later")
            stage = into / f"{_UNFINISHED}{name}"
            stage.mkdir(mode=0o700)
            manifest = _Taking(home, stage, settings, passphrase, progress).run(at)
            replace_file(stage / "manifest.json", manifest.write(), 0o600)
            stage.rename(into / name)  # from here on it is a backup
            fsync_folder(into)
    except OSError as wrong:
        raise StorageError(f"{into} could not be written: {wrong.strerror}; there is no new backup") from wrong
    return Backup(folder=into / name, manifest=manifest)


@contextmanager
def _alone(into: Path) -> Iterator[None]:
    """One backup at a time in a folder; what one that was killed left is removed."""
    with (into / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as wrong:
            raise BackupRefused(f"another backup into {into} is running; wait for it") from wrong
        for left in into.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(left)
        yield


class _Taking:
    """One backup on its way."""

    def __init__(self, home: Path, stage: Path, settings: Settings, passphrase: str, progress: Progress) -> None:
        self.home = home
        self.stage = stage
        self.settings = settings
        self.passphrase = passphrase
        self.progress = progress
        self.files: list[KeptFile] = []
        self.secrets = {
            (home / name).resolve()
            for name in (settings.channels_secret_file, settings.portal_metrics_secret_file)
            if name
        }  # named by settings, wherever they lie

    def run(self, at: datetime) -> Manifest:
        """Copy everything; the manifest of it."""
        url, readers = self.settings.portal_database, list[object]()
        elsewhere = snapshot_of(url, readers) if is_postgresql(url) else None
        try:
            with moment_of(self.home, elsewhere) as seen:
                if seen.portal_snapshot:
                    dump_portal(url, seen.portal_snapshot, self.stage / "portal.dump")
                    self._note(self.stage / "portal.dump", 0o600)
                self._copy_databases(seen)
                self._copy_books(seen)
                keys = self._copy_files(seen)
        finally:
            for reader in readers:
                reader.close()  # type: ignore[attr-defined]
        if self.passphrase:
            held = {path: (self.home / path).read_bytes() for path in keys}
            replace_file(self.stage / "keys.sealed", seal_keys(held, self.passphrase), 0o600)
            self._note(self.stage / "keys.sealed", 0o600)
        self._hold_against_journal()
        for folder in {path.parent for path in self.stage.rglob("*")}:
            fsync_folder(folder)
        return Manifest(
            made_at=at,
            log_size=seen.log_size,
            keys=tuple(keys),
            has_keys=bool(self.passphrase),
            has_dump=bool(seen.portal_snapshot),
            files=tuple(sorted(self.files, key=lambda file: file.path)),
        )

    def _copy_databases(self, seen: Moment) -> None:
        for number, (path, source) in enumerate(seen.databases.items()):
            self.progress("copying databases", number, len(seen.databases))
            place = self._place(path)
            target = sqlite3.connect(place)
            try:
                source.backup(target, pages=4096)
            finally:
                target.close()
            self._note(place, _mode(path))

    def _copy_books(self, seen: Moment) -> None:
        for path, octets in seen.log_octets.items():
            place = self._place(path)
            _copy(path, place, octets)
            self._note(place, _mode(path))
        for path, held in seen.checkpoints.items():
            place = self._place(path)
            place.write_bytes(held)
            self._note(place, _mode(path))

    def _copy_files(self, seen: Moment) -> list[str]:
        """Every other file; measures once more when a fold replaced them meanwhile. Gives the keys, left where they are."""
        done = {*seen.databases, *seen.log_octets, *seen.checkpoints}
        runs = self._known_runs()
        keys = []
        others = [path for path in sorted(self.home.rglob("*")) if path.is_file() and not path.is_symlink()]
        for number, path in enumerate(others):
            self.progress("copying files", number, len(others))
            within = path.relative_to(self.home)
            if path in done or within.parts[:2] == _MEASURES or not _is_worth_keeping(within, runs):
                continue
            if self._is_key(path):
                keys.append(within.as_posix())
                continue
            with suppress(FileNotFoundError):  # pruned meanwhile; that nothing needed is missing is looked at below
                self._copy_one(path)
        self._copy_measures()
        return keys

    def _copy_measures(self) -> None:
        folder = self.home.joinpath(*_MEASURES)
        manifest = folder / "manifest.json"
        for _ in range(_TRIES):
            before = manifest.read_bytes() if manifest.exists() else b""
            with suppress(FileNotFoundError):
                for path in sorted(folder.rglob("*")):
                    if path.is_file() and _is_worth_keeping(path.relative_to(self.home), None):
                        self._copy_one(path)
                if (manifest.read_bytes() if manifest.exists() else b"") == before:
                    return
            shutil.rmtree(self.stage / "home" / "lake" / "measures", ignore_errors=True)
            self.files = [file for file in self.files if not file.path.startswith("home/lake/measures/")]
        raise BackupRefused("the measures of the lake were rewritten again and again; take the backup at another time")

    def _copy_one(self, path: Path) -> None:
        mode, place = _mode(path), self._place(path)
        try:
            _copy(path, place, None)
        except FileNotFoundError:
            place.unlink(missing_ok=True)
            raise
        self._note(place, mode)

    def _is_key(self, path: Path) -> bool:
        within = path.relative_to(self.home)
        return within.parts[0] == "keys" or path.suffix in {".key", ".secret"} or path.resolve() in self.secrets

    def _known_runs(self) -> set[int] | None:
        """The list runs of the copied database; a later one's files stand in no table and would be in the way."""
        rows = self._rows_of("list_run", "SELECT sequence FROM list_run")
        return None if rows is None else {sequence for (sequence,) in rows}

    def _hold_against_journal(self) -> None:
        """Every file that the copied database counts as part of the lake is there, with the digest it had."""
        kept = {file.path: file.sha256 for file in self.files}
        for path, digest in self._rows_of("lake_file", "SELECT path, digest FROM lake_file") or ():
            if kept.get(f"home/{path}") != digest.hex():
                raise BackupRefused(f"{path} was pruned or altered while the backup was taken; take it again")

    def _rows_of(self, table: str, query: str) -> list[tuple[Any, ...]] | None:
        path = self.stage / "home" / "register.sqlite"
        if not path.exists():
            return None
        database = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            has = database.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone()
            return database.execute(query).fetchall() if has else None
        finally:
            database.close()

    def _place(self, path: Path) -> Path:
        place = self.stage / "home" / path.relative_to(self.home)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(place, os.O_CREAT | os.O_CLOEXEC, 0o600))
        return place

    def _note(self, place: Path, mode: int) -> None:
        with place.open("rb") as file:
            digest = sha256()
            while piece := file.read(_PIECE):
                digest.update(piece)
            octets = file.tell()
            os.fsync(file.fileno())
        path = place.relative_to(self.stage).as_posix()
        self.files.append(KeptFile(path=path, octets=octets, sha256=digest.hexdigest(), mode=mode))


def _is_worth_keeping(within: Path, runs: set[int] | None) -> bool:
    """False for what a crash would leave, what is being received, and what is made again from the rest."""
    parts, name = within.parts, within.name
    if (
        name in {"lock", ".lock"}
        or name.startswith((".new-", ".stage-"))
        or name.endswith(("-wal", "-shm", "-journal"))
    ):
        return False
    if parts[0] == "arrived" or within.suffix == ".idx" or parts in {("ledger", "tree"), ("portal", "metrics")}:
        return False
    if parts[:2] == ("lake", "staging") or parts[:3] == (*_MEASURES, "spill"):
        return False
    if any(part.startswith(".stage-") for part in parts):
        return False
    is_run = len(parts) > 2 and parts[0] == "lists" and parts[1].isascii() and parts[1].isdigit()
    return not is_run or runs is None or int(parts[1]) in runs


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def _copy(path: Path, place: Path, octets: int | None) -> None:
    """Copy the first `octets` of a file, or all of it."""
    with path.open("rb") as source, place.open("wb") as target:
        left = octets
        while piece := source.read(_PIECE if left is None else min(_PIECE, left)):
            target.write(piece)
            left = None if left is None else left - len(piece)
    if left:
        raise BackupRefused(f"{path.name} became shorter while it was copied; take the backup again")
