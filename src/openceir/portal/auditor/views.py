"""The auditor's pages. Those of proofs are open to everybody; who did what is for auditors."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render

from openceir.errors import OpenceirError
from openceir.portal import moment
from openceir.portal.accounts.acts import actor_of, reader_of
from openceir.portal.accounts.committing import verify_committed
from openceir.portal.accounts.doors import needs
from openceir.portal.accounts.log import ChainBroken, lines_of_acts, note
from openceir.portal.accounts.models import Act, User
from openceir.portal.auditor.forms import ActsForm, CheckpointsForm, ReceiptForm, ReplayForm
from openceir.portal.auditor.proofs import compare_checkpoints, show_receipt
from openceir.portal.auditor.rules import READ_ACTS, REPLAY
from openceir.portal.register import register
from openceir.portal.regulator import jobs
from openceir.portal.regulator.models import Job
from openceir.portal.site.pages import form_page
from openceir.portal.site.refusals import sentence_of_error

__all__ = ["acts", "checkpoints", "proofs", "reads", "receipt", "replays"]


def proofs(request: HttpRequest) -> HttpResponse:
    """What anybody can check, here or at home."""
    ledger = register().ledger
    told = {"size": ledger.size, "key": ledger.log_key.format() if ledger.size else None}
    if ledger.size:
        told["checkpoint"] = ledger.checkpoint().format()
    return render(request, "auditor/proofs.html", told)


def receipt(request: HttpRequest) -> HttpResponse:
    """What a receipt proves. It stays nowhere."""
    form = ReceiptForm(request.POST or None, request.FILES or None)
    shown = None
    if request.method == "POST" and form.is_valid():
        try:
            shown = show_receipt(form.cleaned_data["octets"], form.cleaned_data["log_key"])
        except OpenceirError as refused:
            form.add_error("file" if form.cleaned_data.get("file") else "text", sentence_of_error(refused))
    return form_page(request, "auditor/receipt.html", form, {"shown": shown})


def checkpoints(request: HttpRequest) -> HttpResponse:
    """Whether nothing was changed or removed between two checkpoints."""
    form = CheckpointsForm(request.POST or None)
    rows = None
    if request.method == "POST" and form.is_valid():
        try:
            rows = compare_checkpoints(form.cleaned_data["earlier"], form.cleaned_data["later"])
        except OpenceirError as refused:
            form.add_error("earlier", sentence_of_error(refused))
    return form_page(request, "auditor/checkpoints.html", form, {"rows": rows})


@needs(READ_ACTS)
def acts(request: HttpRequest) -> HttpResponseBase:
    """Who did or read what; and whether the log of it is whole."""
    reader = reader_of(request, READ_ACTS)
    note(reader, "auditor.fetch-acts" if "file" in request.GET else "auditor.read-acts")
    if "file" in request.GET:
        return _acts_file()
    form = ActsForm(request.GET or None)
    rows = Act.objects.order_by("-number")
    if form.is_valid():
        told = form.cleaned_data
        rows = rows.filter(verb__startswith=told["verb"])
        for name in ("actor", "office"):
            rows = rows.filter(**{name: told[name]}) if told[name] else rows
    try:
        whole, broken = verify_committed(), ""
    except ChainBroken as wrong:
        whole, broken = None, sentence_of_error(wrong)
    told = {"page": Paginator(rows, 50).get_page(request.GET.get("page")), "whole": whole, "broken": broken}
    return form_page(request, "auditor/acts.html", form, told)


def _acts_file() -> StreamingHttpResponse:
    """The whole log for `openceir acts verify`; its last entry is that it was fetched."""
    response = StreamingHttpResponse(lines_of_acts(), content_type="application/jsonl; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="acts-{moment.today()}.jsonl"'
    response["Cache-Control"] = "no-store"
    return response


@needs(READ_ACTS)
def reads(request: HttpRequest) -> HttpResponse:
    """Who looked at whose subscribers by the command line and the HTTP interface."""
    note(reader_of(request, READ_ACTS), "auditor.read-reads")
    rows = list(register().read_audit.reads())[::-1]
    return render(request, "auditor/reads.html", {"page": Paginator(rows, 50).get_page(request.GET.get("page"))})


@needs(REPLAY)
def replays(request: HttpRequest) -> HttpResponse:
    """Judge again what a run of detection judged, from its own policy and lists, and say whether it comes out the same."""
    form = ReplayForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actor = actor_of(request, REPLAY)
        assert isinstance(request.user, User)
        try:
            register().detection_runs.run(form.cleaned_data["run"])
        except OpenceirError as refused:
            form.add_error("run", sentence_of_error(refused))
        else:
            note(actor, "auditor.replay", subject=f"run-{form.cleaned_data['run']}")
            jobs.ask(Job(kind="replay", asked=str(form.cleaned_data["run"]), asked_by=request.user))
            return redirect("replays")
    return form_page(request, "auditor/replays.html", form, {"jobs": Job.objects.filter(kind="replay")[:20]})
