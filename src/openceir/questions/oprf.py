"""Oblivious evaluation of a pseudorandom function: the server learns no input, the client no key.

    client                                   server (key k, public key k·B)
    a = r · HashToGroup(input)      ──a──▶   b = k · a, and a proof that log_B(k·B) = log_a(b)
    output = Hash(input, r⁻¹ · b)   ◀─b,proof─

`r` is fresh and uniform, so `a` is a uniform group element whatever the input: that is all a server ever sees.
Scalars and elements travel and are kept as 32 octets; whatever arrives is decoded here before anything is done with it.
Secrets are only ever handled by libsodium's constant-time code, never as Python integers.

Source: RFC 9497, ciphersuite ristretto255-SHA512, modes OPRF (0x00) and VOPRF (0x01). POPRF is left out: its inverse of
a sum does not split into shares (docs/decisions/private-questions.md).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import rbcl

from openceir.questions.errors import ElementRefused, ProofFalse, QuestionError

__all__ = ["MOST_IN_BATCH", "OPRF", "ORDER", "VOPRF", "Blinded", "Mode", "read_element", "read_scalar"]

ORDER: Final = 2**252 + 27742317777372353535851937790883648493  # of the group; RFC 9496 §4
ELEMENT_OCTETS: Final = 32
SCALAR_OCTETS: Final = 32
PROOF_OCTETS: Final = 64
OUTPUT_OCTETS: Final = 64
MOST_IN_BATCH: Final = 1000  # RFC 9497 allows 2^16 - 1; one request stays short enough to be answered at once
_LONGEST_INPUT: Final = 65_535
_IDENTITY: Final = bytes(32)
_SHA512 = hashlib.sha512
_Z_PAD = _SHA512(bytes(128))  # expand_message_xmd begins with one block of zeros; hashed once


def read_element(octets: bytes) -> bytes:
    """The element as it came, known to be canonical and not the identity.

    Raises: ElementRefused. Source: RFC 9497 §4.1 (DeserializeElement), RFC 9496 §4.3.1.
    """
    if len(octets) != ELEMENT_OCTETS:
        raise ElementRefused(f"an element has {ELEMENT_OCTETS} octets, this one {len(octets)}")
    if octets == _IDENTITY:
        raise ElementRefused("the element is the identity, which would show the key's holder nothing and us everything")
    if not rbcl.crypto_core_ristretto255_is_valid_point(octets):
        raise ElementRefused("the octets are no canonical encoding of a ristretto255 element")
    return octets


def read_scalar(octets: bytes) -> bytes:
    """The scalar as it came, known to be below the group's order. Raises: ElementRefused. Source: RFC 9497 §4.1."""
    if len(octets) != SCALAR_OCTETS or int.from_bytes(octets, "little") >= ORDER:
        raise ElementRefused("a scalar has 32 octets and is below the order of the group")
    return octets


def random_scalar() -> bytes:
    """A uniform scalar that is not zero."""
    return bytes(rbcl.crypto_core_ristretto255_scalar_random())


def scalar_of(value: int) -> bytes:
    """A public number as a scalar."""
    return (value % ORDER).to_bytes(SCALAR_OCTETS, "little")


def times(scalar: bytes, element: bytes) -> bytes:
    """scalar · element. Raises: ElementRefused when that is the identity."""
    try:
        return bytes(rbcl.crypto_scalarmult_ristretto255(scalar, element))
    except RuntimeError:
        raise ElementRefused("the product is the identity; the scalar is zero or the element is no element") from None


def times_base(scalar: bytes) -> bytes:
    """scalar · generator. Raises: ElementRefused when that is the identity."""
    try:
        return bytes(rbcl.crypto_scalarmult_ristretto255_base(scalar))
    except RuntimeError:
        raise ElementRefused("a key or nonce of zero has no public half") from None


def add(left: bytes, right: bytes) -> bytes:
    """The sum of two elements."""
    return bytes(rbcl.crypto_core_ristretto255_add(left, right))


def sum_of(elements: Sequence[bytes]) -> bytes:
    """The sum of one element or more."""
    total = elements[0]
    for element in elements[1:]:
        total = add(total, element)
    return total


@dataclass(frozen=True, slots=True)
class Blinded:
    """What a client keeps of one input until it is answered; `element` alone is sent."""

    input: bytes
    scalar: bytes
    element: bytes

    def __repr__(self) -> str:
        """The scalar and the input stay out of every traceback."""
        return f"Blinded(element={self.element.hex()})"


class Mode:
    """The functions of one mode of the ciphersuite. Source: RFC 9497 §3 and §4.1."""

    def __init__(self, number: int) -> None:
        self.context = b"OPRFV1-" + bytes([number]) + b"-ristretto255-SHA512"
        self._to_group = _with_length(b"HashToGroup-" + self.context)
        self._to_scalar = _with_length(b"HashToScalar-" + self.context)
        self._derive = _with_length(b"DeriveKeyPair" + self.context)
        self._seed = b"Seed-" + self.context

    def hash_to_group(self, message: bytes) -> bytes:
        """The element of an input. Raises: QuestionError for an input nobody can find (RFC 9497 §3.3)."""
        if len(message) > _LONGEST_INPUT:
            raise QuestionError(f"an input has at most {_LONGEST_INPUT} octets, this one {len(message)}")
        element = bytes(rbcl.crypto_core_ristretto255_from_hash(_expand(message, self._to_group)))
        if element == _IDENTITY:
            raise QuestionError("the input hashes to the identity; ask another question")
        return element

    def hash_to_scalar(self, message: bytes) -> bytes:
        """A scalar from any octets."""
        return bytes(rbcl.crypto_core_ristretto255_scalar_reduce(_expand(message, self._to_scalar)))

    def derive_key(self, seed: bytes, info: bytes) -> bytes:
        """The private key of a seed of 32 octets. Source: RFC 9497 §3.2.1."""
        if len(seed) != 32 or len(info) > _LONGEST_INPUT:
            raise QuestionError("a seed has 32 octets, and the info beside it at most 65,535")
        for counter in range(256):
            message = seed + len(info).to_bytes(2, "big") + info + bytes([counter])
            scalar = bytes(rbcl.crypto_core_ristretto255_scalar_reduce(_expand(message, self._derive)))
            if scalar != bytes(32):
                return scalar
        raise QuestionError("this seed gives no key; draw another")

    def blind(self, message: bytes, scalar: bytes | None = None) -> Blinded:
        """An input as it may be sent; `scalar` is drawn unless a test names it. Source: RFC 9497 §3.3.1."""
        drawn = random_scalar() if scalar is None else read_scalar(scalar)
        return Blinded(message, drawn, times(drawn, self.hash_to_group(message)))

    def finalize(self, blinded: Blinded, evaluated: bytes) -> bytes:
        """The output, 64 octets, from an evaluation that the caller has verified. Source: RFC 9497 §3.3.1."""
        inverse = bytes(rbcl.crypto_core_ristretto255_scalar_invert(blinded.scalar))
        return _output(blinded.input, times(inverse, read_element(evaluated)))

    def evaluate(self, key: bytes, message: bytes) -> bytes:
        """The output for an input that the key's holder knows, as when it builds the list. Source: RFC 9497 §3.3.1."""
        return _output(message, times(key, self.hash_to_group(message)))

    def prove(
        self,
        key: bytes,
        public: bytes,
        blinded: Sequence[bytes],
        evaluated: Sequence[bytes],
        nonce: bytes | None = None,
    ) -> bytes:
        """One proof, 64 octets, that every evaluation was made with the key of `public`.

        `nonce` is drawn unless a test names it: used twice, it gives the key away. Source: RFC 9497 §2.2.1.
        """
        weights = self._weights(public, blinded, evaluated)
        m = sum_of([times(weight, element) for weight, element in zip(weights, blinded, strict=True)])
        z = times(key, m)
        r = random_scalar() if nonce is None else nonce
        challenge = self._challenge(public, m, z, times_base(r), times(r, m))
        product = bytes(rbcl.crypto_core_ristretto255_scalar_mul(challenge, key))
        return challenge + bytes(rbcl.crypto_core_ristretto255_scalar_sub(r, product))

    def verify(self, public: bytes, blinded: Sequence[bytes], evaluated: Sequence[bytes], proof: bytes) -> None:
        """Return when the proof holds for all of these together. Source: RFC 9497 §2.2.2.

        Raises: ProofFalse; ElementRefused when something in it is no element or scalar.
        """
        if len(blinded) != len(evaluated) or not blinded:
            raise ProofFalse(f"{len(blinded)} questions were sent and {len(evaluated)} evaluations came back")
        if len(proof) != PROOF_OCTETS:
            raise ProofFalse(f"a proof has {PROOF_OCTETS} octets, this one {len(proof)}")
        read_element(public)
        for element in evaluated:
            read_element(element)
        challenge, response = read_scalar(proof[:32]), read_scalar(proof[32:])
        weights = self._weights(public, blinded, evaluated)
        try:
            m = sum_of([times(weight, element) for weight, element in zip(weights, blinded, strict=True)])
            z = sum_of([times(weight, element) for weight, element in zip(weights, evaluated, strict=True)])
            t2 = add(times_base(response), times(challenge, public))
            t3 = add(times(response, m), times(challenge, z))
        except ElementRefused:  # honest proofs meet the identity with probability 2^-252
            raise ProofFalse("the proof leads to the identity") from None
        if self._challenge(public, m, z, t2, t3) != challenge:
            raise ProofFalse("the evaluation was not made with the key that this register or member promised")

    def _weights(self, public: bytes, blinded: Sequence[bytes], evaluated: Sequence[bytes]) -> list[bytes]:
        seed = _SHA512(_framed(public) + _framed(self._seed)).digest()
        return [
            self.hash_to_scalar(_framed(seed) + place.to_bytes(2, "big") + _framed(c) + _framed(d) + b"Composite")
            for place, (c, d) in enumerate(zip(blinded, evaluated, strict=True))
        ]

    def _challenge(self, public: bytes, m: bytes, z: bytes, t2: bytes, t3: bytes) -> bytes:
        return self.hash_to_scalar(b"".join(map(_framed, (public, m, z, t2, t3))) + b"Challenge")


def _with_length(tag: bytes) -> bytes:
    """DST_prime of RFC 9380 §5.3.1."""
    return tag + bytes([len(tag)])


def _framed(octets: bytes) -> bytes:
    return len(octets).to_bytes(2, "big") + octets


def _expand(message: bytes, tag: bytes) -> bytes:
    """expand_message_xmd to 64 octets, which is one block of SHA-512. Source: RFC 9380 §5.3.1."""
    first = _Z_PAD.copy()
    first.update(message + b"\x00\x40\x00" + tag)
    return _SHA512(first.digest() + b"\x01" + tag).digest()


def _output(message: bytes, element: bytes) -> bytes:
    return _SHA512(_framed(message) + _framed(element) + b"Finalize").digest()


OPRF: Final = Mode(0)
VOPRF: Final = Mode(1)
