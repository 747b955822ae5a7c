"""When the register last did what it does by itself."""

from datetime import UTC, datetime

from openceir.storage.database import Database

__all__ = ["ChoreShelf"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS chore(name TEXT PRIMARY KEY, done_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""


class ChoreShelf:
    """The times in `register.sqlite`; durable on return."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(_SCHEMA)

    def done_at(self, name: str) -> datetime | None:
        """When this chore was last done; None when it never was."""
        row = self._database.connection.execute("SELECT done_at FROM chore WHERE name = ?", (name,)).fetchone()
        return None if row is None else datetime.fromtimestamp(row[0], UTC)

    def note(self, name: str, at: datetime) -> None:
        """This chore was done."""
        with self._database.transaction() as rows:
            rows.execute("INSERT OR REPLACE INTO chore VALUES (?, ?)", (name, int(at.timestamp())))
