"""Receipts of a consortium: a statement, and that more than two thirds of the members' nodes signed the book it is in.

The file is the signed statement itself, as in `receipt`, with another proof in its unprotected header:

    18([ protected, { "openceir-commit": [size, index, path, state root, members root, [light block…]],
                      "openceir-preimage": [salt, payload] }, digest, signature ])

    leaf hash + path → log root; the three roots → app_hash, which stands in the last light block's header; that header is
    reached from the validators that the reader trusts, over the light blocks before it.

No node's word is needed, and no key but those of the validators that the reader trusts.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from openceir.ledger.comet import LightBlock, Validator, verify_chain
from openceir.ledger.errors import ProofRefused
from openceir.ledger.machine import app_hash_of
from openceir.ledger.merkle import root_of_inclusion
from openceir.ledger.receipt_file import ReceiptFile, write_receipt_file
from openceir.statements import (
    Header,
    Members,
    Statement,
)

__all__ = [
    "ChainTrust",
    "OrderedProof",
    "VerifiedOrdered",
    "is_ordered_receipt",
    "make_ordered_receipt",
    "verify_ordered_receipt",
]

_PROOF: Final = "openceir-commit"
MOST_BLOCKS: Final = 1000


@dataclass(frozen=True, slots=True)
class ChainTrust:
    """Whom the reader believes: the validators of a chain, from a height and time on; from its beginning when 0."""

    chain_id: str
    validators: tuple[Validator, ...]
    height: int = 0
    time: datetime | None = None

    def format(self) -> str:
        """The file that is handed over on a channel that is trusted."""
        return json.dumps(
            {
                "chain_id": self.chain_id,
                "height": self.height,
                "time": None if self.time is None else f"{self.time:%Y-%m-%dT%H:%M:%SZ}",
                "validators": [{"key": one.key.hex(), "power": one.power} for one in self.validators],
            },
            indent=1,
        )

    @classmethod
    def parse(cls, text: str) -> "ChainTrust":
        """What `format` wrote. Raises: ProofRefused."""
        try:
            plain = json.loads(text)
            time = plain["time"]
            validators = tuple(Validator(bytes.fromhex(one["key"]), int(one["power"])) for one in plain["validators"])
            trust = cls(
                str(plain["chain_id"]),
                validators,
                int(plain["height"]),
                None if time is None else datetime.fromisoformat(time).astimezone(UTC),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as wrong:
            raise ProofRefused(
                "that is no file of trusted validators; `openceir consortium trust` writes one"
            ) from wrong
        if not validators or any(len(one.key) != 32 or one.power <= 0 for one in validators):
            raise ProofRefused("a trusted validator is a key of 32 octets and a power above 0")
        return trust

    def verify(
        self, blocks: Sequence[LightBlock], *, now: datetime | None = None, trust_period: timedelta | None = None
    ) -> Any:
        """The last header of `blocks`, reached from what is trusted; raises ProofRefused."""
        since = None if self.time is None else (self.height, self.time)
        return verify_chain(
            self.chain_id, self.validators, blocks, trusted_at=since, now=now, trust_period=trust_period
        )


@dataclass(frozen=True, slots=True)
class OrderedProof:
    """That an entry stands in a book which a header covers."""

    size: int
    index: int
    path: tuple[bytes, ...]
    state_root: bytes
    members_root: bytes
    blocks: tuple[LightBlock, ...]

    def plain(self) -> list[object]:
        """As it stands in the file."""
        blocks = [block.plain() for block in self.blocks]
        return [self.size, self.index, list(self.path), self.state_root, self.members_root, blocks]

    @classmethod
    def from_plain(cls, plain: Any) -> "OrderedProof":
        """What `plain` gave; raises ProofRefused."""
        match plain:
            case [int(size), int(index), [*path], bytes(state_root), bytes(members_root), [*blocks]] if (
                len(path) <= 64
                and all(isinstance(node, bytes) for node in path)
                and len(state_root) == len(members_root) == 32
                and 0 < len(blocks) <= MOST_BLOCKS
            ):
                found = tuple(map(LightBlock.from_plain, blocks))
                return cls(size, index, tuple(path), state_root, members_root, found)
        raise ProofRefused("the file's proof is not one of a consortium")

    def verify(
        self, leaf_hash: bytes, trust: ChainTrust, *, now: datetime | None = None, trust_period: timedelta | None = None
    ) -> bytes:
        """The root under which the entry of this leaf hash stands; raises ProofRefused when that is not shown."""
        root = root_of_inclusion(leaf_hash, self.index, self.size, self.path)
        header = trust.verify(self.blocks, now=now, trust_period=trust_period)
        if header.app_hash != app_hash_of(root, self.state_root, self.members_root):
            raise ProofRefused("the entry does not stand in the book that was signed, or the proof was changed")
        return root


@dataclass(frozen=True, slots=True)
class VerifiedOrdered:
    """What a receipt of a consortium has shown."""

    header: Header
    leaf_hash: bytes
    proof: OrderedProof
    root: bytes
    said: Statement | None  # None: what was said is not disclosed
    signer_checked: bool  # False: no members were at hand; who signed rests on the consortium's word


def make_ordered_receipt(signed: bytes, proof: OrderedProof, *, disclose: tuple[bytes, bytes] | None = None) -> bytes:
    """The receipt file of a signed statement; `disclose` is its salt and payload."""
    return write_receipt_file(signed, _PROOF, proof.plain(), disclose)


def is_ordered_receipt(file_octets: bytes) -> bool:
    """Whether this is a receipt of a consortium, as far as its form says."""
    return b"o" + _PROOF.encode() in file_octets[:4096]


def verify_ordered_receipt(
    file_octets: bytes,
    trust: ChainTrust,
    members: Members | None = None,
    *,
    now: datetime | None = None,
    trust_period: timedelta | None = None,
) -> VerifiedOrdered:
    """What the file shows: that this statement stands in the consortium's book, who signed it, what was said.

    With `members` the issuer is checked too, as `ReceiptFile.said` does it.
    Raises: ProofRefused or StatementRefused for anything that does not hold.
    """
    file = ReceiptFile.read(file_octets)
    if file.proofs.keys() != {_PROOF}:
        raise ProofRefused("the file carries no proof of a consortium; is it the receipt of a single register?")
    proof = OrderedProof.from_plain(file.proofs[_PROOF])
    root = proof.verify(file.leaf_hash, trust, now=now, trust_period=trust_period)
    header, said = file.said(members)
    return VerifiedOrdered(header, file.leaf_hash, proof, root, said, members is not None)
