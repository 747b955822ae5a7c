"""Reading the whole book again and believing nothing: what `openceir ledger verify` does."""

from dataclasses import dataclass, field
from datetime import datetime

from openceir.ledger.checkpoint import SignedCheckpoint
from openceir.ledger.errors import LedgerBroken, ProofRefused
from openceir.ledger.governance import Governance, judged
from openceir.ledger.machine import REMEMBERED, Machine
from openceir.ledger.merkle import MerkleLog, hash_leaf
from openceir.ledger.ports import BlockShelf, LogKey, Payload, PayloadShelf
from openceir.progress import Progress, Silent
from openceir.statements import (
    Header,
    KeyOutOfDate,
    Members,
    StatementRefused,
    open_payload,
    read_header,
)

__all__ = ["Audit", "audit"]


@dataclass(slots=True)
class Audit:
    """What a whole reading counted."""

    blocks: int = 0
    statements: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)
    payloads_kept: int = 0
    payloads_erased: int = 0
    doubtful: list[int] = field(default_factory=list)  # signed truly, by keys that as we know now did not count
    checkpoint_size: int = 0
    unfinished_octets: int = 0
    root: bytes = b""


def audit(
    blocks: BlockShelf,
    payloads: PayloadShelf,
    members: Members,
    log_key: LogKey,
    progress: Progress | None = None,
) -> Audit:
    """Counts and root of a book in which everything holds; the shelves must be freshly opened.

    Every block's digest, every signature and role, every root against its block and the checkpoint, every payload
    against its commitment. A key whose revocation was dated back leaves true signatures behind that no longer
    count: those entries are listed as doubtful, for the regulator to withdraw, and do not fail the reading.
    Raises: LedgerBroken naming the first bad place.
    """
    progress = progress or Silent()
    found, tree = Audit(), MerkleLog()
    seen: dict[bytes, int] = {}
    machine = Machine(members, tree)  # only its memory of who is a member is asked
    note = blocks.read_checkpoint()
    heads = blocks.refresh()
    for head in heads:
        kept = dict(payloads.between(head.first, head.end))
        governance, changes = machine.governance, []  # a block is judged by the state before it
        for index, octets in enumerate(blocks.entries(head), head.first):
            payload = kept.get(index)
            if payload is None:
                raise LedgerBroken(f"entry {index}: its payload is lost though nobody erased it")
            header = _verified(found, octets, index, payload, members, governance, head.time)
            leaf_hash = hash_leaf(octets)
            if payload.erased_at is not None:
                found.payloads_erased += 1
            else:
                try:
                    said = open_payload(header, payload.salt, payload.octets)
                except StatementRefused as wrong:
                    raise LedgerBroken(f"entry {index}: {wrong}") from wrong
                found.payloads_kept += 1
                if header.kind in REMEMBERED:
                    changes.append((leaf_hash, header, said))
            found.by_kind[header.kind] = found.by_kind.get(header.kind, 0) + 1
            if seen.setdefault(leaf_hash, index) != index:
                raise LedgerBroken(f"entry {index} is entry {seen[leaf_hash]} once more")
            tree.append(leaf_hash)
        for change in changes:
            machine.recall(*change, head.time)
        if tree.root() != head.root or tree.size != head.end:
            raise LedgerBroken(f"block {head.height}: its entries do not give the root that it states")
        progress("statements verified", tree.size, heads[-1].end)
    found.blocks, found.statements, found.root = len(heads), tree.size, tree.root()
    found.unfinished_octets = blocks.unfinished_octets()
    found.checkpoint_size = _verified_checkpoint(note, tree, log_key)
    if tree.size and note is None:
        raise LedgerBroken(f"the log holds {tree.size} entries and no checkpoint; was ledger/checkpoint removed?")
    return found


def _verified(
    found: Audit,
    octets: bytes,
    index: int,
    payload: Payload,
    members: Members,
    governance: Governance | None,
    time: datetime,
) -> Header:
    try:
        preimage = (payload.salt, payload.octets)
        return judged(octets, preimage, at=time, members=members, governance=governance, is_shared=False)
    except KeyOutOfDate:
        found.doubtful.append(index)
        return read_header(octets)
    except StatementRefused as wrong:
        raise LedgerBroken(f"entry {index}: {wrong}") from wrong


def _verified_checkpoint(note: str | None, tree: MerkleLog, log_key: LogKey) -> int:
    if note is None:
        return 0
    try:
        checkpoint = SignedCheckpoint.parse(note).verify(log_key.public())
    except ProofRefused as wrong:
        raise LedgerBroken(f"the checkpoint cannot be trusted: {wrong}") from wrong
    if checkpoint.size > tree.size:
        raise LedgerBroken(f"the checkpoint is signed over {checkpoint.size} entries, but the log holds {tree.size}")
    if tree.root(checkpoint.size) != checkpoint.root:
        raise LedgerBroken(f"the first {checkpoint.size} entries do not give the root of the signed checkpoint")
    return checkpoint.size
