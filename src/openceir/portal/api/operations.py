"""The operations, typed; `docs/reference/api.json` is made from them."""

import json
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import Field

from openceir import __version__
from openceir.errors import OpenceirError
from openceir.portal import moment
from openceir.portal.api.screening import findings_of
from openceir.portal.api.tokens import Bearer, take, with_rest
from openceir.portal.cases.signals import tell_checked
from openceir.portal.device_check import because_of, checked, full_check
from openceir.portal.register import register
from openceir.scan import read_label

__all__ = ["api"]

_MOST = 1000
_MOST_PICTURE_OCTETS = 8 << 20
_PIECE = 200

Text = Annotated[str, Field(max_length=64)]


class Api(NinjaAPI):
    """NinjaAPI whose answers say what is left of the token's day."""

    def create_response(self, request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        """As NinjaAPI's, with the headers."""
        response = super().create_response(request, *args, **named)
        with_rest(request, response)
        return response


api = Api(
    title="openceir",
    version=__version__,
    description="For programs. Every refusal is a problem document (RFC 9457) with a stable code.",
    urls_namespace="api",
    docs_url=None,
)


class Problem(Schema):
    """RFC 9457, with a code that stays when the sentence is reworded."""

    type: str
    title: str
    status: int
    code: str
    detail: str


class Checked(Schema):
    """What is known of one device. Never that it is safe: a register knows too little."""

    imei: str
    verdict: Literal["blocked", "watched", "not-registered", "no-restriction-known"]
    because: list[str]
    at: str
    log_size: int
    details: str


class Batch(Schema):
    """Identifiers to check."""

    identifiers: list[Text] = Field(min_length=1, max_length=_MOST)


class Listing(Schema):
    """An offer, as the marketplace shows it. No address is ever fetched."""

    id: Text
    title: str = Field(default="", max_length=500)
    text: str = Field(default="", max_length=20_000)
    brand: Text = ""
    model: Text = ""


class Listings(Schema):
    """Offers to screen."""

    listings: list[Listing] = Field(min_length=1, max_length=100)


class Evidence(Schema):
    """Where in title, line feed, text the number stands. Units: characters, end exclusive."""

    identifier: str
    shown: str
    span: list[int]


class Finding(Schema):
    """One thing found; level 1 is the strongest evidence, 5 a mere hint."""

    level: int
    kind: Literal["reported", "invalid", "unregistered", "hint"]
    detail: str
    evidence: Evidence | None
    verdict: str | None
    confidence: Literal["high", "low"]
    next_step: str


class Screened(Schema):
    """The findings of one listing, strongest first."""

    id: str
    at: str
    findings: list[Finding]


class Label(Schema):
    """What a photo of a label shows."""

    identifiers: list[dict[str, str]]


_PROBLEMS: dict[int, Any] = {400: Problem, 401: Problem, 422: Problem, 429: Problem}


@api.get("/v1/check/{imei}", response={200: Checked, 400: Problem, 404: Problem}, operation_id="checkDevice")
def check(request: HttpRequest, imei: str) -> Any:
    """Whether anything is known against one device. Open to everybody."""
    answer = full_check(register(), imei, moment.now())
    if answer is None:
        raise HttpError(404, "this is another kind of identifier; ask /v1/identifiers/ about it")
    tell_checked([imei], "api")
    return answer


@api.post("/v1/check", auth=Bearer(), response={200: None, **_PROBLEMS}, operation_id="checkDevices")
def check_many(request: HttpRequest, batch: Batch) -> HttpResponseBase:
    """Up to a thousand devices: one line of JSON each, in their order, sent as they are found (application/x-ndjson)."""
    take(request, len(batch.identifiers))
    tell_checked(batch.identifiers, "api")
    response = StreamingHttpResponse(_lines(batch.identifiers), content_type="application/x-ndjson")
    return with_rest(request, response)


def _lines(values: list[str]) -> Iterator[bytes]:
    at = moment.now()
    for start in range(0, len(values), _PIECE):
        piece = values[start : start + _PIECE]
        lines = []
        for value, answer in zip(piece, register().check_many(piece, at), strict=True):
            said: dict[str, Any]
            if isinstance(answer, OpenceirError):
                said = {"value": value, "code": answer.code, "detail": str(answer)}
            elif answer.scheme != "imei":
                said = {"value": value, "code": "no-imei", "detail": "ask /v1/identifiers/ about this identifier"}
            else:
                rests_on = because_of((reason.kind, reason.label) for reason in answer.reasons if reason.decides)
                said = {"value": value} | checked(answer.canonical[:14], answer.status, rests_on, at, answer.log_size)
            lines.append(json.dumps(said, ensure_ascii=False))
        yield ("\n".join(lines) + "\n").encode()


@api.post(
    "/v1/listings:screen", auth=Bearer(), response={200: list[Screened], **_PROBLEMS}, operation_id="screenListings"
)
def screen(request: HttpRequest, asked: Listings) -> Any:
    """What is found in offers of phones: findings with their evidence, never a verdict on the offer."""
    take(request, len(asked.listings))
    at = moment.now()
    return [
        {
            "id": one.id,
            "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "findings": findings_of(register(), f"{one.title}\n{one.text}", one.brand, one.model, at),
        }
        for one in asked.listings
    ]


@api.post(
    "/v1/scan",
    auth=Bearer(),
    response={200: Label, 413: Problem, **_PROBLEMS},
    operation_id="scanLabel",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
def scan(request: HttpRequest) -> Any:
    """The identifiers on a photo of a label, sent as it is; it is read and not kept."""
    take(request, 1)
    octets = request.read(_MOST_PICTURE_OCTETS + 1)
    if len(octets) > _MOST_PICTURE_OCTETS:
        raise HttpError(413, "the picture is larger than 8 MB; send a smaller one")
    found = read_label(octets)
    return {
        "identifiers": [
            {"scheme": one.scheme, "value": one.canonical, "read_from": str(one.read_from)} for one in found
        ]
    }


# -- refusals ------------------------------------------------------------------------------------------------------------


def _problem(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse:
    from http import HTTPStatus

    document = {
        "type": f"urn:openceir:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    response = HttpResponse(json.dumps(document), status=status, content_type="application/problem+json")
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    with_rest(request, response)
    return response


@api.exception_handler(OpenceirError)
def _refused(request: HttpRequest, wrong: OpenceirError) -> HttpResponse:
    return _problem(request, wrong.http_status, wrong.code, str(wrong))


@api.exception_handler(AuthenticationError)
def _unknown(request: HttpRequest, wrong: AuthenticationError) -> HttpResponse:
    return _problem(request, 401, "token-required", "send Authorization: Bearer … with a token that is valid now")


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, wrong: ValidationError) -> HttpResponse:
    return _problem(request, 422, "request-invalid", "; ".join(_sentences(wrong.errors)))


def _sentences(errors: Iterable[Any]) -> Iterator[str]:
    for error in errors:
        yield f"{'.'.join(str(part) for part in error['loc'][1:])}: {error['msg']}"


@api.exception_handler(HttpError)
def _error(request: HttpRequest, wrong: HttpError) -> HttpResponse:
    code = {400: "request-unreadable", 404: "other-identifier", 413: "too-large"}.get(wrong.status_code, "refused")
    return _problem(request, wrong.status_code, code, str(wrong))
