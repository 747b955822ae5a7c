"""One key in n shares, any t of which answer as the whole would; fewer learn nothing of it.

Theory: the key is f(0) of a random polynomial f of degree t - 1 over the integers modulo the group's order, share i is
f(i). For a set S of t indexes, f(0) = Σ λ_i f(i) with λ_i = Π_{j≠i} j / (j - i), so Σ λ_i · (f(i) · a) = f(0) · a: an
evaluation is put together from t partial ones without anybody ever holding f(0). A share is an ordinary RFC 9497 key
with a public key f(i) · B of its own, so each partial evaluation carries the ordinary proof, and whoever lies is named.

Source: A. Shamir, "How to share a secret" (1979); P. Feldman (1987) for public keys that fit together.
"""

from collections.abc import Mapping, Sequence

import rbcl

from openceir.questions.errors import KeyGroupRefused
from openceir.questions.oprf import ORDER, random_scalar, scalar_of, sum_of, times

__all__ = ["MOST_MEMBERS", "combine", "polynomial", "share_of", "verify_group"]

MOST_MEMBERS = 100


def lagrange(indexes: Sequence[int], at: int = 0) -> list[bytes]:
    """The weight of each index when a polynomial through them is read at `at`."""
    weights = []
    for index in indexes:
        numerator = denominator = 1
        for other in indexes:
            if other != index:
                numerator = numerator * (at - other) % ORDER
                denominator = denominator * (index - other) % ORDER
        weights.append(scalar_of(numerator * pow(denominator, -1, ORDER)))
    return weights


def polynomial(threshold: int, secret: bytes | None = None) -> list[bytes]:
    """The coefficients of a random polynomial; its first is the key, drawn when none is given."""
    first = random_scalar() if secret is None else secret
    return [first, *(random_scalar() for _ in range(threshold - 1))]


def share_of(coefficients: Sequence[bytes], index: int) -> bytes:
    """The polynomial's value at `index`, by Horner's rule in libsodium's constant time."""
    value = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        value = bytes(rbcl.crypto_core_ristretto255_scalar_mul(value, scalar_of(index)))
        value = bytes(rbcl.crypto_core_ristretto255_scalar_add(value, coefficient))
    return value


def combine(partials: Mapping[int, bytes], at: int = 0) -> bytes:
    """The element of the whole key from verified partial elements by index; exactly a threshold of them."""
    indexes = sorted(partials)
    if len(indexes) == 1 and at == 0:
        return partials[indexes[0]]  # a polynomial of degree 0 is the same everywhere
    weights = lagrange(indexes, at)
    return sum_of([times(weight, partials[index]) for weight, index in zip(weights, indexes, strict=True)])


def verify_group(threshold: int, public: bytes, members: Mapping[int, bytes]) -> None:
    """Return when the members' public keys are those of shares of the key whose public key is `public`.

    The first t keys fix the polynomial; every other must lie on it, or two sets of t members would answer differently.
    Raises: KeyGroupRefused.
    """
    if not 1 <= threshold <= len(members) <= MOST_MEMBERS or min(members) < 1:
        raise KeyGroupRefused(
            f"a threshold of {threshold} among {len(members)} members cannot be; 1 to {MOST_MEMBERS} members, from 1"
        )
    indexes = sorted(members)
    base = {index: members[index] for index in indexes[:threshold]}
    if combine(base) != public:
        raise KeyGroupRefused("the members' public keys do not combine to the public key of the group")
    for index in indexes[threshold:]:
        fits = members[index] == (public if threshold == 1 else combine(base, at=index))
        if not fits:
            raise KeyGroupRefused(f"the public key of member {index} is not that of a share of this key")
