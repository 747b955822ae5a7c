"""The import journal: what was brought in, when, by whom, and what came of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from openceir.storage.database import Database

__all__ = ["ImportJournal", "Imported"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS import(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    operator TEXT NOT NULL,
    digest BLOB NOT NULL,
    file TEXT NOT NULL,
    at INTEGER NOT NULL,
    member TEXT NOT NULL,
    rows INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    summary TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS import_by_content ON import(kind, operator, digest);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """One accepted file.

    Units: `at` is UTC; `digest` is SHA-256 of the uncompressed contents.
    """

    id: int
    kind: str
    operator: str
    digest: bytes
    file: str
    at: datetime
    member: str
    rows: int
    accepted: int
    summary: Mapping[str, Any]


class ImportJournal:
    """Append-only. A row is written in the transaction that makes the import count, so it is the import's commit."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(_SCHEMA)

    def add(
        self,
        *,
        kind: str,
        digest: bytes,
        file: str,
        at: datetime,
        rows: int,
        accepted: int,
        summary: Mapping[str, Any],
        operator: str = "",
        member: str = "",
    ) -> int:
        """Note an accepted file and give its number. Call inside the transaction that makes it count."""
        with self._database.transaction() as table:
            cursor = table.execute(
                "INSERT INTO import(kind, operator, digest, file, at, member, rows, accepted, summary)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (kind, operator, digest, file, int(at.timestamp()), member, rows, accepted,
                 json.dumps(summary, sort_keys=True, ensure_ascii=False)),
            )  # fmt: skip
            assert cursor.lastrowid is not None
            return cursor.lastrowid

    def find(self, kind: str, digest: bytes, operator: str = "") -> Imported | None:
        """The import that had exactly these contents, None when there was none."""
        return self._first("WHERE kind = ? AND operator = ? AND digest = ? ORDER BY id DESC", (kind, operator, digest))

    def latest(self, kind: str) -> Imported | None:
        """The newest import of a kind."""
        return self._first("WHERE kind = ? ORDER BY id DESC", (kind,))

    def history(self, kind: str | None = None, most: int = 100) -> list[Imported]:
        """Imports, newest first."""
        where, values = ("WHERE kind = ?", (kind,)) if kind else ("", ())
        return self._select(f"{where} ORDER BY id DESC LIMIT ?", (*values, most))

    def _first(self, rest: str, values: tuple[Any, ...]) -> Imported | None:
        found = self._select(f"{rest} LIMIT 1", values)
        return found[0] if found else None

    def _select(self, rest: str, values: tuple[Any, ...]) -> list[Imported]:
        rows = self._database.connection.execute(
            f"SELECT id, kind, operator, digest, file, at, member, rows, accepted, summary FROM import {rest}", values
        )
        return [
            Imported(
                id=number, kind=kind, operator=operator, digest=digest, file=file,
                at=datetime.fromtimestamp(at, UTC), member=member, rows=count, accepted=accepted,
                summary=json.loads(summary),
            )
            for number, kind, operator, digest, file, at, member, count, accepted, summary in rows
        ]  # fmt: skip
