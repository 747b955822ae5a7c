"""What operators say back: what came of notices, blocks contested for subscribers; and what audits of them found."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from openceir.errors import OpenceirError
from openceir.portal.accounts.acts import actor_of, reader_of
from openceir.portal.accounts.doors import needs
from openceir.portal.accounts.log import note, subject_of_device
from openceir.portal.accounts.roles import may
from openceir.portal.cases.models import Case
from openceir.portal.citizens.appeals import file_appeal
from openceir.portal.operators.audits import file_audit
from openceir.portal.operators.forms import AuditForm, ContestForm, OutcomeForm
from openceir.portal.operators.models import EirAudit, NoticeOutcome
from openceir.portal.operators.rules import CONTEST, FILE_AUDITS, GIVE_FEEDBACK, READ_AUDITS
from openceir.portal.site.pages import form_page
from openceir.portal.site.refusals import sentence_of_error

__all__ = ["audits", "contests", "outcomes"]


@needs(GIVE_FEEDBACK)
def outcomes(request: HttpRequest) -> HttpResponse:
    """What came of the notices, device by device."""
    office = reader_of(request, GIVE_FEEDBACK).office
    form = OutcomeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        told, actor = form.cleaned_data, actor_of(request, GIVE_FEEDBACK)
        assert actor.user is not None
        NoticeOutcome.objects.create(
            operator=office, device=told["imei"], outcome=told["outcome"], remark=told["remark"], by=actor.user
        )
        note(actor, "operators.notice-outcome", subject=subject_of_device(told["imei"]))
        messages.success(request, _("Thank you: it is on record."))
        return redirect("notice_outcomes")
    page = Paginator(NoticeOutcome.objects.filter(operator=office), 50).get_page(request.GET.get("page"))
    return form_page(request, "operators/outcomes.html", form, {"page": page})


@needs(CONTEST)
def contests(request: HttpRequest) -> HttpResponse:
    """Blocks that this operator contests for its subscribers, with what the regulator decided and why."""
    office = reader_of(request, CONTEST).office
    form = ContestForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        actor = actor_of(request, CONTEST)
        try:
            file_appeal(
                told["imei"], grounds=told["grounds"], documents=[told["document"]] if told["document"] else [],
                language=get_language() or "en", by=actor,
            )  # fmt: skip
        except OpenceirError as refused:
            form.add_error("imei", sentence_of_error(refused))
        else:
            messages.success(request, _("It is before the regulator; the clock runs."))
            return redirect("operator_contests")
    cases = Case.objects.filter(kind="appeal", details__contested_by=office).prefetch_related("events", "devices")
    page = Paginator(cases, 50).get_page(request.GET.get("page"))
    return form_page(request, "operators/contests.html", form, {"page": page})


@needs(READ_AUDITS)
def audits(request: HttpRequest) -> HttpResponse:
    """What audits found: an operator's own, without devices; auditors and the regulator see all, and file them."""
    may_file = may(request.user, FILE_AUDITS)
    reader = reader_of(request, FILE_AUDITS if may_file else READ_AUDITS)
    form = AuditForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        actor = actor_of(request, FILE_AUDITS)
        try:
            file_audit(actor, form.cleaned_data["file"])
        except OpenceirError as refused:
            form.add_error("file", sentence_of_error(refused))
        else:
            return redirect("eir_audits")
    kept = EirAudit.objects.all() if may_file else EirAudit.objects.filter(operator=reader.office)
    page = Paginator(kept, 20).get_page(request.GET.get("page"))
    told = {"page": page, "may_file": may_file, "has_examples": may_file}
    return form_page(request, "operators/audits.html", form, told)
