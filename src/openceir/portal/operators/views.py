"""The operators' pages."""

import io
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from openceir.errors import OpenceirError
from openceir.portal import moment
from openceir.portal.accounts.acts import Actor, actor_of, reader_of
from openceir.portal.accounts.doors import needs
from openceir.portal.accounts.log import note
from openceir.portal.operators.dumps import DumpRefused, OffsetDiffers, begin, give_up, rejects_of, take
from openceir.portal.operators.forms import BeginForm, DumpForm, SentForm
from openceir.portal.operators.lists import list_statuses
from openceir.portal.operators.models import Dump, NoticesSent
from openceir.portal.operators.rules import READ_LISTS, READ_REJECTS, SEND_NOTICES, UPLOAD
from openceir.portal.register import register
from openceir.portal.site.pages import form_page
from openceir.portal.site.refusals import sentence_of_error
from openceir.storage.list_writing import moment_text

__all__ = ["begin_dump", "dump", "dumps", "lists", "notices", "octets", "rejects"]

_OFFSET = "Upload-Offset"


# -- dumps ---------------------------------------------------------------------------------------------------------------


@needs(UPLOAD, to_act=True)
def dumps(request: HttpRequest) -> HttpResponse:
    """The operator's dumps, and the form that sends one: in parts by a script, else whole."""
    office = reader_of(request, UPLOAD).office
    form = DumpForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        file = told["file"]
        try:
            made = begin(
                actor_of(request, UPLOAD), name=file.name, size_octets=file.size, sha256=told["sha256"],
                since=told["since"], until=told["until"],
            )  # fmt: skip
            file.seek(made.received_octets)
            take(made, made.received_octets, file)
        except OpenceirError as refused:
            form.add_error("file", sentence_of_error(refused))
        else:
            return redirect("dump", made.pk)
    page = Paginator(Dump.objects.filter(operator=office), 50).get_page(request.GET.get("page"))
    return _page(request, "dumps", form, {"page": page})


@require_POST
@needs(UPLOAD, to_act=True)
def begin_dump(request: HttpRequest) -> HttpResponse:
    """For the script: where to send the octets of a file, and how many are there already."""
    form = BeginForm(request.POST)
    if not form.is_valid():
        return JsonResponse({"errors": {name: list(map(str, said)) for name, said in form.errors.items()}}, status=400)
    told = form.cleaned_data
    try:
        made = begin(
            actor_of(request, UPLOAD), name=told["name"], size_octets=told["size"], sha256=told["sha256"],
            mark=told["mark"], since=told["since"], until=told["until"],
        )  # fmt: skip
    except OpenceirError as refused:
        return JsonResponse({"errors": {"file": [sentence_of_error(refused)]}}, status=400)
    return JsonResponse(
        {
            "offset": made.received_octets,
            "octets": reverse("dump_octets", args=[made.pk]),
            "page": reverse("dump", args=[made.pk]),
        }
    )


@require_http_methods(["HEAD", "PATCH"])
@needs(UPLOAD)
def octets(request: HttpRequest, number: int) -> HttpResponse:
    """HEAD: how many octets are here, in `Upload-Offset`. PATCH: more, from the offset that the same header says.

    204 with the new offset; 409 with the right one when the part begins elsewhere. A part that breaks off is kept as
    far as it came.
    """
    kept = _dump(request, number)
    if request.method == "HEAD":
        return HttpResponse(status=204, headers={_OFFSET: str(kept.received_octets)})
    told = request.headers.get(_OFFSET, "")
    if not (told.isascii() and told.isdigit() and len(told) <= 16):
        return HttpResponse(_("Say in Upload-Offset where the part begins."), status=400, content_type="text/plain")
    try:
        status, said = 204, ""
        take(kept, int(told), request)
    except OffsetDiffers as refused:
        status, said = 409, sentence_of_error(refused)
    except DumpRefused as refused:
        status, said = 423, sentence_of_error(refused)
    finally:
        # Django's request is a ring of references, which stays until the collector comes by: without the buffers of
        # its body, or a gigabyte in parts would leave a hundred megabytes of them.
        request.META["wsgi.input"] = request._stream = io.BytesIO()
    return HttpResponse(
        said, status=status, content_type="text/plain; charset=utf-8", headers={_OFFSET: str(kept.received_octets)}
    )


@needs(UPLOAD)
def dump(request: HttpRequest, number: int) -> HttpResponse:
    """One dump: how far it is, what was accepted, what was set aside."""
    kept = _dump(request, number)
    if request.method == "POST":
        give_up(actor_of(request, UPLOAD, kept), kept)
        return redirect("dumps")
    return render(request, "operators/dump.html", {"dump": kept, "has_rejects": rejects_of(kept) is not None})


@needs(READ_REJECTS)
def rejects(request: HttpRequest, number: int) -> HttpResponseBase:
    """The reject report: line, column, value and reason of each row that was set aside."""
    kept = _dump(request, number)
    path = rejects_of(kept)
    if path is None:
        raise Http404
    note(reader_of(request, READ_REJECTS, kept), "operators.read-rejects", subject=f"dump-{kept.pk}")
    return _file(path.open("rb"), f"rejects-{kept.pk}.csv.gz", "application/gzip")


# -- lists ---------------------------------------------------------------------------------------------------------------


@needs(READ_LISTS)
def lists(request: HttpRequest) -> HttpResponse:
    """Which lists were delivered, and which the operator's registers answer by."""
    return render(request, "operators/lists.html", {"lists": list_statuses(reader_of(request, READ_LISTS).office)})


@needs(SEND_NOTICES)
def notices(request: HttpRequest) -> HttpResponseBase:
    """The newest list of subscribers to notify: to fetch (`?file`), and to confirm once they were told."""
    actor = reader_of(request, SEND_NOTICES)
    newest = register().list_runs.newest(actor.office, "notifications")
    if "file" in request.GET:
        return _notices_file(actor, newest)
    told_before = NoticesSent.objects.filter(operator=actor.office)
    form = SentForm(request.POST or None)
    if request.method == "POST" and newest is not None and form.is_valid():
        actor = actor_of(request, SEND_NOTICES)
        assert actor.user is not None
        _kept, is_new = NoticesSent.objects.get_or_create(
            operator=actor.office, sequence=newest.sequence, defaults={**form.cleaned_data, "by": actor.user}
        )
        if is_new:
            note(actor, "operators.confirm-notices", subject=f"notifications-{newest.sequence}")
            messages.success(request, _("Thank you: it is on record."))
        else:
            messages.error(request, _("This list was confirmed already."))
        return redirect("operator_notices")
    is_told = newest is not None and told_before.filter(sequence=newest.sequence).exists()
    told = {"newest": newest, "is_told": is_told, "told_before": told_before[:20]}
    return _page(request, "notices", form, told)


def _notices_file(actor: Actor, newest: Any) -> HttpResponseBase:
    if newest is None or not newest.kept:
        raise Http404
    note(actor, "operators.read-notices", subject=f"notifications-{newest.sequence}", count=max(newest.rows, 1))
    at = moment_text(moment.now())
    register().list_runs.received.fetched(actor.office, "notifications", newest.sequence, at)
    path = register().list_runs.files_of(newest).rows
    return _file(path.open("rb"), path.name, "text/csv; charset=utf-8")


def _file(file: Any, name: str, media_type: str) -> FileResponse:
    response = FileResponse(file, as_attachment=True, filename=name, content_type=media_type)
    response["Cache-Control"] = "no-store"
    response["Content-Encoding"] = "identity"  # nothing between here and the operator packs it again
    return response


def _dump(request: HttpRequest, number: int) -> Dump:
    """A dump of the reader's own operator. Raises: Http404, NotAllowed."""
    kept = get_object_or_404(Dump, pk=number)
    reader_of(request, UPLOAD, kept)
    return kept


def _page(request: HttpRequest, name: str, form: forms.Form, told: dict[str, Any]) -> HttpResponse:
    return form_page(request, f"operators/{name}.html", form, told)
