"""A request that bears an `Idempotency-Key` is done once, however often a program whose line was cut sends it.

Theory. The first to come writes a row that claims the key, and commits it. What was asked is then done and its answer
kept in one transaction, so both stand or neither. Whoever comes with the same key

    and another request                                  422: nothing is done
    while the first is at it                             409, with Retry-After
    after the first answered                             gets the same octets again
    after the first died at it (a minute ago or more)    takes the claim over and does it

A refusal leaves no row: nothing was done, and a corrected request may bear the same key. Answers hold the secrets of
cases, so they are sealed under the caller's key and the Idempotency-Key, of which only digests are kept here: who has
the database reads none. After a day they are forgotten.
Source: draft-ietf-httpapi-idempotency-key-header-07.
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from nacl.secret import SecretBox

from openceir.portal import moment
from openceir.portal.accounts.errors import PortalError
from openceir.portal.api.callers import Caller, caller_of, with_rest
from openceir.portal.api.models import KeptAnswer

__all__ = ["Done", "answered", "done_once", "forget_old"]

_LEASE = timedelta(seconds=60)
_KEPT_FOR = timedelta(days=1)
_MOST_KEY_LENGTH = 255


class KeyUsedOtherwise(PortalError):
    """The Idempotency-Key came with another request before."""

    code = "idempotency-key-reused"
    http_status = 422


class StillAtIt(PortalError):
    """The first request with this Idempotency-Key has not been answered yet."""

    code = "request-in-flight"
    http_status = 409
    retry_after_s = 1


class KeyUnreadable(PortalError):
    """The Idempotency-Key is not one."""

    code = "idempotency-key-unreadable"
    http_status = 400


@dataclass(frozen=True, slots=True)
class Done:
    """What was done: status, body, and where it can be looked at."""

    status: int
    body: dict[str, Any]
    location: str = ""


def done_once(request: HttpRequest, do: Callable[[], Done]) -> HttpResponse:
    """The answer of `do`, or the one that it gave before. Raises: what `do` raises; PortalError as above."""
    text = request.headers.get("Idempotency-Key")
    if text is None:
        with transaction.atomic():
            return answered(request, do())
    caller, key = caller_of(request), _key(text)
    seal = _Seal(caller, key)
    asked = _request_digest(request)
    row = KeptAnswer(
        caller=caller.counted_as, key_digest=hashlib.sha256(key).hexdigest(), request_digest=asked,
        claimed_at=moment.now(),
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        row = KeptAnswer.objects.get(caller=row.caller, key_digest=row.key_digest)
        if row.request_digest != asked:
            raise KeyUsedOtherwise("this Idempotency-Key came with another request before; use a new one") from None
        if row.sealed is not None:
            return answered(request, seal.open(bytes(row.sealed)))
        _take_over(row)
    try:
        with transaction.atomic():
            done = do()
            row.sealed = seal.close(done)
            row.save(update_fields=["sealed"])
    except BaseException:
        KeptAnswer.objects.filter(pk=row.pk, sealed=None, claimed_at=row.claimed_at).delete()
        raise
    return answered(request, done)


def answered(request: HttpRequest, done: Done) -> HttpResponse:
    """The response."""
    octets = json.dumps(done.body, ensure_ascii=False)
    response = HttpResponse(octets, status=done.status, content_type="application/json")
    if done.location:
        response["Location"] = done.location
    with_rest(request, response)
    return response


def forget_old(now: datetime) -> int:
    """Forget what is older than a day; how many answers that were."""
    return KeptAnswer.objects.filter(claimed_at__lt=now - _KEPT_FOR).delete()[0]


def _take_over(row: KeptAnswer) -> None:
    """Claim what somebody died at. Raises: StillAtIt."""
    now = moment.now()
    if row.claimed_at > now - _LEASE or not (
        KeptAnswer.objects.filter(pk=row.pk, claimed_at=row.claimed_at, sealed=None).update(claimed_at=now)
    ):
        raise StillAtIt("the first request with this Idempotency-Key is being worked on; ask again in a second")
    row.claimed_at = now


def _key(text: str) -> bytes:
    """The key; the draft writes it as a quoted string, many programs without quotes."""
    bare = text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
    if not (0 < len(bare) <= _MOST_KEY_LENGTH and bare.isascii() and bare.isprintable()):
        raise KeyUnreadable(
            f"an Idempotency-Key is 1 to {_MOST_KEY_LENGTH} printable characters of ASCII, such as a UUID"
        )
    return bare.encode()


def _request_digest(request: HttpRequest) -> str:
    """What tells one request from another. Parts of a form are taken one by one: their boundary is new each time."""
    told: list[Any] = [request.method, request.path]
    if request.content_type == "multipart/form-data":
        told += [[name, request.POST.getlist(name)] for name in sorted(request.POST)]
        told += [[name, [_file_digest(file) for file in request.FILES.getlist(name)]] for name in sorted(request.FILES)]
    else:
        told.append(hashlib.sha256(request.body).hexdigest())
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _file_digest(file: Any) -> list[Any]:
    digest = hashlib.sha256()
    for piece in file.chunks():
        digest.update(piece)
    file.seek(0)
    return [file.name, digest.hexdigest()]


class _Seal:
    """Closes an answer so that only who sends both keys again can have it opened."""

    def __init__(self, caller: Caller, key: bytes) -> None:
        self._box = SecretBox(hmac.digest(caller.text.encode(), b"openceir answer\0" + key, hashlib.sha256))

    def close(self, done: Done) -> bytes:
        return bytes(self._box.encrypt(json.dumps([done.status, done.body, done.location]).encode()))

    def open(self, sealed: bytes) -> Done:
        return Done(*json.loads(self._box.decrypt(sealed)))
