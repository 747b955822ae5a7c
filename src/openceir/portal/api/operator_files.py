"""What an operator's systems send and fetch: dumps in parts, and the lists that name no subscribers."""

from datetime import date
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from ninja import Header, Path, Query, Router, Schema
from pydantic import Field

from openceir.http.answering import FilePart
from openceir.http.list_answers import delta_answer, full_answer
from openceir.lists import KINDS
from openceir.portal.accounts.errors import NotAllowed, PortalError
from openceir.portal.api.callers import Key, caller_of, take, with_rest
from openceir.portal.api.describing import answers_with
from openceir.portal.api.etags import tagged
from openceir.portal.api.problems import PROBLEMS, NoSuch, Problem, problem
from openceir.portal.operators.dumps import OffsetDiffers, begin
from openceir.portal.operators.dumps import take as take_octets
from openceir.portal.operators.models import Dump
from openceir.portal.operators.rules import READ_LISTS, UPLOAD
from openceir.portal.register import register

__all__ = ["operator_files"]

_OFFSET = "Upload-Offset"

operator_files = Router()

Number = Annotated[int, Field(ge=1, lt=1 << 63)]
Offset = Annotated[int, Header(alias=_OFFSET, ge=0, lt=1 << 53, description="Where in the file this part begins.")]


class NewDump(Schema):
    """A dump that will come in parts."""

    name: str = Field(
        max_length=120, description="Of the file: <operator>_<YYYYMMDD>_<YYYYMMDD>.csv.gz tells its days."
    )
    size: int = Field(ge=1, le=1 << 50, description="Octets.")
    sha256: str = Field(default="", max_length=64, description="If it is given, nothing else is imported.")
    mark: str = Field(
        default="", max_length=40, pattern="^[ -~]*$", description="Tells the file from another of its name and size."
    )
    since: date | None = None
    until: date | None = None


class DumpState(Schema):
    """How far a dump came, and what became of it."""

    number: int
    name: str
    state: Literal["arriving", "arrived", "imported", "refused", "dropped"]
    size: int
    offset: int  # octets that are on the disk for certain; the next part begins there
    report: dict[str, Any] | None  # once it was imported: counts and sentences, no values
    failure: str


@operator_files.post("/dumps", auth=Key("dumps"), response={201: DumpState, **PROBLEMS}, operation_id="beginDump")
def begin_dump(request: HttpRequest, told: NewDump) -> HttpResponse:
    """Begin a dump, or go on with the one of this name and size that was begun: `offset` says how much is here."""
    take(request, 1)
    dump = begin(
        caller_of(request).acts(UPLOAD), name=told.name, size_octets=told.size, sha256=told.sha256.lower(),
        mark=told.mark, since=told.since, until=told.until,
    )  # fmt: skip
    response = tagged(request, _state(dump))
    response.status_code = 201
    response["Location"] = f"{request.path}/{dump.pk}"
    response[_OFFSET] = str(dump.received_octets)
    return response


@operator_files.get(
    "/dumps/{number}", auth=Key("dumps"), operation_id="getDump",
    response={200: DumpState, 304: None, 404: Problem, **PROBLEMS},
)  # fmt: skip
def get_dump(request: HttpRequest, number: Number) -> HttpResponse:
    """How far a dump came; once it was imported, its report."""
    take(request, 1)
    dump = _dump(request, number)
    response = tagged(request, _state(dump))
    response[_OFFSET] = str(dump.received_octets)
    return response


@operator_files.patch(
    "/dumps/{number}", auth=Key("dumps"), operation_id="sendOctets",
    response={204: None, 404: Problem, 411: Problem, **PROBLEMS},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)  # fmt: skip
def send_octets(request: HttpRequest, number: Number, upload_offset: Offset) -> HttpResponse:
    """The octets from `Upload-Offset` on. A part that breaks off is kept as far as it came; 409 says where to go on."""
    take(request, 1)
    dump = _dump(request, number)
    if not request.META.get("CONTENT_LENGTH"):  # sent in chunks: nothing of it would be read, and that said with a 204
        return problem(request, 411, "length-required", "say in Content-Length how many octets this part has")
    try:
        take_octets(dump, upload_offset, request)
    except OffsetDiffers as differs:
        response = problem(request, differs.http_status, differs.code, str(differs))
    else:
        response = HttpResponse(status=204)
        with_rest(request, response)
    response[_OFFSET] = str(dump.received_octets)
    return response


def _dump(request: HttpRequest, number: int) -> Dump:
    dump = Dump.objects.filter(pk=number, operator=caller_of(request).acts(UPLOAD).office).first()
    if dump is None:
        raise NoSuch("your office has begun no dump of this number")
    return dump


def _state(dump: Dump) -> dict[str, Any]:
    return {
        "number": dump.pk,
        "name": dump.name,
        "state": str(dump.state),
        "size": dump.size_octets,
        "offset": dump.received_octets,
        "report": dump.report,
        "failure": dump.failure,
    }


# -- lists ---------------------------------------------------------------------------------------------------------------

Operator = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$")]
Kind = Literal["blocklist", "blockranges", "pairblocks", "notifications", "exceptions"]


class NamesSubscribers(PortalError):
    """A list names subscribers: a key alone does not open it."""

    code = "operators-door-only"
    http_status = 403


_GIVEN: dict[Any, Any] = {200: None, 206: None, 304: None, 404: Problem, 416: Problem, 503: Problem, **PROBLEMS}


@operator_files.get(
    "/lists/{operator}/full", auth=Key("lists"), operation_id="getFullList", response=_GIVEN,
    openapi_extra=answers_with("text/csv", 200, 206),
)  # fmt: skip
def full_list(request: HttpRequest, operator: Operator, kind: Kind = "blocklist") -> HttpResponseBase:
    """One's own newest list, signed: rows as CSV; header and signature in fields. `If-None-Match` and `Range` work."""
    _may_fetch(request, operator, kind)
    return _sent(request, full_answer(register(), operator, kind, request.META))


@operator_files.get(
    "/lists/{operator}/delta", auth=Key("lists"), operation_id="getDelta", response=_GIVEN,
    openapi_extra=answers_with("text/csv", 200, 206),
)  # fmt: skip
def delta(
    request: HttpRequest, operator: Operator, base: Annotated[int, Query(ge=1, lt=10**12)], kind: Kind = "blocklist"
) -> HttpResponseBase:
    """What leads from the list of number `base` to the newest."""
    _may_fetch(request, operator, kind)
    return _sent(request, delta_answer(register(), operator, kind, base, request.META))


def _may_fetch(request: HttpRequest, operator: str, kind: str) -> None:
    take(request, 1)
    # Said before anything else is looked at: whether another operator exists is no business of this one.
    if caller_of(request).acts(READ_LISTS).office != operator:
        raise NotAllowed("this key does not open this operator's lists; it opens its own only")
    if KINDS[kind].holds_subscribers:
        raise NamesSubscribers(
            f"the {kind} name subscribers: fetch them at the operators' door, where a certificate stands beside the token"
        )


def _sent(request: HttpRequest, answer: Any) -> HttpResponseBase:
    body = answer.body
    is_part = isinstance(body, FilePart)
    response: HttpResponseBase = (
        StreamingHttpResponse(body.pieces(), status=answer.status)
        if is_part
        else HttpResponse(body, status=answer.status)
    )
    for name, value in answer.headers:
        response[name] = value
    if is_part:
        response["Content-Length"] = str(body.length)
    response.headers.setdefault("Content-Encoding", "identity")  # nothing between here and the operator packs it again
    response["Cache-Control"] = "private, no-cache"
    return with_rest(request, response)
