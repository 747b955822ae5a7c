"""Reports, appeals and registrations that a partner brings for citizens: the same forms and the same cases as on the pages.

The answer to a new case bears its reference and its secret, once. Whoever has both follows the case, here or on the
page "My case"; the key alone opens no case, not even one that it brought.
"""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import uuid4

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from ninja import Header, Router, Schema
from pydantic import Field

from openceir.portal.api.callers import Key, take
from openceir.portal.api.describing import ONCE
from openceir.portal.api.etags import tagged
from openceir.portal.api.form_bodies import body_of, filled
from openceir.portal.api.once import Done, done_once
from openceir.portal.api.problems import PROBLEMS, NoSuch, Problem
from openceir.portal.cases.evidence import add_evidence
from openceir.portal.cases.models import Case
from openceir.portal.cases.references import format_code
from openceir.portal.citizens.filing import Sender, appeal_of, registration_of, report_of
from openceir.portal.citizens.forms import AppealForm, DocumentForm, ImportForm, ReportForm
from openceir.portal.citizens.reports import prove, request_recovery
from openceir.status.answer import moment_text

__all__ = ["Opened", "case_state", "matters"]

_REPORTS, _APPEALS, _REGISTRATIONS = ("theft", "loss"), ("appeal",), ("import",)
_ONLY_PAGES = frozenset({"once"})

Reference = Annotated[str, Field(max_length=40)]
Secret = Annotated[str, Header(alias="Case-Secret", max_length=64, description="What was told when the case opened.")]

matters = Router()


class Opened(Schema):
    """A new case. The secret is told this once and not kept."""

    reference: str
    secret: str
    state: str


class Told(Schema):
    """A line of a case's timeline."""

    at: str
    kind: str
    told: str  # in the language of the request
    text: str


class Document(Schema):
    """A document of a case."""

    name: str
    media_type: str
    size_octets: int
    sha256: str


class CaseState(Schema):
    """Where a case stands, as its holder sees it."""

    reference: str
    kind: str
    state: str
    state_text: str  # in the language of the request
    opened_at: str
    closed_at: str | None
    due_at: str | None  # when something happens by itself: the end of an appeal's clock
    events: list[Told]
    documents: list[Document]


def case_state(case: Case) -> dict[str, Any]:
    """The case as `CaseState` says it."""
    deadline = case.deadlines.filter(done_at=None).first()
    return {
        "reference": format_code(case.reference),
        "kind": case.kind,
        "state": case.state,
        "state_text": case.state_text,
        "opened_at": moment_text(case.opened_at),
        "closed_at": moment_text(case.closed_at) if case.closed_at else None,
        "due_at": moment_text(deadline.due_at) if deadline else None,
        "events": [
            {"at": moment_text(event.at), "kind": event.kind, "told": event.told, "text": event.text}
            for event in case.events.filter(is_public=True)
        ],
        "documents": [
            {"name": one.name, "media_type": one.media_type, "size_octets": one.size_octets, "sha256": one.sha256}
            for one in case.evidence.all()
        ],
    }


def _opened(
    request: HttpRequest, form_class: type[Form], opens: Callable[[dict[str, Any], Sender], tuple[Case, str]]
) -> HttpResponse:
    """Open what the form says, once."""
    take(request, 1)

    def open_it() -> Done:
        form = filled(request, form_class, once=uuid4())
        case, secret = opens(form.cleaned_data, Sender(channel="api", language=get_language() or "en"))
        reference = format_code(case.reference)
        body = {"reference": reference, "secret": format_code(secret), "state": case.state}
        return Done(201, body, f"{request.path}/{reference}")

    return done_once(request, open_it)


def _found(request: HttpRequest, kinds: tuple[str, ...], reference: str, secret: str) -> Case:
    """The case that the two open. Raises: NoSuch, which tells not which of them was wrong."""
    take(request, 1)
    case = Case.find(reference, secret)
    if case is None or case.kind not in kinds:
        raise NoSuch("no case of this kind has this reference together with this secret")
    return case


def _shown(request: HttpRequest, kinds: tuple[str, ...], reference: str, secret: str) -> HttpResponse:
    return tagged(request, case_state(_found(request, kinds, reference, secret)))


def _documented(request: HttpRequest, kinds: tuple[str, ...], reference: str, secret: str) -> HttpResponse:
    case = _found(request, kinds, reference, secret)

    def add() -> Done:
        document = filled(request, DocumentForm).cleaned_data["document"]
        (prove if case.kind in _REPORTS else add_evidence)(case, document)
        return Done(201, case_state(case))

    return done_once(request, add)


_OPENED: dict[Any, Any] = {201: Opened, **PROBLEMS}
_SHOWN: dict[Any, Any] = {200: CaseState, 304: None, 404: Problem, **PROBLEMS}
_ADDED: dict[Any, Any] = {201: CaseState, 404: Problem, **PROBLEMS}


@matters.post(
    "/reports", auth=Key("reports"), response=_OPENED, operation_id="reportDevice",
    openapi_extra=body_of(ReportForm, without=_ONLY_PAGES) | ONCE,
)  # fmt: skip
def report(request: HttpRequest) -> HttpResponse:
    """A phone was stolen or lost. Without proof of ownership the report waits for it; the police decide."""
    return _opened(request, ReportForm, report_of)


@matters.get("/reports/{reference}", auth=Key("reports"), response=_SHOWN, operation_id="getReport")
def get_report(request: HttpRequest, reference: Reference, case_secret: Secret) -> HttpResponse:
    """Where a report stands."""
    return _shown(request, _REPORTS, reference, case_secret)


@matters.post(
    "/reports/{reference}/documents", auth=Key("reports"), response=_ADDED, operation_id="addReportDocument",
    openapi_extra=body_of(DocumentForm) | ONCE,
)  # fmt: skip
def add_report_document(request: HttpRequest, reference: Reference, case_secret: Secret) -> HttpResponse:
    """Proof of ownership, or one more document."""
    return _documented(request, _REPORTS, reference, case_secret)


@matters.post(
    "/reports/{reference}/recover", auth=Key("reports"), operation_id="recoverDevice", openapi_extra=ONCE,
    response={202: CaseState, 404: Problem, **PROBLEMS},
)  # fmt: skip
def recover(request: HttpRequest, reference: Reference, case_secret: Secret) -> HttpResponse:
    """The owner has the phone back: the police are asked to confirm it, and then networks serve it again."""
    case = _found(request, _REPORTS, reference, case_secret)
    return done_once(request, lambda: Done(202, case_state(request_recovery(case))))


@matters.post(
    "/appeals", auth=Key("appeals"), response=_OPENED, operation_id="appeal",
    openapi_extra=body_of(AppealForm, without=_ONLY_PAGES) | ONCE,
)  # fmt: skip
def appeal(request: HttpRequest) -> HttpResponse:
    """A block is wrong. Undecided in time it restores service by itself; `due_at` says when."""
    return _opened(request, AppealForm, appeal_of)


@matters.get("/appeals/{reference}", auth=Key("appeals"), response=_SHOWN, operation_id="getAppeal")
def get_appeal(request: HttpRequest, reference: Reference, case_secret: Secret) -> HttpResponse:
    """Where an appeal stands, and the decision with its reasons."""
    return _shown(request, _APPEALS, reference, case_secret)


@matters.post(
    "/appeals/{reference}/documents", auth=Key("appeals"), response=_ADDED, operation_id="addAppealDocument",
    openapi_extra=body_of(DocumentForm) | ONCE,
)  # fmt: skip
def add_appeal_document(request: HttpRequest, reference: Reference, case_secret: Secret) -> HttpResponse:
    """One more document."""
    return _documented(request, _APPEALS, reference, case_secret)


@matters.post(
    "/registrations", auth=Key("registrations"), response=_OPENED, operation_id="registerDevice",
    openapi_extra=body_of(ImportForm, without=_ONLY_PAGES) | ONCE,
)  # fmt: skip
def registration(request: HttpRequest) -> HttpResponse:
    """Somebody brought a device into the country; customs decide."""
    return _opened(request, ImportForm, registration_of)


@matters.get("/registrations/{reference}", auth=Key("registrations"), response=_SHOWN, operation_id="getRegistration")
def get_registration(request: HttpRequest, reference: Reference, case_secret: Secret) -> HttpResponse:
    """Where a registration stands."""
    return _shown(request, _REGISTRATIONS, reference, case_secret)
