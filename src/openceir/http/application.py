"""The public door: find the route, let the token in, call the handler."""

import gc
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson

from openceir.app import Register
from openceir.clock import now
from openceir.http.answering import WSGI, Answered, answering
from openceir.http.handlers import Reply, require
from openceir.http.opened import admit, register_by_thread
from openceir.http.permissions import Capability
from openceir.http.problems import Problem
from openceir.http.questions import open_to_pages
from openceir.http.request import Request, body_of, query_of
from openceir.http.routes import Route, is_ours, route_of
from openceir.settings import Settings, load_settings

__all__ = ["WSGI", "load_application", "make_application"]


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

    def answer(found: tuple[Route, dict[str, str]], environ: dict[str, Any]) -> Answered:
        route, named = found
        return _answer(register, settings, route, named, environ)

    ours = open_to_pages(answering(_find, answer, settings, log))
    if behind is None:
        return ours

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        door = ours if is_ours(environ.get("PATH_INFO", "")) else behind
        return door(environ, start_response)

    return application


def _find(method: str, path: str) -> tuple[str, tuple[Route, dict[str, str]]]:
    found = route_of(method, path)
    if isinstance(found, tuple):
        return found[0].template, found
    if found:
        allowed = ", ".join(found)
        raise Problem(405, "method-not-allowed", f"this path takes {allowed}", [("Allow", allowed)])
    raise Problem(404, "no-such-path", "there is nothing at this path; /openapi.json describes what there is")


def _answer(
    register: Callable[[], Register], settings: Settings, route: Route, named: dict[str, str], environ: dict[str, Any]
) -> Answered:
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
    return Answered(reply.status, headers, orjson.dumps(reply.json) if reply.octets is None else reply.octets)
