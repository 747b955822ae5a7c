"""One's own account: name, language, e-mail address, second factors, appointments; and a way back for who forgot the password."""

from allauth.account.decorators import reauthentication_required
from allauth.account.views import PasswordResetView
from allauth.mfa.utils import is_mfa_enabled
from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openceir.portal.accounts.models import User
from openceir.portal.site.pages import form_page

__all__ = ["account", "email", "forgotten"]


class AddressForm(forms.Form):
    """Where one is written to."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        required=False,
        widget=forms.EmailInput({"dir": "ltr", "autocomplete": "email"}),
        help_text=gettext_lazy(
            "For notices, and for a link when you forgot your password. Leave it empty to have neither."
        ),
    )

    def clean_email(self) -> str:
        """In lower case, as a forgotten password's address is looked for."""
        return str(self.cleaned_data["email"]).lower()


@login_required
def account(request: HttpRequest) -> HttpResponseBase:
    """The page of one's own account."""
    assert isinstance(request.user, User)
    return render(
        request,
        "accounts/account.html",
        {
            "appointments": request.user.appointments_now,
            "has_second_factor": is_mfa_enabled(request.user),
            "has_provider": bool(settings.OPENCEIR.portal_oidc_issuer),
        },
    )


@reauthentication_required
def email(request: HttpRequest) -> HttpResponseBase:
    """One's e-mail address; asked for the password first, since a link to a new one goes there."""
    assert isinstance(request.user, User)
    form = AddressForm(request.POST or None, initial={"email": request.user.email})
    if request.method == "POST" and form.is_valid():
        request.user.email = form.cleaned_data["email"]
        request.user.save(update_fields=["email"])
        return redirect("account")
    told = {"page_title": _("Your e-mail address"), "button": _("Save")}
    return form_page(request, "accounts/one_form.html", form, told)


def forgotten(request: HttpRequest) -> HttpResponseBase:
    """A link by e-mail to whoever has this address, and the same answer whether anybody has. The second factor stays."""
    if not settings.OPENCEIR.portal_mail_from:
        return render(request, "accounts/no_mail.html")
    answer: HttpResponseBase = PasswordResetView.as_view()(request)
    return answer
