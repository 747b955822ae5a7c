"""Every refusal of the API as a problem document, with a code that stays when its sentence is reworded.

Source: RFC 9457.
"""

import json
import sys
import traceback
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.core.exceptions import (
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

from openceir.errors import OpenceirError
from openceir.http.problems import Problem as DoorsProblem
from openceir.portal.accounts.errors import PortalError, QuotaExceeded
from openceir.portal.accounts.quotas import raise_alarm
from openceir.portal.api.callers import with_rest

__all__ = ["PROBLEMS", "FormInvalid", "NoSuch", "Problem", "answer_problems", "problem"]


class FieldError(Schema):
    """What is wrong with one field."""

    field: str
    detail: str


class Problem(Schema):
    """RFC 9457, with a code that stays when the sentence is reworded."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldError] | None = None  # of a form, field by field


# What every operation that needs a key may answer beside its own.
PROBLEMS: dict[int, Any] = dict.fromkeys((400, 401, 403, 409, 413, 422, 429), Problem)


class NoSuch(PortalError):
    """There is nothing of this name that the caller may see."""

    code = "no-such-thing"
    http_status = 404


class FormInvalid(PortalError):
    """Fields of a form cannot be taken as they are; the sentences are those of the page."""

    code = "form-invalid"
    http_status = 422

    def __init__(self, form: Form) -> None:
        self.errors = [
            {"field": name, "detail": str(sentence)} for name, said in form.errors.items() for sentence in said
        ]
        super().__init__("; ".join(f"{one['field']}: {one['detail']}" for one in self.errors))


def problem(request: HttpRequest, status: int, code: str, detail: str, **more: Any) -> HttpResponse:
    """The document."""
    document = {
        "type": f"urn:openceir:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        **more,
    }
    response = HttpResponse(json.dumps(document), status=status, content_type="application/problem+json")
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    with_rest(request, response)
    return response


def answer_problems(api: NinjaAPI) -> None:
    """Let an API say every refusal and fault like this."""
    handlers: tuple[tuple[type[Exception], Any], ...] = (
        (OpenceirError, _refused),
        (DoorsProblem, _of_door),
        (AuthenticationError, _unknown),
        (ValidationError, _invalid),
        (HttpError, _error),
        (Http404, _nothing),
        (RequestDataTooBig, _too_large),
        (TooManyFieldsSent, _too_large),
        (TooManyFilesSent, _too_large),
        (SuspiciousOperation, _unreadable),
        (MultiPartParserError, _unreadable),
        (Exception, _fault),
    )
    for kind, answer in handlers:
        api.add_exception_handler(kind, answer)


def _refused(request: HttpRequest, wrong: OpenceirError) -> HttpResponse:
    if isinstance(wrong, QuotaExceeded):
        raise_alarm(wrong)
    more = {"errors": wrong.errors} if isinstance(wrong, FormInvalid) else {}
    response = problem(request, wrong.http_status, wrong.code, str(wrong), **more)
    if (seconds := getattr(wrong, "retry_after_s", None)) is not None:
        response["Retry-After"] = str(seconds)
    return response


def _of_door(request: HttpRequest, wrong: DoorsProblem) -> HttpResponse:
    response = problem(request, wrong.status, wrong.code, wrong.detail)
    for name, value in wrong.headers:
        response[name] = value
    return response


def _unknown(request: HttpRequest, wrong: AuthenticationError) -> HttpResponse:
    return problem(request, 401, "token-required", "send Authorization: Bearer … with a key that is valid now")


def _invalid(request: HttpRequest, wrong: ValidationError) -> HttpResponse:
    return problem(request, 422, "request-invalid", "; ".join(_sentences(wrong.errors)))


def _sentences(errors: Iterable[Any]) -> Iterator[str]:
    for error in errors:
        yield f"{'.'.join(str(part) for part in error['loc'][1:])}: {error['msg']}"


def _error(request: HttpRequest, wrong: HttpError) -> HttpResponse:
    code = {400: "request-unreadable", 404: "other-identifier", 413: "too-large"}.get(wrong.status_code, "refused")
    return problem(request, wrong.status_code, code, str(wrong))


def _nothing(request: HttpRequest, wrong: Http404) -> HttpResponse:
    return problem(request, 404, "no-such-thing", "there is nothing here that you may see")


def _too_large(request: HttpRequest, wrong: Exception) -> HttpResponse:
    return problem(
        request, 413, "too-large", "the body is larger, or has more fields or files, than is read here; send less"
    )


def _unreadable(request: HttpRequest, wrong: Exception) -> HttpResponse:
    return problem(request, 400, "request-unreadable", "the body is not of the kind that its Content-Type says")


def _fault(request: HttpRequest, fault: Exception) -> HttpResponse:
    """A fault of ours: its kind and place go to the log, its message nowhere, since it may hold what was asked."""
    frame = traceback.extract_tb(fault.__traceback__)[-1]
    print(f"openceir: fault {type(fault).__name__} at {Path(frame.filename).name}:{frame.lineno}", file=sys.stderr)
    return problem(
        request, 500, "internal-error", "the register failed to answer; the fault is in its log. Try again later"
    )
