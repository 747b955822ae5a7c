"""Pages for what went wrong before a view was reached."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

__all__ = ["expired_form"]


def expired_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its token: nearly always a page that was open for too long. Nothing was done."""
    return render(request, "site/expired.html", status=403)
