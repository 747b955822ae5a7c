"""What the ledger asks of the shelves it stands on. `storage/` implements these."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from openceir.statements import PublicKey, SigningKey

__all__ = ["Block", "BlockHead", "BlockShelf", "LogKey", "Payload", "PayloadShelf"]


@dataclass(frozen=True, slots=True)
class BlockHead:
    """What a block says of itself: its place, time, which entries it holds, and the root after them."""

    height: int  # counts from 0
    time: datetime
    first: int  # index of its first entry
    count: int
    root: bytes  # of the whole log after this block

    @property
    def end(self) -> int:
        """One past the index of its last entry, the size of the log after it."""
        return self.first + self.count


@dataclass(frozen=True, slots=True)
class Block:
    """A block and its entries: the signed octets of each statement."""

    head: BlockHead
    entries: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Payload:
    """What was said, kept off the log: salt and payload, or the moment at which they were erased."""

    salt: bytes
    octets: bytes
    erased_at: datetime | None = None


class LogKey(Protocol):
    """Where the log's own key is; the private half is asked for only to write or to make a receipt."""

    def public(self) -> PublicKey:
        """The key that checkpoints and receipts are verified with. Raises: KeyRefused when there is none yet."""

    def private(self) -> SigningKey:
        """The key that signs them; made at the first call of a new register. Raises: KeyRefused when it is lost."""


class BlockShelf(Protocol):
    """Keeps blocks in order, one checkpoint, and a rebuildable copy of the tree's nodes.

    One process writes, any number read. `append` and `write_checkpoint` are durable when they return. What a dying
    writer left unfinished at the end is passed over by readers, and cut only by the next writer.
    """

    def read_checkpoint(self) -> str | None:
        """The last checkpoint written, None before the first."""

    def write_checkpoint(self, note: str) -> None:
        """Replace the checkpoint, atomically and durably."""

    def refresh(self) -> list[BlockHead]:
        """The heads of blocks that were added since the last call, each block's digest checked.

        Raises: LedgerBroken when a block is damaged and is not the unfinished end of the file.
        """

    def lock(self) -> None:
        """Become the writer, until `close`. Raises: LedgerBusy when another process is."""

    def unlock(self) -> None:
        """Stop being the writer; harmless when it is not."""

    def cut_unfinished(self) -> int:
        """Remove what follows the last whole block; the number of octets removed. Only for the writer."""

    def unfinished_octets(self) -> int:
        """How much follows the last whole block, as seen at the last `refresh`."""

    def append(self, block: Block) -> None:
        """Add a block, durably. When it raises, the shelf holds what it held before."""

    def truncate(self, height: int) -> None:
        """Take back the blocks from `height` on: only for a block that no checkpoint covers."""

    def entries(self, block: BlockHead) -> tuple[bytes, ...]:
        """The entries of a block that `refresh` has told of."""

    def holding(self, words: Sequence[bytes], *, since: int) -> list[BlockHead]:
        """The blocks from height `since` on in which one of these words stands anywhere, in order."""

    def read_nodes(self) -> bytes:
        """The tree's nodes as last written, nothing when they were damaged; may be behind the log or ahead of it."""

    def write_nodes(self, at: int, nodes: bytes) -> None:
        """Put nodes at octet `at`, with nothing after them. Need not be durable, and need not succeed."""

    def close(self) -> None:
        """Let go of files and lock."""


class PayloadShelf(Protocol):
    """Keeps what was said, by index of the entry. Erased means: not on this machine's disk any more."""

    def put(self, first: int, payloads: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep salts and payloads for the entries from `first` on, all or none, durably; replaces leftovers there."""

    def find(self, index: int) -> Payload | None:
        """The payload of an entry; None when none was ever kept."""

    def between(self, first: int, end: int) -> Iterator[tuple[int, Payload]]:
        """Index and payload of the entries [first, end), ascending; gaps where none was kept."""

    def forget_from(self, index: int) -> int:
        """Remove payloads whose entries never reached the log; how many."""

    def erase(self, index: int, at: datetime) -> None:
        """Destroy salt and payload, durably; that it was done at `at` is remembered. Again is harmless."""

    def close(self) -> None:
        """Let go of the files."""
