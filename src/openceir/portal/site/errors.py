"""Pages for what went wrong before a view was reached."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from openceir.portal.site.kept import fields_of

__all__ = ["expired_form"]


def expired_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its token: nearly always a page that was open for too long. Nothing was done.

    What it brought is offered again, but only to a form of our own pages, which the browser itself vouches for (Origin):
    another site could else fill in a form here and hope that somebody presses its button.
    """
    ours = f"{request.scheme}://{request.get_host()}"
    kept = fields_of(request) if request.headers.get("Origin") == ours else None
    return render(request, "site/expired.html", {"kept": kept}, status=403)
