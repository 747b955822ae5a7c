"""The register as an operator's partners know it: CAMARA's IMEI Fraud Check, `POST /check-status`.

    blocked                prohibited, with the reason and since when
    watched                tracked
    no restriction known   allowed
    not registered         unknown

CAMARA has one word for a device that is on the allowed list; ours says that no restriction is known, which promises less.
The proposal has no release: its path says `vwip`, and so does ours until it has one. Its errors are its own
({status, code, message}), not problem documents.
Source: CAMARA API backlog, IMEI-FRAUD-OAS.yaml (work in progress, Commonalities 0.6).
"""

import re
from typing import Annotated, Any, Literal

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Header, NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import Field

from openceir.errors import OpenceirError
from openceir.portal import moment
from openceir.portal.api.callers import DayUsedUp, Key, ScopeMissing, take, with_rest
from openceir.portal.cases.signals import tell_checked
from openceir.portal.register import register
from openceir.status import Answer, ClaimKind, Reason, Status
from openceir.status.answer import moment_text

__all__ = ["camara"]

_CORRELATOR = re.compile(r"[a-zA-Z0-9\-_:;.\/<>{}]{0,256}")


class CamaraApi(NinjaAPI):
    """NinjaAPI whose answers bear the correlator that came, and what is left of the key's day."""

    def create_response(self, request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        """As NinjaAPI's, with the headers."""
        return _with_headers(request, super().create_response(request, *args, **named))


camara = CamaraApi(
    title="IMEI Fraud Check",
    version="vwip",
    description="The register's answer in the shape of CAMARA's IMEI Fraud Check.",
    urls_namespace="camara",
    docs_url=None,
)


class ErrorInfo(Schema):
    """An error in CAMARA's words."""

    status: int
    code: str
    message: str


class RequestBody(Schema):
    """The device asked about."""

    imei: str = Field(pattern="^[0-9]{15}$")


class ImeiStatus(Schema):
    """What is known of it."""

    lastChecked: str  # noqa: N815 - CAMARA's name
    imei: str
    operationalStatus: Literal["allowed", "prohibited", "tracked", "unknown"]  # noqa: N815
    prohibitedReason: Literal["lost", "stolen", "blacklisted", "blocked", "fraud", "regulatory"] | None = None  # noqa: N815
    reportedDate: str | None = None  # noqa: N815


_STATUS = {
    Status.BLOCKED: "prohibited",
    Status.TRACKED: "tracked",
    Status.PERMITTED: "allowed",
    Status.UNKNOWN: "unknown",
}
_REASON = {
    ClaimKind.STOLEN: "stolen",
    ClaimKind.LOST: "lost",
    ClaimKind.CLASSIFIED: "fraud",
    ClaimKind.BLOCKED: "regulatory",
}


@camara.post(
    "/check-status",
    auth=Key("check"),
    response={200: ImeiStatus, **dict.fromkeys((400, 401, 403, 422, 429), ErrorInfo)},
    exclude_none=True,
    operation_id="checkImeiStatus",
)
def check_status(
    request: HttpRequest, body: RequestBody, x_correlator: Annotated[str, Header(max_length=256)] = ""
) -> Any:
    """Whether networks are told to refuse a device, to watch it, or neither."""
    take(request, 1)
    at = moment.now()
    answer = register().check(body.imei, at)
    tell_checked([body.imei], "api")
    told: dict[str, Any] = {
        "lastChecked": moment_text(at),
        "imei": body.imei,
        "operationalStatus": _STATUS[answer.status],
    }
    if answer.status is Status.BLOCKED:
        decisive = _decisive(answer)
        told["prohibitedReason"] = _REASON.get(decisive.kind, "blocked") if decisive else "blocked"
        if decisive is not None:
            told["reportedDate"] = moment_text(decisive.since)
    return told


def _decisive(answer: Answer) -> Reason | None:
    """Of what the block rests on, what says most: a theft before a loss, before what an authority said."""
    deciding = [reason for reason in answer.reasons if reason.decides]
    order = list(_REASON)
    return min(deciding, key=lambda one: order.index(one.kind) if one.kind in order else len(order), default=None)


# -- errors ----------------------------------------------------------------------------------------------------------


def _error(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    response = JsonResponse({"status": status, "code": code, "message": message}, status=status)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return _with_headers(request, response)


def _with_headers(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    with_rest(request, response)
    told = request.headers.get("x-correlator", "")
    if told and _CORRELATOR.fullmatch(told):
        response["x-correlator"] = told
    return response


@camara.exception_handler(AuthenticationError)
def _unknown(request: HttpRequest, wrong: AuthenticationError) -> HttpResponse:
    return _error(request, 401, "UNAUTHENTICATED", "Send Authorization: Bearer … with a key that is valid now.")


@camara.exception_handler(ValidationError)
def _invalid(request: HttpRequest, wrong: ValidationError) -> HttpResponse:
    return _error(request, 400, "INVALID_ARGUMENT", "Send JSON with the imei, a text of 15 digits.")


@camara.exception_handler(SuspiciousOperation)
@camara.exception_handler(HttpError)
def _unreadable(request: HttpRequest, wrong: Exception) -> HttpResponse:
    return _error(request, 400, "INVALID_ARGUMENT", "Send JSON with the imei, a text of 15 digits.")


@camara.exception_handler(ScopeMissing)
def _denied(request: HttpRequest, wrong: ScopeMissing) -> HttpResponse:
    return _error(request, 403, "PERMISSION_DENIED", str(wrong))


@camara.exception_handler(DayUsedUp)
def _used_up(request: HttpRequest, wrong: DayUsedUp) -> HttpResponse:
    return _error(request, 429, "QUOTA_EXCEEDED", str(wrong))


@camara.exception_handler(OpenceirError)
def _refused(request: HttpRequest, wrong: OpenceirError) -> HttpResponse:
    """A number whose check digit does not fit, or that no handset can have: no answer about somebody else's device."""
    return _error(request, 422, "SERVICE_NOT_APPLICABLE", str(wrong))
