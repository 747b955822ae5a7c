"""An officer's session ends after some minutes without use (`portal.idle_minutes` of the policy); a citizen's does not."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from openceir.portal import moment
from openceir.portal.accounts import second_factor
from openceir.portal.accounts.models import User
from openceir.portal.register import register
from openceir.portal.site.kept import way_back

__all__ = ["IdleSessions"]

_NAME = "used-at"
_NOTED_EVERY_S = 30  # a session that is written at each request would cost more than the page


class IdleSessions:
    """Middleware behind the one that knows who is signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer; but end a session that was left alone for too long, and keep what its form brought."""
        user = request.user
        if isinstance(user, User) and user.appointments_now:
            now = int(second_factor.wall_clock())  # as the session's own records: the machine's time
            idle_s = now - request.session.get(_NAME, now)
            minutes = int(register().policy.value("portal.idle_minutes", moment.today()))
            if idle_s > minutes * 60:
                return self._end(request, user.pk, minutes)
            if idle_s > _NOTED_EVERY_S or _NAME not in request.session:
                request.session[_NAME] = now
        return self._answer(request)

    def _end(self, request: HttpRequest, person: int, minutes: int) -> HttpResponseRedirect:
        logout(request)
        back = way_back(request, person)
        said = _("You were signed out after %(minutes)d minutes without use.") % {"minutes": minutes}
        messages.info(request, said)
        return HttpResponseRedirect(f"{reverse('account_login')}?{urlencode({'next': back})}")
