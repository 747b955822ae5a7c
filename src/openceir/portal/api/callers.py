"""Who asks: a key of the portal or an access token of the HTTP interface, what it may open, and what its day has left.

An access token (`openceir token new`) opens what asks about devices and nothing else here: it has no scopes.
Source: RFC 6750 for the header; draft-ietf-httpapi-ratelimit-headers-10 for `RateLimit` and `RateLimit-Policy`.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponseBase
from ninja.security import HttpBearer

from openceir.portal import moment
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.errors import NotAllowed, PortalError
from openceir.portal.accounts.roles import may
from openceir.portal.api.keys import find_key
from openceir.portal.api.models import ApiKey, Use
from openceir.portal.api.scopes import SCOPES
from openceir.portal.register import register

__all__ = ["Caller", "DayUsedUp", "Key", "ScopeMissing", "caller_of", "take", "with_rest"]

_DAY_S = 86_400
_OF_TOKENS = frozenset({"check", "screen", "scan"})


class DayUsedUp(PortalError):
    """A key asked for more than its day holds."""

    code = "day-used-up"
    http_status = 429


class ScopeMissing(PortalError):
    """The key is valid, and does not open this."""

    code = "scope-missing"
    http_status = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks."""

    counted_as: str
    scopes: frozenset[str]
    per_day: int
    text: str  # the key itself: what is kept for its holder is sealed with it
    key: ApiKey | None = None  # None: an access token

    def acts(self, permission: str) -> Actor:
        """The person in whose name the key acts, who must be allowed to this day. Raises: NotAllowed."""
        key = self.key
        if key is None or not may(key.holder, permission) or not _is_appointed(key):
            raise NotAllowed("whoever made this key may not do this any more; his company makes another")
        name = f"{key.holder.username}/{key.name}"
        return Actor(name=name, role=key.role, office=key.office, signs_with=key.office, user=key.holder)


class Key(HttpBearer):
    """`Authorization: Bearer …`: a key with this scope. It is kept as a digest only, expires, and can be revoked."""

    openapi_description = (
        "A key made on the portal's page of keys, with the scope that stands with each operation. For checks, listings "
        "and photos also an access token (`openceir token new`)."
    )

    def __init__(self, scope: str) -> None:
        self.scope = SCOPES[scope].name
        super().__init__()

    def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        """The caller. Raises: ScopeMissing."""
        caller = _caller(token, moment.now())
        if caller is not None and self.scope not in caller.scopes:
            raise ScopeMissing(f"this key does not have the scope {self.scope}; whoever made it can make one that has")
        return caller


def caller_of(request: HttpRequest) -> Caller:
    """Who asks in this request, which a `Key` let in."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    return caller


def _caller(text: str, at: datetime) -> Caller | None:
    key = find_key(text, at)
    if key is not None:
        if key.role and not _is_appointed(key):
            return None
        return Caller(counted_as=key.counted_as, scopes=frozenset(key.scopes), per_day=key.per_day, text=text, key=key)
    token = register().tokens.find(text, at=at)
    if token is None:
        return None
    per_day = register().settings.portal_api_per_day
    return Caller(counted_as=token.name, scopes=_OF_TOKENS, per_day=per_day, text=text)


def _is_appointed(key: ApiKey) -> bool:
    """Whether the holder still is what he was when he made the key."""
    holder = key.holder
    return holder.is_active and any((one.role, one.office) == (key.role, key.office) for one in holder.appointments_now)


def take(request: HttpRequest, count: int) -> None:
    """Count this much against the caller's day. Raises: DayUsedUp, and then nothing was counted."""
    caller = caller_of(request)
    with transaction.atomic():
        kept, _ = Use.objects.get_or_create(token=caller.counted_as, on=moment.today())
        counted = Use.objects.filter(pk=kept.pk, count__lte=caller.per_day - count).update(count=F("count") + count)
    kept.refresh_from_db()
    rest = max(caller.per_day - kept.count, 0)
    request.rest_of_day = rest  # type: ignore[attr-defined]
    if not counted:
        raise DayUsedUp(
            f"{count} more would be over the {caller.per_day} of this key's day, of which {rest} are left; "
            "ask for fewer, or tomorrow (UTC)"
        )


def with_rest(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The response, which says what is left of the caller's day."""
    rest: Any = getattr(request, "rest_of_day", None)
    if rest is not None:
        now = moment.now()
        midnight = datetime.combine(now.date() + timedelta(days=1), time.min, now.tzinfo)
        left_s = int((midnight - now).total_seconds())
        response["RateLimit-Policy"] = f'"day";q={caller_of(request).per_day};w={_DAY_S}'
        response["RateLimit"] = f'"day";r={rest};t={left_s}'
        if response.status_code == 429:
            response["Retry-After"] = str(left_s)
    return response
