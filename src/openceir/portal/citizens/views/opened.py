"""Which cases a browser may see: those it opened with their secret or made, and those of the account signed in.

A form that is sent twice makes one case: it carries a number that is remembered in the session with what came of it.
"""

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from openceir.portal.cases.models import Case

__all__ = ["case_of", "done_before", "new_once", "open_here", "show_secret", "take_secret"]

_OPENED, _DONE, _SECRETS = "cases", "done", "secrets"
_MOST_REMEMBERED = 50


def new_once() -> uuid.UUID:
    """A number for a form."""
    return uuid.uuid4()


def done_before(request: HttpRequest, once: uuid.UUID) -> int | None:
    """The case that this form made when it was sent before."""
    found: int | None = request.session.get(_DONE, {}).get(str(once))
    return found


def open_here(request: HttpRequest, case: Case) -> None:
    """Let this browser see a case from now on."""
    request.session[_OPENED] = [*dict.fromkeys([*request.session.get(_OPENED, []), case.pk])][-_MOST_REMEMBERED:]


def show_secret(request: HttpRequest, case: Case, secret: str, once: uuid.UUID) -> HttpResponse:
    """Go to the page that shows reference and secret, once."""
    open_here(request, case)
    done = {**request.session.get(_DONE, {}), str(once): case.pk}
    request.session[_DONE] = dict(list(done.items())[-_MOST_REMEMBERED:])
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
