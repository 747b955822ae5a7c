"""Who asks: the access tokens of the HTTP interface (`openceir token new`), and what each has left of its day.

Source: RFC 6750 for the header; draft-ietf-httpapi-ratelimit-headers-10 for `RateLimit` and `RateLimit-Policy`.
"""

from datetime import datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponseBase
from ninja.security import HttpBearer

from openceir.portal import moment
from openceir.portal.accounts.errors import PortalError
from openceir.portal.api.models import Use
from openceir.portal.register import register
from openceir.storage.tokens import Token

__all__ = ["Bearer", "DayUsedUp", "take", "with_rest"]

_DAY_S = 86_400


class DayUsedUp(PortalError):
    """A token asked for more than its day holds."""

    code = "day-used-up"
    http_status = 429


class Bearer(HttpBearer):
    """`Authorization: Bearer …`; the token is kept as a digest only, expires, and can be revoked."""

    openapi_description = "An access token; `openceir token new` makes one."

    def authenticate(self, request: HttpRequest, token: str) -> Token | None:
        """The token, if it opens anything now."""
        return register().tokens.find(token, at=moment.now())


def take(request: HttpRequest, count: int) -> None:
    """Count this much against the token's day. Raises: DayUsedUp, and then nothing was counted."""
    token: Token = request.auth  # type: ignore[attr-defined]
    limit = _limit()
    with transaction.atomic():
        kept, _ = Use.objects.get_or_create(token=token.name, on=moment.today())
        counted = Use.objects.filter(pk=kept.pk, count__lte=limit - count).update(count=F("count") + count)
    kept.refresh_from_db()
    request.rest_of_day = limit - kept.count  # type: ignore[attr-defined]
    if not counted:
        raise DayUsedUp(
            f"{count} more would be over the {limit} of this token's day, of which {limit - kept.count} are left; "
            "ask for fewer, or tomorrow (UTC)"
        )


def with_rest(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The response, which says what is left of the token's day."""
    rest: Any = getattr(request, "rest_of_day", None)
    if rest is not None:
        now = moment.now()
        midnight = datetime.combine(now.date() + timedelta(days=1), time.min, now.tzinfo)
        left_s = int((midnight - now).total_seconds())
        response["RateLimit-Policy"] = f'"day";q={_limit()};w={_DAY_S}'
        response["RateLimit"] = f'"day";r={rest};t={left_s}'
        if response.status_code == 429:
            response["Retry-After"] = str(left_s)
    return response


def _limit() -> int:
    return register().settings.portal_api_per_day
