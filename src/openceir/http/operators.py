"""The operators' door: an operator's EIR fetches its lists here, says what it holds, asks, and sends what it saw.

It is an application of its own, on a port of its own, for TLS with certificates on both sides: whoever speaks here
is let in by the certificate first, and then by a token that names one operator, whose lists alone it opens.
The messages are ours (docs/reference/eir-ceir.md says what of ITU-T Q.5053 and Q Suppl. 76 each stands for).

| method and path, after /v1/operators/{operator}  | what                                                       |
|--------------------------------------------------|------------------------------------------------------------|
| GET /lists                                       | the newest sequence, and of each list number and digest    |
| GET /lists/wait?after=N                          | the same, as soon as there is a newer run, or after a while |
| GET /lists/{kind}/full                           | the list; may be fetched in parts                          |
| GET /lists/{kind}/delta?base=N                   | what leads from number N to it; may be fetched in parts    |
| POST /acknowledgements                           | what the EIR holds                                         |
| POST /sightings?from=DAY&until=DAY               | new pairs, as a compressed dump                            |
| POST /checks                                     | up to a batch of devices, answered at once                 |
| POST /queries, GET /queries/{number}             | the same, answered when asked for later                    |
"""

import json
import os
import re
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from openceir.app import Register
from openceir.clock import now, parse_day
from openceir.errors import OpenceirError
from openceir.http import handlers
from openceir.http.answering import WSGI, Answered, answering
from openceir.http.list_answers import delta_answer, full_answer
from openceir.http.opened import admit, register_by_thread
from openceir.http.problems import Problem, problem_of
from openceir.http.request import Request, body_of, fields_of, octets_of, query_of
from openceir.http.tls_server import CERTIFICATE, ClientCertificate, TlsServer
from openceir.lists import KINDS
from openceir.settings import Settings
from openceir.statements import Role
from openceir.storage.files import write_beside
from openceir.storage.list_runs import Acknowledgement
from openceir.storage.list_writing import moment_text
from openceir.storage.queries import QueryShelf

__all__ = ["make_operators_application", "serve_operators"]

_LARGEST_SIGHTINGS_OCTETS = 16 << 20
_LONGEST_WAIT_S = 55.0  # under the minute after which middle boxes cut a silent connection
_LOOK_EVERY_S = 0.2
_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of an operator that was let in."""

    environ: dict[str, Any]
    query: dict[str, str]
    operator: str
    part: str  # of the path, where its template names one: a kind of list, a query's number
    reader: str
    is_head: bool


class _Row(NamedTuple):
    method: str
    template: str
    pattern: re.Pattern[str]
    query: frozenset[str]
    does: "Callable[[OperatorsDoor, Register, Asked], Answered]"


def serve_operators(
    home: Path,
    settings: Settings,
    tls: ssl.SSLContext,
    address: str,
    port: int,
    listening: Callable[[], None] = lambda: None,
) -> None:
    """Open the door until SIGTERM or SIGINT; `listening` is called once. Raises: OSError when the address is taken."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    application = make_operators_application(home, settings, log=lambda line: print(line, file=sys.stderr))
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, port), family=family, backlog=128) as listener:
        listening()
        # For each EIR that may wait two connections, the second to fetch or to tell with; and some for whoever comes.
        TlsServer(application, listener, tls, threads=8 + 2 * settings.http_waits).serve(stopped)


def make_operators_application(home: Path, settings: Settings, *, log: Callable[[str], None] | None = None) -> WSGI:
    """A WSGI function over the register in `home`."""
    door = OperatorsDoor(home, settings)
    return answering(_row_of, door.answer, settings, log)


class OperatorsDoor:
    """What stands behind the routes. One for a process; each thread has the register open for itself."""

    def __init__(self, home: Path, settings: Settings) -> None:
        self.home, self.settings = home, settings
        self.register = register_by_thread(home)
        # Each wait holds a thread. Who finds no place is answered at once and asks again a second later.
        self._places = threading.BoundedSemaphore(max(settings.http_waits, 1))
        self._sweep_arrived()

    def answer(self, found: tuple[_Row, str, str], environ: dict[str, Any]) -> Answered:
        """Let the token in and do what was asked. Raises: Problem, OpenceirError."""
        row, operator, part = found
        query = query_of(environ, row.query)
        register = self.register()
        authorization = environ.get("HTTP_AUTHORIZATION", "")
        if not authorization:
            raise Problem(
                401, "token-required", "this needs the access token of an operator", [("WWW-Authenticate", "Bearer")]
            )
        token = admit(register, authorization, now())
        # Said before anything else is looked at: whether another operator exists is no business of this one.
        if token.role != Role.OPERATOR or not token.operator or token.operator != operator:
            raise Problem(
                403, "not-your-lists", "this token does not open this operator's lists; it opens its own only"
            )
        shown = environ.get(CERTIFICATE)
        if (
            not isinstance(shown, ClientCertificate)
            or not token.certificate
            or not shown.is_bound_by(token.certificate)
        ):
            raise Problem(
                403, "not-your-certificate", "this token goes with another client certificate than the one shown"
            )
        asked = Asked(environ, query, operator, part, token.name, environ.get("REQUEST_METHOD") == "HEAD")
        return row.does(self, register, asked)

    # -- lists ----------------------------------------------------------------------------------------------------

    def lists(self, register: Register, asked: Asked) -> Answered:
        """GET /lists."""
        return _said(self._manifest(register, asked.operator))

    def wait(self, register: Register, asked: Asked) -> Answered:
        """GET /lists/wait."""
        after = _number(asked.query, "after", 0)
        deadline = time.monotonic() + min(float(_number(asked.query, "seconds", 25)), _LONGEST_WAIT_S)
        runs = register.list_runs
        if not self._places.acquire(blocking=False):
            return _said(self._manifest(register, asked.operator), headers=[("Retry-After", "1")])
        try:
            while runs.last_given(asked.operator) <= after and time.monotonic() < deadline:
                time.sleep(_LOOK_EVERY_S)
        finally:
            self._places.release()
        return _said(self._manifest(register, asked.operator))

    def _manifest(self, register: Register, operator: str) -> dict[str, Any]:
        newest = [file for kind in KINDS if (file := register.list_runs.newest(operator, kind)) is not None]
        return {
            "operator": operator,
            "sequence": max((file.sequence for file in newest), default=0),
            "lists": [
                {
                    "kind": file.kind,
                    "sequence": file.sequence,
                    "rows": file.rows,
                    "octets": file.octets,
                    "sha256": file.sha256,
                }
                for file in newest
            ],
        }

    def full(self, register: Register, asked: Asked) -> Answered:
        """GET /lists/{kind}/full."""
        return full_answer(register, asked.operator, asked.part, asked.environ)

    def delta(self, register: Register, asked: Asked) -> Answered:
        """GET /lists/{kind}/delta."""
        base = _number(asked.query, "base", -1)
        if base < 1:
            raise Problem(400, "query-refused", "say with ?base= which number you hold")
        return delta_answer(register, asked.operator, asked.part, base, asked.environ)

    def acknowledge(self, register: Register, asked: Asked) -> Answered:
        """POST /acknowledgements. The last word stands, unless it is older than what was said before."""
        body = fields_of(body_of(asked.environ, self.settings.http_max_body_octets), frozenset({"lists"}), frozenset())
        rows = body["lists"]
        if not isinstance(rows, list) or len(rows) > len(KINDS):
            raise Problem(400, "body-refused", "lists must be an array with at most one entry a list")
        at = moment_text(now())
        said = [_acknowledgement(row, asked.operator, at) for row in rows]
        held = {one.kind: one for one in register.list_runs.acknowledgements() if one.operator == asked.operator}
        # A replayed or late acknowledgement changes nothing: an EIR never goes back to an older list.
        newer = [one for one in said if one.kind not in held or one.sequence >= held[one.kind].sequence]
        register.list_runs.acknowledge(newer)
        found = []
        for one in said:
            delivered = register.list_runs.newest(asked.operator, one.kind, one.sequence)
            agrees = delivered is not None and delivered.sha256 == one.sha256
            found.append({"kind": one.kind, "sequence": one.sequence, "agrees": agrees, "kept": one in newer})
        return _said({"lists": found})

    # -- sightings and questions ----------------------------------------------------------------------------------

    def sightings(self, register: Register, asked: Asked) -> Answered:
        """POST /sightings. The same octets sent again are known by their digest and change nothing."""
        if asked.environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != "application/gzip":
            raise Problem(415, "body-not-gzip", "send the dump compressed, with Content-Type: application/gzip")
        try:
            since, until = (parse_day(asked.query[name]) for name in ("from", "until"))
        except (KeyError, ValueError):
            raise Problem(400, "query-refused", "say with ?from= and &until= which days the sightings are of") from None
        octets = octets_of(asked.environ, _LARGEST_SIGHTINGS_OCTETS)
        name = f"{asked.operator}_{since:%Y%m%d}_{until:%Y%m%d}.csv.gz"
        arrived = self.home / "arrived" / f"{os.getpid()}-{threading.get_native_id()}-{name}"
        try:
            with write_beside(arrived, 0o600) as fresh:
                fresh.write_bytes(octets)
            report = register.import_sightings(
                arrived, operator=asked.operator, since=since, until=until, at=now(), section="intake.eir"
            )
        finally:
            arrived.unlink(missing_ok=True)
        return _said(
            {"rows": report.rows, "accepted": report.accepted, "already": report.already, "import": report.import_id}
        )

    def _sweep_arrived(self) -> None:
        """Erase what processes that were killed left half taken in: it names subscribers, and is sent again."""
        for left in (self.home / "arrived").glob("*"):
            process = left.name.partition("-")[0]
            if not (process.isdigit() and Path("/proc", process).exists()):
                left.unlink(missing_ok=True)

    def checks(self, register: Register, asked: Asked) -> Answered:
        """POST /checks: the synchronous query."""
        return _said(_plain(handlers.check_many(register, self._question(asked)).json))

    def ask(self, register: Register, asked: Asked) -> Answered:
        """POST /queries: the asynchronous query. Kept before it is accepted, so that a restart forgets none."""
        question = self._question(asked)
        body = fields_of(question.body, frozenset({"identifiers"}), frozenset({"at", "known_at"}))
        identifiers = body["identifiers"]
        if not isinstance(identifiers, list) or len(identifiers) > self.settings.http_max_batch:
            raise Problem(
                400, "body-refused", f"identifiers must be an array of at most {self.settings.http_max_batch}"
            )
        number = QueryShelf(register.database).keep(asked.operator, json.dumps(body), at=now())
        threading.Thread(target=self._work_off, name="queries", daemon=True).start()
        place = f"/v1/operators/{asked.operator}/queries/{number}"
        return _said({"query": number, "state": "accepted"}, 202, [("Location", place), ("Retry-After", "1")])

    def asked_before(self, register: Register, asked: Asked) -> Answered:
        """GET /queries/{number}."""
        if not (asked.part.isascii() and asked.part.isdigit() and len(asked.part) <= 15):
            raise Problem(404, "no-such-query", "there is no such query of yours")
        found = QueryShelf(register.database).find(int(asked.part), asked.operator)
        if found is None:
            raise Problem(404, "no-such-query", "there is no such query of yours; answers are kept for a day")
        if found.answer is None:
            threading.Thread(target=self._work_off, name="queries", daemon=True).start()  # its process may have died
            return _said({"query": found.number, "state": "accepted"}, 202, [("Retry-After", "1")])
        return _said({"query": found.number, "state": "answered", **json.loads(found.answer)})

    def _question(self, asked: Asked) -> Request:
        body = body_of(asked.environ, self.settings.http_max_body_octets)
        return Request(asked.environ, {}, {}, body, now(), asked.reader, Role.OPERATOR)

    def _work_off(self) -> None:
        """Answer every query that waits. Two at once do the same work twice and write the same answer."""
        register = self.register()
        shelf = QueryShelf(register.database)
        for query in shelf.waiting():
            request = Request({}, {}, {}, json.loads(query.question), query.asked_at, "queries", Role.OPERATOR)
            try:
                answer = handlers.check_many(register, request).json
            except Problem as problem:
                answer = {"problem": problem.as_json()}
            except OpenceirError as error:
                answer = {"problem": problem_of(error).as_json()}
            shelf.answer(query.number, json.dumps(_plain(answer), ensure_ascii=False))
        shelf.forget_before(now())
        register.database.close()


def _acknowledgement(row: Any, operator: str, at: str) -> Acknowledgement:
    said = fields_of(row, frozenset({"kind", "sequence", "sha256"}), frozenset())
    kind, sequence, sha256 = said["kind"], said["sequence"], said["sha256"]
    if kind not in KINDS or type(sequence) is not int or not 0 < sequence < 10**12:
        raise Problem(400, "body-refused", f"an entry names one of {', '.join(KINDS)} and its sequence number")
    if not isinstance(sha256, str) or not _HEX_DIGEST.fullmatch(sha256):
        raise Problem(400, "body-refused", "sha256 is the digest of the rows, 64 hexadecimal digits in small letters")
    return Acknowledgement(operator, kind, sequence, sha256, at)


def _number(query: dict[str, str], name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise Problem(400, "query-refused", f"{name} must be a whole number")
    return int(text)


def _said(json_value: Any, status: int = 200, headers: Sequence[tuple[str, str]] = ()) -> Answered:
    body = json.dumps(json_value, ensure_ascii=False, separators=(",", ":")).encode()
    return Answered(status, [*headers, ("Content-Type", "application/json")], body)


def _plain(answer: Any) -> Any:
    """The answer with its days as text."""
    return json.loads(json.dumps(answer, default=lambda value: value.isoformat()))


def _row(method: str, rest: str, does: Callable[[OperatorsDoor, Register, Asked], Answered], *query: str) -> _Row:
    template = f"/v1/operators/{{operator}}{rest}"
    pattern = re.escape(template).replace(r"\{operator\}", "([A-Za-z0-9_-]{1,64})")
    return _Row(
        method, template, re.compile(re.sub(r"\\\{[a-z]+\\\}", "([a-z0-9]{1,32})", pattern)), frozenset(query), does
    )


_ROWS = (
    _row("GET", "/lists", OperatorsDoor.lists),
    _row("GET", "/lists/wait", OperatorsDoor.wait, "after", "seconds"),
    _row("GET", "/lists/{kind}/full", OperatorsDoor.full),
    _row("GET", "/lists/{kind}/delta", OperatorsDoor.delta, "base"),
    _row("POST", "/acknowledgements", OperatorsDoor.acknowledge),
    _row("POST", "/sightings", OperatorsDoor.sightings, "from", "until"),
    _row("POST", "/checks", OperatorsDoor.checks),
    _row("POST", "/queries", OperatorsDoor.ask),
    _row("GET", "/queries/{number}", OperatorsDoor.asked_before),
)


def _row_of(method: str, path: str) -> tuple[str, tuple[_Row, str, str]]:
    """The template, and the row, the operator and the named part. Raises: Problem 404 or 405."""
    reading, allowed = "GET" if method == "HEAD" else method, []
    for row in _ROWS:
        if (found := row.pattern.fullmatch(path)) is not None:
            if row.method == reading:
                return row.template, (row, found[1], found[2] if found.lastindex == 2 else "")
            allowed.append(row.method)
    if allowed:
        raise Problem(405, "method-not-allowed", f"this path takes {allowed[0]}", [("Allow", ", ".join(allowed))])
    raise Problem(404, "no-such-path", "there is nothing at this path; docs/reference/eir-ceir.md lists what there is")
