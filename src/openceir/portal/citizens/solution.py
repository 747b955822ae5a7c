"""What a browser sends back for a proof of work, read with suspicion. `work.py` says what it means."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from openceir.portal.accounts.errors import PortalError

__all__ = ["Solution", "WorkRefused", "read_solution"]

_SALT = re.compile(r"[0-9a-f]{24}\?expires=([0-9]{10})&")
_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOST_LENGTH = 1024


class WorkRefused(PortalError):
    """A proof of work is none, not ours, too old, or was spent."""

    code = "work-refused"
    http_status = 429


@dataclass(frozen=True, slots=True)
class Solution:
    """What a browser sends back."""

    challenge: str
    number: int
    salt: str
    signature: str
    expires_at: datetime


def read_solution(text: str) -> Solution:
    """What was sent, in its form. Raises: WorkRefused."""
    try:
        if len(text) > _MOST_LENGTH:
            raise ValueError
        told = json.loads(base64.b64decode(text, validate=True))
        challenge, number, salt, signature = (told[name] for name in ("challenge", "number", "salt", "signature"))
        expires = _SALT.fullmatch(salt)
        if told["algorithm"] != "SHA-256" or expires is None or type(number) is not int:
            raise ValueError
        if not (_HEX_DIGEST.fullmatch(challenge) and _HEX_DIGEST.fullmatch(signature)):
            raise ValueError
    except (binascii.Error, ValueError, TypeError, KeyError, RecursionError) as wrong:
        raise WorkRefused("this is no proof of work") from wrong
    return Solution(challenge, number, salt, signature, datetime.fromtimestamp(int(expires[1]), UTC))
