"""A company's applications for the approval of types."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from openceir.errors import OpenceirError
from openceir.portal import moment
from openceir.portal.accounts.acts import actor_of, reader_of
from openceir.portal.accounts.doors import needs
from openceir.portal.accounts.log import note
from openceir.portal.cases.models import Case
from openceir.portal.site.pages import form_page
from openceir.portal.site.refusals import sentence_of_error
from openceir.portal.trade.answering import answer
from openceir.portal.trade.approvals import apply
from openceir.portal.trade.fees import price_of
from openceir.portal.trade.forms import AnswerForm, ApplicationForm, PaperForm
from openceir.portal.trade.models import Fee, Paper
from openceir.portal.trade.papers import add_paper
from openceir.portal.trade.rules import APPLY

__all__ = ["add_paper_to", "apply_for_type", "type_approval", "type_approvals"]


@needs(APPLY)
def type_approvals(request: HttpRequest) -> HttpResponse:
    """The company's applications."""
    office = reader_of(request, APPLY).office
    rows = Case.objects.filter(kind="type-approval", details__applicant=office).order_by("-opened_at")
    return render(request, "trade/types.html", {"rows": rows})


@needs(APPLY, to_act=True)
def apply_for_type(request: HttpRequest) -> HttpResponse:
    """Apply for the approval of a type."""
    form = ApplicationForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            case = apply(actor_of(request, APPLY), form.own(), form.papers())
        except OpenceirError as refused:
            field = "certificate_file" if refused.code == "evidence-refused" else "tac"
            form.add_error(field, sentence_of_error(refused))
        else:
            return redirect("type_approval", case.pk)
    amount, currency, source = price_of(Fee.Item.TYPE_APPROVAL, 1, moment.today())
    told = {"amount": amount, "currency": currency, "source": source}
    return form_page(request, "trade/apply.html", form, told)


@needs(APPLY)
def type_approval(request: HttpRequest, number: int) -> HttpResponse:
    """One application of the company, and the answer to what the regulator asked."""
    case = get_object_or_404(Case, pk=number, kind="type-approval")
    reader_of(request, APPLY, case)
    form = AnswerForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        actor = actor_of(request, APPLY, case)
        try:
            answer(actor, case, **form.cleaned_data)
        except OpenceirError as refused:
            form.add_error("document", sentence_of_error(refused))
        else:
            return redirect("type_approval", case.pk)
    told = {
        "case": case, "events": case.events.filter(is_public=True), "papers": case.papers.all(),
        "fee": Fee.objects.filter(case=case).first(), "may_add": case.state != "rejected", "today": moment.today(),
    }  # fmt: skip
    return form_page(request, "trade/type.html", form, told)


@needs(APPLY, to_act=True)
def add_paper_to(request: HttpRequest, number: int) -> HttpResponse:
    """Enter one more paper of a type, such as a certificate that was renewed; the regulator looks at it."""
    case = get_object_or_404(Case, pk=number, kind="type-approval")
    reader_of(request, APPLY, case)
    form = PaperForm(request.POST or None, request.FILES or None, initial={"kind": Paper.Kind.CERTIFICATE})
    if request.method == "POST" and form.is_valid():
        actor = actor_of(request, APPLY, case)
        try:
            with transaction.atomic():
                kept = add_paper(case, form.paper(), actor=actor.office)
                note(actor, "trade.add-paper", subject=case.reference, reason=kept.kind)
        except OpenceirError as refused:
            field = "file" if refused.code == "evidence-refused" else "number"
            form.add_error(field, sentence_of_error(refused))
        else:
            messages.success(request, _("The paper was entered; it counts once the regulator has looked at it."))
            return redirect("type_approval", case.pk)
    return form_page(request, "trade/paper.html", form, {"case": case})
