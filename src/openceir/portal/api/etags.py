"""Answers that need not be sent again to whoever has them already. Source: RFC 9110 §8.8.3, §13.1.2."""

import hashlib
import json
from typing import Any

from django.http import HttpRequest, HttpResponse

from openceir.portal.api.callers import with_rest

__all__ = ["tagged"]


def tagged(request: HttpRequest, body: Any, media_type: str = "application/json") -> HttpResponse:
    """The answer with its tag, or 304 when `If-None-Match` names that. A body that is no text or octets is JSON."""
    octets = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    tag = f'"{hashlib.sha256(octets).hexdigest()[:32]}"'
    known = {one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")}
    response = HttpResponse(status=304) if known & {tag, "*"} else HttpResponse(octets, content_type=media_type)
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"  # may be kept by who asked, and is asked about each time
    with_rest(request, response)
    return response
