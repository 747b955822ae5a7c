"""A map of tokens to values under one root, which proves that a token is in it, or that it is not.

2^16 buckets under a binary Merkle tree of 16 levels; the first two octets of a token say which bucket. A bucket holds
the next sixteen octets of each of its tokens, ascending, and for each a value of 32 octets. At a million entries
a bucket has about fifteen, so that a proof shows all tokens of one bucket (240 octets) and 16 nodes (512).

    bucket = SHA-256(0x00 || SHA-256(tokens) || SHA-256(values))           tokens, values: one after another
    node   = SHA-256(0x01 || left || right)

Whether a token is absent can be seen when all tokens of its bucket are shown; of the values absence needs the digest
only. Nodes over nothing are the same everywhere and are left out of a proof (a mask says which), so that proofs of a
small map are small.

Invariant: the root depends on what the map holds and not on how it came to hold it (`update` equals building anew).
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from openceir.ledger.errors import LedgerError, ProofRefused

__all__ = ["TOKEN_OCTETS", "VALUE_OCTETS", "BucketProof", "StateMap"]

TOKEN_OCTETS: Final = 32  # given; eighteen of them are used
VALUE_OCTETS: Final = 32
MOST_IN_BUCKET: Final = 1 << 14
_LEVELS: Final = 16
_BUCKETS: Final = 1 << _LEVELS
_KEY: Final = 16
_SHA256 = hashlib.sha256


def _bucket_hash(tokens: bytes, values_digest: bytes) -> bytes:
    return _SHA256(b"\x00" + _SHA256(tokens).digest() + values_digest).digest()


def _empty_hashes() -> tuple[bytes, ...]:
    """The hash of a part of the tree that holds nothing, by level: 0 is a bucket, 16 the root."""
    hashes = [_bucket_hash(b"", _SHA256(b"").digest())]
    for _ in range(_LEVELS):
        hashes.append(_SHA256(b"\x01" + hashes[-1] * 2).digest())
    return tuple(hashes)


_EMPTY: Final = _empty_hashes()


class StateMap:
    """Tokens and values in memory, about 100 octets an entry."""

    def __init__(self, entries: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self._tokens: list[bytes] = [b""] * _BUCKETS
        self._values: list[bytes] = [b""] * _BUCKETS
        # nodes[1] is the root, node n's children are 2n and 2n + 1, bucket b is node 2^16 + b
        self._nodes = [_EMPTY[0]] * (2 * _BUCKETS)
        for level in range(1, _LEVELS + 1):
            first = _BUCKETS >> level
            self._nodes[first : 2 * first] = [_EMPTY[level]] * first
        self.size = 0
        self.update(dict(entries))

    def root(self) -> bytes:
        """The digest over everything that the map holds."""
        return self._nodes[1]

    def find(self, token: bytes) -> bytes | None:
        """The value of a token, or None."""
        bucket, key = _place(token)
        at = _position(self._tokens[bucket], key)
        if self._tokens[bucket][at : at + _KEY] != key:
            return None
        return self._values[bucket][2 * at : 2 * at + VALUE_OCTETS]

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        """The eighteen octets of each token that count, ascending, and the values."""
        for bucket, tokens in enumerate(self._tokens):
            for at in range(0, len(tokens), _KEY):
                yield bucket.to_bytes(2) + tokens[at : at + _KEY], self._values[bucket][2 * at : 2 * at + VALUE_OCTETS]

    def update(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Set the values of these tokens; None takes a token out. Each node above is hashed once for all of them."""
        touched: dict[int, list[tuple[bytes, bytes | None]]] = {}
        for token, value in changes.items():
            bucket, key = _place(token)
            touched.setdefault(bucket, []).append((key, value))
        for bucket, some in touched.items():
            self._change(bucket, some)
        nodes, level = self._nodes, {(_BUCKETS + bucket) >> 1 for bucket in touched}
        while level and 0 not in level:
            for node in level:
                nodes[node] = _SHA256(b"\x01" + nodes[2 * node] + nodes[2 * node + 1]).digest()
            level = {node >> 1 for node in level}

    def _change(self, bucket: int, changes: list[tuple[bytes, bytes | None]]) -> None:
        tokens, values = self._tokens[bucket], self._values[bucket]
        for key, value in changes:
            at = _position(tokens, key)
            end = at + _KEY if tokens[at : at + _KEY] == key else at
            if value is None:
                tokens, values = tokens[:at] + tokens[end:], values[: 2 * at] + values[2 * end :]
            else:
                if len(value) != VALUE_OCTETS:
                    raise LedgerError(f"a value of the state map has {VALUE_OCTETS} octets, not {len(value)}")
                tokens = tokens[:at] + key + tokens[end:]
                values = (
                    values[: 2 * at] + value + values[2 * end :]
                )  # a value is twice as long as what is kept of a token
        self.size += (len(tokens) - len(self._tokens[bucket])) // _KEY
        self._tokens[bucket], self._values[bucket] = tokens, values
        self._nodes[_BUCKETS + bucket] = _bucket_hash(tokens, _SHA256(values).digest())

    def prove(self, token: bytes) -> "BucketProof":
        """The proof that shows whether the map holds this token, and with which value."""
        bucket, _ = _place(token)
        tokens, values = self._tokens[bucket], self._values[bucket]
        mask, path, node = 0, [], _BUCKETS + bucket
        for level in range(_LEVELS):
            sibling = self._nodes[node ^ 1]
            if sibling != _EMPTY[level]:
                mask |= 1 << level
                path.append(sibling)
            node >>= 1
        holds = self.find(token) is not None
        return BucketProof(tokens, values if holds else _SHA256(values).digest(), mask, tuple(path))


@dataclass(frozen=True, slots=True)
class BucketProof:
    """All tokens of one bucket and the way from it to the root."""

    tokens: bytes
    values: bytes  # of all of them when the token is present; else their SHA-256
    mask: int  # bit i: the sibling at level i holds something, and stands in `path`
    path: tuple[bytes, ...]

    def verify(self, token: bytes, root: bytes) -> bytes | None:
        """The token's value in the map of this root, None when it is not there.

        Raises: ProofRefused when the proof does not lead to that root, or is not the one way to write it.
        """
        value, found = self.lookup(token)
        if found != root:
            raise ProofRefused("the proof does not lead to the root that was committed to; was it of another day?")
        return value

    def lookup(self, token: bytes) -> tuple[bytes | None, bytes]:
        """The token's value, None when it is not there, in the map of the root that comes second.

        Raises: ProofRefused when the proof is not the one way to write it.
        """
        bucket, key = _place(token)
        keys = [self.tokens[at : at + _KEY] for at in range(0, len(self.tokens), _KEY)]
        if len(self.tokens) % _KEY or len(keys) > MOST_IN_BUCKET or any(one >= other for one, other in pairwise(keys)):
            raise ProofRefused("the tokens of the proof's bucket do not stand apart in ascending order")
        place = bisect_left(keys, key)
        is_present = place < len(keys) and keys[place] == key
        if is_present and len(self.values) != VALUE_OCTETS * len(keys):
            raise ProofRefused("the proof holds another number of values than of tokens")
        if not is_present and len(self.values) != 32:
            raise ProofRefused("a proof of absence holds the digest of the bucket's values, 32 octets")
        node = _bucket_hash(self.tokens, _SHA256(self.values).digest() if is_present else self.values)
        path = iter(self.path)
        for level in range(_LEVELS):
            is_shown = self.mask >> level & 1
            sibling = next(path, b"") if is_shown else _EMPTY[level]
            if len(sibling) != 32 or (is_shown and sibling == _EMPTY[level]):
                raise ProofRefused("the proof's path has another length than its mask says")
            pair = sibling + node if bucket >> level & 1 else node + sibling
            node = _SHA256(b"\x01" + pair).digest()
        if self.mask >> _LEVELS or next(path, None) is not None:
            raise ProofRefused("the proof's path goes on after the root")
        return self.values[place * VALUE_OCTETS : (place + 1) * VALUE_OCTETS] if is_present else None, node


def _place(token: bytes) -> tuple[int, bytes]:
    """The bucket of a token, and what stands there for it."""
    if len(token) < 2 + _KEY:
        raise LedgerError(f"a token of {len(token)} octets is too short for the state map, which uses {2 + _KEY}")
    return int.from_bytes(token[:2]), token[2 : 2 + _KEY]


def _position(tokens: bytes, key: bytes) -> int:
    """Where `key` stands or would stand among ascending tokens, in octets."""
    low, high = 0, len(tokens) // _KEY
    while low < high:
        middle = (low + high) // 2
        if tokens[middle * _KEY : (middle + 1) * _KEY] < key:
            low = middle + 1
        else:
            high = middle
    return low * _KEY
