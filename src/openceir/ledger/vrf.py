"""A keyed token that its maker can compute for any text, nobody else at all, and everybody can check.

A digest of an identifier can be matched by trying all numbers; a keyed digest cannot be checked without the key. A
verifiable random function is both: `token` is as good as random to whoever lacks the secret, there is exactly one for
each text and key, and the proof shows that this is the one.

ECVRF-EDWARDS25519-SHA512-TAI: suite 0x03, proofs of 80 octets (Gamma 32, c 16, s 32), outputs of 64.
Source: RFC 9381 §5; the arithmetic is libsodium's.
"""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from nacl.bindings import (
    crypto_core_ed25519_add,
    crypto_core_ed25519_scalar_add,
    crypto_core_ed25519_scalar_mul,
    crypto_core_ed25519_scalar_reduce,
    crypto_core_ed25519_sub,
    crypto_scalarmult_ed25519_base_noclamp,
    crypto_scalarmult_ed25519_noclamp,
)
from nacl.exceptions import RuntimeError as SodiumRefused

from openceir.ledger.errors import ProofRefused

__all__ = ["PROOF_OCTETS", "TokenKey", "verify_token"]

PROOF_OCTETS: Final = 80
_SUITE: Final = b"\x03"
_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_NO_POINT: Final = b"\x01" + bytes(31)  # the neutral element
_C_OCTETS: Final = 16
_PADDING: Final = bytes(32 - _C_OCTETS)


@dataclass(frozen=True)
class TokenKey:
    """The secret that makes tokens, as a seed of 32 octets; it never shows itself in a repr."""

    seed: bytes = field(repr=False)

    @cached_property
    def _hashed(self) -> bytes:
        return hashlib.sha512(self.seed).digest()

    @cached_property
    def _scalar(self) -> bytes:
        octets = bytearray(self._hashed[:32])
        octets[0] &= 248
        octets[31] = octets[31] & 127 | 64
        return bytes(octets)

    @cached_property
    def public(self) -> bytes:
        """The 32 octets with which tokens are verified."""
        octets: bytes = crypto_scalarmult_ed25519_base_noclamp(self._scalar)
        return octets

    def token(self, text: bytes) -> bytes:
        """The token of a text, 64 octets."""
        return _output(crypto_scalarmult_ed25519_noclamp(self._scalar, _point_of(self.public, text)))

    def prove(self, text: bytes) -> bytes:
        """The proof, 80 octets, from which anybody can compute and check the token. Source: RFC 9381 §5.1."""
        point = _point_of(self.public, text)
        gamma = crypto_scalarmult_ed25519_noclamp(self._scalar, point)
        nonce = crypto_core_ed25519_scalar_reduce(hashlib.sha512(self._hashed[32:] + point).digest())
        u, v = crypto_scalarmult_ed25519_base_noclamp(nonce), crypto_scalarmult_ed25519_noclamp(nonce, point)
        c = _challenge(self.public, point, gamma, u, v)
        secret = crypto_core_ed25519_scalar_reduce(self._scalar + bytes(32))
        s = crypto_core_ed25519_scalar_add(nonce, crypto_core_ed25519_scalar_mul(c + _PADDING, secret))
        proof: bytes = gamma + c + s
        return proof


def verify_token(public: bytes, text: bytes, proof: bytes) -> bytes:
    """The token of a text under the key of this public half; raises ProofRefused unless the proof shows it.

    Source: RFC 9381 §5.3. A key or Gamma of small order is refused, so that a maker cannot choose a key for which
    every text has the same token ("full uniqueness", §5.6.1).
    """
    gamma, c, s = proof[:32], proof[32:48], proof[48:]
    if len(proof) != PROOF_OCTETS or len(public) != 32 or int.from_bytes(s, "little") >= _ORDER:
        raise ProofRefused("the proof of a token has 80 octets, the last 32 a number below the group's order")
    point = _point_of(public, text)
    try:
        u = crypto_core_ed25519_sub(
            crypto_scalarmult_ed25519_base_noclamp(s), crypto_scalarmult_ed25519_noclamp(c + _PADDING, public)
        )
        v = crypto_core_ed25519_sub(
            crypto_scalarmult_ed25519_noclamp(s, point), crypto_scalarmult_ed25519_noclamp(c + _PADDING, gamma)
        )
    except SodiumRefused as wrong:
        raise ProofRefused("the proof of a token or its key is no point of the group; was it changed?") from wrong
    if _challenge(public, point, gamma, u, v) != c:
        raise ProofRefused("the proof shows no token of this identifier under this key; was it made for another?")
    return _output(gamma)


def _point_of(public: bytes, text: bytes) -> bytes:
    """The text as a point of the group, by trying and counting. Source: RFC 9381 §5.4.1.1."""
    start = hashlib.sha512(_SUITE + b"\x01" + public + text)
    for count in range(256):
        tried = start.copy()
        tried.update(bytes([count, 0]))
        try:
            point = _times_cofactor(tried.digest()[:32])
        except SodiumRefused:
            continue  # half of all octet strings are on the curve
        if point != _NO_POINT:
            return point
    raise ProofRefused("no point was found for this text in 256 tries, which happens to one text in 2^256")


def _times_cofactor(point: bytes) -> bytes:
    """Eight times the point, which lies in the group of prime order whatever the point was."""
    for _ in range(3):
        point = crypto_core_ed25519_add(point, point)
    return point


def _challenge(*points: bytes) -> bytes:
    """Source: RFC 9381 §5.4.3."""
    return hashlib.sha512(_SUITE + b"\x02" + b"".join(points) + b"\x00").digest()[:_C_OCTETS]


def _output(gamma: bytes) -> bytes:
    """Source: RFC 9381 §5.2."""
    return hashlib.sha512(_SUITE + b"\x03" + _times_cofactor(gamma) + b"\x00").digest()
