"""The embedded engine: one process orders the statements and keeps the book on its own disk.

A block is written in this order, so that a process may die between any two steps:

    1. payloads     from here on a restart finds leftovers without an entry, and removes them
    2. log block    fsynced: from here on a restart finds the entries; a half-written block is cut
    3. checkpoint   replaced: from here on the entries are acknowledged, and cutting them would be noticed
    4. tree nodes   a copy that opening compares with the root, and rebuilds when it is short

If the process lives and a step fails (a full disk), the block is taken back and the caller is told.

Invariants, checked at every opening: the last block's root is the tree's; the tree has at least the checkpoint's
size, and at that size its root. A breach is LedgerBroken and nothing more is written.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from openceir.errors import OpenceirError
from openceir.ledger.checkpoint import Checkpoint, SignedCheckpoint
from openceir.ledger.errors import Duplicate, LedgerBroken, LedgerError
from openceir.ledger.governance import Governance
from openceir.ledger.machine import MOST_IN_BLOCK, REMEMBERED, Checked, Machine
from openceir.ledger.merkle import MerkleLog, hash_leaf, nodes_of, tree_beside
from openceir.ledger.ports import Block, BlockHead, BlockShelf, LogKey, PayloadShelf
from openceir.ledger.receipt import Receipt, make_receipt
from openceir.statements import (
    PUBLIC_KINDS,
    Header,
    Members,
    PublicKey,
    SignedStatement,
    Statement,
    open_payload,
    read_header,
)

__all__ = ["Entry", "Ledger", "LoggedStatement"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a statement stands: its place in the log and the hash by which others may refer to it."""

    index: int
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class LoggedStatement:
    """An entry as views read it."""

    index: int
    leaf_hash: bytes
    logged_at: datetime
    header: Header
    said: Statement | None  # None: erased; views drop what they took from it

    @property
    def is_erased(self) -> bool:
        """Whether salt and payload were destroyed, so that nobody can know any more what was said."""
        return self.said is None


class Ledger:
    """The book of one register. Reading needs no lock; the first append makes this process the one writer, until
    `hand_over` or `close`."""

    def __init__(
        self,
        blocks: BlockShelf,
        payloads: PayloadShelf,
        members: Members,
        log_key: LogKey,
        on_append: Callable[[Sequence[LoggedStatement]], None] | None = None,
    ) -> None:
        """Open the book; `on_append` is told of every new entry once it is durable.

        Raises: LedgerBroken when the book contradicts its checkpoint or itself.
        """
        self.notes: list[str] = []  # what opening found and did, for the door to say
        self._blocks = blocks
        self._payloads = payloads
        self._key = log_key
        self._on_append = on_append
        self._heads: list[BlockHead] = []
        self._machine = Machine(members, MerkleLog())
        self._nodes_kept = 0  # size of the tree beside the log, as far as it is known to be right
        self._is_writer = False
        self._stopped: str | None = None
        self.refresh()

    # -- reading -------------------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """How many entries the log has."""
        return self._machine.tree.size

    @property
    def members(self) -> Members:
        """Who may say what."""
        return self._machine.members

    @members.setter
    def members(self, members: Members) -> None:
        self._machine.members = members

    @property
    def governance(self) -> Governance | None:
        """The federation founded on this log, if any."""
        return self._machine.governance

    @property
    def tree(self) -> MerkleLog:
        """The tree over all entries, for roots and proofs."""
        return self._machine.tree

    @property
    def log_key(self) -> PublicKey:
        """The key that the log's checkpoints and receipts are verified with."""
        return self._key.public()

    def refresh(self) -> int:
        """Take in what another process appended since; how many entries."""
        # The checkpoint first: the log a writer is adding to can then only be ahead of it.
        note = self._blocks.read_checkpoint()
        new = self._blocks.refresh()
        before = self.size
        if new:
            self._take_in(new)
        self._compare(note)
        return self.size - before

    def checkpoint(self) -> SignedCheckpoint:
        """The last published checkpoint. Raises: LedgerError when nothing was ever written."""
        note = self._blocks.read_checkpoint()
        if note is None:
            raise LedgerError("the ledger is empty and has no checkpoint yet; submit a statement first")
        return SignedCheckpoint.parse(note)

    def find(self, leaf_hash: bytes) -> int | None:
        """The index of the entry with this leaf hash, or None."""
        return self._machine.find(leaf_hash)

    def entry(self, index: int) -> LoggedStatement:
        """One entry; raises LedgerError when there is none."""
        if not 0 <= index < self.size:
            raise LedgerError(f"there is no entry {index}; the log has {self.size}")
        return next(self.entries(index, index + 1))

    def entries(self, first: int = 0, end: int | None = None) -> Iterator[LoggedStatement]:
        """The entries [first, end) in order; views catch up with this, and rebuild from 0.

        Raises: LedgerBroken at an entry that is not the one the tree was built over, or whose payload is lost.
        """
        end = self.size if end is None else min(end, self.size)
        for head in self._heads[self._block_of(first) :] if first < end else ():
            if head.first >= end:
                return
            payloads = dict(self._payloads.between(max(first, head.first), min(end, head.end)))
            since = max(first - head.first, 0)
            for index, octets in enumerate(self._blocks.entries(head)[since : end - head.first], head.first + since):
                leaf_hash = hash_leaf(octets)
                if leaf_hash != self.tree.leaf_hash(index):
                    raise LedgerBroken(f"entry {index} was altered: it is not the one the tree was built over")
                header = read_header(octets)
                payload = payloads.get(index)
                if payload is None:
                    raise LedgerBroken(f"the payload of entry {index} is lost though nobody erased it; restore it")
                said = None if payload.erased_at else open_payload(header, payload.salt, payload.octets)
                yield LoggedStatement(index, leaf_hash, head.time, header, said)

    def octets(self, first: int, end: int) -> list[bytes]:
        """The signed octets of the entries [first, end), each held against the tree; what a bundle of tiles is made of."""
        found: list[bytes] = []
        for head in self._heads[self._block_of(first) :] if first < end else ():
            if head.first >= end:
                break
            found += self._blocks.entries(head)[max(first - head.first, 0) : end - head.first]
        for index, octets in enumerate(found, first):
            if hash_leaf(octets) != self.tree.leaf_hash(index):
                raise LedgerBroken(f"entry {index} was altered: it is not the one the tree was built over")
        return found

    def heads(self, first: int = 0) -> list[BlockHead]:
        """The heads of the blocks that hold the entries from `first` on."""
        return self._heads[self._block_of(first) :]

    def of_kinds(self, kinds: Collection[str]) -> Iterator[LoggedStatement]:
        """The entries of these kinds, in order; blocks without any are not read."""
        for head in self._blocks.holding([kind.encode() for kind in sorted(kinds)], since=0):
            for index, octets in enumerate(self._blocks.entries(head), head.first):
                if read_header(octets).kind in kinds:
                    yield self.entry(index)

    def signed(self, index: int) -> SignedStatement:
        """The statement as it was sent; salt and payload are empty when erased."""
        head = self._heads[self._block_of(self.entry(index).index)]
        payload = self._payloads.find(index)
        assert payload is not None, "entry() has seen it"
        return SignedStatement(self._blocks.entries(head)[index - head.first], payload.salt, payload.octets)

    def sent(self, first: int, end: int) -> Iterator[SignedStatement]:
        """The statements [first, end) as they were sent; salt and payload are empty when erased."""
        payloads = dict(self._payloads.between(first, end))
        for index, octets in enumerate(self.octets(first, end), first):
            payload = payloads.get(index)
            if payload is None:
                raise LedgerBroken(f"the payload of entry {index} is lost though nobody erased it; restore it")
            yield SignedStatement(octets, payload.salt, payload.octets)

    def receipt(self, index: int, *, at: datetime, disclose: bool = True) -> bytes:
        """A receipt file for an entry, verifiable offline; `disclose` adds what was said, unless it is erased."""
        signed = self.signed(index)
        receipt = Receipt.make(self.tree, index, self._key.private(), at=at)
        receipt.verify(hash_leaf(signed.octets), self.log_key)  # a damaged node beside the log must not get out
        preimage = (signed.salt, signed.payload) if disclose and signed.salt else None
        return make_receipt(signed.octets, receipt, disclose=preimage)

    # -- writing -------------------------------------------------------------------------------------------------

    def append(self, statements: Sequence[SignedStatement], at: datetime) -> list[Entry]:
        """Log these statements as one block: all of them or none.

        On return they are on the disk and under a signed checkpoint. `at` is the time of the block; should the clock
        have run back, the time of the last block counts.
        Raises: StatementRefused or Duplicate for the first statement that may not enter; LedgerBusy when another
        process writes; StorageError when the disk refuses. Nothing was logged then. What `on_append` raises comes
        after: the statements are logged, and the view catches up later.
        """
        if len(statements) > MOST_IN_BLOCK:
            raise LedgerError(
                f"{len(statements)} statements at once, the most is {MOST_IN_BLOCK}; append them in parts"
            )
        if not statements:
            return []
        self._become_writer()
        machine = self._machine
        time = at.replace(microsecond=0)  # as the block will say it
        if machine.time is not None:
            time = max(time, machine.time)
        checked = self._check(statements, time)
        before, height, first = machine.mark(), machine.height, self.size
        try:
            applied = machine.apply(height, time, checked)
            head = BlockHead(height, time, first, len(checked), applied.root)
            self._payloads.put(head.first, [(one.signed.salt, one.signed.payload) for one in checked])
            self._blocks.append(Block(head, tuple(one.signed.octets for one in checked)))
            self._publish()
        except BaseException:
            self._take_back(first, height, before)
            raise
        self._heads.append(head)
        self._blocks.write_nodes(nodes_of(self._nodes_kept) * 32, self.tree.nodes(self._nodes_kept))
        self._nodes_kept = self.size
        if self._on_append is not None:
            self._on_append(
                [
                    LoggedStatement(index, one.leaf_hash, time, one.header, one.said)
                    for index, one in enumerate(checked, head.first)
                ]
            )
        return [Entry(index, one.leaf_hash) for index, one in enumerate(checked, head.first)]

    def erase(self, index: int, *, at: datetime) -> None:
        """Destroy salt and payload of an entry. The log, its proofs and all other entries stay verifiable.

        A payload is erased whole: for one device of a batch, first state the others anew. To erase again is harmless.
        Raises: LedgerError for a public statement, which names nobody, and which every reader of the log needs.
        """
        self._become_writer()
        entry = self.entry(index)
        if entry.header.kind in PUBLIC_KINDS:
            raise LedgerError(f"entry {index} is a public {entry.header.kind}; it names nobody and stays")
        self._payloads.erase(index, at)

    def hand_over(self) -> None:
        """Let another process or thread write; the next `append` makes this one the writer again, caught up."""
        self._blocks.unlock()
        self._is_writer = False

    def close(self) -> None:
        """Let go of the files, and of the lock when this process was the writer."""
        self._blocks.close()
        self._payloads.close()

    # -- inside --------------------------------------------------------------------------------------------------

    def _take_in(self, new: list[BlockHead]) -> None:
        tree, end = self.tree, new[-1].end
        heads = [*self._heads, *new]
        if not self._heads:
            tree, known = self._tree_beside(new)
        else:
            known = len(self._heads)
        for head in heads[known:]:
            tree.extend(hash_leaf(octets) for octets in self._blocks.entries(head))
            if tree.root() != head.root or tree.size != head.end:
                raise LedgerBroken(
                    f"the entries of block {head.height} do not give the root that it states; restore it"
                )
        if tree.size != end:
            raise LedgerBroken(f"the log's blocks hold {tree.size} entries where {end} are stated; restore it")
        machine = self._machine.grown(tree, len(heads), new[-1].time)
        self._recall(machine, new)
        self._heads, self._machine = heads, machine

    def _recall(self, machine: Machine, new: list[BlockHead]) -> None:
        """Take in what public statements changed; blocks without any are not read."""
        for head in self._blocks.holding([kind.encode() for kind in sorted(REMEMBERED)], since=new[0].height):
            for index, octets in enumerate(self._blocks.entries(head), head.first):
                header = read_header(octets)
                if header.kind in REMEMBERED:
                    payload = self._payloads.find(index)
                    if payload is None or payload.erased_at is not None:
                        raise LedgerBroken(f"the payload of entry {index}, which is public, is lost; restore it")
                    said = open_payload(header, payload.salt, payload.octets)
                    machine.recall(hash_leaf(octets), header, said, head.time)

    def _tree_beside(self, heads: list[BlockHead]) -> tuple[MerkleLog, int]:
        """The tree from the nodes beside the log, and how many blocks it covers; empty when they are of no use."""
        tree, known = tree_beside(self._blocks.read_nodes(), [(head.end, head.root) for head in heads])
        self._nodes_kept = tree.size
        if not known:
            self.notes.append("the tree beside the log was missing or stale and was rebuilt from the entries")
        return tree, known

    def _compare(self, note: str | None) -> None:
        """Hold the log against its checkpoint."""
        if note is None:
            return
        try:
            checkpoint = SignedCheckpoint.parse(note).verify(self.log_key)
        except OpenceirError as wrong:
            raise LedgerBroken(f"the checkpoint cannot be trusted: {wrong}") from wrong
        if checkpoint.size > self.size:
            raise LedgerBroken(
                f"the checkpoint is signed over {checkpoint.size} entries, but the log holds {self.size}: "
                "entries were lost or removed; restore the log from a copy"
            )
        if self.tree.root(checkpoint.size) != checkpoint.root:
            raise LedgerBroken(
                f"the first {checkpoint.size} entries do not give the root that was signed over them: "
                "the log was altered; restore it from a copy"
            )

    def _become_writer(self) -> None:
        if self._stopped:
            raise LedgerBroken(self._stopped)
        if self._is_writer:
            return
        self._blocks.lock()
        self.refresh()
        cut = self._blocks.cut_unfinished()
        if cut:
            self.notes.append(f"cut {cut} octets of a block that was never finished, and never acknowledged")
        left = self._payloads.forget_from(self.size)
        if left:
            self.notes.append(f"removed {left} payloads whose statements were never logged")
        note = self._blocks.read_checkpoint()
        if note is None and self.size:
            raise LedgerBroken(f"the log holds {self.size} entries and no checkpoint; restore ledger/checkpoint")
        if note is None:
            self._publish()  # over nothing, so that a first block is never without one
        elif SignedCheckpoint.parse(note).checkpoint.size < self.size:
            self.notes.append("signed a checkpoint over entries that were logged but not yet acknowledged")
            self._publish()
        self._is_writer = True

    def _check(self, statements: Sequence[SignedStatement], time: datetime) -> list[Checked]:
        checked = [self._machine.check(signed, time) for signed in statements]
        places: dict[bytes, int] = {}
        for at, one in enumerate(checked):
            if places.setdefault(one.leaf_hash, at) != at:
                raise Duplicate(f"statements {places[one.leaf_hash]} and {at} of those sent are the same; send it once")
        return checked

    def _publish(self) -> None:
        key = self._key.private()
        self._blocks.write_checkpoint(Checkpoint(key.name, self.size, self.tree.root()).sign(key).format())

    def _take_back(self, size: int, height: int, mark: tuple[int, object]) -> None:
        """After a failed append: the state of before, in memory and on disk, or no more writing at all."""
        self._stopped = "the last append failed in the middle; open the ledger again, which shows what was logged"
        note = self._blocks.read_checkpoint()
        if note is not None and SignedCheckpoint.parse(note).checkpoint.size > size:
            return  # in place though not confirmed: cutting a block that a checkpoint covers would break the book
        self._machine.take_back(mark)
        self._blocks.truncate(height)
        self._stopped = None

    def _block_of(self, index: int) -> int:
        """The place in `_heads` of the block that holds entry `index`."""
        return bisect_right(self._heads, index, key=lambda head: head.end)
