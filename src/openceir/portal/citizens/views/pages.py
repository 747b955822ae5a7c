"""Pages that only tell: help, awareness, how the portal treats people, and public figures."""

import csv

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from openceir.portal.citizens.figures import public_figures

__all__ = ["figures", "page"]

_PAGES = {"find", "buying", "stolen", "copied", "travel", "privacy", "accessibility"}


@require_GET
def page(request: HttpRequest, name: str) -> HttpResponse:
    """One of them."""
    if name not in _PAGES:
        raise Http404
    return render(request, f"citizens/help/{name}.html")


@require_GET
def figures(request: HttpRequest) -> HttpResponse:
    """How many devices, cases and appeals; as a table, and as CSV with `?as=csv`."""
    found = public_figures()
    if request.GET.get("as") == "csv":
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="figures.csv"'
        rows = csv.writer(response)
        rows.writerow(["figure", "value", "as of"])
        rows.writerows([one.name, one.value, found.at.isoformat()] for one in found.figures)
        return response
    return render(request, "citizens/figures.html", {"figures": found})
