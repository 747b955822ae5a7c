"""The routes: one row each, read by the application, by the OpenAPI description and by the manual."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from openceir.app import Register
from openceir.http import handlers, questions
from openceir.http.handlers import Reply
from openceir.http.permissions import Capability
from openceir.http.request import Request

__all__ = ["ROUTES", "Route", "is_ours", "route_of"]

Handler = Callable[[Register, Request], Reply]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation."""

    method: str
    template: str  # at most one {name}, which takes any text, slashes included
    name: str  # operationId
    summary: str
    handler: Handler
    needs: Capability | None = None  # None: open to everybody
    query: dict[str, str] | None = None  # parameter -> what it means
    body: dict[str, Any] | None = None  # its schema's name under "$ref"
    answer: str | None = None  # name of the schema of the 200 answer; None: see media
    media: str = "application/json"
    problems: tuple[int, ...] = ()


_AT = "The instant in law that is asked about, UTC: `now`, `2027-03-01` or `2027-03-01T12:00:00Z`. Default: now."
_KNOWN_AT = "Count only what was in the log by this instant. Default: everything known now."

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET", template="/v1/identifiers/{value}", name="checkIdentifier", handler=handlers.check_in_path,
        summary="Whether a device may be used, and which statements say so.",
        needs=Capability.CHECK, query={"at": _AT, "known_at": _KNOWN_AT}, answer="Answer", problems=(400, 401, 403),
    ),
    Route(
        method="GET", template="/v1/identifiers/{value}/history", name="getHistory", handler=handlers.history,
        summary="Everything said of a device, and the status it had from when to when.",
        needs=Capability.HISTORY, query={"known_at": _KNOWN_AT}, answer="History", problems=(400, 401, 403),
    ),
    Route(
        method="GET", template="/v1/identifiers/{value}/subscribers", name="listSubscribers",
        handler=handlers.subscribers,
        summary="Which subscribers networks saw with a device. Each read is recorded with its reader and purpose.",
        needs=Capability.SUBSCRIBERS,
        query={
            "purpose": "Why this is read: a case number or order, 3 to 200 characters. It is recorded. Required.",
            "offset": "How many rows to pass over, from 0.",
            "limit": "How many rows to give, 1 to 1000. Default: 100.",
        },
        answer="Subscribers", problems=(400, 401, 403),
    ),
    Route(
        method="POST", template="/v1/checks", name="check", handler=handlers.check_in_body,
        summary="As checkIdentifier; a subscriber may be named, whose number must not stand in a URL.",
        needs=Capability.CHECK, body={"$ref": "#/components/schemas/Check"}, answer="Answer",
        problems=(400, 401, 403, 413, 415),
    ),
    Route(
        method="POST", template="/v1/checks:batch", name="checkMany", handler=handlers.check_many,
        summary="Up to 1,000 devices in one query: an answer or a problem for each, in order.",
        needs=Capability.CHECK_MANY, body={"$ref": "#/components/schemas/Batch"}, answer="BatchAnswer",
        problems=(400, 401, 403, 413, 415),
    ),
    Route(
        method="GET", template="/v1/statements/{index}", name="getStatement", handler=handlers.statement,
        summary="One statement of the log. What it says is shown to tokens that may see it, subscribers to nobody.",
        answer="Statement", problems=(400, 404),
    ),
    Route(
        method="GET", template="/v1/statements/{index}/receipt", name="getReceipt", handler=handlers.receipt,
        summary="The statement and the log's signed proof of it, to be verified offline with `openceir receipt verify`.",
        media="application/cose", problems=(400, 404),
    ),
    Route(
        method="GET", template="/v1/checkpoint", name="getCheckpoint", handler=handlers.checkpoint,
        summary="The log's signed checkpoint (C2SP tlog-checkpoint).", media="text/plain; charset=utf-8",
        problems=(404,),
    ),
    Route(
        method="GET", template="/v1/questions/key", name="getQuestionKey", handler=questions.key_document,
        summary="Signed: whose keys answer private questions, and the public keys of today's and tomorrow's tokens.",
        answer="SignedDocument", problems=(404,),
    ),
    Route(
        method="POST", template="/v1/questions:evaluate", name="evaluateQuestions", handler=questions.evaluate,
        summary="Evaluate blinded questions (RFC 9497): neither the device nor the answer can be seen from here."
        " With an access token out of its quota, without one for an anonymous token each.",
        body={"$ref": "#/components/schemas/Questions"}, answer="Evaluation", problems=(400, 401, 404, 409, 413, 415, 429),
    ),
    Route(
        method="POST", template="/v1/questions:tokens", name="issueTokens", handler=questions.issue_tokens,
        summary="Anonymous tokens of today from blinded nonces, as many as a network address may draw.",
        body={"$ref": "#/components/schemas/BlindedNonces"}, answer="IssuedTokens", problems=(400, 413, 415, 429),
    ),
    Route(
        method="GET", template="/questions/{file}", name="getQuestionFile", handler=questions.question_file,
        summary="The bucket files and their signed manifest (/questions/manifest.json), as any web server could serve them.",
        media="application/octet-stream", problems=(404,),
    ),
    Route(
        method="GET", template="/ask", name="getAskPage", handler=questions.ask_page,
        summary="A page that asks privately: the browser blinds, the register sees neither device nor answer.",
        media="text/html; charset=utf-8",
    ),
    Route(
        method="GET", template="/ask/{file}", name="getAskFile", handler=questions.ask_file,
        summary="What that page loads; nothing comes from another host.", media="text/javascript; charset=utf-8",
        problems=(404,),
    ),
    Route(
        method="GET", template="/v1/policy", name="getPolicy", handler=handlers.policy,
        summary="The policy in force: every limit with its unit, dates and legal source.", answer="Policy",
    ),
    Route(
        method="GET", template="/openapi.json", name="getOpenapi", handler=handlers.description,
        summary="This description, OpenAPI 3.1.", answer="Anything",
    ),
    Route(
        method="GET", template="/health", name="getHealth", handler=handlers.health,
        summary="Whether the process answers; touches nothing else.", answer="Health",
    ),
    Route(
        method="GET", template="/ready", name="getReady", handler=handlers.ready,
        summary="Whether the register is open and has caught up with its log.", answer="Ready", problems=(503,),
    ),
)  # fmt: skip

_EXACT = {route.template: route for route in ROUTES if "{" not in route.template and route.method == "GET"}
_EXACT_POST = {route.template: route for route in ROUTES if route.method == "POST"}
# the longest ending first, so that …/history is not taken for a value; a bare …/{value} ends in nothing
_NAMED = sorted(
    (
        (route.template.partition("{")[0], route.template.partition("}")[2], route)
        for route in ROUTES
        if "{" in route.template
    ),
    key=lambda row: -len(row[1]),
)


def route_of(method: str, path: str) -> tuple[Route, dict[str, str]] | list[str]:
    """The route and the named part of the path; or the methods that the path has, none for a path that is not ours."""
    reading = "GET" if method == "HEAD" else method
    exact = _EXACT if reading == "GET" else _EXACT_POST if reading == "POST" else {}
    if path in exact:
        return exact[path], {}
    methods = [] if path not in _EXACT else ["GET", "HEAD"]
    methods += [] if path not in _EXACT_POST else ["POST"]
    for start, end, route in _NAMED:
        if path.startswith(start) and path.endswith(end) and len(path) > len(start) + len(end):
            if reading == "GET":
                name = route.template.partition("{")[2].partition("}")[0]
                return route, {name: path[len(start) : len(path) - len(end)]}
            methods = ["GET", "HEAD"]
    return methods


_OURS = frozenset(route.template for route in ROUTES if "{" not in route.template)
_OURS_BELOW = tuple({"/v1/", *(start for start, _end, _route in _NAMED)})


def is_ours(path: str) -> bool:
    """Whether this door answers a path, if only to say that there is nothing: all below /v1/ and its named parts."""
    return path.startswith(_OURS_BELOW) or path in _OURS
