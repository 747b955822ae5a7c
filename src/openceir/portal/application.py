"""The portal's web server: the register's HTTP door in front, Django behind it in the same process.

`load_application` is what granian calls in each worker.
"""

import gc
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from openceir.clock import now
from openceir.http import WSGI, make_application
from openceir.http.opened import register_by_thread
from openceir.portal.counters import count_in
from openceir.portal.fast_check import INDEX_NAME, PREFIX, FastCheck
from openceir.settings import Settings, load_settings

__all__ = ["load_application", "make_portal", "with_fast_check"]


def load_application() -> WSGI:
    """The application over the home folder that `openceir serve` was given; `prepare` has run before."""
    home = Path(os.environ.get("OPENCEIR_HOME", "openceir-home"))
    settings, _ = load_settings(home, os.environ)
    count_in(home)
    gc.set_threshold(100_000, 50, 1000)  # as in http/application.py
    return make_application(
        home,
        settings,
        log=lambda line: print(line, file=sys.stderr),
        behind=with_fast_check(home, settings, make_portal()),
    )


def with_fast_check(home: Path, settings: Settings, behind: WSGI) -> WSGI:
    """`GET /api/v1/check/{imei}` from the compiled index where that knows it, and all else from `behind`.

    So is a device that somebody reported: whoever asks about one alerts its officer (`police/hits.py`).
    """
    of_home = register_by_thread(home)
    own = threading.local()
    path = home.absolute() / "portal" / INDEX_NAME
    say = _log_line_json if settings.log_format == "json" else _log_line_text
    from openceir.portal.counted import CHECKS, REQUESTS, SECONDS  # not before it is known where to count

    route = PREFIX + "{imei}"
    checked, took = CHECKS.labels("api"), SECONDS.labels(route)
    answered = REQUESTS.labels(route, "GET", "200")

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        asked: str = environ.get("PATH_INFO", "")
        if asked.startswith(PREFIX) and environ.get("REQUEST_METHOD") == "GET" and settings.http_public_checks:
            began = time.perf_counter()
            checks: FastCheck | None = getattr(own, "checks", None)
            if checks is None:
                checks = own.checks = FastCheck(of_home, path)
            body = checks.answer(asked[len(PREFIX) :], now())
            if body is not None and not any(word in body for word in _ALERTS):
                start_response("200 OK", [*_HEADERS, ("Content-Length", str(len(body)))])
                took_s = time.perf_counter() - began
                checked.inc()
                answered.inc()
                took.observe(took_s)
                print(say(took_s * 1000), file=sys.stderr)
                return [body]
        return behind(environ, start_response)

    return application


_ALERTS = (b'"stolen"', b'"lost"', b'"tracked"')  # what a report rests on, once the police vouched for it
_HEADERS = [
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
]


def _log_line_text(took_ms: float) -> str:
    return f"GET {PREFIX}{{imei}} 200 {took_ms:.2f} ms"


def _log_line_json(took_ms: float) -> str:
    return json.dumps({"method": "GET", "route": PREFIX + "{imei}", "status": 200, "took_ms": round(took_ms, 2)})


def make_portal() -> WSGI:
    """Django's part alone."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "openceir.portal.site.settings")
    from django.core.wsgi import get_wsgi_application

    application: WSGI = get_wsgi_application()
    return application
