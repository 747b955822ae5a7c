"""How a node gives its book to one that joins, and how the newcomer checks what it was given.

    chunk 0     [1, chain id, height, state of the machine, [[validator, power]…], [seconds, size, state root, members root]]
    chunk 1…    [[height, seconds, signed octets (, salt, payload)]…]     a run of entries, closed at 4 MiB
    metadata    [digest of every chunk]         hash = SHA-256(metadata)

Entries never change, so a closed chunk is the same on every node and in every later snapshot. Nothing of it is believed
but what gives the `app_hash` that the engine's light client found under a commit of more than two thirds: entries, state
and members do. The times of past blocks do not stand under it; a newcomer takes them on the word of who served them.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from openceir.consortium.errors import NodeRefused
from openceir.ledger import LedgerBroken, Machine, MerkleLog, app_hash_of, hash_leaf
from openceir.statements import StatementRefused, read_canonical, write_canonical
from openceir.storage.ordered_log import Chunk, Head, OrderedBlock, OrderedEntry, OrderedLog, Snapshot

__all__ = ["FORMAT", "Restoring", "chunk_of", "describe", "take_snapshot", "validators_of", "write_validators"]

FORMAT: Final = 1
_CLOSED_AT: Final = 4 << 20  # octets of entries; the engine carries chunks of up to 16 MiB
_KEPT: Final = 3  # snapshots, so that one that is being fetched is not pulled away
_MOST_CHUNKS: Final = 1 << 16


def take_snapshot(log: OrderedLog, head: Head, block: OrderedBlock) -> None:
    """Keep a snapshot of the state at `head`, in one transaction; entries are read from where the last one ended."""
    whole = log.chunks()
    first = whole[-1].end if whole else 0
    state = write_canonical(
        [
            FORMAT, head.chain_id, head.height, head.state, read_canonical(head.validators, "validators"),
            [int(block.time.timestamp()), block.size, block.state_root, block.members_root],
        ]
    )  # fmt: skip
    with log.transaction():
        digests = [hashlib.sha256(state).digest(), *(chunk.digest for chunk in whole)]
        for run in _runs(log.entries(first, block.size)):
            digest = hashlib.sha256(_write_entries(run)).digest()
            digests.append(digest)
            if sum(map(_octets_of, run)) >= _CLOSED_AT:
                log.put_chunk(Chunk(len(digests) - 2, run[0].index, run[-1].index + 1, digest))
        log.put_snapshot(Snapshot(head.height, block.size, state, write_canonical(digests)), _KEPT)


def describe(snapshot: Snapshot) -> dict[str, Any]:
    """The fields of ABCI's Snapshot."""
    return {
        "height": snapshot.height,
        "format": FORMAT,
        "chunks": len(read_canonical(snapshot.metadata, "a snapshot's metadata")),
        "hash": hashlib.sha256(snapshot.metadata).digest(),
        "metadata": snapshot.metadata,
    }


def chunk_of(log: OrderedLog, height: int, number: int) -> bytes:
    """A chunk of a snapshot that is kept; nothing when there is no such chunk any more."""
    snapshot = next((one for one in log.snapshots() if one.height == height), None)
    if snapshot is None:
        return b""
    if number == 0:
        return snapshot.state
    whole = log.chunks()
    if number <= len(whole) and whole[number - 1].end <= snapshot.size:
        chunk = whole[number - 1]
        return _write_entries(list(log.entries(chunk.first, chunk.end)))
    before = [chunk for chunk in whole if chunk.end <= snapshot.size]
    tail = list(_runs(log.entries(before[-1].end if before else 0, snapshot.size)))
    at = number - 1 - len(before)
    return _write_entries(tail[at]) if at < len(tail) else b""


def _runs(entries: Iterator[OrderedEntry]) -> Iterator[list[OrderedEntry]]:
    run, octets = list[OrderedEntry](), 0
    for entry in entries:
        run.append(entry)
        octets += _octets_of(entry)
        if octets >= _CLOSED_AT:
            yield run
            run, octets = [], 0
    if run:
        yield run


def _octets_of(entry: OrderedEntry) -> int:
    return len(entry.octets) + len(entry.salt) + len(entry.payload)


def _write_entries(entries: Sequence[OrderedEntry]) -> bytes:
    return write_canonical([[e.height, int(e.time.timestamp()), e.octets, *(e.disclosed or ())] for e in entries])


def write_validators(validators: dict[bytes, int]) -> bytes:
    """Validators in one spelling."""
    return write_canonical([[key, power] for key, power in sorted(validators.items())])


def validators_of(octets: bytes) -> dict[bytes, int]:
    """What `write_validators` wrote."""
    return dict(read_canonical(octets, "validators"))


@dataclass(slots=True)
class Restoring:
    """A snapshot that is being fetched: chunks are checked one by one, the whole at the end."""

    height: int
    app_hash: bytes
    digests: list[bytes]
    chain_id: str
    _state: list[Any] = field(default_factory=list)
    _tree: MerkleLog = field(default_factory=MerkleLog)
    _next: int = 0

    @classmethod
    def offered(cls, snapshot: Any, app_hash: bytes, chain_id: str) -> "Restoring | None":
        """The beginning of a restoration; None when what is offered is no snapshot that we could take."""
        try:
            digests = read_canonical(snapshot.metadata, "a snapshot's metadata")
        except StatementRefused:
            return None
        whole = (
            isinstance(digests, list)
            and all(isinstance(one, bytes) and len(one) == 32 for one in digests)
            and 0 < len(digests) == snapshot.chunks <= _MOST_CHUNKS
            and hashlib.sha256(snapshot.metadata).digest() == snapshot.hash
        )
        return cls(snapshot.height, app_hash, digests, chain_id) if whole and len(app_hash) == 32 else None

    @property
    def is_whole(self) -> bool:
        """Whether every chunk was taken."""
        return self._next == len(self.digests)

    def is_chunk(self, number: int, octets: bytes) -> bool:
        """Whether these are the octets that the snapshot's metadata promised for that number."""
        return number < len(self.digests) and hashlib.sha256(octets).digest() == self.digests[number]

    def take(self, number: int, octets: bytes, log: OrderedLog) -> None:
        """Take a chunk that `is_chunk`, in order; its entries go to the shelf within the caller's transaction.

        Raises: NodeRefused when it is not what its place asks for.
        """
        if number != self._next:
            raise NodeRefused(f"chunk {number} came where {self._next} was expected")
        try:
            items = read_canonical(octets, "a chunk of a snapshot")
            if number == 0:
                self._state = _state(items, self.chain_id, self.height)
            else:
                entries = [_entry(item, index) for index, item in enumerate(items, self._tree.size)]
                self._tree.extend(hash_leaf(entry.octets) for entry in entries)
                log.put_entries(entries)
        except (StatementRefused, ValueError, TypeError, OverflowError, OSError) as wrong:
            raise NodeRefused(f"a chunk of the snapshot cannot be read: {wrong}") from wrong
        self._next += 1

    def finish(self, log: OrderedLog) -> Machine:
        """The machine at the snapshot's height, block and head put on the shelf within the caller's transaction.

        Raises: NodeRefused unless everything gives the app_hash that is trusted.
        """
        state, validators, (seconds, size, state_root, members_root) = self._state
        try:
            machine = Machine.restore(state, self._tree)
        except LedgerBroken as wrong:
            raise NodeRefused(str(wrong)) from wrong
        roots = (self._tree.root(), state_root, members_root)
        if machine.app_hash() != self.app_hash or app_hash_of(*roots) != self.app_hash or size != self._tree.size:
            raise NodeRefused("the snapshot does not give the state that the members signed; ask another node")
        if machine.height != self.height + 1 or machine.governance is None or machine.time is None:
            raise NodeRefused("the snapshot is of another height than it says")
        nodes = machine.governance.nodes_at(machine.time)
        if nodes and nodes != validators:
            raise NodeRefused("the snapshot names other validators than the members' own keys")
        block = OrderedBlock(self.height, datetime.fromtimestamp(seconds, UTC), size, state_root, members_root)
        log.put_block(block)
        log.put_head(Head(self.chain_id, self.height, self.app_hash, state, write_validators(validators)))
        return machine


def _state(items: Any, chain_id: str, height: int) -> list[Any]:
    match items:
        case [
            1, str(chain), int(at), bytes(state), [*validators],
            [int(seconds), int(size), bytes(state_root), bytes(members_root)],
        ] if (chain, at) == (chain_id, height):  # fmt: skip
            return [state, dict(map(_validator, validators)), (seconds, size, state_root, members_root)]
    raise ValueError("its first chunk is not the state of this chain at that height")


def _validator(item: Any) -> tuple[bytes, int]:
    match item:
        case [bytes(key), int(power)] if len(key) == 32 and power > 0:
            return key, power
    raise ValueError("a validator is a key of 32 octets and its power")


def _entry(item: Any, index: int) -> OrderedEntry:
    match item:
        case [int(height), int(seconds), bytes(octets)]:
            salt = payload = b""
        case [int(height), int(seconds), bytes(octets), bytes(salt), bytes(payload)]:
            pass
        case _:
            raise ValueError("an entry is its height, time and octets, and what a public one says")
    return OrderedEntry(index, height, datetime.fromtimestamp(seconds, UTC), octets, salt, payload)
