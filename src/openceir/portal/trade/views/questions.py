"""Questions to companies whether a device is theirs: the pages of those who ask, and of those who answer."""

from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from openceir.errors import OpenceirError
from openceir.portal import moment
from openceir.portal.accounts.acts import actor_of, reader_of
from openceir.portal.accounts.doors import needs
from openceir.portal.cases.models import Case
from openceir.portal.site.pages import form_page
from openceir.portal.site.refusals import sentence_of_error
from openceir.portal.trade.forms import AskForm, CompanyAnswerForm, MoreForm
from openceir.portal.trade.questions import ANSWERS, again, answer, ask, close, companies, company_of_type
from openceir.portal.trade.rules import ANSWER, ASK_COMPANY

__all__ = ["ask_about", "ask_company", "asked_question", "asked_questions", "company_question", "company_questions"]

_OPEN_FIRST = F("closed_at").asc(nulls_first=True)


@needs(ASK_COMPANY)
def asked_questions(request: HttpRequest) -> HttpResponse:
    """What one's office asked, the answered and the overdue first."""
    office = reader_of(request, ASK_COMPANY).office
    rows = Case.objects.filter(kind="clone-question", office=office).order_by(_OPEN_FIRST, "state", "-opened_at")
    page = Paginator(rows, 50).get_page(request.GET.get("page"))
    return render(request, "trade/questions.html", {"page": page, "is_asker": True})


@needs(ASK_COMPANY, to_act=True)
def ask_company(request: HttpRequest) -> HttpResponse:
    """Ask a company about a device."""
    return _ask(request, None)


@needs(ASK_COMPANY, to_act=True)
def ask_about(request: HttpRequest, number: int) -> HttpResponse:
    """Ask a company about the devices of a case of one's office."""
    about = get_object_or_404(Case, pk=number)
    reader_of(request, ASK_COMPANY, about)
    return _ask(request, about)


def _ask(request: HttpRequest, about: Case | None) -> HttpResponse:
    devices = [one.device for one in about.devices.all()] if about is not None else []
    initial = {"numbers": "\n".join(devices), "company": company_of_type(devices)}
    form = AskForm(request.POST or None, companies=companies(), initial=initial)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            made = ask(
                actor_of(request, ASK_COMPANY, about), told["numbers"], company=told["company"],
                question=told["question"], about=about,
            )  # fmt: skip
        except OpenceirError as refused:
            form.add_error("numbers", sentence_of_error(refused))
        else:
            return redirect("asked_question", made.pk)
    return form_page(request, "trade/ask.html", form, {"about": about})


@needs(ASK_COMPANY, to_act=True)
def asked_question(request: HttpRequest, number: int) -> HttpResponse:
    """One question, its answer with what shows it, and what follows."""
    case = get_object_or_404(Case, pk=number, kind="clone-question")
    actor = actor_of(request, ASK_COMPANY, case)
    form = MoreForm(request.POST or None, initial={"version": case.version})
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            if told["decision"] == "again":
                again(actor, case, text=told["text"], seen_version=told["version"])
            else:
                close(actor, case, seen_version=told["version"])
        except OpenceirError as refused:
            form.add_error("decision", sentence_of_error(refused))
        else:
            return redirect("asked_question", case.pk)
    may_go_on = {move.name for move in case.flow.moves_from(case.state)} & {"again", "close"}
    told = {**_told(case), "documents": case.evidence.all(), "may_go_on": bool(may_go_on)}
    return form_page(request, "trade/asked.html", form, told)


@needs(ANSWER)
def company_questions(request: HttpRequest) -> HttpResponse:
    """What offices ask one's company, the unanswered first."""
    office = reader_of(request, ANSWER).office
    rows = Case.objects.filter(kind="clone-question", details__company=office).order_by(_OPEN_FIRST, "-opened_at")
    page = Paginator(rows, 50).get_page(request.GET.get("page"))
    return render(request, "trade/questions.html", {"page": page, "is_asker": False})


@needs(ANSWER, to_act=True)
def company_question(request: HttpRequest, number: int) -> HttpResponse:
    """One question, and the form of the answer."""
    case = get_object_or_404(Case, pk=number, kind="clone-question")
    actor = actor_of(request, ANSWER, case)
    form = CompanyAnswerForm(request.POST or None, request.FILES or None, initial={"version": case.version})
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        documents = [told["document"]] if told["document"] else []
        try:
            answer(
                actor, case, word=told["word"], text=told["text"], documents=documents, key=told["key"],
                seen_version=told["version"],
            )  # fmt: skip
        except OpenceirError as refused:
            fields = {"stock-key-refused": "key", "evidence-refused": "document"}
            form.add_error(fields.get(refused.code, "text"), sentence_of_error(refused))
        else:
            return redirect("company_question", case.pk)
    may_answer = case.state in {"asked", "overdue"}
    return form_page(request, "trade/question.html", form, {**_told(case), "may_answer": may_answer})


def _told(case: Case) -> dict[str, object]:
    return {
        "case": case, "devices": [one.device for one in case.devices.all()], "today": moment.today().isoformat(),
        "answer": ANSWERS.get(case.details["answer"], ""), "events": case.events.filter(is_public=True),
    }  # fmt: skip
