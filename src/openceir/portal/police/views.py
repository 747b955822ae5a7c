"""The police's pages."""

import csv
from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render

from openceir.errors import OpenceirError
from openceir.portal import moment
from openceir.portal.accounts.acts import Actor, actor_of, reader_of
from openceir.portal.accounts.doors import needs
from openceir.portal.accounts.log import note, subject_of_device
from openceir.portal.cases.models import Case
from openceir.portal.cases.signals import tell_checked
from openceir.portal.citizens.reports import ANTITHEFT, VERIFIED
from openceir.portal.police.bulk import propose_bulk, read_bulk
from openceir.portal.police.decisions import decide_report, needs_two
from openceir.portal.police.forms import (
    BulkForm,
    DecisionForm,
    FindForm,
    NoteForm,
    QueueForm,
    ReturnForm,
    RoadsideForm,
    SeizeForm,
)
from openceir.portal.police.models import Hit
from openceir.portal.police.rules import BLOCK_IN_BULK, CHECK_ROADSIDE, DECIDE_CASES, READ_CASES, SEIZE
from openceir.portal.police.seizures import give_back, keep, seize
from openceir.portal.register import register
from openceir.portal.site.pages import form_page
from openceir.portal.site.refusals import sentence_of_error

__all__ = [
    "add_note",
    "bulk",
    "case",
    "find",
    "hits",
    "queue",
    "queue_csv",
    "roadside",
    "seize_device",
    "seizure",
    "take",
]

KINDS = ("theft", "loss", "recovery")
_TO_DECIDE = ("received", "insisted")
OVERDUE_AFTER = timedelta(hours=24)


# -- cases ---------------------------------------------------------------------------------------------------------------


@needs(READ_CASES)
def queue(request: HttpRequest) -> HttpResponse:
    """The cases of one's office."""
    reader = reader_of(request, READ_CASES)
    form = QueueForm(request.GET or None)
    page = Paginator(_queue(reader, form), 50).get_page(request.GET.get("page"))
    told = {
        "page": page,
        "overdue_before": moment.now() - OVERDUE_AFTER,
        "unread": _hits(reader).filter(read_at=None).count(),
    }
    return form_page(request, "police/queue.html", form, told)


@needs(READ_CASES)
def queue_csv(request: HttpRequest) -> HttpResponse:
    """The same cases as CSV: references, kinds, states and instants; no person and no device."""
    reader = reader_of(request, READ_CASES)
    note(reader, "police.export-queue")
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="cases.csv"'
    writer = csv.writer(response)
    writer.writerow(["reference", "kind", "state", "opened_at", "assigned_to"])
    for one in _queue(reader, QueueForm(request.GET or None))[:10_000]:
        writer.writerow([one.reference, one.kind, one.state, one.opened_at.isoformat(), one.assigned_to or ""])
    return response


def _queue(reader: Actor, form: QueueForm) -> Any:
    asked = form.cleaned_data if form.is_valid() else {}
    cases = Case.objects.filter(office=reader.office, kind__in=KINDS).select_related("assigned_to")
    match asked.get("state"):
        case "unproven":
            cases = cases.filter(state="unproven")
        case "open":
            cases = cases.filter(closed_at=None)
        case "closed":
            cases = cases.exclude(closed_at=None)
        case "overdue":
            cases = cases.filter(state__in=_TO_DECIDE, opened_at__lt=moment.now() - OVERDUE_AFTER)
        case _:
            cases = cases.filter(state__in=_TO_DECIDE)
    if asked.get("whose") == "mine":
        cases = cases.filter(assigned_to=reader.user)
    elif asked.get("whose") == "nobody":
        cases = cases.filter(assigned_to=None)
    return cases.order_by("-opened_at" if asked.get("order") == "newest" else "opened_at")


@needs(DECIDE_CASES, to_act=True)
def case(request: HttpRequest, number: int) -> HttpResponse:
    """One case, whole: reading it is an act; and the form of the decision."""
    kept = get_object_or_404(Case, pk=number, kind__in=KINDS)
    actor = actor_of(request, DECIDE_CASES, kept)
    note(actor, "police.read-case", subject=kept.reference)
    possible = [move.name for move in kept.flow.moves_from(kept.state)]
    form = DecisionForm(request.POST or None, possible=possible, initial={"version": kept.version})
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        decision = "recover" if told["decision"] == "confirm" else told["decision"]
        try:
            proposal = decide_report(actor, kept, decision, text=told["text"], seen_version=told["version"])
        except OpenceirError as refused:
            form.add_error("text", sentence_of_error(refused))
        else:
            return redirect("approvals" if proposal else "police_queue")
    devices = [(one.device, register().check(one.device, moment.now())) for one in kept.devices.all()]
    told = {
        "case": kept, "devices": devices, "possible": possible, "note_form": NoteForm(), "needs_two": needs_two(),
        "hits": kept.hits.all()[:20], "events": kept.events.all(), "happened_at": _happened_at(kept),
        "antitheft": ANTITHEFT.get(kept.details.get("antitheft", ""), ""),
    }  # fmt: skip
    kept.hits.filter(read_at=None).update(read_at=moment.now())
    return form_page(request, "police/case.html", form, told)


def _happened_at(kept: Case) -> datetime | None:
    text = kept.details.get("happened_at")
    return datetime.fromisoformat(text) if text else None


@needs(DECIDE_CASES)
def take(request: HttpRequest, number: int) -> HttpResponseRedirect:
    """Make a case one's own."""
    kept = get_object_or_404(Case, pk=number, kind__in=KINDS)
    actor = reader_of(request, DECIDE_CASES, kept)
    if request.method == "POST":
        Case.objects.filter(pk=kept.pk).update(assigned_to=actor.user)
        kept.tell("note", actor=actor.name, text=f"→ {actor.name}", is_public=False)
    return redirect("police_case", kept.pk)


@needs(DECIDE_CASES)
def add_note(request: HttpRequest, number: int) -> HttpResponseRedirect:
    """Add a note that only colleagues read."""
    kept = get_object_or_404(Case, pk=number, kind__in=KINDS)
    actor = reader_of(request, DECIDE_CASES, kept)
    form = NoteForm(request.POST)
    if form.is_valid():
        kept.tell("note", actor=actor.name, text=form.cleaned_data["note"], is_public=False)
    return redirect("police_case", kept.pk)


@needs(READ_CASES)
def find(request: HttpRequest) -> HttpResponse:
    """Cases of one's office by their reference or a number of the device; asked by a post, which no address keeps."""
    form = FindForm(request.POST or None)
    found: list[Case] | None = None
    if request.method == "POST" and form.is_valid():
        reader = reader_of(request, READ_CASES)
        told = form.cleaned_data
        by = Q(reference=told["reference"]) if told["reference"] else Q(devices__device=told["device"])
        subject = told["reference"] or subject_of_device(told["device"])
        note(reader, "police.find-case", subject=subject, reason=told["purpose"])
        kinds = (*KINDS, "seizure")
        found = list(Case.objects.filter(by, office=reader.office, kind__in=kinds).distinct()[:50])
    return form_page(request, "police/find.html", form, {"found": found, "is_asked": found is not None})


@needs(READ_CASES)
def hits(request: HttpRequest) -> HttpResponse:
    """Alerts: reported devices that somebody asked about or a network saw."""
    page = Paginator(_hits(reader_of(request, READ_CASES)), 50).get_page(request.GET.get("page"))
    return render(request, "police/hits.html", {"page": page})


def _hits(reader: Actor) -> Any:
    mine = Q(case__assigned_to=reader.user) | Q(case__assigned_to=None)
    return Hit.objects.filter(mine, case__office=reader.office).select_related("case")


# -- on the road -----------------------------------------------------------------------------------------------------------


@needs(CHECK_ROADSIDE)
def roadside(request: HttpRequest) -> HttpResponse:
    """What the register says of a phone in the hand, and which report is about it."""
    form = RoadsideForm(request.POST or None)
    answers: list[dict[str, Any]] = []
    if request.method == "POST" and form.is_valid():
        reader = reader_of(request, CHECK_ROADSIDE)
        for number in form.cleaned_data["numbers"]:
            answers.append(_roadside_answer(reader, number, form.cleaned_data["purpose"]))
    return form_page(request, "police/roadside.html", form, {"answers": answers})


def _roadside_answer(reader: Actor, number: str, purpose: str) -> dict[str, Any]:
    try:
        answer = register().check(number, moment.now())
    except OpenceirError as refused:
        return {"number": number, "refused": sentence_of_error(refused)}
    device = answer.canonical[:14]
    note(reader, "police.check-roadside", subject=subject_of_device(device), reason=purpose)
    tell_checked([device], "police")
    reports = Case.objects.filter(kind__in=("theft", "loss"), state__in=VERIFIED, devices__device=device).distinct()
    return {"number": number, "answer": answer, "reports": list(reports)}


@needs(SEIZE, to_act=True)
def seize_device(request: HttpRequest) -> HttpResponse:
    """Take a device into custody."""
    form = SeizeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            kept = seize(actor_of(request, SEIZE), told["numbers"], grounds=told["grounds"], bearer=told["bearer"])
        except OpenceirError as refused:
            form.add_error("numbers", sentence_of_error(refused))
        else:
            return redirect("seizure", kept.pk)
    return form_page(
        request, "police/seize.html", form, {"seized": Case.objects.filter(kind="seizure", closed_at=None)[:50]}
    )


@needs(SEIZE, to_act=True)
def seizure(request: HttpRequest, number: int) -> HttpResponse:
    """A seized device, and the form that gives it back, or keeps it by order of a court."""
    kept = get_object_or_404(Case, pk=number, kind="seizure")
    actor = actor_of(request, SEIZE, kept)
    note(actor, "police.read-case", subject=kept.reference)
    form = ReturnForm(request.POST or None, initial={"version": kept.version, "decision": "return"})
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            if told["decision"] == "keep":
                keep(actor, kept, text=told["text"], seen_version=told["version"])
            else:
                give_back(actor, kept, text=told["text"], imsi=told["imsi"], seen_version=told["version"])
        except OpenceirError as refused:
            form.add_error("text", sentence_of_error(refused))
        else:
            return redirect("seizure", kept.pk)
    return form_page(
        request, "police/seizure.html", form, {"case": kept, "devices": kept.devices.all(), "events": kept.events.all()}
    )


@needs(BLOCK_IN_BULK, to_act=True)
def bulk(request: HttpRequest) -> HttpResponse:
    """Block many stolen devices: a list, its refused rows, and a supervisor's word."""
    form = BulkForm(request.POST or None, request.FILES or None)
    read = None
    if request.method == "POST" and form.is_valid():
        try:
            read = read_bulk(form.cleaned_data["file"])
            if read.count:
                propose_bulk(actor_of(request, BLOCK_IN_BULK), read, reason=form.cleaned_data["reason"])
        except OpenceirError as refused:
            form.add_error("file", sentence_of_error(refused))
    return form_page(request, "police/bulk.html", form, {"read": read})
