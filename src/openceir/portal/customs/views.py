"""The customs' pages."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from openceir.errors import OpenceirError
from openceir.portal import moment
from openceir.portal.accounts.acts import actor_of, reader_of
from openceir.portal.accounts.doors import needs
from openceir.portal.accounts.errors import PortalError
from openceir.portal.accounts.log import note
from openceir.portal.cases.models import Case
from openceir.portal.citizens.imports import accept_import, reject_import
from openceir.portal.customs.consignments import compare, decide, open_consignment, scan
from openceir.portal.customs.forms import DecisionForm, ImportForm, ManifestForm, ScanForm
from openceir.portal.customs.models import Consignment
from openceir.portal.customs.rules import DECIDE_IMPORTS, DECLARE, READ_CONSIGNMENTS, READ_IMPORTS, RELEASE, SCAN
from openceir.portal.register import register
from openceir.portal.site.pages import form_page
from openceir.portal.site.refusals import sentence_of_error

__all__ = ["consignment", "consignments", "declare", "imports", "ports", "scan_devices", "traveller"]


@needs(READ_CONSIGNMENTS)
def consignments(request: HttpRequest) -> HttpResponse:
    """The consignments, those to be checked first."""
    rows = Consignment.objects.annotate(devices=Count("declared", distinct=True), seen=Count("scanned", distinct=True))
    rows = rows.order_by("-opened_at", "-pk")  # counting takes away the order that the model has
    waiting = Paginator(rows.filter(state=Consignment.State.OPEN), 50).get_page(request.GET.get("page"))
    decided = rows.exclude(state=Consignment.State.OPEN).order_by("-decided_at")[:20]
    return render(request, "customs/consignments.html", {"page": waiting, "decided": decided})


@needs(DECLARE, to_act=True)
def declare(request: HttpRequest) -> HttpResponse:
    """Open a consignment from its manifest."""
    form = ManifestForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            made, refused = open_consignment(
                actor_of(request, DECLARE),
                told["file"],
                number=told["number"],
                importer=told["importer"],
                port=told["port"],
            )
        except OpenceirError as wrong:
            form.add_error("file", sentence_of_error(wrong))
        else:
            for line, why in refused[:50]:
                messages.error(request, _("Line %(line)d was set aside: %(why)s") % {"line": line, "why": why})
            return redirect("consignment", made.pk)
    return form_page(request, "customs/declare.html", form, {})


@needs(READ_CONSIGNMENTS)
def consignment(request: HttpRequest, number: int) -> HttpResponse:
    """Declared against scanned, and the form of the decision."""
    kept = get_object_or_404(Consignment, pk=number)
    form = DecisionForm(request.POST or None, initial={"version": kept.version})
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            released = decide(
                actor_of(request, RELEASE), kept, release=told["decision"] == "release", grounds=told["grounds"],
                seen_version=told["version"],
            )  # fmt: skip
        except OpenceirError as refused:
            form.add_error("grounds", sentence_of_error(refused))
        else:
            said = ngettext("%(n)d device was released.", "%(n)d devices were released.", released) % {"n": released}
            messages.success(request, said)
            return redirect("consignment", kept.pk)
    lines = compare(kept)
    counts: dict[str, int] = {}
    for line in lines:
        counts[str(line.words)] = counts.get(str(line.words), 0) + 1
    told = {
        "consignment": kept, "page": Paginator(lines, 200).get_page(request.GET.get("page")), "counts": counts,
        "scan_form": ScanForm(), "is_open": kept.state == Consignment.State.OPEN,
    }  # fmt: skip
    return form_page(request, "customs/consignment.html", form, told)


@needs(SCAN)
def scan_devices(request: HttpRequest, number: int) -> HttpResponse:
    """Take in what was scanned."""
    kept = get_object_or_404(Consignment, pk=number)
    form = ScanForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            for sentence in scan(reader_of(request, SCAN), kept, form.cleaned_data["numbers"])[:20]:
                messages.error(request, sentence)
        except OpenceirError as refused:
            form.add_error("numbers", sentence_of_error(refused))
        else:
            return redirect("consignment", kept.pk)
    return form_page(request, "customs/scan.html", form, {"consignment": kept})


@needs(READ_IMPORTS)
def imports(request: HttpRequest) -> HttpResponse:
    """Devices that travellers brought, waiting for a decision."""
    waiting = Case.objects.filter(kind="import", closed_at=None).order_by("opened_at")
    decided = Case.objects.filter(kind="import").exclude(closed_at=None).order_by("-closed_at")[:20]
    told = {"page": Paginator(waiting, 50).get_page(request.GET.get("page")), "decided": decided}
    return render(request, "customs/imports.html", told)


@needs(DECIDE_IMPORTS, to_act=True)
def traveller(request: HttpRequest, number: int) -> HttpResponse:
    """One import, whole, and the form of the decision."""
    case = get_object_or_404(Case, pk=number, kind="import")
    actor = actor_of(request, DECIDE_IMPORTS, case)
    note(actor, "customs.read-import", subject=case.reference)
    form = ImportForm(request.POST or None, initial={"version": case.version})
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            if told["decision"] != "accept" and len(told["text"].strip()) < 10:
                raise PortalError(_("Write your question or your reasons: the person reads them."))
            if told["decision"] == "ask":
                case.move("ask", actor=actor.office, text=told["text"], seen_version=told["version"])
            elif told["decision"] == "reject":
                reject_import(actor, case, reasons=told["text"], seen_version=told["version"])
            else:
                accept_import(actor, case, text=told["text"], seen_version=told["version"])
        except OpenceirError as refused:
            form.add_error("text", sentence_of_error(refused))
        else:
            return redirect("imports")
    devices = [(one.device, register().check(one.device, moment.now())) for one in case.devices.all()]
    under_name = 0
    if case.person is not None:
        under_name = Case.objects.filter(kind="import", person=case.person, state="accepted").count()
    told = {"case": case, "devices": devices, "under_name": under_name, "events": case.events.all()}
    return form_page(request, "customs/import.html", form, told)


@needs(READ_CONSIGNMENTS)
def ports(request: HttpRequest) -> HttpResponse:
    """What came through each port of entry."""
    is_released, is_held = Q(state=Consignment.State.RELEASED), Q(state=Consignment.State.HELD)
    rows = (
        Consignment.objects.values("port")
        .annotate(
            consignments=Count("pk", distinct=True),
            released=Count("pk", filter=is_released, distinct=True),
            held=Count("pk", filter=is_held, distinct=True),
            devices=Count("declared", distinct=True),
            seen=Count("scanned", distinct=True),
        )
        .order_by("port")
    )
    return render(request, "customs/ports.html", {"rows": rows})
