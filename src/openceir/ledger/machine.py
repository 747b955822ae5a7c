"""The state machine under every engine: statements in, a root out.

An engine (one embedded process today, a consortium later) gives order and time and nothing else. `check` decides
alone whether a statement may enter, `apply` adds what was checked. Both are pure: no clock, no files, no randomness,
and no result depends on the order of a set or dictionary. Two machines that were given the same blocks have the
same root, which is what lets members of a consortium notice a lying one.

States: a list of leaves and the time of the last block. Invariants: heights ascend by one, time never runs back, no
leaf stands twice. Limits: those of one statement, and MOST_IN_BLOCK of them in a block.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from openceir.ledger._leaves import LeafIndex
from openceir.ledger.errors import Duplicate, LedgerBroken
from openceir.ledger.merkle import MerkleLog, hash_leaf
from openceir.statements import (
    Header,
    Members,
    SignedStatement,
    Statement,
    open_payload,
    verify_header,
)

__all__ = ["Checked", "MOST_IN_BLOCK", "Machine"]

MOST_IN_BLOCK: Final = 50_000


@dataclass(frozen=True, slots=True)
class Checked:
    """A statement that may enter the log, decoded once for all who need it."""

    signed: SignedStatement
    header: Header
    said: Statement
    leaf_hash: bytes


class Machine:
    """The log's state after `height` blocks."""

    def __init__(self, members: Members, tree: MerkleLog, height: int = 0, time: datetime | None = None) -> None:
        self.members = members
        self.tree = tree
        self.height = height
        self.time = time
        self._leaves = LeafIndex(tree)

    def check(self, signed: SignedStatement, time: datetime) -> Checked:
        """The statement, if it may enter the log in a block of this time.

        Raises: StatementRefused when it is no true statement of a member who may say it; Duplicate when it stands
        in the log already.
        """
        header = verify_header(signed.octets, self.members, at=time)
        leaf_hash = hash_leaf(signed.octets)
        index = self.find(leaf_hash)
        if index is not None:
            raise Duplicate(f"this very statement is entry {index} of the log already; nothing was added")
        return Checked(signed, header, open_payload(header, signed.salt, signed.payload), leaf_hash)

    def apply(self, height: int, time: datetime, statements: Sequence[Checked]) -> bytes:
        """The root after a block of these statements, in this order.

        Raises: LedgerBroken, the state unchanged, when the block does not follow or holds a leaf twice.
        """
        if height != self.height or (self.time is not None and time < self.time):
            raise LedgerBroken(f"block {height} does not follow block {self.height - 1}, in number or in time")
        if not 0 < len(statements) <= MOST_IN_BLOCK:
            raise LedgerBroken(f"a block holds 1 to {MOST_IN_BLOCK} statements, not {len(statements)}")
        if len({checked.leaf_hash for checked in statements}) < len(statements):
            raise LedgerBroken(f"block {height} holds one statement twice")
        for checked in statements:
            self.tree.append(checked.leaf_hash)
            self._leaves.add(checked.leaf_hash, self.tree.size - 1)
        self.height, self.time = height + 1, time
        return self.tree.root()

    def find(self, leaf_hash: bytes) -> int | None:
        """The index of the entry with this leaf hash, or None."""
        return self._leaves.find(leaf_hash)

    def take_back(self, size: int, height: int, time: datetime | None) -> None:
        """Return to an earlier state: only when the last block never became durable."""
        self._leaves.forget_from(size)
        self.tree.truncate(size)
        self.height, self.time = height, time
