"""Keyed digests: a list of numbers that can be matched but not read back.

There are about 2^38 IMEIs, so a plain hash of one is reversed in hours on one processor core, an MD5 sooner.
Without the key nothing short of breaking SHA-256 reverses this; who holds the key can try every number, so the key
belongs to one office (docs/trust.md).
"""

import hashlib
import hmac

from openceir.identity.errors import IdentityError

__all__ = ["KEYED_DIGEST_OCTETS", "InvalidDigestKey", "keyed_digest"]

KEYED_DIGEST_OCTETS = 16
_LABEL = b"openceir keyed digest 1"


class InvalidDigestKey(IdentityError):
    """A key for digests is too short to keep anything secret."""

    code = "invalid-digest-key"


def keyed_digest(key: bytes, text: str, *, domain: str = "device") -> bytes:
    """HMAC-SHA-256 over label, domain and text, cut to its first 16 octets.

    `domain` keeps the digests of devices ("device") and of subscribers ("imsi", "msisdn") apart under one key.
    Shapes: a key of 16 octets or more in, 16 octets out.
    Raises: InvalidDigestKey.
    Source: RFC 2104 §5 (truncation); NIST SP 800-107r1 §5.3.2.
    """
    if len(key) < 16:
        raise InvalidDigestKey(
            f"a key for digests needs at least 16 octets, this one has {len(key)}; make one with `openceir key new`"
        )
    assert "\0" not in domain  # else two pairs (domain, text) could give one message
    message = b"\0".join((_LABEL, domain.encode(), text.encode("utf-8", "surrogatepass")))
    return hmac.digest(key, message, hashlib.sha256)[:KEYED_DIGEST_OCTETS]
