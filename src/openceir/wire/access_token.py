"""OAuth 2.0 access tokens as an NRF signs them: JWS compact form, ES256 or RS256, claims of TS 29.510.

    BASE64URL(header) "." BASE64URL(claims) "." BASE64URL(signature over the two before it, dot included)

Which algorithm counts is the key's affair and not the token's: an EC key verifies ES256 and an RSA key RS256, so a
token can neither choose `none` nor have a public key taken for a shared secret (RFC 8725 §2.1, §3.1).

| claim | must be                                                   | otherwise          |
|-------|-----------------------------------------------------------|--------------------|
| iss   | the NRF's instance; one of ours when issuers are named     | TokenInvalid, 401  |
| sub   | the consumer's instance                                    | TokenInvalid, 401  |
| exp   | in the future                                              | TokenInvalid, 401  |
| nbf   | not in the future, when it is there                        | TokenInvalid, 401  |
| aud   | our NF type as a string, or a list with our instance in it | ScopeInsufficient, 403 |
| scope | our service among the words                                | ScopeInsufficient, 403 |

Source: RFC 7515 §5.2, RFC 7519 §4.1, TS 29.510 §6.3.5.2.4 (not read; the claims as networks' open implementations
write them), TS 33.501 §13.4.1.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple, NoReturn

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from openceir.errors import OpenceirError

__all__ = ["Claims", "KeyRefused", "ScopeInsufficient", "TokenInvalid", "TokenVerifier", "VerificationKey", "read_key"]

LONGEST_TOKEN_CHARACTERS = 8192
_SMALLEST_RSA_BITS = 2048  # RFC 7518 §3.3

VerificationKey = EllipticCurvePublicKey | RSAPublicKey


class TokenInvalid(OpenceirError):
    """A token cannot be trusted: it is no token, its signature is not an NRF's of ours, or its time is over."""

    code = "token-invalid"
    http_status = 401


class ScopeInsufficient(OpenceirError):
    """A token is sound, and for another service or another register."""

    code = "token-scope-insufficient"
    http_status = 403


class KeyRefused(OpenceirError):
    """A file holds no key that tokens may be verified with."""

    code = "token-key-refused"


class Claims(NamedTuple):
    """What a verified token says. Units: seconds since 1970 UTC."""

    issuer: str
    subject: str
    expires_at_s: float


def read_key(pem: bytes, origin: str) -> VerificationKey:
    """The public key of a PEM text, which may be a certificate.

    Raises: KeyRefused when it holds none, or one too weak or of another kind; `origin` names it in the message.
    """
    try:
        if b"BEGIN CERTIFICATE" in pem:
            key: object = load_pem_x509_certificate(pem).public_key()
        else:
            key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyRefused(f"{origin} holds no public key and no certificate in PEM; give the NRF's") from None
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return key
    if isinstance(key, RSAPublicKey) and key.key_size >= _SMALLEST_RSA_BITS:
        return key
    raise KeyRefused(f"{origin}: tokens are verified with a P-256 key (ES256) or RSA of 2048 bits and more (RS256)")


class TokenVerifier:
    """Verifies tokens, and remembers those it verified until they expire: a signature costs a hundred look-ups.

    Only sound tokens are remembered, `most_remembered` of them, so that strangers cannot fill the memory.
    """

    def __init__(
        self,
        keys: Sequence[VerificationKey],
        *,
        service: str,
        audience: str,
        instance_id: str,
        issuers: Sequence[str] = (),
        most_remembered: int = 10_000,
    ) -> None:
        self._keys = tuple(keys)
        self._service, self._audience, self._instance_id = service, audience, instance_id.lower()
        self._issuers = frozenset(issuers)
        self._most_remembered = most_remembered
        self._remembered: dict[bytes, Claims] = {}

    def verify_authorization(self, header: str | None, now: datetime) -> Claims:
        """The claims of the token in an Authorization header.

        Raises: TokenInvalid when there is none, or as `verify`.
        """
        if header is None:
            raise TokenInvalid("")
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise TokenInvalid("")
        return self.verify(token.strip(" "), now)

    def verify(self, token: str, now: datetime) -> Claims:
        """The claims of a sound token that is for us.

        Raises: TokenInvalid or ScopeInsufficient with a sentence that holds nothing of the token.
        """
        if len(token) > LONGEST_TOKEN_CHARACTERS or not token.isascii():
            raise TokenInvalid("the token is too long or not ASCII")
        name = sha256(token.encode()).digest()
        claims = self._remembered.get(name)
        if claims is None:
            claims = self._verified(token, now)
            if len(self._remembered) >= self._most_remembered:
                self._forget(now)
            self._remembered[name] = claims
        if claims.expires_at_s <= now.timestamp():
            self._remembered.pop(name, None)
            raise TokenInvalid("the token has expired")
        return claims

    def __len__(self) -> int:
        """How many tokens are remembered."""
        return len(self._remembered)

    def _forget(self, now: datetime) -> None:
        """Make room: those that expired go, and when that is not enough, the older half."""
        at = now.timestamp()
        self._remembered = {name: claims for name, claims in self._remembered.items() if claims.expires_at_s > at}
        if len(self._remembered) >= self._most_remembered:
            self._remembered = dict(list(self._remembered.items())[self._most_remembered // 2 + 1 :])

    def _verified(self, token: str, now: datetime) -> Claims:
        parts = token.split(".")
        if len(parts) != 3:
            raise TokenInvalid("the token has not three parts")
        header = _object(_octets(parts[0]), "header")
        if "crit" in header:  # RFC 7515 §4.1.11: extensions that must be understood, and we know none
            raise TokenInvalid("the token's header asks for extensions")
        self._verify_signature(header.get("alg"), f"{parts[0]}.{parts[1]}".encode(), _octets(parts[2]))
        return self._checked(_object(_octets(parts[1]), "claims"), now)

    def _verify_signature(self, algorithm: object, signed: bytes, signature: bytes) -> None:
        for key in self._keys:
            if isinstance(key, RSAPublicKey):
                if algorithm == "RS256" and _is_by_rsa(key, signed, signature):
                    return
            elif algorithm == "ES256" and _is_by_ec(key, signed, signature):
                return
        raise TokenInvalid("the token is signed by no NRF of ours")

    def _checked(self, claims: dict[str, Any], now: datetime) -> Claims:
        issuer, subject = claims.get("iss"), claims.get("sub")
        if not isinstance(issuer, str) or not issuer or (self._issuers and issuer not in self._issuers):
            raise TokenInvalid("the token was issued by another NRF")
        if not isinstance(subject, str) or not subject:
            raise TokenInvalid("the token names no consumer")
        expires_at_s = _number(claims, "exp")
        if expires_at_s <= now.timestamp():
            raise TokenInvalid("the token has expired")
        if "nbf" in claims and _number(claims, "nbf") > now.timestamp():
            raise TokenInvalid("the token is not valid yet")
        audience = claims.get("aud")
        # TS 29.510: one NF type, or a list of NF instances; UUIDs compare without regard to case (RFC 9562 §4).
        named = [each.lower() for each in audience if isinstance(each, str)] if isinstance(audience, list) else []
        if audience != self._audience and self._instance_id not in named and self._audience.lower() not in named:
            raise ScopeInsufficient("the token is for another network function")
        scope = claims.get("scope")
        if not isinstance(scope, str) or self._service not in scope.split(" "):
            raise ScopeInsufficient("the token does not hold the scope of this service")
        return Claims(issuer, subject, expires_at_s)


def _is_by_rsa(key: RSAPublicKey, signed: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, signed, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _is_by_ec(key: EllipticCurvePublicKey, signed: bytes, signature: bytes) -> bool:
    """R and S stand side by side in 32 octets each (RFC 7518 §3.4), not in the DER that libraries take."""
    if len(signature) != 64:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        key.verify(encode_dss_signature(r, s), signed, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _octets(part: str) -> bytes:
    """What the base64url text says. Only its one right spelling is taken: no padding, no stray bits at the end."""
    try:
        octets = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise TokenInvalid("a part of the token is not base64url") from None
    if urlsafe_b64encode(octets).rstrip(b"=") != part.encode():
        raise TokenInvalid("a part of the token is not base64url")
    return octets


def _object(octets: bytes, part: str) -> dict[str, Any]:
    """A JSON object in which no name stands twice: two readers must not see two tokens."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise TokenInvalid(f"the token's {part} says one thing twice")
        return found

    def never(_: str) -> NoReturn:
        raise TokenInvalid(f"the token's {part} is not JSON")

    try:
        read = json.loads(octets.decode("utf-8"), object_pairs_hook=once, parse_constant=never)
    except (ValueError, RecursionError):
        raise TokenInvalid(f"the token's {part} is not JSON") from None
    if not isinstance(read, dict):
        raise TokenInvalid(f"the token's {part} is no JSON object")
    return read


def _number(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        raise TokenInvalid(f"the token's {name} is no time")
    return float(value)
