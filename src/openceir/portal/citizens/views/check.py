"""The check page: one field, the verdict of each number, a receipt of it, and word when it changes."""

import csv
from datetime import datetime
from typing import Any

from csp.constants import SELF
from csp.decorators import csp_update
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from openceir.ledger import CheckReceipt, ProofRefused
from openceir.portal import moment
from openceir.portal.accounts.models import User
from openceir.portal.cases.models import Case
from openceir.portal.cases.signals import tell_checked
from openceir.portal.citizens import pace
from openceir.portal.citizens.forms import CheckForm, WatchForm
from openceir.portal.citizens.receipts import ReceiptRefused, make_receipt, receipt_key
from openceir.portal.citizens.views.opened import new_once, open_once, opened_before, show_secret
from openceir.portal.citizens.views.worked import asked_to_work
from openceir.portal.citizens.words import Told, refused, told
from openceir.portal.device_check import because_of
from openceir.portal.register import register
from openceir.status import Answer

__all__ = ["check_receipt", "home", "key", "verify", "watch"]

_SALT = "check receipt"
_RECEIPT_WITHIN_S = 86_400


def verdicts_of(values: list[str]) -> list[tuple[Told, str]]:
    """Each value's verdict in the reader's language, and what it rests on."""
    book, now = register(), moment.now()
    found: list[tuple[Told, str]] = []
    spelt: dict[object, Told] = {}
    for value, answer in zip(values, book.check_many(values, now), strict=True):
        if isinstance(answer, Answer):
            names = because_of((reason.kind, reason.label) for reason in answer.reasons if reason.decides)
            found.append((told(answer, book.policy, spelt), " ".join(names)))
        else:
            found.append((refused(value, answer, now), ""))
    return found


@csp_update({"script-src": ["'wasm-unsafe-eval'"], "media-src": [SELF, "blob:"]})
@ensure_csrf_cookie
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    """The first page: the field, and below it what was found. A number never stands in an address, so this is a post."""
    if request.method != "POST":
        return render(request, "citizens/check.html", {"form": CheckForm(), "work": pace.ahead(request)})
    form = CheckForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, "citizens/check.html", {"form": form, "has_errors": True})
    values: list[str] = form.cleaned_data["values"]
    work = pace.let_in(request, cost=len(values))
    if work is not None:
        return asked_to_work(request, "citizens/check.html", form, work)
    found = verdicts_of(values)
    tell_checked(values, "web")
    if request.POST.get("as") == "csv":
        return _as_csv(found)
    shown: list[dict[str, Any]] = [
        {
            "told": one,
            "receipt": signing.dumps([one.value, one.verdict, because, one.at.isoformat(), one.log_size], salt=_SALT),
        }
        for one, because in found
    ]
    again = CheckForm(initial={"identifiers": "\n".join(values)})
    return render(
        request,
        "citizens/check.html",
        {
            "form": again,
            "work": pace.ahead(request),
            "found": shown,
            "single": shown[0] if len(shown) == 1 else None,
            "was_read": bool(form.cleaned_data["photo"]),
            "watch": WatchForm(initial={"identifier": values[0], "once": new_once()}) if len(shown) == 1 else None,
        },
    )


def _as_csv(found: list[tuple[Told, str]]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="verdicts.csv"'
    rows = csv.writer(response)
    rows.writerow(["number", "verdict", "because", "at", "meaning"])
    for one, because in found:
        value = one.value if one.value[:1].isalnum() else f"'{one.value}"  # no formula for whoever opens it in a table
        rows.writerow([value, one.verdict, because, one.at.isoformat(), one.means])
    return response


@require_POST
def check_receipt(request: HttpRequest) -> HttpResponse:
    """The signed receipt of a verdict that a page showed within a day."""
    try:
        value, verdict, because, at, size = signing.loads(
            request.POST.get("receipt", ""), salt=_SALT, max_age=_RECEIPT_WITHIN_S
        )
    except signing.BadSignature as wrong:
        raise ReceiptRefused(_("Check the number again; a receipt can be had for a day.")) from wrong
    one = Told(value, verdict, "", "", "", (), (), "", (), datetime.fromisoformat(at), size, can_appeal=False)
    response = HttpResponse(make_receipt(one, because), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="check-{at[:10]}.txt"'
    return response


@require_GET
def key(request: HttpRequest) -> HttpResponse:
    """The public key of receipts, one line."""
    return HttpResponse(receipt_key().format() + "\n", content_type="text/plain; charset=utf-8")


@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Whether a receipt that somebody shows is one of ours, and what it says."""
    context: dict[str, Any] = {}
    if request.method == "POST":
        context["text"] = text = request.POST.get("receipt", "")[:8192]
        try:
            context["said"] = CheckReceipt.verify(text, receipt_key())
        except ProofRefused:
            context["refused"] = True
    return render(request, "citizens/verify.html", context)


@require_POST
def watch(request: HttpRequest) -> HttpResponse:
    """Tell me if this changes: a case that the worker looks at."""
    form = WatchForm(request.POST)
    if not form.is_valid():
        return render(request, "citizens/watch.html", {"form": form, "has_errors": True})
    before = opened_before(form.cleaned_data["once"])
    if before is not None:
        return redirect("case", number=before.pk)
    [(one, _because)] = verdicts_of([form.cleaned_data["identifier"]])
    if one.verdict == "invalid":
        return render(request, "citizens/check.html", {"form": CheckForm()})
    user = request.user if isinstance(request.user, User) else None
    device = register().check(form.cleaned_data["identifier"], moment.now()).canonical
    told = {"email": form.cleaned_data["email"], "details": {"last": one.verdict}}
    language = get_language() or "en"
    case, secret = open_once(
        form.cleaned_data["once"],
        lambda: Case.open("watch", devices=[device], person=user, language=language, **told),
    )
    return show_secret(request, case, secret)
