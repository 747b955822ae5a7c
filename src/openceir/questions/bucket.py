"""Bucket files: the list, keyed, cut into pieces of equal size, each with its proof.

An output of the function, 64 octets, is read as

    octets 0-3    head: its first `prefix_bits` bits name the bucket
    octets 4-11   tail: 64 bits, compared
    octet  12     mask: hides the word that stands beside the tail

so only who has evaluated an identifier finds its entry, and only he reads its word. Every bucket of a layer has the same
number of entries: what is missing is filled with octets that look the same. A file:

    "OCQB1"  5     magic
    bits     1     prefix_bits of the layer
    number   4     of the bucket, big-endian
    count    2     entries
    entries  9 × count, ascending: tail, word XOR mask
    path     32 × n   from the leaf to the layer's root (RFC 9162 §2.1.3); the leaf is everything before it
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from math import ceil, log2, sqrt
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from openceir.ledger import MerkleLog, ProofRefused, hash_leaf, verify_inclusion
from openceir.questions.errors import BucketRefused

__all__ = ["ROW", "Bucket", "Layer", "Word", "bucket_number", "bucket_path", "make_layer", "rows_of", "word_in"]

_MAGIC: Final = b"OCQB1"
_HEADER: Final = 12
ENTRY_OCTETS: Final = 9
MOST_PREFIX_BITS: Final = 24
_USUAL_ENTRIES: Final = 512  # in a bucket, on average: some 6 kB to fetch, and few enough buckets to write
_MOST_ENTRIES: Final = 65_535
LARGEST_OCTETS: Final = _HEADER + ENTRY_OCTETS * _MOST_ENTRIES + 32 * 32

ROW: Final = np.dtype([("head", ">u4"), ("tail", ">u8"), ("mask", "u1")])  # the thirteen octets of an output


class Word(IntEnum):
    """What an entry says of its device."""

    BLOCKED = 1
    TRACKED = 2
    EXEMPT = 3  # of a device inside a restricted range that is not restricted itself


@dataclass(frozen=True, slots=True)
class Layer:
    """One set of buckets, as the manifest names it."""

    name: str  # base, or additions
    tree: str  # the folder, named by the root
    prefix_bits: int
    count: int  # entries of every bucket, filling included
    root: bytes

    @property
    def buckets(self) -> int:
        """How many files."""
        return 1 << self.prefix_bits


@dataclass(frozen=True, slots=True)
class Bucket:
    """One file, read and proved."""

    number: int
    entries: bytes

    @classmethod
    def read(cls, octets: bytes, layer: Layer, number: int) -> "Bucket":
        """The bucket `number` of a layer. Raises: BucketRefused when the file is any other, however well formed."""
        body = _HEADER + ENTRY_OCTETS * layer.count
        path = octets[body:]
        expected = _MAGIC + bytes([layer.prefix_bits]) + number.to_bytes(4, "big") + layer.count.to_bytes(2, "big")
        if octets[:_HEADER] != expected or len(path) % 32:
            raise BucketRefused(f"the file is not bucket {number} of the layer {layer.name} that the manifest names")
        nodes = [path[at : at + 32] for at in range(0, len(path), 32)]
        try:
            verify_inclusion(hash_leaf(octets[:body]), number, layer.buckets, nodes, layer.root)
        except ProofRefused:
            raise BucketRefused(f"bucket {number} was altered: its proof does not lead to the signed root") from None
        return cls(number, octets[_HEADER:body])


def rows_of(outputs: list[bytes]) -> npt.NDArray[Any]:
    """The part of each output that buckets keep. Shapes: ROW."""
    return np.frombuffer(b"".join(output[:13] for output in outputs), dtype=ROW)


def bucket_number(output: bytes, prefix_bits: int) -> int:
    """Which bucket an output is in."""
    return int.from_bytes(output[:4], "big") >> (32 - prefix_bits)


def bucket_path(layer: Layer, number: int) -> str:
    """The file of a bucket below the manifest's folder; no folder holds more than 256."""
    return f"{layer.tree}/{number >> 8:04x}/{number & 255:02x}.bin"


def word_in(output: bytes, bucket: Bucket) -> Word | None:
    """What the list says of the device with this output; None when it is not on it. Raises: BucketRefused."""
    tail, mask = output[4:12], output[12]
    for at in range(0, len(bucket.entries), ENTRY_OCTETS):
        if bucket.entries[at : at + 8] == tail:
            try:
                return Word(bucket.entries[at + 8] ^ mask)
            except ValueError:
                raise BucketRefused("the entry holds a word that this version does not know; use a newer one") from None
    return None


def make_layer(
    name: str, rows: npt.NDArray[Any], words: npt.NDArray[np.uint8], filling_key: bytes
) -> tuple[Layer, Iterator[tuple[int, bytes]]]:
    """A layer over these entries, and its files in the order of their numbers.

    The filling is drawn from `filling_key`, so that a bucket in which nothing changed is the same octets the next day.
    Shapes: rows ROW, words one octet a row.
    """
    prefix_bits = max(0, min(MOST_PREFIX_BITS, ceil(log2(len(rows) / _USUAL_ENTRIES)))) if len(rows) else 0
    heads = rows["head"].astype(np.uint64) >> np.uint64(32 - prefix_bits)
    order = np.argsort(heads, kind="stable")
    sizes = np.bincount(heads.astype(np.int64), minlength=1 << prefix_bits)
    count = _rounded(int(sizes.max()), len(rows) / (1 << prefix_bits))
    if count > _MOST_ENTRIES:
        raise BucketRefused(
            f"a bucket would hold {count} entries, at most {_MOST_ENTRIES} fit; the outputs are no outputs"
        )
    packed = np.empty((len(rows), ENTRY_OCTETS), dtype=np.uint8)
    packed[:, :8] = rows["tail"][order].reshape(-1, 1).view(np.uint8).reshape(-1, 8)
    packed[:, 8] = words[order] ^ rows["mask"][order]
    bodies = list(_bodies(packed.tobytes(), sizes.tolist(), prefix_bits, count, filling_key))
    tree = MerkleLog()
    tree.extend(map(hash_leaf, bodies))
    root = tree.root()
    layer = Layer(name, root.hex()[:32], prefix_bits, count, root)

    def files() -> Iterator[tuple[int, bytes]]:
        for number, body in enumerate(bodies):
            yield number, body + b"".join(tree.inclusion_proof(number))

    return layer, files()


def _rounded(largest: int, mean: float) -> int:
    """Room for six standard deviations above the mean, so that the number of entries seldom says which day it is."""
    return -(-max(largest, ceil(mean + 6 * sqrt(mean)), 1) // 32) * 32


def _bodies(packed: bytes, sizes: list[int], prefix_bits: int, count: int, filling_key: bytes) -> Iterator[bytes]:
    start = 0
    for number, size in enumerate(sizes):
        header = _MAGIC + bytes([prefix_bits]) + number.to_bytes(4, "big") + count.to_bytes(2, "big")
        missing = (count - size) * ENTRY_OCTETS
        filling = hashlib.shake_256(filling_key + header).digest(missing) if missing else b""
        octets = packed[start : start + size * ENTRY_OCTETS] + filling
        start += size * ENTRY_OCTETS
        yield header + b"".join(sorted(octets[at : at + ENTRY_OCTETS] for at in range(0, len(octets), ENTRY_OCTETS)))
