"""Private questions at the door: evaluations, tokens, the bucket files, and the page that asks from a browser.

Nothing of a body is logged, counted by content or said back: elements are random to everybody but their sender, and
are treated as if they were not.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from openceir.app import Register
from openceir.http.answering import WSGI
from openceir.http.handlers import Reply
from openceir.http.problems import Problem, problem_of
from openceir.http.request import Request, fields_of, network_of, text_in
from openceir.questions import AnonymousToken, NoSuchEpoch, QuotaSpent, elements_in

__all__ = ["ask_file", "ask_page", "evaluate", "issue_tokens", "key_document", "open_to_pages", "question_file"]

_FILE = re.compile(r"manifest\.json|ranges-[0-9a-f]{32}\.json|[0-9a-f]{32}/[0-9a-f]{4}/[0-9a-f]{2}\.bin")
_FOR_EVER = "public, max-age=31536000, immutable"  # a tree is named by its root
_FOR_MINUTES = "public, max-age=300"
_MEDIA = {"json": "application/json", "bin": "application/octet-stream"}
_PAGE_MEDIA = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "svg": "image/svg+xml",
}
# Nothing of another host is loaded, and nothing can be sent anywhere but here and to the members of a shared key.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'{members}; img-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_ASKED_FROM_PAGES = frozenset({"/v1/questions/key", "/v1/questions:evaluate", "/v1/questions:tokens"})
_LEAVE = ("Access-Control-Allow-Origin", "*")
_PREFLIGHT = [
    _LEAVE,
    ("Access-Control-Allow-Methods", "GET, POST"),
    ("Access-Control-Allow-Headers", "Content-Type"),  # and not Authorization: partners ask from programs
    ("Access-Control-Max-Age", "86400"),
    ("Content-Length", "0"),
]
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")


def open_to_pages(application: WSGI) -> WSGI:
    """The application, where other registers' pages may ask too: as a member of a shared key it is asked from all of them.

    Nothing that a browser keeps goes along with such a question, so a page gains nothing that anybody could not have.
    """

    def door(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "") not in _ASKED_FROM_PAGES:
            return application(environ, start_response)
        if environ.get("REQUEST_METHOD") == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ:
            start_response("204 No Content", list(_PREFLIGHT))
            return [b""]
        return application(environ, lambda status, headers, *rest: start_response(status, [*headers, _LEAVE], *rest))

    return door


def key_document(register: Register, request: Request) -> Reply:
    """GET /v1/questions/key."""
    octets = register.question_key_document(request.now.date())
    return Reply(octets=octets, headers=(("Cache-Control", _FOR_MINUTES),))


def evaluate(register: Register, request: Request) -> Reply:
    """POST /v1/questions:evaluate. Partners by their access token and quota, everybody else one anonymous token each."""
    asked = fields_of(request.body, frozenset({"epoch", "elements"}), frozenset({"tokens"}))
    epoch, elements = text_in(asked, "epoch"), elements_in(asked["elements"])
    today = request.now.date()
    try:
        if request.role:
            found = register.evaluate_for_partner(epoch, elements, request.reader, request.now)
        else:
            texts = asked.get("tokens", [])
            if not isinstance(texts, list):
                raise Problem(400, "body-refused", "tokens must be an array of texts")
            tokens = [AnonymousToken.parse(text) for text in texts]
            found = register.evaluate_for_token(epoch, elements, tokens, today)
    except QuotaSpent as spent:
        raise _come_back(spent) from None
    return Reply({"epoch": epoch, "index": register.question_key(epoch).index, **_evaluation(found)})


def issue_tokens(register: Register, request: Request) -> Reply:
    """POST /v1/questions:tokens."""
    asked = fields_of(request.body, frozenset({"elements"}), frozenset())
    address = network_of(request.environ, register.settings.questions_proxy)
    try:
        found = register.issue_tokens(address, elements_in(asked["elements"]), request.now)
    except QuotaSpent as spent:
        raise _come_back(spent) from None
    return Reply({"day": request.now.date().isoformat(), **_evaluation(found)})


def _evaluation(found: tuple[list[bytes], bytes]) -> dict[str, Any]:
    evaluated, proof = found
    return {"elements": [element.hex() for element in evaluated], "proof": proof.hex()}


def _come_back(spent: QuotaSpent) -> Problem:
    problem = problem_of(spent)
    problem.headers.append(("Retry-After", str(spent.retry_after_s)))
    return problem


def question_file(register: Register, request: Request) -> Reply:
    """GET /questions/{file}: the folder as any web server would serve it."""
    name = request.named["file"]
    path = register.question_tree.folder / name
    try:
        if not _FILE.fullmatch(name):
            raise FileNotFoundError
        octets = path.read_bytes()
    except FileNotFoundError:
        raise Problem(
            404, "no-such-file", "there is no such file; /questions/manifest.json names the trees there are"
        ) from None
    keeping = _FOR_MINUTES if name == "manifest.json" else _FOR_EVER
    return _with_tag(request, octets, _MEDIA[name.rpartition(".")[2]], (("Cache-Control", keeping),))


def _with_tag(request: Request, octets: bytes, media: str, headers: tuple[tuple[str, str], ...]) -> Reply:
    tag = f'"{hashlib.sha256(octets).hexdigest()[:32]}"'
    headers = (("ETag", tag), *headers)
    if request.environ.get("HTTP_IF_NONE_MATCH", "") == tag:
        return Reply(octets=b"", status=304, headers=headers, media=media)
    return Reply(octets=octets, headers=headers, media=media)


def ask_page(register: Register, request: Request) -> Reply:
    """GET /ask."""
    return _page(request, "ask.html", _members_of(register))


def _members_of(register: Register) -> str:
    """Where the page may ask besides here: the members' origins, each behind a blank."""
    try:
        members = register.question_group(register.question_epoch()).members
    except NoSuchEpoch:
        return ""
    found = (_ORIGIN.match(member.url) for member in members)
    return "".join(sorted({f" {origin[0]}" for origin in found if origin}))


def ask_file(register: Register, request: Request) -> Reply:
    """GET /ask/{file}: the page's own files."""
    return _page(request, request.named["file"], "")


def _page(request: Request, name: str, members: str) -> Reply:
    octets = _pages().get(name)
    if octets is None:
        raise Problem(404, "no-such-file", "the page has no such file")
    headers = (
        ("Content-Security-Policy", _PAGE_POLICY.format(members=members)),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cache-Control", _FOR_MINUTES),
    )
    return _with_tag(request, octets, _PAGE_MEDIA[name.rpartition(".")[2]], headers)


@cache
def _pages() -> dict[str, bytes]:
    folder = files("openceir.http") / "ask"
    return {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.is_file()}
