"""Reading a node's whole book again and believing nothing: every entry judged by the members of its time, every root."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from openceir.consortium.layout import NodeFolder
from openceir.ledger import LedgerBroken, Machine, MerkleLog, hash_leaf
from openceir.progress import Progress, Silent
from openceir.statements import Members, Refusal
from openceir.storage.ordered_log import IMPORTED, OrderedEntry, OrderedLog

__all__ = ["BookAudit", "audit_book"]


@dataclass(frozen=True, slots=True)
class BookAudit:
    """What a whole reading found, everything in it true."""

    height: int
    size: int
    imported: int
    root: bytes
    app_hash: bytes  # after the block of that height: what the next block's header must carry


def audit_book(folder: NodeFolder, progress: Progress | None = None) -> BookAudit:
    """Height, size and hashes of a book in which everything holds; the node may be running.

    The log that moved in is held against the root that the genesis states; everything since is applied again, block
    by block, to a machine that knows only the founding.
    Raises: LedgerBroken naming the first bad place; ConsortiumError, StorageError when files are missing.
    """
    progress = progress or Silent()
    log = OrderedLog(folder.book, read_only=True)
    try:
        head = log.head()
        if head is None or head.chain_id != folder.chain_id:
            raise LedgerBroken("this node has no book of its chain yet; start it, and let it sync")
        blocks = {block.height: block for block in log.blocks() if block.height <= head.height}
        end = blocks[head.height].size
        tree = MerkleLog()
        grouped = groupby(log.entries(0, end), lambda entry: entry.height)
        machine: Machine | None = None
        for height, group in _with_empty(grouped, head.height):
            entries = list(group)
            if height == IMPORTED:
                tree.extend(hash_leaf(entry.octets) for entry in entries)
                continue
            if machine is None:
                _refuse_other_import(folder, tree)
                machine = Machine(Members(), tree, is_shared=True)
            block = blocks.get(height)
            _replay(machine, height, _time(entries, None if block is None else block.time, machine), entries)
            if block is not None and (machine.tree.size, *machine.roots()[1:]) != (
                block.size, block.state_root, block.members_root
            ):  # fmt: skip
                raise LedgerBroken(f"block {height} does not give the state that this node noted after it")
            progress("blocks verified", height, head.height)
        if machine is None or machine.state() != head.state or machine.app_hash() != head.app_hash:
            raise LedgerBroken("this node's entries do not give the state that it agreed to; let it sync anew")
        imported = folder.genesis.imported
        return BookAudit(
            head.height, machine.tree.size, imported.size if imported else 0, machine.tree.root(), head.app_hash
        )
    finally:
        log.close()


def _with_empty(
    grouped: "Iterator[tuple[int, Iterator[OrderedEntry]]]", last: int
) -> Iterator[tuple[int, list[OrderedEntry]]]:
    """The entries of every height from the beginning to `last`, none where a block was empty."""
    expected = 0
    for height, group in grouped:
        if height != IMPORTED:
            yield from ((empty, []) for empty in range(expected, height))
            expected = height + 1
        yield height, list(group)
    yield from ((empty, []) for empty in range(expected, last + 1))


def _time(entries: list[OrderedEntry], stated: datetime | None, machine: Machine) -> datetime:
    """The time of a block; of an empty one before a snapshot was taken in nothing is left, and nothing hangs on it."""
    time = entries[0].time if entries else stated or machine.time
    if time is None or any(entry.time != time for entry in entries) or (stated or time) != time:
        raise LedgerBroken("entries of one block bear different times")
    return time


def _replay(machine: Machine, height: int, time: datetime, entries: list[OrderedEntry]) -> None:
    taken = machine.take_block(height, time, [(entry.octets, entry.disclosed) for entry in entries])
    for entry, code in zip(entries, taken.codes, strict=True):
        if code is not Refusal.NONE:
            raise LedgerBroken(f"entry {entry.index} of block {height} may not stand there: {code.name}")


def _refuse_other_import(folder: NodeFolder, tree: MerkleLog) -> None:
    imported = folder.genesis.imported
    stated = (imported.size, imported.root) if imported else (0, MerkleLog().root())
    if (tree.size, tree.root()) != stated:
        raise LedgerBroken("the log that moved in is not the one that genesis.json states")
