"""The regulator's pages about the trade: companies to verify, types to approve, stock to accept, fees, realised stock."""

from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render

from openceir.errors import OpenceirError
from openceir.portal import moment
from openceir.portal.accounts.acts import actor_of, reader_of
from openceir.portal.accounts.doors import needs
from openceir.portal.accounts.log import note
from openceir.portal.cases.models import Case
from openceir.portal.site.pages import form_page
from openceir.portal.site.refusals import sentence_of_error
from openceir.portal.trade import standing
from openceir.portal.trade.approvals import approve, reject
from openceir.portal.trade.fees import mark_paid, quota_of
from openceir.portal.trade.forms import BatchForm, PaidForm, ReviewForm, StandingDecisionForm
from openceir.portal.trade.models import Batch, Fee
from openceir.portal.trade.papers import accept_papers
from openceir.portal.trade.rules import REVIEW
from openceir.portal.trade.stock import decide_batch
from openceir.portal.trade.views.stock import written_realised

__all__ = [
    "accept_new_papers", "fees", "paid", "queue", "realised_by_all", "review_batch", "review_standing", "review_type",
]  # fmt: skip

_DECISIONS = {
    "verify": standing.verify,
    "reject": standing.reject,
    "suspend": standing.suspend,
    "restore": standing.restore,
}


@needs(REVIEW)
def queue(request: HttpRequest) -> HttpResponse:
    """What waits for a decision, the oldest first; companies in good standing; approved types with new papers."""
    types = Case.objects.filter(kind="type-approval", closed_at=None).order_by("opened_at")
    renewed = Case.objects.filter(kind="type-approval", state="approved", papers__accepted_at=None, papers__pk__gt=0)
    batches = Batch.objects.filter(state=Batch.State.WAITING).order_by("opened_at")
    companies = Case.objects.filter(kind="standing", closed_at=None)
    told = {
        "types": types[:200], "batches": batches[:200], "renewed": renewed.distinct()[:200],
        "applicants": companies.filter(state__in=("received", "asked")).order_by("opened_at")[:200],
        "companies": companies.filter(state__in=("verified", "suspended")).order_by("details__applicant")[:500],
        "unpaid": Fee.objects.filter(paid_on=None).count(),
    }  # fmt: skip
    return render(request, "trade/queue.html", told)


@needs(REVIEW, to_act=True)
def review_type(request: HttpRequest, number: int) -> HttpResponse:
    """One application, its papers, the steps of the review and the decision."""
    case = get_object_or_404(Case, pk=number, kind="type-approval")
    actor = actor_of(request, REVIEW)
    note(actor, "trade.read-application", subject=case.reference)
    form = ReviewForm(request.POST or None, initial={"version": case.version})
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            if told["decision"] == "approve":
                approve(actor, case, steps=told["steps"], reasons=told["text"], seen_version=told["version"])
            elif told["decision"] == "reject":
                reject(actor, case, reasons=told["text"], seen_version=told["version"])
            else:
                with transaction.atomic():
                    case.move("ask", actor=actor.office, text=told["text"], seen_version=told["version"])
        except OpenceirError as refused:
            form.add_error("steps", sentence_of_error(refused))
        else:
            return redirect("trade_review")
    applicant = str(case.details["applicant"])
    told = {
        "case": case, "events": case.events.all(), "papers": case.papers.all(), "today": moment.today(),
        "fee": Fee.objects.filter(case=case).first(), "standing": standing.standing_of(applicant),
        "quota": quota_of(applicant),
        "has_new": case.state == "approved" and case.papers.filter(accepted_at=None).exists(),
    }  # fmt: skip
    return form_page(request, "trade/review_type.html", form, told)


@needs(REVIEW, to_act=True)
def accept_new_papers(request: HttpRequest, number: int) -> HttpResponseRedirect:
    """Take the papers that a company added to an approved type as good."""
    case = get_object_or_404(Case, pk=number, kind="type-approval")
    if request.method == "POST" and case.state == "approved":
        actor = actor_of(request, REVIEW)
        with transaction.atomic():
            count = accept_papers(case)
            note(actor, "trade.accept-papers", subject=case.reference, count=count)
    return redirect("review_type", case.pk)


@needs(REVIEW, to_act=True)
def review_batch(request: HttpRequest, number: int) -> HttpResponse:
    """One batch: how many of which TAC; the numbers themselves nobody can read."""
    batch = get_object_or_404(Batch, pk=number)
    form = BatchForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            decide_batch(actor_of(request, REVIEW), batch, accept=told["decision"] == "accept", reasons=told["reasons"])
        except OpenceirError as refused:
            form.add_error("reasons", sentence_of_error(refused))
        else:
            return redirect("trade_review")
    told = {
        "batch": batch, "fee": Fee.objects.filter(batch=batch).first(), "quota": quota_of(batch.office),
        "standing": standing.standing_of(batch.office),
    }  # fmt: skip
    return form_page(request, "trade/review_batch.html", form, told)


@needs(REVIEW, to_act=True)
def review_standing(request: HttpRequest, number: int) -> HttpResponse:
    """One company: what it applied with, and the decision; later, its suspension and restoration."""
    case = get_object_or_404(Case, pk=number, kind="standing")
    actor = actor_of(request, REVIEW)
    note(actor, "trade.read-application", subject=case.reference)
    possible = [move.name for move in case.flow.moves_from(case.state)]
    form = StandingDecisionForm(request.POST or None, possible=possible, initial={"version": case.version})
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            if told["decision"] == "ask":
                standing.ask(actor, case, text=told["text"], seen_version=told["version"])
            else:
                _DECISIONS[told["decision"]](actor, case, reasons=told["text"], seen_version=told["version"])
        except OpenceirError as refused:
            form.add_error("decision", sentence_of_error(refused))
        else:
            return redirect("trade_review")
    told = {
        "case": case, "events": case.events.all(), "papers": case.papers.all(), "today": moment.today(),
        "fee": Fee.objects.filter(case=case).first(), "quota": quota_of(str(case.details["applicant"])),
    }  # fmt: skip
    return form_page(request, "trade/review_standing.html", form, told)


@needs(REVIEW)
def fees(request: HttpRequest) -> HttpResponse:
    """What is owed, then what was paid with which receipt."""
    settled = Fee.objects.exclude(paid_on=None).order_by("-paid_on", "-pk")
    page = Paginator(settled, 100).get_page(request.GET.get("page"))
    owed = Fee.objects.filter(paid_on=None).order_by("charged_on", "pk")
    return render(request, "trade/review_fees.html", {"owed": owed[:500], "page": page})


@needs(REVIEW, to_act=True)
def paid(request: HttpRequest, number: int) -> HttpResponse:
    """Mark a fee as paid, with the number of its receipt."""
    fee = get_object_or_404(Fee, pk=number)
    form = PaidForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            mark_paid(actor_of(request, REVIEW), fee, receipt=form.cleaned_data["receipt"])
        except OpenceirError as refused:
            form.add_error("receipt", sentence_of_error(refused))
        else:
            return redirect("review_fees")
    return form_page(request, "trade/paid.html", form, {"fee": fee})


@needs(REVIEW)
def realised_by_all(request: HttpRequest) -> HttpResponse:
    """Declared against realised, of every company."""
    reader_of(request, REVIEW)
    return written_realised(request, None)
