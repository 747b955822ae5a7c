"""The WSGI function: find the route, let the token in, call the handler, write the answer, log the template.

The log line has the route's template and never the path: identifiers stand in no log (docs/trust.md).
"""

import gc
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson

from openceir.app import Register
from openceir.clock import now
from openceir.errors import OpenceirError
from openceir.http.handlers import Reply, require
from openceir.http.opened import admit, register_by_thread
from openceir.http.permissions import Capability
from openceir.http.problems import Problem, problem_of
from openceir.http.request import Request, body_of, path_of, query_of
from openceir.http.routes import Route, is_ours, route_of
from openceir.settings import Settings, load_settings

__all__ = ["WSGI", "load_application", "make_application"]

WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
ALWAYS = [
    ("Cache-Control", "no-store"),  # answers name devices, and may change with the next statement
    ("X-Content-Type-Options", "nosniff"),
]


def load_application() -> WSGI:
    """What a granian worker calls: the application over the home folder that `openceir serve` was given."""
    home = Path(os.environ.get("OPENCEIR_HOME", "openceir-home"))
    settings, _ = load_settings(home, os.environ)
    # Answers make no cycles: a collector that walks the claims after every few hundred of them only holds them up.
    gc.set_threshold(100_000, 50, 1000)
    return make_application(home, settings, log=lambda line: print(line, file=sys.stderr))


def make_application(
    home: Path, settings: Settings, *, log: Callable[[str], None] | None = None, behind: WSGI | None = None
) -> WSGI:
    """A WSGI function over the register in `home`. Each thread opens the register for itself.

    A path that is not ours goes to the application `behind`, which logs for itself.
    """
    register = register_by_thread(home)
    say = log_line_text if settings.log_format == "text" else log_line_json

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        began = time.perf_counter()
        method = environ.get("REQUEST_METHOD", "")
        template = "-"  # a path that is not ours is not repeated either
        if behind is not None and not is_ours(environ.get("PATH_INFO", "")):
            return behind(environ, start_response)
        try:
            route, named = _find(method, path_of(environ))
            template = route.template
            status, headers, body = _answer(register, settings, route, named, environ)
        except Problem as problem:
            status, headers, body = refusal_of(problem)
        except OpenceirError as error:
            status, headers, body = refusal_of(problem_of(error))
        except Exception as fault:
            status, headers, body = refusal_of(hidden_fault(fault))
        said = {name for name, _ in headers}
        headers += [("Content-Length", str(len(body))), *(header for header in ALWAYS if header[0] not in said)]
        start_response(STATUS_LINES[status], headers)
        if log is not None:
            log(say(method if method in _METHODS else "-", template, status, (time.perf_counter() - began) * 1000))
        return [b""] if method == "HEAD" else [body]

    return application


_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}


def _find(method: str, path: str) -> tuple[Route, dict[str, str]]:
    found = route_of(method, path)
    if isinstance(found, tuple):
        return found
    if found:
        allowed = ", ".join(found)
        raise Problem(405, "method-not-allowed", f"this path takes {allowed}", [("Allow", allowed)])
    raise Problem(404, "no-such-path", "there is nothing at this path; /openapi.json describes what there is")


def _answer(
    register: Callable[[], Register], settings: Settings, route: Route, named: dict[str, str], environ: dict[str, Any]
) -> tuple[int, list[tuple[str, str]], bytes]:
    query = query_of(environ, frozenset(route.query or ()))
    moment = now()
    reader, role = "", ""
    authorization = environ.get("HTTP_AUTHORIZATION", "")
    if authorization:
        token = admit(register(), authorization, moment)
        reader, role = token.name, token.role
    is_open = route.needs is None or (route.needs is Capability.CHECK and settings.http_public_checks)
    request = Request(environ, named, query, None, moment, reader, role)
    if not is_open and route.needs is not None:
        require(request, route.needs)
    if route.body is not None:
        body = body_of(environ, settings.http_max_body_octets)
        request = Request(environ, named, query, body, moment, reader, role)
    reply: Reply = route.handler(register(), request)
    headers = [("Content-Type", reply.media or route.media), *reply.headers]
    return reply.status, headers, orjson.dumps(reply.json) if reply.octets is None else reply.octets


def refusal_of(problem: Problem) -> tuple[int, list[tuple[str, str]], bytes]:
    headers = [("Content-Type", "application/problem+json"), *problem.headers]
    # "replace": a value that is said back may hold half a surrogate pair
    return problem.status, headers, json.dumps(problem.as_json(), ensure_ascii=False).encode("utf-8", "replace")


def hidden_fault(fault: Exception) -> Problem:
    """A fault of ours: its kind and place go to the log, its message nowhere, since it may hold what was asked."""
    frame = traceback.extract_tb(fault.__traceback__)[-1]
    print(f"openceir: fault {type(fault).__name__} at {Path(frame.filename).name}:{frame.lineno}", file=sys.stderr)
    return Problem(500, "internal-error", "the register failed to answer; the fault is in its log. Try again later")


def log_line_text(method: str, template: str, status: int, took_ms: float) -> str:
    return f"{method} {template} {status} {took_ms:.2f} ms"


def log_line_json(method: str, template: str, status: int, took_ms: float) -> str:
    return json.dumps({"method": method, "route": template, "status": status, "took_ms": round(took_ms, 2)})
