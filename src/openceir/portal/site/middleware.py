"""What stands around every page: nothing of a person is kept by caches, and a refusal of the register is a page."""

import json
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from openceir.errors import OpenceirError
from openceir.portal.accounts.errors import QuotaExceeded
from openceir.portal.accounts.quotas import raise_alarm
from openceir.portal.counted import REQUESTS, SECONDS
from openceir.portal.site.refusals import sentence_of_error

__all__ = ["OneLogLine", "PrivateAnswers", "RefusalsAsPages"]

Answer = Callable[[HttpRequest], HttpResponse]
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class OneLogLine:
    """One line a request on stderr: method, the route's template, status, time. Never the path: it may name a case."""

    def __init__(self, get_response: Answer) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and tell."""
        began = time.perf_counter()
        response = self._answer(request)
        took_ms = (time.perf_counter() - began) * 1000
        route = f"/{request.resolver_match.route}" if request.resolver_match else "-"
        method = request.method if request.method in _METHODS else "-"  # a label each: not what anybody thinks of
        REQUESTS.labels(route, method, response.status_code).inc()
        SECONDS.labels(route).observe(took_ms / 1000)
        if settings.OPENCEIR.log_format == "json":
            line = json.dumps(
                {"method": request.method, "route": route, "status": response.status_code, "took_ms": round(took_ms, 2)}
            )
        else:
            line = f"{request.method} {route} {response.status_code} {took_ms:.2f} ms"
        print(line, file=sys.stderr)
        return response


class PrivateAnswers:
    """Pages are kept by no cache unless they say otherwise themselves."""

    def __init__(self, get_response: Answer) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and add the headers."""
        response = self._answer(request)
        if not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        response.headers.setdefault("Permissions-Policy", "camera=(self), geolocation=(), microphone=()")
        return response


class RefusalsAsPages:
    """An error of the register that no view caught is a page with its sentence; a fault of ours is one without."""

    def __init__(self, get_response: Answer) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        return self._answer(request)

    def process_exception(self, request: HttpRequest, fault: Exception) -> HttpResponse | None:
        """The page of an error. Of a fault, its kind and place go to the log and its message nowhere."""
        if isinstance(fault, QuotaExceeded):
            raise_alarm(fault)
        if isinstance(fault, OpenceirError):
            return render(request, "site/refused.html", {"refusal": sentence_of_error(fault)}, status=fault.http_status)
        if isinstance(fault, Http404 | PermissionDenied | SuspiciousOperation):  # Django has pages for these
            return None
        frame = traceback.extract_tb(fault.__traceback__)[-1]
        print(f"openceir: fault {type(fault).__name__} at {Path(frame.filename).name}:{frame.lineno}", file=sys.stderr)
        return render(request, "500.html", status=500)
