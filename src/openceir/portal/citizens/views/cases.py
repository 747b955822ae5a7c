"""My case: opened by reference and secret, with its timeline and what one can do about it."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from openceir.portal.cases.evidence import add_evidence
from openceir.portal.cases.models import Case, Evidence
from openceir.portal.cases.views import handed_out
from openceir.portal.citizens.forms import AnswerForm, AntitheftForm, DocumentForm, OpenCaseForm
from openceir.portal.citizens.reports import ANTITHEFT, VERIFIED, insist, prove, request_recovery
from openceir.portal.citizens.views.opened import case_of, open_here, take_secret

__all__ = ["act", "case", "document", "open_case", "written"]


@require_http_methods(["GET", "HEAD", "POST"])
def open_case(request: HttpRequest) -> HttpResponse:
    """Enter reference and secret."""
    form = OpenCaseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        found = Case.find(form.cleaned_data["reference"], form.cleaned_data["secret"])
        if found is not None:
            request.session.cycle_key()
            open_here(request, found)
            return redirect("case", number=found.pk)
        form.add_error(
            "secret", _("No case has this reference together with this secret. Compare both with what you wrote down.")
        )
    return render(request, "citizens/open.html", {"form": form, "has_errors": bool(form.errors)})


@require_GET
def written(request: HttpRequest, number: int) -> HttpResponse:
    """Reference and secret, shown once."""
    found = case_of(request, number)
    secret = take_secret(request, found)
    if secret is None:
        return redirect("case", number=number)
    return render(request, "citizens/written.html", {"case": found, "secret": secret})


@require_GET
def case(request: HttpRequest, number: int) -> HttpResponse:
    """The page of one case."""
    return _page(request, case_of(request, number))


def _page(request: HttpRequest, found: Case, **forms: Any) -> HttpResponse:
    is_report = found.kind in {"theft", "loss"}
    statements = [
        index for index in [*found.details.get("disputes", []), found.details.get("tracked_by")] if index is not None
    ]
    return render(
        request,
        "citizens/case.html",
        {
            "case": found,
            "events": found.events.filter(is_public=True),
            "devices": [one.device for one in found.devices.all()],
            "documents": found.evidence.all(),
            "deadline": found.deadlines.filter(done_at=None).first(),
            "statements": statements,
            "antitheft_text": ANTITHEFT.get(found.details.get("antitheft", ""), ""),
            "document_form": forms.get("document")
            or (DocumentForm() if found.is_open and found.kind != "watch" else None),
            "answer_form": forms.get("answer") or (AnswerForm() if found.state == "asked" else None),
            "antitheft_form": forms.get("antitheft")
            or (AntitheftForm(initial=found.details) if is_report and found.is_open else None),
            "can_recover": is_report
            and found.state in VERIFIED
            and not found.children.filter(kind="recovery", closed_at=None).exists(),
            "can_withdraw": "withdraw" in {move.name for move in found.flow.moves_from(found.state)},
            "can_insist": is_report and found.state == "watched",
            "can_stop": found.kind == "watch" and found.is_open,
            "has_errors": bool(forms),
            "children": found.children.all(),
        },
    )


@require_POST
def act(request: HttpRequest, number: int, what: str) -> HttpResponse:
    """One thing that a citizen does about a case."""
    found = case_of(request, number)
    match what:
        case "document":
            form = DocumentForm(request.POST, request.FILES)
            if not form.is_valid():
                return _page(request, found, document=form)
            if found.kind in {"theft", "loss"}:
                prove(found, form.cleaned_data["document"])
            else:
                add_evidence(found, form.cleaned_data["document"])
            messages.success(request, _("The document was added."))
        case "answer":
            answer = AnswerForm(request.POST)
            if not answer.is_valid():
                return _page(request, found, answer=answer)
            found.move("answer", actor="", text=answer.cleaned_data["text"])
            messages.success(request, _("Your answer was sent."))
        case "antitheft":
            state = AntitheftForm(request.POST)
            if not state.is_valid():
                return _page(request, found, antitheft=state)
            with transaction.atomic():
                kept = Case.objects.select_for_update().get(pk=found.pk)
                kept.details["antitheft"] = state.cleaned_data["antitheft"]
                kept.save()
                kept.tell("note", actor="", text=str(ANTITHEFT[kept.details["antitheft"]]))
        case "recover":
            open_here(request, request_recovery(found, text=_("I have it back.")))
            messages.success(request, _("The police were asked to confirm that the phone is back."))
        case "insist":
            if found.kind not in {"theft", "loss"}:
                raise Http404
            insist(found)
        case "withdraw" | "stop":
            found.move(what, actor="")
        case _:
            raise Http404
    return redirect("case", number=number)


@require_GET
def document(request: HttpRequest, number: int, which: int) -> HttpResponseBase:
    """A document of one's own case."""
    return handed_out(get_object_or_404(Evidence, pk=which, case=case_of(request, number)))
