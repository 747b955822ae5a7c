"""Forms that open a case: a report, an import, an appeal."""

from collections.abc import Callable
from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods

from openceir.portal.accounts.models import User
from openceir.portal.cases.models import Case
from openceir.portal.citizens import pace
from openceir.portal.citizens.appeals import NothingToAppeal
from openceir.portal.citizens.filing import Sender, appeal_of, registration_of, report_of
from openceir.portal.citizens.forms import AppealForm, ImportForm, ReportForm
from openceir.portal.citizens.views.opened import new_once, open_once, opened_before, show_secret
from openceir.portal.citizens.views.worked import asked_to_work
from openceir.portal.site.refusals import sentence_of_error

__all__ = ["appeal", "bring", "report"]

Opens = Callable[[dict[str, Any], Sender], tuple[Case, str]]


def _matter(request: HttpRequest, form_class: type[Form], template: str, opens: Opens) -> HttpResponse:
    """Show the form, or open the case and show its secret once; the same form twice opens one case."""
    user = request.user if isinstance(request.user, User) else None
    if request.method != "POST":
        known = {"name": user.full_name, "email": user.email, "phone": user.phone} if user else {}
        initial = {"once": new_once(), "what": request.GET.get("what", ""), **known}
        return render(request, template, {"form": form_class(initial=initial), "work": pace.ahead(request)})
    form = form_class(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, template, {"form": form, "has_errors": True})
    once = form.cleaned_data["once"]
    before = opened_before(once)
    if before is not None:
        return redirect("case", number=before.pk)
    work = pace.let_in(request)
    if work is not None:
        return asked_to_work(request, template, form, work)
    try:
        sender = Sender(channel="web", language=get_language() or "en", person=user)
        case, secret = open_once(once, lambda: opens(form.cleaned_data, sender))
    except NothingToAppeal as refused:
        form.add_error("imeis", sentence_of_error(refused))
        return render(request, template, {"form": form, "has_errors": True})
    return show_secret(request, case, secret)


@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """A phone was stolen or lost."""
    return _matter(request, ReportForm, "citizens/report.html", report_of)


@require_http_methods(["GET", "HEAD", "POST"])
def bring(request: HttpRequest) -> HttpResponse:
    """Register a device that one brought."""
    return _matter(request, ImportForm, "citizens/bring.html", registration_of)


@require_http_methods(["GET", "HEAD", "POST"])
def appeal(request: HttpRequest) -> HttpResponse:
    """Say that a block is wrong."""
    return _matter(request, AppealForm, "citizens/appeal.html", appeal_of)
