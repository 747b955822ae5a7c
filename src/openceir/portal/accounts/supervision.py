"""Pages of those who watch over others: what waits for a second person, who is appointed, what raised an alarm."""

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openceir.portal import moment
from openceir.portal.accounts.acts import Actor, actor_of, reader_of
from openceir.portal.accounts.appointing import AppointmentRefused, end_appointment, propose_appointment
from openceir.portal.accounts.approvals import approvable_named, approve_permissions, decide, waiting_for
from openceir.portal.accounts.doors import needs, needs_any
from openceir.portal.accounts.models import Alarm, Appointment, Proposal, User
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.accounts.rules import APPOINT, SEE_ALARMS
from openceir.portal.site.refusals import sentence_of_error

__all__ = ["alarm_seen", "alarms", "appoint", "approval", "approvals", "end", "people"]


class DecisionForm(forms.Form):
    """A second person's word."""

    decision = forms.ChoiceField(
        label=gettext_lazy("Do you agree?"),
        choices=[("approve", gettext_lazy("I agree: let it be done")), ("refuse", gettext_lazy("I do not agree"))],
        widget=forms.RadioSelect,
    )
    because = forms.CharField(
        label=gettext_lazy("Why"), max_length=400, min_length=3, widget=forms.Textarea({"rows": 3})
    )


class AppointmentForm(forms.Form):
    """An appointment to propose."""

    username = forms.CharField(label=gettext_lazy("Name of the account"), max_length=150)
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=[(role.value, role.value) for role in PortalRole])
    office = forms.CharField(
        label=gettext_lazy("Office"),
        max_length=80,
        help_text=gettext_lazy("The member of the register that this person acts for, such as cc-police"),
    )
    until = forms.DateTimeField(
        label=gettext_lazy("Until"),
        required=False,
        help_text=gettext_lazy("Such as 2028-01-31. Without it the appointment lasts until somebody ends it."),
    )
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=400, min_length=3)


class EndForm(forms.Form):
    """Why an appointment ends."""

    reason = forms.CharField(label=gettext_lazy("Why"), max_length=400, min_length=3)


@needs_any(approve_permissions)
def approvals(request: HttpRequest) -> HttpResponse:
    """What waits for this person's word, and what he proposed himself."""
    waits = waiting_for(_approver(request))
    mine = Proposal.objects.filter(proposed_by=_user(request))[:20]
    return render(request, "accounts/approvals.html", {"waits": waits, "mine": mine})


@needs_any(approve_permissions, to_act=True)
def approval(request: HttpRequest, number: int) -> HttpResponse:
    """One proposal, and the form for the second person's word."""
    proposal = get_object_or_404(Proposal, pk=number)
    permission = approvable_named(proposal.name).approve
    actor = actor_of(request, permission)
    form = DecisionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        approve = form.cleaned_data["decision"] == "approve"
        decide(actor, proposal, approve=approve, because=form.cleaned_data["because"])
        return redirect("approvals")
    told = {
        "proposal": proposal,
        "form": form,
        "has_errors": bool(form.errors),
        "is_mine": proposal.proposed_by_id == _user(request).pk,
        "waits": proposal.outcome == Proposal.Outcome.WAITS and proposal.expires_at > moment.now(),
    }
    return render(request, "accounts/approval.html", told)


@needs(APPOINT)
def people(request: HttpRequest) -> HttpResponse:
    """Who is appointed as what."""
    reader_of(request, APPOINT)
    now = moment.now()
    standing = Appointment.objects.select_related("user").order_by("office", "role", "user__username")
    rows = [one for one in standing if one.until is None or one.until > now]
    return render(request, "accounts/people.html", {"page": _page(request, rows)})


@needs(APPOINT, to_act=True)
def appoint(request: HttpRequest) -> HttpResponse:
    """Propose an appointment."""
    actor = actor_of(request, APPOINT)
    form = AppointmentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            propose_appointment(
                actor, username=told["username"], role=PortalRole(told["role"]), office=told["office"],
                until=told["until"], reason=told["reason"],
            )  # fmt: skip
        except AppointmentRefused as refused:
            form.add_error("username", sentence_of_error(refused))
        else:
            return redirect("approvals")
    return _form(request, form, _("Propose an appointment"), _("Propose"))


@needs(APPOINT, to_act=True)
def end(request: HttpRequest, number: int) -> HttpResponse:
    """End an appointment."""
    appointment = get_object_or_404(Appointment, pk=number)
    form = EndForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        end_appointment(actor_of(request, APPOINT), appointment, reason=form.cleaned_data["reason"])
        return redirect("people")
    title = _("End the appointment of %(name)s as %(role)s") % {"name": appointment.user, "role": appointment.role}
    return _form(request, form, title, _("End it"))


@needs(SEE_ALARMS)
def alarms(request: HttpRequest) -> HttpResponse:
    """What supervisors should look at, the newest first: of one's own office, of every office for the regulator."""
    reader = reader_of(request, SEE_ALARMS)
    return render(request, "accounts/alarms.html", {"page": _page(request, _alarms_for(reader))})


@needs(SEE_ALARMS)
def alarm_seen(request: HttpRequest, number: int) -> HttpResponseRedirect:
    """Mark an alarm as looked at."""
    reader = reader_of(request, SEE_ALARMS)
    if request.method == "POST":
        alarm = get_object_or_404(_alarms_for(reader), pk=number)
        alarm.seen_at, alarm.seen_by = moment.now(), reader.name
        alarm.save(update_fields=["seen_at", "seen_by"])
    return redirect("alarms")


_SEE_EVERY_OFFICE = {PortalRole.REGULATOR_SUPERVISOR, PortalRole.AUDITOR}


def _alarms_for(reader: Actor) -> Any:
    every = Alarm.objects.order_by("seen_at", "-at")
    return every if reader.role in _SEE_EVERY_OFFICE else every.filter(office=reader.office)


def _approver(request: HttpRequest) -> Actor:
    permission = next(one for one in approve_permissions() if request.user.has_perm(one))
    return reader_of(request, permission)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _page(request: HttpRequest, rows: Any) -> Any:
    return Paginator(rows, 50).get_page(request.GET.get("page"))


def _form(request: HttpRequest, form: forms.Form, title: str, button: str) -> HttpResponse:
    told = {"form": form, "has_errors": bool(form.errors), "page_title": title, "button": button}
    return render(request, "accounts/one_form.html", told)
