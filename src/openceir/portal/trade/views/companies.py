"""A company's standing and what it owes."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from openceir.errors import OpenceirError
from openceir.portal import moment
from openceir.portal.accounts.acts import actor_of, reader_of
from openceir.portal.accounts.doors import needs
from openceir.portal.cases.models import Case
from openceir.portal.site.pages import form_page
from openceir.portal.site.refusals import sentence_of_error
from openceir.portal.trade.answering import answer
from openceir.portal.trade.fees import price_of
from openceir.portal.trade.forms import AnswerForm, StandingForm
from openceir.portal.trade.models import Fee
from openceir.portal.trade.rules import HAVE_STANDING
from openceir.portal.trade.standing import apply_for_standing, standing_of

__all__ = ["answer_about_standing", "apply_to_be_verified", "company_fees", "standing"]


@needs(HAVE_STANDING)
def standing(request: HttpRequest) -> HttpResponse:
    """Where the company stands, what happened, and until when."""
    return _page(request, AnswerForm())


@needs(HAVE_STANDING, to_act=True)
def answer_about_standing(request: HttpRequest) -> HttpResponse:
    """Answer what the regulator asked."""
    case = _asked(reader_of(request, HAVE_STANDING).office)
    form = AnswerForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and case is not None and form.is_valid():
        actor = actor_of(request, HAVE_STANDING, case)
        try:
            answer(actor, case, **form.cleaned_data)
        except OpenceirError as refused:
            form.add_error("document", sentence_of_error(refused))
        else:
            return redirect("standing")
    return _page(request, form) if case is not None else redirect("standing")


@needs(HAVE_STANDING, to_act=True)
def apply_to_be_verified(request: HttpRequest) -> HttpResponse:
    """Apply to be verified, or to be verified again."""
    form = StandingForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        told = form.own()
        extract = told.pop("extract")
        papers = form.papers()
        try:
            apply_for_standing(actor_of(request, HAVE_STANDING), told, extract, papers[0] if papers else None)
        except OpenceirError as refused:
            field = "extract" if refused.code == "evidence-refused" else "legal_name"
            form.add_error(field, sentence_of_error(refused))
        else:
            return redirect("standing")
    amount, currency, source = price_of(Fee.Item.STANDING, 1, moment.today())
    told = {"amount": amount, "currency": currency, "source": source}
    return form_page(request, "trade/apply_standing.html", form, told)


@needs(HAVE_STANDING)
def company_fees(request: HttpRequest) -> HttpResponse:
    """What the company owes and has paid, each with the law that sets it."""
    fees = Fee.objects.filter(office=reader_of(request, HAVE_STANDING).office)
    return render(request, "trade/fees.html", {"fees": fees[:500]})


def _page(request: HttpRequest, form: AnswerForm) -> HttpResponse:
    office = reader_of(request, HAVE_STANDING).office
    case = _asked(office) or standing_of(office)
    newer = Case.objects.filter(kind="standing", details__applicant=office, state__in=("received", "asked"))
    told = {
        "case": case, "events": case.events.filter(is_public=True) if case else (), "newer": newer.exists(),
        "papers": case.papers.all() if case else (), "fee": Fee.objects.filter(case=case).first() if case else None,
    }  # fmt: skip
    return form_page(request, "trade/standing.html", form, told)


def _asked(office: str) -> Case | None:
    return Case.objects.filter(kind="standing", details__applicant=office, state="asked").first()
