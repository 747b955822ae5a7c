"""The book of one consortium node: entries, blocks and state in one SQLite file, changed by one transaction a block.

What the engine has ordered up to a height, and everything that follows from it, stand in the file together or not at
all; a node that dies at any moment finds the last whole block when it opens the file again, and the engine gives it
the rest once more. The file is only this node's copy: it can be deleted and is rebuilt from the other nodes.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from openceir.storage.database import Database
from openceir.storage.files import StorageError

__all__ = ["IMPORTED", "Chunk", "Head", "OrderedBlock", "OrderedEntry", "OrderedLog", "Snapshot"]

IMPORTED: Final = -1  # the height of entries that stood in an embedded log before the consortium began

_ROWS_AT_ONCE: Final = 1000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    idx     INTEGER PRIMARY KEY,
    height  INTEGER NOT NULL,  -- of its block; -1 when it was imported
    seconds INTEGER NOT NULL,  -- time of its block, since 1970 UTC
    octets  BLOB NOT NULL,     -- the signed part, the leaf of the tree
    salt    BLOB,              -- of public kinds, whose payload is part of the order
    payload BLOB
);
CREATE TABLE IF NOT EXISTS block (
    height       INTEGER PRIMARY KEY,
    seconds      INTEGER NOT NULL,
    size         INTEGER NOT NULL,  -- of the log after it
    state_root   BLOB NOT NULL,
    members_root BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS head (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    chain_id   TEXT NOT NULL,
    height     INTEGER NOT NULL,  -- 0 before the first block
    app_hash   BLOB NOT NULL,
    state      BLOB NOT NULL,     -- of the machine, without its tree
    validators BLOB NOT NULL      -- as last told to the engine
);
CREATE TABLE IF NOT EXISTS chunk (
    number INTEGER PRIMARY KEY,  -- whole chunks of entries, as snapshots serve them; they never change
    first  INTEGER NOT NULL,
    end    INTEGER NOT NULL,
    digest BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS snapshot (
    height   INTEGER PRIMARY KEY,
    size     INTEGER NOT NULL,
    state    BLOB NOT NULL,  -- its first chunk
    metadata BLOB NOT NULL   -- the digests of its chunks
);
"""


@dataclass(frozen=True, slots=True)
class OrderedEntry:
    """An entry, where and when it was ordered, and what a public one says."""

    index: int
    height: int
    time: datetime
    octets: bytes
    salt: bytes
    payload: bytes

    @property
    def disclosed(self) -> tuple[bytes, bytes] | None:
        """Salt and payload of a public kind; None of others, whose payload never was in the order."""
        return (self.salt, self.payload) if self.salt else None


@dataclass(frozen=True, slots=True)
class OrderedBlock:
    """What is left to know of a block once its entries are in the tree."""

    height: int
    time: datetime
    size: int
    state_root: bytes
    members_root: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """Where the node stands: the last block that it took in whole."""

    chain_id: str
    height: int
    app_hash: bytes
    state: bytes
    validators: bytes


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of entries [first, end) that snapshots serve as one piece, and its digest."""

    number: int
    first: int
    end: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state at a height, for nodes that join."""

    height: int
    size: int
    state: bytes
    metadata: bytes


class OrderedLog:
    """One node's file. One writer, the node; any number of readers beside it."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open or make the file. Raises: StorageError, also when there is nothing to only read."""
        self._database = Database(path, read_only=read_only)
        self._database.define(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written within is durable when it ends, or none of it is. Raises: StorageError."""
        try:
            with self._database.transaction():
                yield
        except sqlite3.Error as wrong:
            raise StorageError(f"{self._database.path} cannot be written: {wrong}; nothing was changed") from wrong

    def clear(self) -> None:
        """Forget everything: before a chain's first block, or a snapshot, is taken in."""
        for table in ("entry", "block", "head", "chunk", "snapshot"):
            self._database.connection.execute(f"DELETE FROM {table}")

    # -- reading -------------------------------------------------------------------------------------------------

    def head(self) -> Head | None:
        """Where the node stands; None when it never began."""
        row = self._one("SELECT chain_id, height, app_hash, state, validators FROM head")
        return None if row is None else Head(*row)

    def size(self) -> int:
        """How many entries are kept."""
        row = self._one("SELECT coalesce(max(idx) + 1, 0) FROM entry")
        assert row is not None
        return int(row[0])

    def entries(self, first: int = 0, end: int | None = None) -> Iterator[OrderedEntry]:
        """The entries [first, end) in order. Raises: StorageError at a gap."""
        rows = self._all(
            "SELECT idx, height, seconds, octets, salt, payload FROM entry WHERE idx >= ? AND idx < ? ORDER BY idx",
            first,
            1 << 62 if end is None else end,
        )
        for expected, row in enumerate(rows, first):
            if row[0] != expected:
                raise StorageError(f"{self._database.path}: entry {expected} is lost; delete the file, and let it sync")
            yield OrderedEntry(row[0], row[1], _instant(row[2]), row[3], row[4] or b"", row[5] or b"")

    def block(self, height: int) -> OrderedBlock | None:
        """The block at a height, or None."""
        row = self._one("SELECT height, seconds, size, state_root, members_root FROM block WHERE height = ?", height)
        return None if row is None else OrderedBlock(row[0], _instant(row[1]), *row[2:])

    def blocks(self) -> Iterator[OrderedBlock]:
        """All blocks that were kept, ascending; those before a snapshot was taken in are not."""
        for row in self._all("SELECT height, seconds, size, state_root, members_root FROM block ORDER BY height"):
            yield OrderedBlock(row[0], _instant(row[1]), *row[2:])

    def chunks(self) -> list[Chunk]:
        """The whole chunks so far."""
        return [Chunk(*row) for row in self._all("SELECT number, first, end, digest FROM chunk ORDER BY number")]

    def snapshots(self) -> list[Snapshot]:
        """The snapshots kept, the newest first."""
        return [
            Snapshot(*row)
            for row in self._all("SELECT height, size, state, metadata FROM snapshot ORDER BY height DESC")
        ]

    def newest_snapshot(self) -> int:
        """The height of the newest snapshot; 0 when there is none."""
        row = self._one("SELECT coalesce(max(height), 0) FROM snapshot")
        assert row is not None
        return int(row[0])

    # -- writing, within a transaction ----------------------------------------------------------------------------

    def put_entries(self, entries: Sequence[OrderedEntry]) -> None:
        """Add entries."""
        self._database.connection.executemany(
            "INSERT INTO entry (idx, height, seconds, octets, salt, payload) VALUES (?, ?, ?, ?, ?, ?)",
            (
                (e.index, e.height, int(e.time.timestamp()), e.octets, e.salt or None, e.payload or None)
                for e in entries
            ),
        )

    def put_block(self, block: OrderedBlock) -> None:
        """Add a block's row."""
        self._database.connection.execute(
            "INSERT INTO block (height, seconds, size, state_root, members_root) VALUES (?, ?, ?, ?, ?)",
            (block.height, int(block.time.timestamp()), block.size, block.state_root, block.members_root),
        )

    def put_head(self, head: Head) -> None:
        """Replace where the node stands."""
        self._database.connection.execute(
            "INSERT OR REPLACE INTO head (one, chain_id, height, app_hash, state, validators) "
            "VALUES (1, ?, ?, ?, ?, ?)",
            (head.chain_id, head.height, head.app_hash, head.state, head.validators),
        )

    def put_chunk(self, chunk: Chunk) -> None:
        """Add a whole chunk."""
        self._database.connection.execute(
            "INSERT INTO chunk (number, first, end, digest) VALUES (?, ?, ?, ?)",
            (chunk.number, chunk.first, chunk.end, chunk.digest),
        )

    def put_snapshot(self, snapshot: Snapshot, keep: int) -> None:
        """Add a snapshot and forget all but the newest `keep`."""
        self._database.connection.execute(
            "INSERT OR REPLACE INTO snapshot (height, size, state, metadata) VALUES (?, ?, ?, ?)",
            (snapshot.height, snapshot.size, snapshot.state, snapshot.metadata),
        )
        self._database.connection.execute(
            "DELETE FROM snapshot WHERE height NOT IN (SELECT height FROM snapshot ORDER BY height DESC LIMIT ?)",
            (keep,),
        )

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _one(self, question: str, *values: object) -> tuple[Any, ...] | None:
        return next(self._all(question, *values), None)

    def _all(self, question: str, *values: object) -> Iterator[tuple[Any, ...]]:
        try:
            cursor = self._database.connection.execute(question, values)
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):  # a reader that stops early leaves no cursor to close
                yield from rows
        except sqlite3.Error as wrong:
            raise StorageError(
                f"{self._database.path} cannot be read: {wrong}; delete the file and let the node sync again"
            ) from wrong


def _instant(seconds: object) -> datetime:
    assert isinstance(seconds, int)
    return datetime.fromtimestamp(seconds, UTC)
