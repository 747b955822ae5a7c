"""Who looked at whose subscribers, when and why. Written before anything is shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from openceir.storage.database import Database

__all__ = ["Read", "ReadAudit"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS read_audit(
    number INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used again: a missing number is a removed row
    at INTEGER NOT NULL,
    reader TEXT NOT NULL,                       -- name of the token, or the local user
    role TEXT NOT NULL,
    device INTEGER NOT NULL,
    purpose TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS read_audit_device ON read_audit(device);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One look at the subscribers of one device."""

    number: int
    at: datetime
    reader: str
    role: str
    device: int
    purpose: str


class ReadAudit:
    """The reads in `register.sqlite`. Rows are only ever added; `record` is durable on return."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(_SCHEMA)

    def record(self, *, at: datetime, reader: str, role: str, device: int, purpose: str) -> None:
        """Note a read that is about to happen. When it raises, nothing may be shown."""
        with self._database.transaction() as rows:
            rows.execute(
                "INSERT INTO read_audit(at, reader, role, device, purpose) VALUES (?, ?, ?, ?, ?)",
                (int(at.timestamp()), reader, role, device, purpose),
            )

    def reads(self, device: int | None = None) -> Iterator[Read]:
        """The reads of one device, or all, oldest first."""
        query = "SELECT number, at, reader, role, device, purpose FROM read_audit WHERE ?1 IS NULL OR device = ?1 ORDER BY number"
        for number, at, reader, role, key, purpose in self._database.connection.execute(query, (device,)):
            yield Read(
                number=number,
                at=datetime.fromtimestamp(at, UTC),
                reader=reader,
                role=role,
                device=key,
                purpose=purpose,
            )
