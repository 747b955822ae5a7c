"""What stands before an officer's page: signed in, appointed, and a second factor shown."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from openceir.portal.accounts.errors import NotAllowed
from openceir.portal.accounts.roles import may
from openceir.portal.accounts.second_factor import was_shown, was_shown_lately
from openceir.portal.site.kept import way_back

__all__ = ["needs", "needs_any"]

View = Callable[..., HttpResponseBase]


def needs(permission: str, *, to_act: bool = False) -> Callable[[View], View]:
    """Open a view to those with the permission; `to_act`: only with a second factor shown lately.

    Without an account one is sent to sign in, without a second factor to set one up, after too long to show it again,
    and then back. Who may not is told so (403).
    """

    def guard(view: View) -> View:
        guarded = needs_any(lambda: [permission], to_act=to_act)(view)
        guarded.permission = permission  # type: ignore[attr-defined]  # the matrix's test walks the URLs and reads it
        return guarded

    return guard


def needs_any(permissions: Callable[[], Iterable[str]], *, to_act: bool = False) -> Callable[[View], View]:
    """As `needs`, to those with one of some permissions, which are asked for at each request."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **named: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _by_way_of("account_login", request)
            if not any(may(request.user, permission) for permission in permissions()):
                raise NotAllowed(_("This page is for another office; the administrator of yours can say who opens it."))
            if not is_mfa_enabled(request.user):
                return _by_way_of("mfa_index", request)
            if not was_shown(request) or (to_act and not was_shown_lately(request)):
                return _by_way_of("mfa_reauthenticate", request)
            return view(request, *args, **named)

        return guarded

    return guard


def _by_way_of(name: str, request: HttpRequest) -> HttpResponseRedirect:
    # what a post brought is kept, and offered when one comes back: a redirect cannot repeat it
    back = way_back(request, request.user.pk)
    return HttpResponseRedirect(f"{reverse(name)}?{urlencode({'next': back})}")
