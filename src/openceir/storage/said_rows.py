"""Rows of the table `said`: which columns, and how they are read."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from openceir.status import ClaimKind, Keys, Said

__all__ = ["PARTS", "SAID_COLUMNS", "octets_of", "read_said", "spans_of"]

PARTS = 4  # of one statement, at most
SAID_COLUMNS = (
    "id, kind, label, issuer, effective_at, logged_at, leaf_hash, until_at, block_on, blocking, amnesty, "
    "marks_duplicate, restores_at, target, ends_kind, ends_label, over_others, note, evidence_digest"
)


def octets_of(keys: Keys) -> bytes:
    """Keys as a column keeps them."""
    return keys.astype("<i8").tobytes()


def spans_of(octets: bytes | None) -> Keys:
    """Ranges from their column. Shapes: a row (first, last) each."""
    return np.frombuffer(octets or b"", dtype="<i8").astype(np.int64).reshape(-1, 2)


def read_said(row: Sequence[Any]) -> Said:
    """What was said, from the SAID_COLUMNS of its row."""
    (
        identity, kind, label, issuer, effective_at, logged_at, leaf_hash, until_at, block_on, blocking, amnesty,
        marks_duplicate, restores_at, target, ends_kind, ends_label, over_others, note, evidence_digest,
    ) = row  # fmt: skip
    return Said(
        index=identity // PARTS,
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
    )
