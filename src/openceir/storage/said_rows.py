"""Rows of the table `said`: which columns, and how they are read."""

import sqlite3
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from openceir.status import ClaimKind, Keys, Said

__all__ = ["ONE_LOG", "PARTS", "SAID_COLUMNS", "SaidReader", "octets_of", "spans_of"]

PARTS = 4  # of one statement, at most
ONE_LOG = 1 << 42  # ids of one log: 0 is this register's own, others count from 1
SAID_COLUMNS = (
    "id, kind, label, issuer, effective_at, logged_at, leaf_hash, until_at, block_on, blocking, amnesty, "
    "marks_duplicate, restores_at, target, ends_kind, ends_label, over_others, note, evidence_digest, nation, roles"
)


def octets_of(keys: Keys) -> bytes:
    """Keys as a column keeps them."""
    return keys.astype("<i8").tobytes()


def spans_of(octets: bytes | None) -> Keys:
    """Ranges from their column. Shapes: a row (first, last) each."""
    return np.frombuffer(octets or b"", dtype="<i8").astype(np.int64).reshape(-1, 2)


class SaidReader:
    """Reads rows of `said`, with what stands in other tables: the names of other logs, and who approved what."""

    def __init__(self) -> None:
        self._logs: dict[int, str] = {0: ""}
        self._numbers: dict[str, int] = {"": 0}
        self._approvals: dict[bytes, tuple[int, ...]] = {}

    def learn(self, connection: sqlite3.Connection) -> None:
        """Read those tables anew."""
        self._logs = {0: "", **dict(connection.execute("SELECT number, name FROM foreign_log"))}
        self._numbers = {name: number for number, name in self._logs.items()}
        self._approvals = {}
        for target, at in connection.execute("SELECT target, logged_at FROM approval ORDER BY logged_at"):
            self._approvals[target] = (*self._approvals.get(target, ()), at)

    def id_of(self, said: Said) -> int:
        """The id of the row that this was read from."""
        return self._numbers[said.log] * ONE_LOG + said.index * PARTS + said.part

    def read(self, row: Sequence[Any]) -> Said:
        """What was said, from the SAID_COLUMNS of its row."""
        (
            identity, kind, label, issuer, effective_at, logged_at, leaf_hash, until_at, block_on, blocking, amnesty,
            marks_duplicate, restores_at, target, ends_kind, ends_label, over_others, note, evidence_digest, nation,
            roles,
        ) = row  # fmt: skip
        return Said(
            index=identity % ONE_LOG // PARTS,
            part=identity % PARTS,
            kind=ClaimKind(kind),
            label=label,
            issuer=issuer,
            effective_at=effective_at,
            logged_at=logged_at,
            leaf_hash=leaf_hash,
            until_at=until_at,
            block_on=date.fromisoformat(block_on) if block_on else None,
            blocking=bool(blocking),
            amnesty=bool(amnesty),
            marks_duplicate=bool(marks_duplicate),
            restores_at=restores_at,
            target=target,
            ends_kind=ClaimKind(ends_kind) if ends_kind else None,
            ends_label=ends_label,
            over_others=bool(over_others),
            note=note,
            evidence_digest=evidence_digest,
            nation=nation,
            roles=tuple(roles.split(",")) if roles else (),
            log=self._logs[identity // ONE_LOG],
            approvals=self._approvals.get(leaf_hash, ()),
        )
