"""One member's log as another holds it: entries as they were fetched, and the checkpoint that covers them.

States: `size` entries are held, of which the checkpoint covers the first `covered`. Entries are fetched ahead of the
checkpoint in blocks, each durable when `hold` returns, so that a transfer that breaks off goes on where it was; they
count for nothing until `cover` has held their root against a signed checkpoint. If the root is another, what is not
covered is dropped.

What a process that dies leaves: a half-written block, which the next writer cuts; or whole blocks that no checkpoint
covers, which are gone on with. What was covered once is never cut.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime

from openceir.ledger import (
    Block,
    BlockHead,
    BlockShelf,
    LedgerBroken,
    MerkleLog,
    SignedCheckpoint,
    hash_leaf,
)
from openceir.ledger.merkle import nodes_of, tree_beside

__all__ = ["Mirror"]


class Mirror:
    """A copy of one log. Reading needs no lock; `hold`, `cover` and `drop` make this process the one writer."""

    def __init__(self, blocks: BlockShelf) -> None:
        """Open it. Raises: LedgerBroken when what lies there contradicts itself."""
        self._blocks = blocks
        self._heads: list[BlockHead] = []
        self._nodes_kept = 0
        self._is_writer = False
        self.tree = MerkleLog()
        self.note: SignedCheckpoint | None = None
        self.refresh()

    @property
    def size(self) -> int:
        """How many entries are held."""
        return self.tree.size

    @property
    def covered(self) -> int:
        """How many of them a checkpoint of the log covers."""
        return self.note.checkpoint.size if self.note is not None else 0

    def refresh(self) -> None:
        """Take in what another process added."""
        text = self._blocks.read_checkpoint()  # first: the blocks can then only be ahead of it
        new = self._blocks.refresh()
        if new:
            self._take_in(new)
        note = SignedCheckpoint.parse(text) if text is not None else None
        if note is not None and (
            note.checkpoint.size > self.size or self.tree.root(note.checkpoint.size) != note.checkpoint.root
        ):
            raise LedgerBroken(
                f"the copy of {note.checkpoint.origin} does not give the root of its checkpoint at "
                f"{note.checkpoint.size} entries; delete its folder, and it is fetched anew"
            )
        self.note = note

    def hold(self, entries: Sequence[bytes], at: datetime) -> None:
        """Keep these entries after those held, durably."""
        self._become_writer()
        first = self.size
        self.tree.extend(map(hash_leaf, entries))
        head = BlockHead(len(self._heads), at.replace(microsecond=0), first, len(entries), self.tree.root())
        try:
            self._blocks.append(Block(head, tuple(entries)))
        except BaseException:
            self.tree.truncate(first)
            raise
        self._heads.append(head)

    def cover(self, note: SignedCheckpoint) -> bool:
        """Whether the entries held give this checkpoint's root; if so it is kept, durably. Its signature is checked before.

        A checkpoint below the one that is kept changes nothing.
        """
        head = note.checkpoint
        if head.size > self.size or self.tree.root(head.size) != head.root:
            return False
        if head.size >= self.covered:
            self._become_writer()
            self._blocks.write_checkpoint(note.format())
            self.note = note
            self._blocks.write_nodes(nodes_of(self._nodes_kept) * 32, self.tree.nodes(self._nodes_kept))
            self._nodes_kept = self.size
        return True

    def drop(self) -> None:
        """Forget what no checkpoint covers."""
        self._become_writer()
        keep = bisect_right(self._heads, self.covered, key=lambda head: head.end)
        if keep < len(self._heads) and self._heads[keep].first < self.covered:
            # The checkpoint ends within a block: its covered part is written again.
            head = self._heads[keep]
            entries = self._blocks.entries(head)[: self.covered - head.first]
            self._cut(keep)
            self.hold(entries, head.time)
            return
        self._cut(keep)

    def octets(self, first: int, end: int) -> list[bytes]:
        """The entries [first, end) that are held."""
        found: list[bytes] = []
        place = bisect_right(self._heads, first, key=lambda head: head.end)
        for head in self._heads[place:]:
            if head.first >= end:
                break
            found += self._blocks.entries(head)[max(first - head.first, 0) : end - head.first]
        return found

    def received_at(self, index: int) -> datetime:
        """When the entry was fetched."""
        return self._heads[bisect_right(self._heads, index, key=lambda head: head.end)].time

    def close(self) -> None:
        """Let go of files and lock."""
        self._blocks.close()

    # -- inside --------------------------------------------------------------------------------------------------

    def _become_writer(self) -> None:
        if not self._is_writer:
            self._blocks.lock()
            self.refresh()
            self._blocks.cut_unfinished()
            self._is_writer = True

    def _cut(self, height: int) -> None:
        if height < len(self._heads):
            self.tree.truncate(self._heads[height].first)
            self._blocks.truncate(height)
            del self._heads[height:]
            self._nodes_kept = min(self._nodes_kept, self.size)

    def _take_in(self, new: list[BlockHead]) -> None:
        heads, known = [*self._heads, *new], len(self._heads)
        if not self._heads:
            known = self._tree_beside(heads)
        for head in heads[known:]:
            self.tree.extend(map(hash_leaf, self._blocks.entries(head)))
            if self.tree.root() != head.root or self.tree.size != head.end:
                raise LedgerBroken(
                    f"block {head.height} of the copy does not give the root that it states; delete its folder, "
                    "and it is fetched anew"
                )
        self._heads = heads

    def _tree_beside(self, heads: list[BlockHead]) -> int:
        """Begin with the nodes beside the copy as far as they are right; how many blocks they cover."""
        self.tree, known = tree_beside(self._blocks.read_nodes(), [(head.end, head.root) for head in heads])
        self._nodes_kept = self.tree.size
        return known
