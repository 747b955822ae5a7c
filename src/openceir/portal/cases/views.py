"""What every office's case pages share: handing out a document."""

from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404

from openceir.portal.accounts.acts import reader_of
from openceir.portal.accounts.doors import needs
from openceir.portal.accounts.log import note
from openceir.portal.cases.evidence import path_of
from openceir.portal.cases.models import Evidence
from openceir.portal.cases.rules import READ_EVIDENCE

__all__ = ["evidence", "handed_out"]


@needs(READ_EVIDENCE)
def evidence(request: HttpRequest, number: int) -> HttpResponseBase:
    """A document, to an officer of the office that decides the case. The read is on record before a byte leaves."""
    kept = get_object_or_404(Evidence, pk=number)
    reader = reader_of(request, READ_EVIDENCE, kept.case)
    note(reader, "cases.read-evidence", subject=kept.case.reference)
    return handed_out(kept)


def handed_out(kept: Evidence) -> FileResponse:
    """The octets as an attachment of the kind that was found in them, allowed to do nothing."""
    response = FileResponse(
        path_of(kept).open("rb"), as_attachment=True, filename=kept.name, content_type=kept.media_type
    )
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    return response
