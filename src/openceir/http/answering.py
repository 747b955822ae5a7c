"""What every door does around an answer: find what was asked for, turn every refusal into a problem document, log the template.

The log line has the route's template and never the path: identifiers stand in no log (docs/trust.md).
"""

import json
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

from openceir.errors import OpenceirError
from openceir.http.problems import Problem, problem_of
from openceir.http.request import path_of
from openceir.settings import Settings

__all__ = ["WSGI", "Answered", "FilePart", "answering"]

WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_Found = TypeVar("_Found")

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_ALWAYS = [
    ("Cache-Control", "no-store"),  # answers name devices, and may change with the next statement
    ("X-Content-Type-Options", "nosniff"),
]
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
_PIECE_OCTETS = 256 << 10


def _nothing() -> None:
    """Nobody waits for it."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """Octets of a file. Units: octets from the file's begin."""

    path: Path
    start: int
    length: int
    sent: Callable[[], None] = field(default=_nothing, compare=False)  # called once the last octet was handed on

    def pieces(self) -> Iterator[bytes]:
        """The octets. An open file stays whole, whatever pruning removes meanwhile."""
        with self.path.open("rb") as source:
            source.seek(self.start)
            left = self.length
            while left and (piece := source.read(min(left, _PIECE_OCTETS))):
                left -= len(piece)
                yield piece
        if not left:
            self.sent()


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer before it is sent; the body is octets or a part of a file."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes | FilePart = b""


def answering(
    find: Callable[[str, str], tuple[str, _Found]],
    answer: Callable[[_Found, dict[str, Any]], Answered],
    settings: Settings,
    log: Callable[[str], None] | None,
) -> WSGI:
    """A WSGI function. `find` gives the template of a method and path and what is behind it; both may raise Problem."""
    say = _line_text if settings.log_format == "text" else _line_json

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        began = time.perf_counter()
        method = environ.get("REQUEST_METHOD", "")
        template = "-"  # a path that is not ours is not repeated either
        try:
            template, found = find(method, path_of(environ))
            given = answer(found, environ)
        except Problem as problem:
            given = _refusal_of(problem)
        except OpenceirError as error:
            given = _refusal_of(problem_of(error))
        except Exception as fault:
            given = _refusal_of(_hidden_fault(fault))
        body = given.body
        length = body.length if isinstance(body, FilePart) else len(body)
        said = {name for name, _ in given.headers}
        always = [header for header in _ALWAYS if header[0] not in said]
        start_response(_STATUS_LINES[given.status], [*given.headers, ("Content-Length", str(length)), *always])
        if log is not None:
            log(say(method if method in _METHODS else "-", template, given.status, (time.perf_counter() - began) * 1e3))
        if method == "HEAD" or given.status == 304:
            return [b""]
        return body.pieces() if isinstance(body, FilePart) else [body]

    return application


def _refusal_of(problem: Problem) -> Answered:
    headers = [("Content-Type", "application/problem+json"), *problem.headers]
    # "replace": a value that is said back may hold half a surrogate pair
    body = json.dumps(problem.as_json(), ensure_ascii=False).encode("utf-8", "replace")
    return Answered(problem.status, headers, body)


def _hidden_fault(fault: Exception) -> Problem:
    """A fault of ours: its kind and place go to the log, its message nowhere, since it may hold what was asked."""
    frame = traceback.extract_tb(fault.__traceback__)[-1]
    print(f"openceir: fault {type(fault).__name__} at {Path(frame.filename).name}:{frame.lineno}", file=sys.stderr)
    return Problem(500, "internal-error", "the register failed to answer; the fault is in its log. Try again later")


def _line_text(method: str, template: str, status: int, took_ms: float) -> str:
    return f"{method} {template} {status} {took_ms:.2f} ms"


def _line_json(method: str, template: str, status: int, took_ms: float) -> str:
    return json.dumps({"method": method, "route": template, "status": status, "took_ms": round(took_ms, 2)})
