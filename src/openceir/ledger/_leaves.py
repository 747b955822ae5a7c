"""Where a leaf hash stands in the log: how a statement sent twice is noticed, and a target found."""

from array import array
from bisect import bisect_left
from typing import Final

import numpy as np

from openceir.ledger.merkle import MerkleLog

__all__ = ["LeafIndex"]

_SETTLE_AT: Final = 1 << 16
_NODE: Final = np.dtype([("prefix", "<u8"), ("rest", "V24")])


class LeafIndex:
    """The index of every leaf hash of a tree: a sorted column for the many, a dictionary for the newest.

    Sixteen octets an entry; a million entries are sorted in a tenth of a second at opening. Eight octets of the hash
    are compared first and all of it before a hit counts, so nobody gains by making eight octets collide.
    """

    def __init__(self, tree: MerkleLog) -> None:
        self._tree = tree
        self._recent: dict[bytes, int] = {}
        self._settle()

    def find(self, leaf_hash: bytes) -> int | None:
        """The index of the entry with this leaf hash, or None."""
        recent = self._recent.get(leaf_hash)
        if recent is not None:
            return recent
        prefix = int.from_bytes(leaf_hash[:8], "little")
        at = bisect_left(self._prefixes, prefix)
        while at < len(self._prefixes) and self._prefixes[at] == prefix:
            index = int(self._indexes[at])
            if self._tree.leaf_hash(index) == leaf_hash:
                return index
            at += 1
        return None

    def add(self, leaf_hash: bytes, index: int) -> None:
        """Note a leaf just appended to the tree."""
        self._recent[leaf_hash] = index
        if len(self._recent) >= _SETTLE_AT and index == self._tree.size - 1:
            self._settle()

    def forget_from(self, size: int) -> None:
        """Forget the leaves from `size` on, before the tree does."""
        if size < len(self._prefixes):
            self._tree.truncate(size)
            self._settle()
        self._recent = {leaf: index for leaf, index in self._recent.items() if index < size}

    def _settle(self) -> None:
        nodes = np.frombuffer(self._tree.nodes(), dtype=_NODE)["prefix"]
        leaves = np.arange(self._tree.size, dtype=np.uint64)
        prefixes = nodes[(2 * leaves - np.bitwise_count(leaves)).astype(np.int64)]
        order = np.argsort(prefixes, kind="stable")
        self._prefixes = array("Q", prefixes[order].tobytes())  # bisecting it costs a quarter of numpy's search for one
        self._indexes = order
        self._recent = {}
