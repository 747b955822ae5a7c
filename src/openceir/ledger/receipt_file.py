"""The file of a receipt: a signed statement that carries a proof of its place in a book, whichever book that is.

    18([ protected, { <what names the proof>: <proof>, "openceir-preimage": [salt, payload] }, digest, signature ])

Proof and preimage stand in the unprotected header, so that the signature covers what it covered in the book.
"openceir-preimage" discloses what was said; it may be left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from openceir.ledger.errors import ProofRefused
from openceir.ledger.merkle import hash_leaf
from openceir.statements import Header, Members, Sign1, Statement, open_payload, read_header, verify_header

__all__ = ["ReceiptFile", "write_receipt_file"]

_MOST_OCTETS: Final = 65 << 20
_PREIMAGE: Final = "openceir-preimage"


@dataclass(frozen=True, slots=True)
class ReceiptFile:
    """What a receipt file holds, nothing of it believed yet."""

    leaf: bytes  # the statement as it stands in the book
    proofs: Mapping[Any, Any]  # by what names them
    preimage: Any

    @classmethod
    def read(cls, octets: bytes) -> "ReceiptFile":
        """The file in `octets`; raises ProofRefused or StatementRefused."""
        if len(octets) > _MOST_OCTETS:
            raise ProofRefused(f"a receipt file has at most {_MOST_OCTETS} octets")
        message = Sign1.read(octets, "the receipt file")
        proofs = dict(message.unprotected)
        preimage = proofs.pop(_PREIMAGE, None)
        return cls(Sign1(message.protected, message.payload, message.signature).write(), proofs, preimage)

    @property
    def leaf_hash(self) -> bytes:
        """By which the book knows the statement."""
        return hash_leaf(self.leaf)

    def said(self, members: Members | None) -> tuple[Header, Statement | None]:
        """Who stated when, and what, None where that is not disclosed.

        With `members` the issuer's own signature and role are checked too, as of the time it was stated: a key may have
        run out since. That a stolen key did not backdate it, the book has checked when it took the statement in.
        Raises: ProofRefused or StatementRefused for anything that does not hold.
        """
        header = read_header(self.leaf)
        if members is not None:
            verify_header(self.leaf, members, at=header.stated_at)
        match self.preimage:
            case None:
                return header, None
            case [bytes(salt), bytes(payload)]:
                return header, open_payload(header, salt, payload)
            case _:
                raise ProofRefused("what the file discloses is not a salt and a payload")


def write_receipt_file(signed: bytes, name: int | str, proof: object, disclose: tuple[bytes, bytes] | None) -> bytes:
    """The file of a signed statement with a proof under its name; `disclose` is its salt and payload."""
    message = Sign1.read(signed, "the statement")
    unprotected: dict[Any, Any] = {name: proof}
    if disclose is not None:
        unprotected[_PREIMAGE] = list(disclose)
    return Sign1(message.protected, message.payload, message.signature, unprotected).write()
