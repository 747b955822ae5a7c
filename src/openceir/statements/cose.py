"""COSE_Sign1 with Ed25519, the envelope of statements and receipts.

    18([ protected : bstr .cbor map, unprotected : map, payload : bstr / nil, signature : bstr .size 64 ])

Source: RFC 9052 §4.2 and §4.4; alg -8 is EdDSA (RFC 9053 §2.2).
"""

from dataclasses import dataclass, field
from typing import Any, Final

from openceir.statements._cbor import not_canonical, read_loosely, write_canonical, write_octets
from openceir.statements.errors import Refusal, StatementRefused
from openceir.statements.keys import PublicKey, SigningKey

__all__ = ["ALG", "CWT_CLAIMS", "EDDSA", "KID", "Sign1"]

ALG: Final = 1
KID: Final = 4
CWT_CLAIMS: Final = 15
EDDSA: Final = -8
_TAG_18: Final = b"\xd2"


@dataclass(frozen=True, slots=True)
class Sign1:
    """One COSE_Sign1 message, decoded to its four parts; `protected` stays as the octets that were signed."""

    protected: bytes
    payload: bytes | None
    signature: bytes
    unprotected: dict[Any, Any] = field(default_factory=dict)

    @classmethod
    def sign(cls, protected: bytes, payload: bytes, key: SigningKey) -> "Sign1":
        """A message over `payload`, attached."""
        return cls(protected, payload, key.sign(_sig_structure(protected, payload)))

    def verify(self, key: PublicKey, payload: bytes | None = None) -> None:
        """Raise StatementRefused unless `key` signed this; a detached payload is handed in."""
        signed = self.payload if self.payload is not None else payload
        if signed is None or not key.has_signed(_sig_structure(self.protected, signed), self.signature):
            raise StatementRefused(
                f"the signature is not one by {key.name}; it or what it signs was changed", Refusal.SIGNATURE
            )

    @classmethod
    def read(cls, octets: bytes, what: str) -> "Sign1":
        """The message in `octets`, canonical and nothing after it; `what` names it in the refusal."""
        if octets[:1] != _TAG_18:
            raise StatementRefused(
                f"{what} does not begin with the tag of COSE_Sign1 (18); is it another kind of file?"
            )
        plain = _read_plain(octets)
        if plain is not None:
            return plain
        parts = read_loosely(octets[1:], what)
        protected, unprotected, payload, signature = (
            parts if isinstance(parts, list) and len(parts) == 4 else [None] * 4
        )
        if not (
            isinstance(protected, bytes)
            and isinstance(unprotected, dict)
            and (payload is None or isinstance(payload, bytes))
            and isinstance(signature, bytes)
            and len(signature) == 64
        ):
            raise StatementRefused(
                f"{what} is not a COSE_Sign1 message: protected, unprotected, payload, signature of 64 octets"
            )
        message = cls(protected, payload, signature, unprotected)
        if message.write() != octets:
            raise not_canonical(what)
        return message

    def write(self) -> bytes:
        """The octets of this message."""
        return b"".join(
            (
                _TAG_18 + b"\x84",
                write_octets(self.protected),
                write_canonical(self.unprotected) if self.unprotected else b"\xa0",
                b"\xf6" if self.payload is None else write_octets(self.payload),
                write_octets(self.signature),
            )
        )


def _read_plain(octets: bytes) -> Sign1 | None:
    """The message as nearly every statement is spelt; None: read it the long way.

        d2 84  58 nn protected  a0  58 20 digest  58 40 signature

    Every length stands in its shortest form and nothing may follow, so what is read needs no comparison.
    """
    if octets[1:3] != b"\x84\x58" or len(octets) < 4 or octets[3] < 24:
        return None
    end = 4 + octets[3]
    if (
        len(octets) != end + 101
        or octets[end : end + 3] != b"\xa0\x58\x20"
        or octets[end + 35 : end + 37] != b"\x58\x40"
    ):
        return None
    return Sign1(octets[4:end], octets[end + 3 : end + 35], octets[end + 37 :])


def _sig_structure(protected: bytes, payload: bytes) -> bytes:
    """What is signed: ["Signature1", protected, external_aad, payload] (RFC 9052 §4.4)."""
    return b"\x84\x6aSignature1" + write_octets(protected) + b"\x40" + write_octets(payload)
