"""`openceir backup verify` and `openceir restore`: prove a backup whole, and make a home folder of it again."""

import os
import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from openceir.app import open_register
from openceir.backup.errors import BackupRefused
from openceir.backup.keys import open_keys
from openceir.backup.manifest import KeptFile, Manifest
from openceir.backup.postgresql import is_postgresql, load_portal
from openceir.progress import Progress, Silent
from openceir.settings import load_settings
from openceir.storage.files import StorageError, fsync_folder, replace_file

__all__ = ["Restored", "restore_backup", "verify_backup"]

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A home folder made of a backup."""

    home: Path
    manifest: Manifest
    statements: int  # verified from the disk, from the first on
    missing_keys: tuple[str, ...]  # to be put back by hand


def verify_backup(folder: Path, *, digest: str = "", progress: Progress = Silent()) -> Manifest:
    """Read every octet of a backup and hold it against its manifest, and every database against SQLite's own check.

    `digest` is what was written down when it was taken: without it, somebody who can write the folder can exchange
    everything, manifest included.
    Raises: BackupRefused at the first thing that is not as it was.
    """
    try:
        manifest = Manifest.read((folder / "manifest.json").read_bytes())
    except FileNotFoundError:
        raise BackupRefused(f"{folder} has no manifest.json: it is no backup, or one that was never finished") from None
    except OSError as wrong:
        raise StorageError(f"{folder} cannot be read: {wrong.strerror}") from wrong
    if digest and manifest.digest != digest.lower():
        raise BackupRefused(f"manifest.json has the digest {manifest.digest}, not the one you gave: it was exchanged")
    for number, file in enumerate(manifest.files):
        progress("verifying", number, len(manifest.files))
        _verify_file(folder, file)
    return manifest


def _verify_file(folder: Path, file: KeptFile) -> None:
    path = folder / file.path
    try:
        with path.open("rb") as source:
            read = sha256()
            while piece := source.read(_PIECE):
                read.update(piece)
            octets = source.tell()
    except OSError as wrong:
        raise BackupRefused(f"{file.path} cannot be read: {wrong.strerror}; use another backup") from wrong
    if (octets, read.hexdigest()) != (file.octets, file.sha256):
        raise BackupRefused(f"{file.path} is not what was backed up; use another backup")
    if path.suffix == ".sqlite":
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            [(said,)] = database.execute("PRAGMA quick_check(1)").fetchall()
        except sqlite3.DatabaseError as wrong:
            said = str(wrong)
        finally:
            database.close()
        if said != "ok":
            raise BackupRefused(f"{file.path} was damaged when it was backed up: {said}; use an older backup")


def restore_backup(
    folder: Path,
    home: Path,
    *,
    environment: Mapping[str, str],
    passphrase: str = "",
    digest: str = "",
    progress: Progress = Silent(),
) -> Restored:
    """Make `home`, which must not be there or be empty, of a verified backup; then read its whole book again.

    The folder is made beside and renamed when it is whole: killed half-way, there is no home, and the next try begins anew.
    Raises: BackupRefused; StorageError when the disk refuses; LedgerBroken when the book in the backup is.
    """
    home = home.absolute()
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise BackupRefused(f"{home} is not empty; a restore goes into a new folder, and never over a register")
    manifest = verify_backup(folder, digest=digest, progress=progress)
    keys: dict[str, bytes] = {}
    if passphrase:
        if not manifest.has_keys:
            raise BackupRefused("this backup holds no keys; restore without a passphrase and put the keys back by hand")
        keys = open_keys((folder / "keys.sealed").read_bytes(), passphrase)
        if set(keys) != set(manifest.keys):
            raise BackupRefused("keys.sealed holds other keys than manifest.json names; use another backup")
    stage = home.with_name(f".restoring-{home.name}")
    try:
        shutil.rmtree(stage, ignore_errors=True)  # of a restore that was killed
        _fill(folder, stage, manifest, keys, progress)
        statements = _read_again(stage, manifest, progress)
        if manifest.has_dump:
            settings, _ = load_settings(stage, environment)
            if not is_postgresql(settings.portal_database):
                raise BackupRefused(
                    "the portal was in PostgreSQL; name an empty database in the setting portal.database"
                )
            load_portal(settings.portal_database, folder / "portal.dump")
        home.parent.mkdir(parents=True, exist_ok=True)
        stage.rename(home)  # from here on there is a register
        fsync_folder(home.parent)
    except OSError as wrong:
        raise StorageError(f"{home} could not be made: {wrong.strerror}; nothing is there") from wrong
    return Restored(
        home=home,
        manifest=manifest,
        statements=statements,
        missing_keys=tuple(name for name in manifest.keys if name not in keys),
    )


def _fill(folder: Path, stage: Path, manifest: Manifest, keys: Mapping[str, bytes], progress: Progress) -> None:
    inside = [file for file in manifest.files if file.path.startswith("home/")]
    stage.mkdir(mode=0o700, parents=True)
    for number, file in enumerate(inside):
        progress("restoring", number, len(inside))
        place = stage / file.path.removeprefix("home/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / file.path, place)
        place.chmod(file.mode)
        with place.open("rb") as written:
            os.fsync(written.fileno())
        _verify_file(
            stage, KeptFile(path=place.relative_to(stage).as_posix(), octets=file.octets, sha256=file.sha256, mode=0)
        )
    for path, octets in keys.items():
        (stage / path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(stage / path, octets, 0o600)
    for made in {path.parent for path in stage.rglob("*")}:
        fsync_folder(made)


def _read_again(stage: Path, manifest: Manifest, progress: Progress) -> int:
    """Verify the whole book, and let the views catch up; how many statements it holds."""
    if not (stage / "ledger" / "log").exists():
        return 0
    register = open_register(stage)
    try:
        audit = register.verify_ledger(progress)
        if audit.statements != manifest.log_size:
            raise BackupRefused(
                f"the book holds {audit.statements} statements where the manifest says {manifest.log_size}; use another"
            )
        register.catch_up()
    finally:
        register.ledger.close()
        register.database.close()
    return audit.statements
