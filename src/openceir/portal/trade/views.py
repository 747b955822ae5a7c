"""The pages of importers, makers and dealers."""

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from openceir.errors import OpenceirError
from openceir.portal.accounts.acts import actor_of, reader_of
from openceir.portal.accounts.doors import needs
from openceir.portal.accounts.errors import QuotaExceeded
from openceir.portal.cases.evidence import add_evidence
from openceir.portal.cases.models import Case
from openceir.portal.trade.approvals import apply
from openceir.portal.trade.forms import AnswerForm, ApplicationForm, SaleForm, StockForm
from openceir.portal.trade.models import Batch, StockKey
from openceir.portal.trade.rules import APPLY, KEEP_STOCK, SELL
from openceir.portal.trade.stock import declare_stock, make_key, sell

__all__ = ["apply_for_type", "sales", "stock", "stock_key", "type_approval", "type_approvals"]


@needs(APPLY)
def type_approvals(request: HttpRequest) -> HttpResponse:
    """The company's applications."""
    office = reader_of(request, APPLY).office
    rows = Case.objects.filter(kind="type-approval", details__applicant=office).order_by("-opened_at")
    return render(request, "trade/types.html", {"rows": rows})


@needs(APPLY, to_act=True)
def apply_for_type(request: HttpRequest) -> HttpResponse:
    """Apply for the approval of a type."""
    form = ApplicationForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        told = dict(form.cleaned_data)
        documents = [told.pop(name) for name in form.documents]
        try:
            case = apply(actor_of(request, APPLY), told, documents)
        except OpenceirError as refused:
            form.add_error("certificate" if refused.code == "evidence-refused" else "tac", str(refused))
        else:
            return redirect("type_approval", case.pk)
    return render(request, "trade/apply.html", {"form": form})


@needs(APPLY)
def type_approval(request: HttpRequest, number: int) -> HttpResponse:
    """One application of the company, and the answer to what the regulator asked."""
    case = get_object_or_404(Case, pk=number, kind="type-approval")
    reader_of(request, APPLY, case)
    form = AnswerForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        actor = actor_of(request, APPLY, case)
        try:
            with transaction.atomic():
                if form.cleaned_data["document"]:
                    add_evidence(case, form.cleaned_data["document"], actor=actor.office)
                case.move("answer", actor=actor.office, text=form.cleaned_data["text"])
        except OpenceirError as refused:
            form.add_error("document", str(refused))
        else:
            return redirect("type_approval", case.pk)
    told = {"case": case, "form": form, "events": case.events.filter(is_public=True)}
    return render(request, "trade/type.html", told)


@needs(KEEP_STOCK, to_act=True)
def stock(request: HttpRequest) -> HttpResponse:
    """The company's stock, declared against sold, and the form that declares more."""
    office = reader_of(request, KEEP_STOCK).office
    form = StockForm(request.POST or None, request.FILES or None)
    refused: list[tuple[int, str]] = []
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            batch, refused = declare_stock(
                actor_of(request, KEEP_STOCK), told["file"], consignment=told["consignment"], key=told["key"]
            )
        except OpenceirError as wrong:
            form.add_error("key" if wrong.code == "stock-key-refused" else "file", str(wrong))
        else:
            said = ngettext("%(n)d device was declared.", "%(n)d devices were declared.", batch.declared)
            messages.success(request, said % {"n": batch.declared})
            for line, why in refused[:50]:
                messages.error(request, _("Line %(line)d was set aside: %(why)s") % {"line": line, "why": why})
            return redirect("stock")
    rows = Batch.objects.filter(office=office).annotate(sold=Count("units", filter=Q(units__sold_at__isnull=False)))
    told = {"form": form, "rows": rows, "has_key": StockKey.objects.filter(office=office).exists()}
    return render(request, "trade/stock.html", told)


@needs(KEEP_STOCK, to_act=True)
def stock_key(request: HttpRequest) -> HttpResponse:
    """Make the company's stock key; the answer is the only page that ever shows it."""
    if request.method != "POST":
        return redirect("stock")
    return render(request, "trade/key.html", {"key": make_key(actor_of(request, KEEP_STOCK)).format()})


@needs(SELL, to_act=True)
def sales(request: HttpRequest) -> HttpResponse:
    """Activate devices as they are sold."""
    form = SaleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            sold, wrong = sell(actor_of(request, SELL), form.cleaned_data["numbers"], form.cleaned_data["key"])
        except QuotaExceeded:
            raise
        except OpenceirError as refused:
            form.add_error("key", str(refused))
        else:
            if sold:
                said = ngettext("%(n)d device is registered now.", "%(n)d devices are registered now.", sold)
                messages.success(request, said % {"n": sold})
            for sentence in wrong:
                messages.error(request, sentence)
            return redirect("sell")
    return render(request, "trade/sales.html", {"form": form})
