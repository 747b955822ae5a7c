"""What was said, kept off the log so that it can be destroyed: one SQLite file of salts and payloads.

secure_delete overwrites freed pages, and the write-ahead log is emptied after an erasure, so that the octets leave
this machine's files. Copies on backups and the wear-levelling of flash are outside our reach; docs/trust.md says so.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from openceir.ledger import LedgerError, Payload
from openceir.storage.database import Database
from openceir.storage.files import StorageError

__all__ = ["Payloads"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS payload (
    idx       INTEGER PRIMARY KEY,  -- of the entry in the log
    salt      BLOB,                 -- both NULL once erased
    octets    BLOB,
    erased_at INTEGER               -- seconds since 1970 UTC
);
"""


class Payloads:
    """A PayloadShelf in one SQLite file, which is made at the first write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened: Database | None = None

    def put(self, first: int, payloads: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep salts and payloads for the entries from `first` on, all or none, durably."""
        database = self._writer()
        with database.transaction() as connection:
            connection.execute("DELETE FROM payload WHERE idx >= ?", (first,))
            connection.executemany(
                "INSERT INTO payload (idx, salt, octets) VALUES (?, ?, ?)",
                ((index, salt, octets) for index, (salt, octets) in enumerate(payloads, first)),
            )

    def find(self, index: int) -> Payload | None:
        """The payload of an entry; None when none was ever kept."""
        return next((payload for _, payload in self.between(index, index + 1)), None)

    def between(self, first: int, end: int) -> Iterator[tuple[int, Payload]]:
        """Index and payload of the entries [first, end), ascending."""
        database = self._reader()
        if database is None:
            return
        try:
            rows = database.connection.execute(
                "SELECT idx, salt, octets, erased_at FROM payload WHERE idx >= ? AND idx < ? ORDER BY idx", (first, end)
            )
            for index, salt, octets, erased_at in rows:
                if erased_at is None:
                    yield index, Payload(salt, octets)
                else:
                    yield index, Payload(b"", b"", datetime.fromtimestamp(erased_at, UTC))
        except sqlite3.DatabaseError as wrong:
            raise StorageError(f"{self.path} cannot be read: {wrong}; restore it from a copy") from wrong

    def forget_from(self, index: int) -> int:
        """Remove payloads whose entries never reached the log; how many."""
        with self._writer().transaction() as connection:
            return connection.execute("DELETE FROM payload WHERE idx >= ?", (index,)).rowcount

    def erase(self, index: int, at: datetime) -> None:
        """Destroy salt and payload; that it was done at `at` is remembered.

        Raises: LedgerError when a reader held on to the write-ahead log: erased for every reader, but not yet gone
        from the file; calling again finishes it.
        """
        database = self._writer()
        with database.transaction() as connection:
            connection.execute(
                "UPDATE payload SET salt = NULL, octets = NULL, erased_at = ? WHERE idx = ? AND erased_at IS NULL",
                (int(at.timestamp()), index),
            )
        (busy, _, _) = database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise LedgerError(
                f"entry {index} is erased, but another process still reads {self.path.name}-wal, which holds a trace; "
                "run `openceir ledger erase` on the entry again when that process has ended"
            )

    def close(self) -> None:
        """Let go of the file."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _reader(self) -> Database | None:
        if self._opened is None and self.path.exists():
            self._opened = self._open()
        return self._opened

    def _writer(self) -> Database:
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _open(self) -> Database:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self.path, os.O_CREAT | os.O_CLOEXEC, 0o600))  # payloads hold personal data
        database = Database(self.path)
        database.connection.execute("PRAGMA secure_delete = ON")
        database.define(_SCHEMA)
        return database
