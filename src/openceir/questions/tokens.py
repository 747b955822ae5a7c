"""Anonymous tokens: one evaluation each, issued so many a day, not to be linked to who got them.

A client draws a nonce, has its blinded element evaluated under the day's token key (a second key of the same function),
and later shows nonce and output: the issuer computes the output itself. What was signed and what is spent share nothing
that the issuer saw. In the manner of Privacy Pass's privately verifiable tokens (RFC 9578 §5), with ristretto255 in
place of P-384 and JSON in place of its HTTP authentication scheme: a Privacy Pass client does not speak it.

Limit: whoever issues could give one client a day's key of its own and know it again. So the day's public keys stand in
a document that is signed and the same for everybody, and every issue is proved against them.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import date, timedelta

from openceir.questions.errors import TokenFalse
from openceir.questions.oprf import VOPRF, times_base

__all__ = ["NONCE_OCTETS", "AnonymousToken", "TokenIssuer"]

NONCE_OCTETS = 32
_FORM = re.compile(r"(\d{4}-\d{2}-\d{2})\.([0-9a-f]{64})\.([0-9a-f]{64})")
_KEPT_OCTETS = 32  # of the output's 64


@dataclass(frozen=True, slots=True)
class AnonymousToken:
    """One token, as it is spent."""

    day: date
    nonce: bytes
    output: bytes

    @classmethod
    def parse(cls, text: object) -> "AnonymousToken":
        """The token in `<day>.<nonce>.<output>`. Raises: TokenFalse."""
        found = _FORM.fullmatch(text) if isinstance(text, str) and text.isascii() else None
        if found is None:
            raise TokenFalse("an anonymous token is a day, a nonce and an output, joined by dots")
        try:
            day = date.fromisoformat(found[1])
        except ValueError:
            raise TokenFalse("an anonymous token begins with a calendar day") from None
        return cls(day, bytes.fromhex(found[2]), bytes.fromhex(found[3]))

    @classmethod
    def of(cls, day: date, nonce: bytes, output: bytes) -> "AnonymousToken":
        """The token of an evaluated nonce."""
        return cls(day, nonce, output[:_KEPT_OCTETS])

    def format(self) -> str:
        """The text that `parse` reads."""
        return f"{self.day.isoformat()}.{self.nonce.hex()}.{self.output.hex()}"


class TokenIssuer:
    """The token keys of every day, from one secret of 32 octets."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def key_of(self, day: date) -> bytes:
        """The day's private key."""
        seed = hmac.digest(self._secret, b"openceir-token-day/1/" + day.isoformat().encode(), hashlib.sha256)
        return VOPRF.derive_key(seed, b"openceir-tokens")

    def public_of(self, day: date) -> bytes:
        """The day's public key."""
        return times_base(self.key_of(day))

    def verify(self, token: AnonymousToken, today: date) -> None:
        """Return when the token is one of ours, of today or yesterday. Raises: TokenFalse."""
        if token.day not in {today, today - timedelta(days=1)}:
            raise TokenFalse("the anonymous token is not of today or yesterday; ask for new ones")
        expected = VOPRF.evaluate(self.key_of(token.day), token.nonce)[:_KEPT_OCTETS]
        if not hmac.compare_digest(expected, token.output):
            raise TokenFalse("the anonymous token was not issued here")
