"""A company's stock: its key, what is declared, what is sold, and the one against the other."""

import csv

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from openceir.errors import OpenceirError
from openceir.portal import moment
from openceir.portal.accounts.acts import actor_of, reader_of
from openceir.portal.accounts.doors import needs
from openceir.portal.accounts.errors import QuotaExceeded
from openceir.portal.site.pages import form_page
from openceir.portal.site.refusals import sentence_of_error
from openceir.portal.trade.fees import price_of, quota_of
from openceir.portal.trade.forms import GiveUpForm, KeyForm, SaleForm, StockForm
from openceir.portal.trade.keys import exchange_key, give_up_key, make_key
from openceir.portal.trade.models import Batch, Fee, StockKey, Unit
from openceir.portal.trade.realised import realised_batches, realised_types
from openceir.portal.trade.rules import KEEP_STOCK, SELL
from openceir.portal.trade.stock import check_stock, declare_stock, sell

__all__ = ["check", "exchange", "give_up", "realised", "sales", "stock", "stock_key", "written_realised"]


@needs(KEEP_STOCK, to_act=True)
def stock(request: HttpRequest) -> HttpResponse:
    """The company's stock, declared against sold, and the form that declares more."""
    office = reader_of(request, KEEP_STOCK).office
    form = StockForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            batch, refused = declare_stock(
                actor_of(request, KEEP_STOCK), told["file"], consignment=told["consignment"], key=told["key"]
            )
        except OpenceirError as wrong:
            form.add_error("key" if wrong.code == "stock-key-refused" else "file", sentence_of_error(wrong))
        else:
            said = ngettext("%(n)d device was declared.", "%(n)d devices were declared.", batch.declared)
            messages.success(request, said % {"n": batch.declared})
            for line, why in refused[:50]:
                messages.error(request, _("Line %(line)d was set aside: %(why)s") % {"line": line, "why": why})
            return redirect("stock")
    rows = (
        Batch.objects.filter(office=office)
        .select_related("fee")
        .annotate(
            sold=Count("units", filter=Q(units__sold_at__isnull=False)),
            lost=Count("units", filter=Q(units__lost_at__isnull=False)),
        )
    )
    amount, currency, source = price_of(Fee.Item.DEVICE, 1, moment.today())
    told = {
        "rows": rows, "has_key": StockKey.objects.filter(office=office).exists(), "quota": quota_of(office),
        "amount": amount, "currency": currency, "source": source,
    }  # fmt: skip
    return form_page(request, "trade/stock.html", form, told)


@needs(KEEP_STOCK, to_act=True)
def stock_key(request: HttpRequest) -> HttpResponse:
    """Make the company's stock key; the answer is the only page that ever shows it."""
    if request.method != "POST":
        return redirect("stock")
    return render(request, "trade/key.html", {"key": make_key(actor_of(request, KEEP_STOCK)).format()})


@needs(KEEP_STOCK, to_act=True)
def exchange(request: HttpRequest) -> HttpResponse:
    """A new key for one that is at hand: every unsold device is sealed again."""
    form = KeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = exchange_key(actor_of(request, KEEP_STOCK), form.cleaned_data["key"])
        except OpenceirError as refused:
            form.add_error("key", sentence_of_error(refused))
        else:
            return render(request, "trade/key.html", {"key": made.key.format(), "sealed_again": made.devices})
    return form_page(request, "trade/exchange.html", form, {})


@needs(KEEP_STOCK, to_act=True)
def give_up(request: HttpRequest) -> HttpResponse:
    """A new key for one that is lost: what it sealed is lost with it, and the page says so before."""
    office = reader_of(request, KEEP_STOCK).office
    form = GiveUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = give_up_key(actor_of(request, KEEP_STOCK))
        except OpenceirError as refused:
            form.add_error("is_understood", sentence_of_error(refused))
        else:
            return render(request, "trade/key.html", {"key": made.key.format(), "lost": made.devices, "is_lost": True})
    waiting = Unit.objects.filter(office=office, sold_at=None, lost_at=None).count()
    return form_page(request, "trade/give_up.html", form, {"waiting": waiting})


@needs(KEEP_STOCK, to_act=True)
def check(request: HttpRequest) -> HttpResponse:
    """Which unsold devices are in use, on record or reported already; only the company can ask."""
    form = KeyForm(request.POST or None)
    against = None
    if request.method == "POST" and form.is_valid():
        try:
            against = check_stock(actor_of(request, KEEP_STOCK), form.cleaned_data["key"])
        except OpenceirError as refused:
            form.add_error("key", sentence_of_error(refused))
    return form_page(request, "trade/check.html", form, {"against": against, "is_checked": against is not None})


@needs(KEEP_STOCK)
def realised(request: HttpRequest) -> HttpResponse:
    """Declared against realised, of the company."""
    return written_realised(request, reader_of(request, KEEP_STOCK).office)


def written_realised(request: HttpRequest, office: str | None) -> HttpResponse:
    """Declared against realised of one company, or of all; as CSV with `?as=csv`."""
    batches = realised_batches(office)
    if request.GET.get("as") != "csv":
        told = {"batches": batches[:500], "types": realised_types(office)[:500], "is_everybodys": office is None}
        return render(request, "trade/realised.html", told)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="declared-realised.csv"'
    writer = csv.writer(response)
    writer.writerow(["office", "consignment", "declared_on", "state", "declared", "released", "sold", "lost", "left"])
    for one in batches:
        consignment = one.consignment if one.consignment[:1].isalnum() else f"'{one.consignment}"  # no formula
        writer.writerow(
            [
                one.office, consignment, one.declared_on, one.state, one.declared,
                "" if one.released is None else one.released, one.sold, one.lost, one.left,
            ]
        )  # fmt: skip
    return response


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
            form.add_error("key", sentence_of_error(refused))
        else:
            if sold:
                said = ngettext("%(n)d device is registered now.", "%(n)d devices are registered now.", sold)
                messages.success(request, said % {"n": sold})
            for sentence in wrong:
                messages.error(request, sentence)
            return redirect("sell")
    return form_page(request, "trade/sales.html", form, {})
