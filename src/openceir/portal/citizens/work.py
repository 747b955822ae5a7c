"""Proof of work in ALTCHA's manner (its first version): ours to give and to check, and nobody else hears of it.

    challenge = SHA-256(salt ‖ number in decimal), with a number drawn from 0 to 250,000
    signature = HMAC-SHA-256(our key, challenge)
    salt      = 24 random hexadecimal digits, `?expires=` and seconds since 1970, `&`

The browser gets all but the number, tries numbers until the digest fits (some 125,000 digests, under a second to a few
seconds), and sends {algorithm, challenge, number, salt, signature} back as base64 of JSON. We keep nothing until then:
the signature says that the challenge is ours, the salt until when it counts, and a row that it was spent, for as long.
The `&` ends the salt: without it digits could be moved from the number into the time, with the same digest.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from openceir.portal.citizens.models import SpentWork
from openceir.portal.citizens.solution import WorkRefused, read_solution

__all__ = ["LARGEST_NUMBER", "forget_spent", "new_challenge", "spend"]

LARGEST_NUMBER = 250_000
_COUNTS_FOR = timedelta(hours=1)  # somebody fills a report in the meantime


def new_challenge(now: datetime) -> dict[str, str | int]:
    """What a browser is asked, in ALTCHA's words."""
    salt = f"{secrets.token_hex(12)}?expires={int((now + _COUNTS_FOR).timestamp())}&"
    challenge = _digest(salt, secrets.randbelow(LARGEST_NUMBER + 1))
    return {
        "algorithm": "SHA-256",
        "challenge": challenge,
        "maxnumber": LARGEST_NUMBER,
        "salt": salt,
        "signature": _signature(challenge),
    }


def spend(text: str, now: datetime) -> None:
    """Take a proof of work, this once. Raises: WorkRefused."""
    told = read_solution(text)
    if not 0 <= told.number <= LARGEST_NUMBER:
        raise WorkRefused("the number is none that was asked for")
    if not hmac.compare_digest(told.signature, _signature(told.challenge)):
        raise WorkRefused("this was not asked by us")
    if told.challenge != _digest(told.salt, told.number):
        raise WorkRefused("the number does not fit")
    if not now < told.expires_at <= now + _COUNTS_FOR:
        raise WorkRefused("this was asked too long ago")
    try:
        with transaction.atomic():
            SpentWork.objects.create(challenge=told.challenge, expires_at=told.expires_at)
    except IntegrityError as wrong:
        raise WorkRefused("this was spent already") from wrong


def forget_spent(now: datetime) -> int:
    """Forget what could not be spent again anyway; how many."""
    return SpentWork.objects.filter(expires_at__lt=now).delete()[0]


def _digest(salt: str, number: int) -> str:
    return hashlib.sha256(f"{salt}{number}".encode()).hexdigest()


def _signature(challenge: str) -> str:
    key = hmac.digest(settings.SECRET_KEY.encode(), b"proof of work", hashlib.sha256)
    return hmac.digest(key, challenge.encode(), hashlib.sha256).hex()
