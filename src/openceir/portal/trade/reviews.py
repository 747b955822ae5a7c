"""The regulator's pages about the trade: types to approve, stock to accept."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from openceir.errors import OpenceirError
from openceir.portal.accounts.acts import actor_of
from openceir.portal.accounts.doors import needs
from openceir.portal.accounts.log import note
from openceir.portal.cases.models import Case
from openceir.portal.trade.approvals import approve, reject
from openceir.portal.trade.forms import BatchForm, ReviewForm
from openceir.portal.trade.models import Batch
from openceir.portal.trade.rules import REVIEW
from openceir.portal.trade.stock import decide_batch

__all__ = ["queue", "review_batch", "review_type"]


@needs(REVIEW)
def queue(request: HttpRequest) -> HttpResponse:
    """What waits for a decision, the oldest first."""
    types = Case.objects.filter(kind="type-approval", closed_at=None).order_by("opened_at")
    batches = Batch.objects.filter(state=Batch.State.WAITING).order_by("opened_at")
    return render(request, "trade/queue.html", {"types": types[:200], "batches": batches[:200]})


@needs(REVIEW, to_act=True)
def review_type(request: HttpRequest, number: int) -> HttpResponse:
    """One application, its documents, the steps of the review and the decision."""
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
            form.add_error("steps", str(refused))
        else:
            return redirect("trade_review")
    return render(request, "trade/review_type.html", {"case": case, "form": form, "events": case.events.all()})


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
            form.add_error("reasons", str(refused))
        else:
            return redirect("trade_review")
    return render(request, "trade/review_batch.html", {"batch": batch, "form": form})
