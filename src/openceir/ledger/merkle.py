"""The Merkle tree over the log's entries.

All hashes stand in one array, in the order in which they become known: a leaf, then every parent that it completes.

    leaves 0..4:   L0 L1 P01 L2 L3 P23 P03 L4

A node never changes once written, so the array is also the file beside the log, and an earlier tree is a prefix of
it. The node that covers leaves [i·2^level, (i+1)·2^level) stands `level` places after its last leaf, and leaf n has
2n - popcount(n) nodes before it. The tree costs 64 octets an entry, gives the root and any proof of every size it
ever had, and finds a node without walking.

Source: RFC 9162 §2.1; the order of nodes is that of tlog by R. Cox ("Transparent Logs for Skeptical Clients", app. A).
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from openceir.ledger.errors import LedgerError, ProofRefused

__all__ = [
    "EMPTY_ROOT",
    "MerkleLog",
    "hash_children",
    "hash_leaf",
    "root_of_inclusion",
    "verify_consistency",
    "verify_inclusion",
]

_SHA256 = hashlib.sha256
_OCTETS: Final = 32
EMPTY_ROOT: Final = _SHA256(b"").digest()


def hash_leaf(entry: bytes) -> bytes:
    """The leaf hash of an entry. Source: RFC 9162 §2.1.1."""
    return _SHA256(b"\x00" + entry).digest()


def hash_children(left: bytes, right: bytes) -> bytes:
    """The hash of a node over two others. Source: RFC 9162 §2.1.1."""
    return _SHA256(b"\x01" + left + right).digest()


def nodes_of(size: int) -> int:
    """How many nodes a tree of `size` leaves has in the array."""
    return 2 * size - size.bit_count()


class MerkleLog:
    """An append-only tree over leaf hashes. Indexes count from 0; a size is a number of leaves."""

    def __init__(self, nodes: bytes = b"", size: int = 0) -> None:
        """Take the first `size` leaves' nodes of an array written earlier; the caller compares the root."""
        if len(nodes) < nodes_of(size) * _OCTETS:
            raise LedgerError(f"{len(nodes)} octets hold no tree of {size} leaves")
        self._nodes = bytearray(memoryview(nodes)[: nodes_of(size) * _OCTETS])
        self.size = size

    def append(self, leaf_hash: bytes) -> None:
        """Add one leaf."""
        nodes, node, width = self._nodes, leaf_hash, 1
        nodes += node
        rest = self.size
        while rest & 1:  # a left neighbour of the same width is waiting: join
            sibling = len(nodes) - 2 * width * _OCTETS
            node = _SHA256(b"\x01" + nodes[sibling : sibling + _OCTETS] + node).digest()
            nodes += node
            rest >>= 1
            width *= 2
        self.size += 1

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Add leaves in order."""
        for leaf_hash in leaf_hashes:
            self.append(leaf_hash)

    def truncate(self, size: int) -> None:
        """Forget the leaves from `size` on: only for what never became durable."""
        if not 0 <= size <= self.size:
            raise LedgerError(f"a tree of {self.size} leaves cannot be cut to {size}")
        del self._nodes[nodes_of(size) * _OCTETS :]
        self.size = size

    def leaf_hash(self, index: int) -> bytes:
        """The hash of leaf `index`."""
        self._refuse_outside(index, self.size)
        return self.node(0, index)

    def nodes(self, since: int = 0) -> bytes:
        """The part of the array that a tree of `since` leaves does not have yet."""
        return bytes(memoryview(self._nodes)[nodes_of(since) * _OCTETS :])

    def root(self, size: int | None = None) -> bytes:
        """The root when the tree had `size` leaves; now, when None."""
        size = self.size if size is None else size
        if not 0 <= size <= self.size:
            raise LedgerError(f"the log has {self.size} entries, so it has no root at {size}")
        return self._range(0, size) if size else EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """The audit path of leaf `index` in the tree of `size` leaves, from the leaf up. Source: RFC 9162 §2.1.3.1."""
        size = self.size if size is None else size
        if not 0 < size <= self.size:
            raise LedgerError(f"the log has {self.size} entries, so nothing can be proved of {size}")
        self._refuse_outside(index, size)
        path = []
        first, end = 0, size
        while end - first > 1:
            middle = first + _split(end - first)
            if index < middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(first, middle))
                first = middle
        return path[::-1]

    def consistency_proof(self, old_size: int, new_size: int | None = None) -> list[bytes]:
        """The proof that the tree of `new_size` leaves only adds to that of `old_size`. Source: RFC 9162 §2.1.4.1."""
        new_size = self.size if new_size is None else new_size
        if not 0 <= old_size <= new_size <= self.size:
            raise LedgerError(f"sizes must ascend up to {self.size}, not {old_size} to {new_size}")
        if old_size in (0, new_size):
            return []
        proof = []
        first, end, is_old_root = 0, new_size, True
        while old_size != end:
            middle = first + _split(end - first)
            if old_size <= middle:
                proof.append(self._range(middle, end))
                end = middle
            else:
                proof.append(self._range(first, middle))
                first, is_old_root = middle, False
        if not is_old_root:
            proof.append(self._range(first, end))
        return proof[::-1]

    def node(self, level: int, index: int) -> bytes:
        """The hash over the leaves [index << level, (index + 1) << level), which the tree must have."""
        last_leaf = ((index + 1) << level) - 1
        at = (2 * last_leaf - last_leaf.bit_count() + level) * _OCTETS
        return bytes(self._nodes[at : at + _OCTETS])

    def _range(self, first: int, end: int) -> bytes:
        """The hash over leaves [first, end), where `first` is a multiple of a power of two not below the length."""
        length = end - first
        level = (length & -length).bit_length() - 1
        node = self.node(level, (end >> level) - 1)
        rest = length & (length - 1)
        while rest:
            level = (rest & -rest).bit_length() - 1
            node = hash_children(self.node(level, ((first + rest) >> level) - 1), node)
            rest &= rest - 1
        return node

    def _refuse_outside(self, index: int, size: int) -> None:
        if not 0 <= index < size:
            raise LedgerError(f"there is no entry {index}; the log has entries 0 to {size - 1}")


def _split(length: int) -> int:
    """The largest power of two below `length`."""
    return 1 << ((length - 1).bit_length() - 1)


def root_of_inclusion(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root of the tree of `size` leaves in which `path` leads from the leaf to the top.

    Raises: ProofRefused when index, size and length of the path do not belong together.
    Source: RFC 9162 §2.1.3.2.
    """
    if not 0 <= index < size or any(len(node) != _OCTETS for node in path) or len(leaf_hash) != _OCTETS:
        raise ProofRefused("the inclusion proof names a place outside the tree, or a hash that is not of 32 octets")
    node, at, last = leaf_hash, index, size - 1
    for sibling in path:
        if last == 0:
            raise ProofRefused("the inclusion proof is longer than the tree is high")
        if at & 1 or at == last:
            node = hash_children(sibling, node)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            node = hash_children(node, sibling)
        at >>= 1
        last >>= 1
    if last:
        raise ProofRefused("the inclusion proof is shorter than the tree is high")
    return node


def verify_inclusion(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Raise ProofRefused unless leaf `index` of the tree with this size and root has this hash."""
    if root_of_inclusion(leaf_hash, index, size, path) != root:
        raise ProofRefused(f"the inclusion proof does not lead to the root at {size} entries")


def tree_beside(nodes: bytes, states: Sequence[tuple[int, bytes]]) -> tuple[MerkleLog, int]:
    """The tree of the newest of these states that the nodes reach, if they give its root; and how many states it covers.

    Shapes: states are (size, root), ascending. An empty tree and 0 when the nodes are of no use.
    """
    for known in range(len(states), 0, -1):
        size, root = states[known - 1]
        if nodes_of(size) * _OCTETS <= len(nodes):
            tree = MerkleLog(nodes, size)
            return (tree, known) if tree.root() == root else (MerkleLog(), 0)
    return MerkleLog(), 0


def verify_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raise ProofRefused unless the new tree has the old one as its beginning. Source: RFC 9162 §2.1.4.2."""
    if not 0 <= old_size <= new_size or any(len(node) != _OCTETS for node in proof):
        raise ProofRefused("the consistency proof names sizes that descend, or a hash that is not of 32 octets")
    if old_size in (0, new_size):
        same = old_root == new_root if old_size == new_size else old_root == EMPTY_ROOT
        if proof or not same:
            raise ProofRefused("the consistency proof does not show that the log only grew")
        return
    nodes = list(proof)
    if old_size & (old_size - 1) == 0:
        nodes.insert(0, old_root)
    if not nodes:
        raise ProofRefused("the consistency proof is empty")
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at >>= 1
        last >>= 1
    old = new = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            raise ProofRefused("the consistency proof is longer than the tree is high")
        if at & 1 or at == last:
            old, new = hash_children(node, old), hash_children(node, new)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            new = hash_children(new, node)
        at >>= 1
        last >>= 1
    if last or old != old_root or new != new_root:
        raise ProofRefused("the consistency proof does not show that the log only grew; one of the two was rewritten")
