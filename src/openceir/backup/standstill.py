"""One moment of a home folder: all writers wait for some milliseconds, and what is seen then is what will be copied.

An act of the portal writes its rows, then the ledger, then commits; so the portal's database is locked first and the
books after it, in the order in which writers take them. Then every SQLite file is opened for reading: from there on
that connection sees the file as it is now (WAL), however long the copying takes. The books are append-only: their
length and their checkpoint are noted. Claims and other views may be behind the book by what a writer was about to
apply; they catch up when the register is opened, as after any crash.
"""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from openceir.backup.errors import BackupRefused
from openceir.ledger import LedgerBusy
from openceir.storage.ledger_files import LedgerFiles

__all__ = ["Moment", "moment_of"]

_WAITS_S = 60.0
_SQLITE = b"SQLite format 3\0"


@dataclass(slots=True)
class Moment:
    """What was seen while nobody wrote; paths are those of the home."""

    databases: dict[Path, sqlite3.Connection] = field(default_factory=dict)
    log_octets: dict[Path, int] = field(default_factory=dict)
    checkpoints: dict[Path, bytes] = field(default_factory=dict)
    log_size: int = 0  # entries of the register's own book
    portal_snapshot: str = ""  # of PostgreSQL


@contextmanager
def moment_of(home: Path, also: contextlib.AbstractContextManager[str] | None = None) -> Iterator[Moment]:
    """While inside, the databases of the result can be read as they were at one moment; writers have long gone on.

    `also` gives the name of a snapshot of the portal's database elsewhere, and holds its writers while it is open.
    Raises: BackupRefused when somebody writes for longer than a minute.
    """
    seen = Moment()
    with ExitStack() as kept:
        until = time.monotonic() + _WAITS_S
        while True:
            try:
                with ExitStack() as held:
                    if also is not None and not seen.portal_snapshot:
                        seen.portal_snapshot = held.enter_context(also)
                    _hold_writers(home, held)
                    _look(home, seen, kept)
                break
            except (LedgerBusy, sqlite3.OperationalError) as wrong:
                if time.monotonic() > until or also is not None:
                    raise BackupRefused(f"no quiet moment was found: {wrong}; try again when it has ended") from wrong
                time.sleep(0.05)
        yield seen


def _hold_writers(home: Path, held: ExitStack) -> None:
    """Lock the portal's database, then every book."""
    portal = home / "portal.sqlite"
    if portal.exists():
        writer = sqlite3.connect(portal, timeout=20, isolation_level=None)
        held.callback(writer.close)
        writer.execute("BEGIN IMMEDIATE")
        held.callback(writer.execute, "ROLLBACK")
    for log in sorted(home.rglob("log")):
        if log.is_file():
            book = LedgerFiles(log.parent)
            held.callback(book.close)
            book.lock()


def _look(home: Path, seen: Moment, kept: ExitStack) -> None:
    for log in sorted(home.rglob("log")):
        if log.is_file():
            seen.log_octets[log] = log.stat().st_size
            checkpoint = log.with_name("checkpoint")
            if checkpoint.exists():
                seen.checkpoints[checkpoint] = checkpoint.read_bytes()
    book = LedgerFiles(home / "ledger")
    heads = book.refresh() if (home / "ledger" / "log").exists() else []
    seen.log_size = heads[-1].end if heads else 0
    book.close()
    for path in sorted(home.rglob("*.sqlite")):
        if path.is_file() and not path.is_symlink() and _is_sqlite(path):
            connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
            kept.callback(connection.close)
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on it sees this state
            seen.databases[path] = connection


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE
