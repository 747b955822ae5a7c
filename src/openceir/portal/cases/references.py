"""References of cases, and the secrets that open them: random, easy to read out, and checked for a wrong character.

    K7Q4-M2XW-9H3        ten random characters of Crockford's base 32 (50 bits) and one that checks them (modulo 37)

A reference alone opens nothing: it is looked up together with the secret that its holder was shown once (80 bits),
of which only a keyed digest is kept. Letters that are read as digits are taken as those: O for 0, I and L for 1.
"""

import hashlib
import hmac
import secrets

from django.conf import settings

__all__ = ["format_code", "new_reference", "new_secret", "parse_code", "secret_digest"]

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHECKS = _ALPHABET + "*~$=U"  # Crockford's five further check characters
_REFERENCE_LENGTH = 10
_SECRET_LENGTH = 16
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", " ": "", "-": "", "–": "", "\u00a0": ""})


def new_reference() -> str:
    """A new reference as it is kept: eleven characters without hyphens."""
    while True:
        body = "".join(secrets.choice(_ALPHABET) for _ in range(_REFERENCE_LENGTH))
        check = _check_of(body)
        if check in _ALPHABET:  # the five others are hard to read out: draw again
            return body + check


def new_secret() -> str:
    """A new secret, to be shown to its holder once."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))


def format_code(code: str) -> str:
    """A reference or secret in groups of four."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def parse_code(text: str) -> str | None:
    """The reference that was typed; None when a character is wrong or missing."""
    code = _folded(text)
    if len(code) != _REFERENCE_LENGTH + 1 or any(c not in _ALPHABET for c in code[:-1]):
        return None
    return code if _check_of(code[:-1]) == code[-1] else None


def secret_digest(secret: str) -> str:
    """What is kept of a secret, however it was typed."""
    return hmac.new(settings.SECRET_KEY.encode(), b"case\0" + _folded(secret).encode(), hashlib.sha256).hexdigest()


def _folded(text: str) -> str:
    return text[:64].strip().upper().translate(_READ_AS)


def _check_of(body: str) -> str:
    number = 0
    for c in body:
        number = number * 32 + _ALPHABET.index(c)
    return _CHECKS[number % 37]
