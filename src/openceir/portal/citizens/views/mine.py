"""Devices under one's own name."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from openceir.portal.accounts.models import User
from openceir.portal.cases.models import Case
from openceir.portal.citizens.forms import DeclareForm, OpenCaseForm
from openceir.portal.citizens.holdings import CannotPass, disown, hold, offer, take
from openceir.portal.citizens.models import Holding
from openceir.portal.citizens.views.check import verdicts_of
from openceir.portal.citizens.views.opened import open_here, show_secret
from openceir.portal.site.refusals import sentence_of_error

__all__ = ["mine", "not_mine", "pass_on", "take_over"]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: HttpRequest) -> HttpResponse:
    """The list, and a form to add a device by one's own word."""
    user = request.user
    assert isinstance(user, User)
    form = DeclareForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        for device in form.cleaned_data["imeis"]:
            hold(user, device, how="declared")
        messages.success(request, _("The device stands under your name, by your own word."))
        return redirect("mine")
    held = list(user.holdings.filter(until=None))
    verdicts = verdicts_of([one.device for one in held])
    return render(
        request,
        "citizens/mine.html",
        {
            "held": [(holding, verdict) for holding, (verdict, _because) in zip(held, verdicts, strict=True)],
            "cases": user.cases.all()[:50],
            "notices": user.notices.filter(case=None, channel="page").order_by("-due_at")[:20],
            "form": form,
            "take": OpenCaseForm(prefix="take"),
            "has_errors": bool(form.errors),
        },
    )


@login_required
@require_POST
def not_mine(request: HttpRequest, number: int) -> HttpResponse:
    """One click: it is off the name, and the regulator looks into how it came there."""
    assert isinstance(request.user, User)
    case = disown(request.user, get_object_or_404(Holding, pk=number, user=request.user, until=None))
    open_here(request, case)
    messages.success(request, _("The device is no longer under your name. The regulator looks into how it came there."))
    return redirect("case", number=case.pk)


@login_required
@require_POST
def pass_on(request: HttpRequest, number: int) -> HttpResponse:
    """Offer a device to its new owner, who enters the code."""
    assert isinstance(request.user, User)
    case, secret = offer(request.user, get_object_or_404(Holding, pk=number, user=request.user, until=None))
    return show_secret(request, case, secret)


@login_required
@require_POST
def take_over(request: HttpRequest) -> HttpResponse:
    """Enter the code that the former owner handed over."""
    assert isinstance(request.user, User)
    form = OpenCaseForm(request.POST, prefix="take")
    if form.is_valid():
        case = Case.find(form.cleaned_data["reference"], form.cleaned_data["secret"])
        if case is None:
            form.add_error(
                "secret", _("No offer has this reference together with this secret. Ask the former owner for both.")
            )
        else:
            try:
                take(request.user, case)
            except CannotPass as refused:
                form.add_error("reference", sentence_of_error(refused))
            else:
                messages.success(request, _("The device is under your name now."))
                return redirect("mine")
    return render(request, "citizens/take.html", {"take": form, "has_errors": True})
