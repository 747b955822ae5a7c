"""Receipts: a statement and the proof that it stands in the log, in one file that a stranger can check offline.

The file is the signed statement itself, with the receipt in its unprotected header 394 ("transparent statement"):

    18([ protected, { 394: [ receipt ], "openceir-preimage": [salt, payload] }, digest, signature ])

    receipt = 18([ { 1: -8, 4: kid of the log, 15: { 1: origin, 2: "<origin>#<index>/<size>", 6: made_at }, 395: 1 },
                   { 396: { -1: [ << [size, index, path] >> ] } },
                   nil (the root, rebuilt by the reader),
                   signature ])

RFC 9942 leaves size and index outside the signature, and a root can often be reached with another size; the subject
repeats both, so that neither can be changed. "openceir-preimage" discloses what was said; it may be left out.

Source: RFC 9942 (receipts, vds 1 = RFC9162_SHA256), RFC 9943 (transparent statements).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from openceir.ledger.errors import ProofRefused
from openceir.ledger.merkle import MerkleLog, root_of_inclusion
from openceir.ledger.receipt_file import ReceiptFile, write_receipt_file
from openceir.statements import (
    ALG,
    CWT_CLAIMS,
    EDDSA,
    KID,
    Header,
    Members,
    PublicKey,
    Sign1,
    SigningKey,
    Statement,
    StatementRefused,
    read_canonical,
    write_canonical,
)

__all__ = ["Receipt", "VerifiedReceipt", "make_receipt", "verify_receipt"]

_RECEIPTS: Final = 394
_VDS: Final = 395
_VDP: Final = 396
_RFC9162_SHA256: Final = 1
_INCLUSION: Final = -1


@dataclass(frozen=True, slots=True)
class Receipt:
    """The log's signed word that one entry stands at `index` among `size`."""

    origin: str
    index: int
    size: int
    made_at: datetime
    path: tuple[bytes, ...]
    message: Sign1

    @classmethod
    def make(cls, tree: MerkleLog, index: int, key: SigningKey, *, at: datetime) -> "Receipt":
        """A receipt for entry `index` of the log as it stands now."""
        size, path = tree.size, tree.inclusion_proof(index)
        protected = write_canonical(
            {
                ALG: EDDSA,
                KID: key.public.kid,
                CWT_CLAIMS: {1: key.name, 2: _subject(key.name, index, size), 6: int(at.timestamp())},
                _VDS: _RFC9162_SHA256,
            }
        )
        signed = Sign1.sign(protected, tree.root(), key)
        proof = write_canonical([size, index, path])
        message = Sign1(protected, None, signed.signature, {_VDP: {_INCLUSION: [proof]}})
        return cls(key.name, index, size, at, tuple(path), message)

    @classmethod
    def read(cls, octets: bytes) -> "Receipt":
        """The receipt in `octets`, its signature not yet checked; raises ProofRefused."""
        try:
            message = Sign1.read(octets, "the receipt")
            parts = read_canonical(message.protected, "the receipt's protected header")
            match parts:
                case {1: -8, 4: bytes(), 15: {1: str(origin), 2: str(subject), 6: int(made_at)}, 395: 1} if (
                    len(parts) == 4 and len(parts[CWT_CLAIMS]) == 3 and 0 <= made_at < 1 << 37
                ):
                    pass
                case _:
                    raise ProofRefused("the receipt's protected header is not that of an RFC 9942 receipt of this log")
            match message.unprotected:
                case {396: {-1: [bytes(proof)]}} if len(message.unprotected[_VDP]) == len(message.unprotected) == 1:
                    pass
                case _:
                    raise ProofRefused("the receipt carries no single inclusion proof")
            match read_canonical(proof, "the receipt's proof"):
                case [int(size), int(index), [*path]] if len(path) <= 64 and all(isinstance(n, bytes) for n in path):
                    pass
                case _:
                    raise ProofRefused("the receipt's proof is not [size, index, path]")
        except StatementRefused as wrong:
            raise ProofRefused(str(wrong)) from wrong
        if message.payload is not None:
            raise ProofRefused("the receipt carries a root of its own; it must be rebuilt from the statement")
        if subject != _subject(origin, index, size):
            raise ProofRefused("the receipt's subject names another place in the log than its proof")
        return cls(origin, index, size, datetime.fromtimestamp(made_at, UTC), tuple(path), message)

    def write(self) -> bytes:
        """The receipt's octets."""
        return self.message.write()

    def verify(self, leaf_hash: bytes, key: PublicKey) -> bytes:
        """The root under which the entry of this leaf hash stands; raises ProofRefused unless the log's key signed it."""
        if self.origin != key.name:
            raise ProofRefused(f"the receipt is of the log {self.origin}, the key is of {key.name}")
        root = root_of_inclusion(leaf_hash, self.index, self.size, self.path)
        try:
            self.message.verify(key, root)
        except StatementRefused as wrong:
            raise ProofRefused(f"the receipt does not fit this statement or was changed: {wrong}") from wrong
        return root


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """What a receipt file has shown."""

    header: Header
    leaf_hash: bytes
    receipt: Receipt
    root: bytes
    said: Statement | None  # None: what was said is not disclosed
    signer_checked: bool  # False: no members were at hand; who signed rests on the log's word


def make_receipt(signed: bytes, receipt: Receipt, *, disclose: tuple[bytes, bytes] | None = None) -> bytes:
    """The receipt file of the signed statement; `disclose` is its salt and payload."""
    return write_receipt_file(signed, _RECEIPTS, [receipt.write()], disclose)


def verify_receipt(file_octets: bytes, log_key: PublicKey, members: Members | None = None) -> VerifiedReceipt:
    """What the file shows: that this statement stands in the log of `log_key`, who signed it, what was said.

    With `members` the issuer is checked too, as `ReceiptFile.said` does it.
    Raises: ProofRefused or StatementRefused for anything that does not hold.
    """
    file = ReceiptFile.read(file_octets)
    match file.proofs:
        case {394: [bytes(octets)]} if len(file.proofs) == 1:
            receipt = Receipt.read(octets)
        case _:
            raise ProofRefused("the file carries no single receipt (header 394); is it a bare statement?")
    root = receipt.verify(file.leaf_hash, log_key)
    header, said = file.said(members)
    return VerifiedReceipt(header, file.leaf_hash, receipt, root, said, members is not None)


def _subject(origin: str, index: int, size: int) -> str:
    return f"{origin}#{index}/{size}"
