"""One's own account: name, language, second factors, appointments."""

from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from openceir.portal.accounts.models import User

__all__ = ["account"]


@login_required
def account(request: HttpRequest) -> HttpResponse:
    """The page of one's own account."""
    assert isinstance(request.user, User)
    return render(
        request,
        "accounts/account.html",
        {"appointments": request.user.appointments_now, "has_second_factor": is_mfa_enabled(request.user)},
    )
