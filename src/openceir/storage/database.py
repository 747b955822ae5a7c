"""The one SQLite file of a register: how it is opened, and how shelves share a transaction in it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from openceir.storage.files import StorageError

__all__ = ["Database"]


class Database:
    """A connection to `register.sqlite`. Shelves declare their tables with `define` and write inside `transaction`.

    WAL, so that readers never wait; synchronous=FULL, so that what returned is on the disk. One writer at a time:
    a second process waits up to 30 s for the lock and is then told so. One Database object a thread.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        if not read_only:
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}",
                uri=True,
                timeout=30,
                isolation_level=None,  # transactions are ours, below
                cached_statements=512,
            )
            if not read_only:
                self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = FULL")
            self.connection.execute("PRAGMA foreign_keys = ON")
        except sqlite3.Error as wrong:
            raise StorageError(f"{path} cannot be opened: {wrong}; is it a register's database?") from wrong
        self.path = path
        self.read_only = read_only
        self._defined_within: list[str] = []  # schemas of the open transaction

    def define(self, schema: str) -> None:
        """Create a shelf's tables and indexes where they are absent (`CREATE … IF NOT EXISTS` statements).

        Inside a transaction they are made in it, and once more should it be taken back: the shelf stays open.
        """
        if self.read_only:
            return
        if self.connection.in_transaction:
            self._defined_within.append(schema)
        for statement in _statements_of(schema):  # not executescript, which commits first
            self.connection.execute(statement)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; a transaction inside another joins it.

        Raises: StorageError when the disk is full or another process holds the lock for too long.
        """
        if self.connection.in_transaction:
            yield self.connection
            return
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            with self._taken_back_on_error():
                yield self.connection
                self.connection.execute("COMMIT")
                self._defined_within.clear()
        except sqlite3.OperationalError as wrong:
            raise StorageError(f"{self.path} could not be written: {wrong}; nothing was changed") from wrong

    @contextmanager
    def _taken_back_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            if self.connection.in_transaction:  # SQLite has rolled back by itself after some errors
                self.connection.execute("ROLLBACK")
            schemas, self._defined_within = self._defined_within, []
            for schema in schemas:
                self.define(schema)
            raise

    @contextmanager
    def forgetting(self) -> Iterator[sqlite3.Connection]:
        """A transaction whose deletions overwrite what they free, in the file and in the write-ahead log."""
        self.connection.execute("PRAGMA secure_delete = ON")
        try:
            with self.transaction() as rows:
                yield rows
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            self.connection.execute("PRAGMA secure_delete = OFF")

    def rewrite(self) -> None:
        """Write the whole file anew: what was deleted stays readable in free pages and the write-ahead log until then."""
        self.connection.execute("VACUUM")
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()


def _statements_of(schema: str) -> Iterator[str]:
    statement = ""
    for line in schema.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    assert not statement.strip(), "a schema ends with a semicolon"
