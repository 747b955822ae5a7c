"""The regulator's pages: policy, findings, appeals. Its figures are in `figure_views.py`, waiting times and texts in `office_views.py`."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from openceir.errors import OpenceirError
from openceir.portal import moment
from openceir.portal.accounts.acts import actor_of
from openceir.portal.accounts.doors import needs
from openceir.portal.accounts.log import note
from openceir.portal.accounts.roles import may
from openceir.portal.cases.models import Case
from openceir.portal.citizens.appeals import decide_appeal
from openceir.portal.register import register
from openceir.portal.regulator.findings import propose_adoption, rules_of
from openceir.portal.regulator.forms import AppealForm, FileForm, LimitForm, ReasonForm
from openceir.portal.regulator.models import Draft
from openceir.portal.regulator.policy import (
    difference,
    draft_change,
    draft_limit,
    limits_now,
    propose_draft,
    standing_text,
)
from openceir.portal.regulator.rules import (
    ADOPT_FINDINGS,
    CHANGE_POLICY,
    DECIDE_APPEALS,
    READ_FINDINGS,
    READ_POLICY,
)
from openceir.portal.site.pages import form_page
from openceir.portal.site.refusals import sentence_of_error

__all__ = [
    "appeal",
    "appeals",
    "draft",
    "finding",
    "findings",
    "limit",
    "policy",
    "policy_file",
]


# -- policy --------------------------------------------------------------------------------------------------------------


@needs(READ_POLICY)
def policy(request: HttpRequest) -> HttpResponse:
    """The policy in force: its limits, its files, and drafts of changes."""
    told = {
        "policy": register().policy,
        "limits": limits_now(),
        "files": [path.name for path in register().policy_files()],
        "drafts": Draft.objects.select_related("author", "proposal")[:20],
        "may_change": may(request.user, CHANGE_POLICY),
    }
    return render(request, "regulator/policy.html", told)


@needs(CHANGE_POLICY, to_act=True)
def limit(request: HttpRequest, path: str) -> HttpResponse:
    """Draft a change of one limit."""
    present = register().policy.limit(path, moment.now().date())
    form = LimitForm(request.POST or None, initial={"value": present.value, "source": present.source})
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            made = draft_limit(actor_of(request, CHANGE_POLICY), path=path, **told)
        except OpenceirError as refused:
            form.add_error("value", sentence_of_error(refused))
        else:
            return redirect("policy_draft", made.pk)
    return form_page(request, "regulator/limit.html", form, {"path": path, "limit": present})


@needs(CHANGE_POLICY, to_act=True)
def policy_file(request: HttpRequest, file: str) -> HttpResponse:
    """Draft a change of a whole file."""
    form = FileForm(request.POST or None, initial={"text": standing_text(file)})
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            made = draft_change(actor_of(request, CHANGE_POLICY), file=file, text=told["text"], reason=told["reason"])
        except OpenceirError as refused:
            form.add_error("text", sentence_of_error(refused))
        else:
            return redirect("policy_draft", made.pk)
    return form_page(request, "regulator/policy_file.html", form, {"file": file})


@needs(READ_POLICY)
def draft(request: HttpRequest, number: int) -> HttpResponse:
    """A draft: what it changes, what it would do to how many, and the button that puts it before a second person."""
    kept = get_object_or_404(Draft, pk=number)
    if request.method == "POST":
        propose_draft(actor_of(request, CHANGE_POLICY), kept)
        return redirect("approvals")
    told = {"draft": kept, "difference": difference(kept), "may_change": may(request.user, CHANGE_POLICY)}
    return render(request, "regulator/draft.html", told)


# -- findings ------------------------------------------------------------------------------------------------------------


@needs(READ_FINDINGS)
def findings(request: HttpRequest) -> HttpResponse:
    """The runs of detection, the newest first."""
    return render(request, "regulator/findings.html", {"runs": register().detection_runs.runs()})


@needs(READ_FINDINGS)
def finding(request: HttpRequest, number: int) -> HttpResponse:
    """One run: what each rule found, and the form that puts it before a second person."""
    run = register().detection_runs.run(number)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        propose_adoption(actor_of(request, ADOPT_FINDINGS), run, reason=form.cleaned_data["reason"])
        return redirect("approvals")
    may_adopt = run.adopted_at is None and may(request.user, ADOPT_FINDINGS)
    return form_page(
        request, "regulator/finding.html", form, {"run": run, "rules": rules_of(run), "may_adopt": may_adopt}
    )


# -- appeals -------------------------------------------------------------------------------------------------------------


@needs(DECIDE_APPEALS)
def appeals(request: HttpRequest) -> HttpResponse:
    """Appeals that wait for a decision, the most urgent first, and those decided."""
    waiting = Case.objects.filter(kind="appeal", closed_at=None).prefetch_related("deadlines").order_by("opened_at")
    decided = Case.objects.filter(kind="appeal").exclude(closed_at=None).order_by("-closed_at")[:20]
    told = {"page": Paginator(waiting, 50).get_page(request.GET.get("page")), "decided": decided, "now": moment.now()}
    return render(request, "regulator/appeals.html", told)


@needs(DECIDE_APPEALS, to_act=True)
def appeal(request: HttpRequest, number: int) -> HttpResponse:
    """One appeal with its evidence, what the register says of the device, and the form of the decision."""
    case = get_object_or_404(Case, pk=number, kind="appeal")
    actor = actor_of(request, DECIDE_APPEALS, case)
    note(actor, "regulator.read-appeal", subject=case.reference)
    form = AppealForm(request.POST or None, initial={"version": case.version})
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            if told["decision"] == "ask":
                case.move("ask", actor=actor.office, text=told["reasons"], seen_version=told["version"])
            else:
                decide_appeal(
                    actor,
                    case,
                    grant=told["decision"] == "grant",
                    reasons=told["reasons"],
                    seen_version=told["version"],
                )
        except OpenceirError as refused:
            form.add_error(None, sentence_of_error(refused))
        else:
            return redirect("appeals")
    device = case.devices.get().device
    told = {
        "case": case, "device": device, "answer": register().check(device, moment.now()), "stated": _stated(case),
    }  # fmt: skip
    return form_page(request, "regulator/appeal.html", form, told)


def _stated(case: Case) -> list[dict[str, Any]]:
    """The statements that are appealed against: who said what, and on which grounds; none that was erased since."""
    entries = [register().ledger.entry(index) for index in case.details["statements"]]
    return [
        {
            "issuer": entry.header.issuer,
            "kind": entry.header.kind,
            "stated_at": entry.header.stated_at,
            "grounds": getattr(entry.said, "grounds", "") or getattr(entry.said, "case_number", ""),
        }
        for entry in entries
        if entry.said is not None
    ]
