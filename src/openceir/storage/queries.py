"""Questions that were accepted and are answered later, with their answers until they are fetched or a day has passed."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from openceir.storage.database import Database

__all__ = ["Query", "QueryShelf"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS query(
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    operator TEXT NOT NULL,
    question TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    answer TEXT                     -- null while it waits
) STRICT;
"""
_KEPT = timedelta(days=1)


class Query(NamedTuple):
    """One question. `answer` is None while it waits."""

    number: int
    question: str
    asked_at: datetime
    answer: str | None


class QueryShelf:
    """Queries in `register.sqlite`. What `keep` returned is durable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(_SCHEMA)

    def keep(self, operator: str, question: str, *, at: datetime) -> int:
        """The number under which the answer will be found."""
        with self._database.transaction() as rows:
            done = rows.execute(
                "INSERT INTO query(operator, question, asked_at) VALUES (?, ?, ?)",
                (operator, question, int(at.timestamp())),
            )
        assert done.lastrowid is not None
        return done.lastrowid

    def find(self, number: int, operator: str) -> Query | None:
        """The query of that number, if this operator asked it."""
        query = "SELECT number, question, asked_at, answer FROM query WHERE number = ? AND operator = ?"
        row = self._database.connection.execute(query, (number, operator)).fetchone()
        return _read(row) if row else None

    def waiting(self) -> list[Query]:
        """What has no answer yet, oldest first."""
        query = "SELECT number, question, asked_at, answer FROM query WHERE answer IS NULL ORDER BY number"
        return [_read(row) for row in self._database.connection.execute(query)]

    def answer(self, number: int, answer: str) -> None:
        """Keep the answer. The first one stands."""
        with self._database.transaction() as rows:
            rows.execute("UPDATE query SET answer = ? WHERE number = ? AND answer IS NULL", (answer, number))

    def forget_before(self, moment: datetime) -> None:
        """Erase what was asked more than a day before `moment`."""
        with self._database.transaction() as rows:
            rows.execute("DELETE FROM query WHERE asked_at < ?", (int((moment - _KEPT).timestamp()),))


def _read(row: tuple[int, str, int, str | None]) -> Query:
    return Query(row[0], row[1], datetime.fromtimestamp(row[2], UTC), row[3])
