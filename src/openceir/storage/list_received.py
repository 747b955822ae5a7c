"""When operators fetched their lists, and when they first said that they applied them.

What an operator holds now is its last acknowledgement (`list_runs`); here stands how long each list took to get there.
"""

from collections.abc import Iterable
from typing import NamedTuple

from openceir.storage.database import Database

__all__ = ["Received", "ReceivedShelf"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS list_received (
    operator TEXT NOT NULL,
    kind TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    fetched_at TEXT,                  -- when its rows, whole or as a delta, were first handed out to the last octet
    applied_at TEXT,                  -- when the operator first said that it applied it
    PRIMARY KEY (operator, kind, sequence)
) WITHOUT ROWID;
"""


class Received(NamedTuple):
    """When an operator first fetched a list, and first said that it applied it; None: never."""

    operator: str
    kind: str
    sequence: int
    fetched_at: str | None
    applied_at: str | None


class ReceivedShelf:
    """A row a list and operator. The first time of each stands."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(_SCHEMA)

    def fetched(self, operator: str, kind: str, sequence: int, at: str) -> None:
        """Keep that an operator was handed a list, whole or as the delta that leads to it."""
        known = "SELECT 1 FROM list_received WHERE (operator, kind, sequence) = (?, ?, ?) AND fetched_at IS NOT NULL"
        if self._database.connection.execute(known, (operator, kind, sequence)).fetchone():
            return  # asked for again and again, it is written once
        with self._database.transaction() as rows:
            rows.execute(
                "INSERT INTO list_received VALUES (?, ?, ?, ?, NULL) ON CONFLICT DO UPDATE"
                " SET fetched_at = coalesce(fetched_at, excluded.fetched_at)",
                (operator, kind, sequence, at),
            )

    def applied(self, said: Iterable[tuple[str, str, int, str]]) -> None:
        """Keep what operators say they applied: (operator, kind, sequence, when)."""
        with self._database.transaction() as rows:
            rows.executemany(
                "INSERT INTO list_received VALUES (?, ?, ?, NULL, ?) ON CONFLICT DO UPDATE"
                " SET applied_at = coalesce(applied_at, excluded.applied_at)",
                said,
            )

    def newest(self, operator: str) -> dict[str, Received]:
        """Of each kind the newest list that this operator fetched."""
        rows = self._database.connection.execute(
            "SELECT operator, kind, max(sequence), fetched_at, applied_at FROM list_received"
            " WHERE operator = ? AND fetched_at IS NOT NULL GROUP BY kind",
            (operator,),
        )
        return {one.kind: one for one in map(Received._make, rows)}
