"""Forms that open a case: a report, an import, an appeal."""

from collections.abc import Callable
from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods

from openceir.portal.accounts.models import User
from openceir.portal.cases.evidence import add_evidence
from openceir.portal.cases.models import Case
from openceir.portal.citizens.appeals import NothingToAppeal, file_appeal
from openceir.portal.citizens.forms import AppealForm, ImportForm, ReportForm
from openceir.portal.citizens.reports import open_report, prove
from openceir.portal.citizens.views.opened import done_before, new_once, show_secret

__all__ = ["appeal", "bring", "report"]

Opens = Callable[[HttpRequest, dict[str, Any]], tuple[Case, str]]


def _contact(request: HttpRequest, said: dict[str, Any]) -> dict[str, Any]:
    return {
        "person": request.user if isinstance(request.user, User) else None,
        "language": get_language() or "en",
        "name": said["name"],
        "email": said["email"],
        "phone": said["phone"],
    }


def _matter(request: HttpRequest, form_class: type[Form], template: str, opens: Opens) -> HttpResponse:
    """Show the form, or open the case and show its secret once; the same form twice opens one case."""
    if request.method != "POST":
        user = request.user
        known = {"name": user.full_name, "email": user.email, "phone": user.phone} if isinstance(user, User) else {}
        initial = {"once": new_once(), "what": request.GET.get("what", ""), **known}
        return render(request, template, {"form": form_class(initial=initial)})
    form = form_class(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, template, {"form": form, "has_errors": True})
    once = form.cleaned_data["once"]
    before = done_before(request, once)
    if before is not None:
        return redirect("case", number=before)
    try:
        case, secret = opens(request, form.cleaned_data)
    except NothingToAppeal as refused:
        form.add_error("imeis", str(refused))
        return render(request, template, {"form": form, "has_errors": True})
    return show_secret(request, case, secret, once)


@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """A phone was stolen or lost."""

    def opens(request: HttpRequest, said: dict[str, Any]) -> tuple[Case, str]:
        case, secret = open_report(
            *said["imeis"],
            is_theft=said["what"] == "theft",
            channel="web",
            mode=said["mode"],
            happened_at=said["happened_on"],
            place=said["place"],
            **_contact(request, said),
        )
        if said["proof"]:
            prove(case, said["proof"])
        return case, secret

    return _matter(request, ReportForm, "citizens/report.html", opens)


@require_http_methods(["GET", "HEAD", "POST"])
def bring(request: HttpRequest) -> HttpResponse:
    """Register a device that one brought."""

    def opens(request: HttpRequest, said: dict[str, Any]) -> tuple[Case, str]:
        case, secret = Case.open(
            "import",
            devices=said["imeis"],
            office="customs",
            details={"how": said["how"], "duty_reference": said["duty_reference"]},
            **_contact(request, said),
        )
        if said["proof"]:
            add_evidence(case, said["proof"])
        return case, secret

    return _matter(request, ImportForm, "citizens/bring.html", opens)


@require_http_methods(["GET", "HEAD", "POST"])
def appeal(request: HttpRequest) -> HttpResponse:
    """Say that a block is wrong."""

    def opens(request: HttpRequest, said: dict[str, Any]) -> tuple[Case, str]:
        return file_appeal(
            said["imeis"][0], grounds=said["grounds"], documents=[said["proof"]], **_contact(request, said)
        )

    return _matter(request, AppealForm, "citizens/appeal.html", opens)
