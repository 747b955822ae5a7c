"""Which cases a browser may see: those it opened with their secret or made, and those of the account signed in.

A form that is sent twice makes one case: it carries a number that is kept with what came of it.
"""

import uuid
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from openceir.portal.cases.models import Case
from openceir.portal.citizens.models import SentForm

__all__ = ["case_of", "new_once", "open_here", "open_once", "opened_before", "show_secret", "take_secret"]

_OPENED, _SECRETS = "cases", "secrets"
_MOST_REMEMBERED = 50


def new_once() -> uuid.UUID:
    """A number for a form."""
    return uuid.uuid4()


def opened_before(once: uuid.UUID) -> Case | None:
    """The case that the form with this number opened when it was sent before."""
    sent = SentForm.objects.select_related("case").filter(once=once).first()
    return sent.case if sent else None


def open_once(once: uuid.UUID, opens: Callable[[], tuple[Case, str]]) -> tuple[Case, str | None]:
    """A new case and its secret; None for the secret when the same form opened it before, a moment ago even."""
    with transaction.atomic():
        # first of all: of two presses at once the second waits here, before anything is signed
        sent, is_new = SentForm.objects.get_or_create(once=once)
        if not is_new and sent.case is not None:
            return sent.case, None
        case, secret = opens()
        sent.case = case
        sent.save(update_fields=["case"])
    return case, secret


def open_here(request: HttpRequest, case: Case) -> None:
    """Let this browser see a case from now on."""
    request.session[_OPENED] = [*dict.fromkeys([*request.session.get(_OPENED, []), case.pk])][-_MOST_REMEMBERED:]


def show_secret(request: HttpRequest, case: Case, secret: str | None) -> HttpResponse:
    """Go to the page that shows reference and secret, once; what another press opened is there in a moment."""
    if secret is not None:
        open_here(request, case)
        request.session[_SECRETS] = {str(case.pk): secret}
    return redirect("case_written", number=case.pk)


def take_secret(request: HttpRequest, case: Case) -> str | None:
    """The secret of a case just made; it is forgotten as it is shown."""
    secrets: dict[str, str] = request.session.get(_SECRETS, {})
    secret = secrets.pop(str(case.pk), None)
    request.session[_SECRETS] = secrets
    return secret


def case_of(request: HttpRequest, number: int) -> Case:
    """A case that this browser may see. Raises: Http404, which does not tell whether there is one."""
    case: Case = get_object_or_404(Case, pk=number)
    user: Any = request.user
    if case.pk in request.session.get(_OPENED, []) or (user.is_authenticated and case.person_id == user.pk):
        return case
    raise Http404
