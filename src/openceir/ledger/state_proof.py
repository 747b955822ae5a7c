"""What a register has committed to say of one device, as a file that a stranger checks offline.

The file is canonical CBOR:

    [ 1, receipt, token proof, bucket, pieces, opened ]

    receipt      a receipt file (receipt.py) of the `state-committed/1`, disclosed
    token proof  80 octets: the device's token under the committed key (vrf.py); the device itself is not in the file
    bucket       [tokens, values, mask, path]: whether the map holds the token (state_map.py)
    pieces       [count, [[index, lo, hi, said, path]…]]: the piece of a range that holds the device, or the two
                 neighbours between which it lies; the ranges are sorted, cut apart, and hashed as an RFC 9162 tree
    opened       [salt, said] of a device in the map, else nil

    committed root = SHA-256("openceir state 1" NUL || map root || u32 count of pieces || root over the pieces)
    value in map   = SHA-256(salt || said)        said = [[issuer, claim, label, since]…], ascending

So it shows: at this size of the log, this register said exactly this of that device, or nothing.
"""

import hashlib
import hmac
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final, NamedTuple

from openceir.ledger.errors import LedgerError, ProofRefused
from openceir.ledger.merkle import EMPTY_ROOT, MerkleLog, hash_leaf, root_of_inclusion
from openceir.ledger.receipt import VerifiedReceipt, verify_receipt
from openceir.ledger.state_map import BucketProof, StateMap
from openceir.ledger.vrf import TokenKey, verify_token
from openceir.statements import (
    Members,
    PublicKey,
    StateCommitted,
    StatementRefused,
    read_canonical,
    write_canonical,
)

__all__ = ["CommittedState", "Held", "VerifiedState", "read_held", "token_text", "verify_state", "write_held"]

MOST_OCTETS: Final = 4 << 20
MOST_PIECES: Final = 1 << 20


class Held(NamedTuple):
    """One thing that holds of a device: who says it, which claim, of which rule, and since when (seconds, UTC)."""

    issuer: str
    claim: str
    label: str
    since: int

    @property
    def since_at(self) -> datetime:
        """Since when, as an instant."""
        return datetime.fromtimestamp(self.since, UTC)


def token_text(scheme: str, canonical: str) -> bytes:
    """What a device's token is made of; of an IMEI its 14 digits, so that check digit and version change nothing."""
    return f"{scheme}:{canonical}".encode()


class CommittedState:
    """The map of an epoch and the pieces of ranges beside it: what one root commits to, and proofs are made from."""

    def __init__(self, key: TokenKey) -> None:
        self.key = key
        self._map = StateMap()
        self._pieces: list[tuple[int, int, bytes]] = []  # lo, hi, said
        self._tree = MerkleLog()

    @property
    def size(self) -> int:
        """How many devices the map holds."""
        return self._map.size

    def root(self) -> bytes:
        """What a `state-committed/1` carries."""
        return _root_of(self._map.root(), self._tree.size, self._tree.root())

    def update(self, changes: Mapping[bytes, Sequence[Held] | None]) -> None:
        """Set what holds of the devices of these tokens; None or nothing takes one out."""
        self._map.update(
            {token: self._value(token, write_held(held)) if held else None for token, held in changes.items()}
        )

    def set_ranges(self, pieces: Sequence[tuple[int, int, Sequence[Held]]]) -> None:
        """Put these ranges of device keys in place of those before; ascending and apart, ends included."""
        self._pieces = [(lo, hi, write_held(held)) for lo, hi, held in pieces]
        if any(one[1] >= other[0] for one, other in pairwise(self._pieces)):
            raise LedgerError("the ranges of a state are not ascending and apart; cut them at each other's ends")
        self._tree = MerkleLog()
        self._tree.extend(hash_leaf(_piece(*piece)) for piece in self._pieces)

    def prove(self, text: bytes, device: int | None, held: Sequence[Held], receipt: bytes) -> bytes:
        """The file for the device of this token text; `held` is what the map was given of it, `device` its 14 digits.

        `receipt`: of the statement that committed to the present root, disclosed.
        """
        token = self.key.token(text)
        bucket = self._map.prove(token)
        said = write_held(held)
        if self._map.find(token) != (self._value(token, said) if held else None):
            raise LedgerError("what is kept of that device is not what was committed to; commit anew")
        opened = [self._salt(token), said] if held else None
        pieces = [] if device is None else [self._shown(index) for index in self._around(device)]
        return write_canonical(
            [
                1,
                receipt,
                self.key.prove(text),
                [bucket.tokens, bucket.values, bucket.mask, list(bucket.path)],
                [self._tree.size, self._tree.root(), pieces],
                opened,
            ]
        )

    def _around(self, device: int) -> range:
        """The index of the piece that holds the device, or those of its neighbours."""
        at = bisect_right(self._pieces, device, key=lambda piece: piece[0])
        if at and self._pieces[at - 1][1] >= device:
            return range(at - 1, at)
        return range(max(at - 1, 0), min(at + 1, len(self._pieces)))

    def _shown(self, index: int) -> list[Any]:
        lo, hi, said = self._pieces[index]
        return [index, lo, hi, said, self._tree.inclusion_proof(index)]

    def _salt(self, token: bytes) -> bytes:
        return hmac.digest(self.key.seed, b"openceir state salt 1\0" + token, hashlib.sha256)[:16]

    def _value(self, token: bytes, said: bytes) -> bytes:
        return hashlib.sha256(self._salt(token) + said).digest()


@dataclass(frozen=True, slots=True)
class VerifiedState:
    """What a state file has shown of the device that it was asked about."""

    shown: VerifiedReceipt
    committed: StateCommitted
    held: tuple[Held, ...]  # of the device by itself
    held_by_range: tuple[Held, ...]
    range: tuple[int, int] | None  # the piece that holds the device

    @property
    def is_absent(self) -> bool:
        """Whether nothing was said of the device, by itself or in a range."""
        return not self.held and not self.held_by_range


def verify_state(
    file_octets: bytes, text: bytes, device: int | None, log_key: PublicKey, members: Members | None = None
) -> VerifiedState:
    """What the file shows of the device of this token text (and of these 14 digits, unless it has none).

    Raises: ProofRefused or StatementRefused for anything that does not hold.
    """
    if len(file_octets) > MOST_OCTETS:
        raise ProofRefused(f"a file of a device's state has at most {MOST_OCTETS} octets")
    receipt, token_proof, bucket, (count, pieces_root, pieces), opened = _read(file_octets)
    shown = verify_receipt(receipt, log_key, members)
    committed = shown.said
    if not isinstance(committed, StateCommitted):
        raise ProofRefused(f"the receipt in the file is of a {shown.header.kind}, not of a state that was committed to")
    token = verify_token(committed.token_key, text, token_proof)
    value, map_root = bucket.lookup(token)
    if _root_of(map_root, count, pieces_root) != committed.root:
        raise ProofRefused("the proof does not lead to the root that was committed to; was it of another day?")
    held: tuple[Held, ...] = ()
    if value is not None:
        match opened:
            case [bytes(salt), bytes(said)] if hashlib.sha256(salt + said).digest() == value:
                held = read_held(said)
            case _:
                raise ProofRefused("the device is in the map, but the file does not open what was said of it")
    elif opened is not None:
        raise ProofRefused("the file opens what was said of a device that is not in the map")
    span, by_range = (None, ()) if device is None else _range_of(device, count, pieces_root, pieces)
    return VerifiedState(shown, committed, held, by_range, span)


def write_held(held: Sequence[Held]) -> bytes:
    """The one spelling of what holds of a device."""
    return write_canonical([list(one) for one in sorted(set(held))])


def read_held(octets: bytes) -> tuple[Held, ...]:
    """What `write_held` wrote; raises ProofRefused."""
    match read_canonical(octets, "what was said of the device"):
        case [*items]:
            held = tuple(_held(item) for item in items)
            if held and write_held(held) == octets:
                return held
    raise ProofRefused("what was said of the device is not spelt as it should be")


def _held(item: object) -> Held:
    match item:
        case [str(issuer), str(claim), str(label), int(since)] if 0 <= since < 1 << 37:
            return Held(issuer, claim, label, since)
    raise ProofRefused("what was said of a device is issuer, claim, rule and since when")


def _range_of(
    device: int, count: int, root: bytes, pieces: Sequence[Any]
) -> tuple[tuple[int, int] | None, tuple[Held, ...]]:
    """The piece that holds the device and what was said of it; or nothing, its neighbours having shown that."""
    read = [_read_piece(item) for item in pieces]
    for index, lo, hi, said, path in read:
        if root_of_inclusion(hash_leaf(_piece(lo, hi, said)), index, count, path) != root:
            raise ProofRefused("a piece of a range does not lead to the root that was committed to")
    match read:
        case [] if count == 0 and root == EMPTY_ROOT:
            return None, ()
        case [(index, lo, hi, said, _)] if lo <= device <= hi:
            return (lo, hi), read_held(said)
        case [(0, lo, _, _, _)] if device < lo:
            return None, ()
        case [(index, _, hi, _, _)] if index == count - 1 and hi < device:
            return None, ()
        case [(index, _, hi, _, _), (other, lo, _, _, _)] if other == index + 1 and hi < device < lo:
            return None, ()
    raise ProofRefused("the file does not show in which range the device lies, or that it lies in none")


def _root_of(map_root: bytes, count: int, pieces_root: bytes) -> bytes:
    return hashlib.sha256(b"openceir state 1\0" + map_root + count.to_bytes(4) + pieces_root).digest()


def _piece(lo: int, hi: int, said: bytes) -> bytes:
    return write_canonical([lo, hi, said])


def _read_piece(item: object) -> tuple[int, int, int, bytes, list[bytes]]:
    match item:
        case [int(index), int(lo), int(hi), bytes(said), [*path]] if len(path) <= 32 and all(
            isinstance(node, bytes) and len(node) == 32 for node in path
        ):
            return index, lo, hi, said, [bytes(node) for node in path if isinstance(node, bytes)]
    raise ProofRefused("a piece of a range is its index, ends, what was said, and the way to the root")


def _read(octets: bytes) -> tuple[bytes, bytes, BucketProof, tuple[int, bytes, list[Any]], Any]:
    try:
        match read_canonical(octets, "the file of a device's state"):
            case [
                1,
                bytes(receipt),
                bytes(token),
                [bytes(t), bytes(v), int(mask), [*path]],
                [int(n), bytes(r), [*p]],
                opened,
            ] if (
                len(path) <= 16
                and all(isinstance(node, bytes) for node in path)
                and 0 <= n <= MOST_PIECES
                and len(r) == 32
                and mask >= 0
            ):
                return receipt, token, BucketProof(t, v, mask, tuple(path)), (n, r, p), opened
    except StatementRefused as wrong:
        raise ProofRefused(str(wrong)) from wrong
    raise ProofRefused("this is no file of a device's state; `openceir absence prove` writes one")
