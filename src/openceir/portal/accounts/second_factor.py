"""Whether the session was opened with more than a password, and how long ago that was shown."""

import time
from typing import Any

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpRequest

__all__ = ["was_shown", "was_shown_lately"]


def _records(request: HttpRequest) -> list[dict[str, Any]]:
    return [record for record in get_authentication_records(request, request.user) if record.get("method") == "mfa"]


def was_shown(request: HttpRequest) -> bool:
    """Whether a passkey or a code was shown in this session."""
    return bool(_records(request))


def was_shown_lately(request: HttpRequest) -> bool:
    """Whether that was within the last quarter of an hour (ACCOUNT_REAUTHENTICATION_TIMEOUT)."""
    # allauth writes the machine's time into the session, so it is held against the same, whatever the portal's clock
    latest = max((record["at"] for record in _records(request)), default=0.0)
    return wall_clock() - latest < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


wall_clock = time.time
