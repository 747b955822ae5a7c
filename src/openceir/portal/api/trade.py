"""What a company sends for itself: applications for type approval, and stock."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from pydantic import Field

from openceir.portal.api.callers import Key, caller_of, take
from openceir.portal.api.describing import ONCE
from openceir.portal.api.etags import tagged
from openceir.portal.api.form_bodies import body_of, filled
from openceir.portal.api.matters import CaseState, case_state
from openceir.portal.api.once import Done, done_once
from openceir.portal.api.problems import PROBLEMS, NoSuch, Problem
from openceir.portal.cases.models import Case
from openceir.portal.cases.references import format_code, parse_code
from openceir.portal.trade.approvals import apply
from openceir.portal.trade.forms import ApplicationForm, StockForm
from openceir.portal.trade.models import Batch
from openceir.portal.trade.rules import APPLY, KEEP_STOCK
from openceir.portal.trade.stock import declare_stock

__all__ = ["trade"]

trade = Router()


class SetAside(Schema):
    """A row that was not taken."""

    line: int
    why: str


class StockState(Schema):
    """A consignment that was declared. Nobody but the company can read its numbers."""

    number: int
    consignment: str
    declared: int
    per_tac: dict[str, int]
    state: str
    reasons: str


class Declared(StockState):
    """The same, with the rows that were set aside."""

    set_aside: list[SetAside]


@trade.post(
    "/type-approvals", auth=Key("type-approvals"), response={201: CaseState, **PROBLEMS}, operation_id="applyForType",
    openapi_extra=body_of(ApplicationForm) | ONCE,
)  # fmt: skip
def apply_for_type(request: HttpRequest) -> HttpResponse:
    """Apply for the approval of a type; the regulator reviews it."""
    take(request, 1)
    actor = caller_of(request).acts(APPLY)

    def do() -> Done:
        form = filled(request, ApplicationForm)
        case = apply(actor, form.own(), form.papers())
        return Done(201, case_state(case), f"{request.path}/{format_code(case.reference)}")

    return done_once(request, do)


@trade.get(
    "/type-approvals/{reference}", auth=Key("type-approvals"), operation_id="getTypeApproval",
    response={200: CaseState, 304: None, 404: Problem, **PROBLEMS},
)  # fmt: skip
def get_type_approval(request: HttpRequest, reference: Annotated[str, Field(max_length=40)]) -> HttpResponse:
    """Where an application of one's own company stands."""
    take(request, 1)
    actor = caller_of(request).acts(APPLY)
    case = Case.objects.filter(kind="type-approval", reference=parse_code(reference) or "").first()
    if case is None or case.details.get("applicant") != actor.office:
        raise NoSuch("your company has no application of this reference")
    return tagged(request, case_state(case))


@trade.post(
    "/stock", auth=Key("stock"), response={201: Declared, **PROBLEMS}, operation_id="declareStock",
    openapi_extra=body_of(StockForm) | ONCE,
)  # fmt: skip
def declare(request: HttpRequest) -> HttpResponse:
    """Declare a consignment. Its numbers are sealed under the company's stock key, which is not kept."""
    take(request, 1)
    actor = caller_of(request).acts(KEEP_STOCK)

    def do() -> Done:
        told = filled(request, StockForm).cleaned_data
        batch, refused = declare_stock(actor, told["file"], consignment=told["consignment"], key=told["key"])
        body = _stock(batch) | {"set_aside": [{"line": line, "why": why} for line, why in refused]}
        return Done(201, body, f"{request.path}/{batch.pk}")

    return done_once(request, do)


@trade.get(
    "/stock/{number}", auth=Key("stock"), operation_id="getStock",
    response={200: StockState, 304: None, 404: Problem, **PROBLEMS},
)  # fmt: skip
def get_stock(request: HttpRequest, number: Annotated[int, Field(ge=1, lt=1 << 63)]) -> HttpResponse:
    """What the regulator said of a consignment of one's own company."""
    take(request, 1)
    batch = Batch.objects.filter(pk=number, office=caller_of(request).acts(KEEP_STOCK).office).first()
    if batch is None:
        raise NoSuch("your company has declared no consignment of this number")
    return tagged(request, _stock(batch))


def _stock(batch: Batch) -> dict[str, Any]:
    return {
        "number": batch.pk,
        "consignment": batch.consignment,
        "declared": batch.declared,
        "per_tac": batch.per_tac,
        "state": str(batch.state),
        "reasons": batch.reasons,
    }
