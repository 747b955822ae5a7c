"""What the page of keys asks."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from openceir.portal import moment
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.api.keys import scopes_for
from openceir.portal.api.scopes import choices_of
from openceir.portal.register import register
from openceir.portal.site.forms import Digits

__all__ = ["KeyForm"]

_LONGEST_DAYS = 366


class KeyForm(forms.Form):
    """A key to make. A company's has no partner; the regulator's always has one."""

    partner = forms.CharField(
        label=_("Partner"), max_length=80,
        help_text=_("Whom the key is for: a marketplace, an insurer, another office."),
    )  # fmt: skip
    name = forms.CharField(
        label=_("Name of the key"), max_length=40, help_text=_("Which program uses it, such as shop-till-2."),
        validators=[RegexValidator(r"\A[a-z0-9][a-z0-9.-]*\Z", _("Use small letters, digits, hyphens and dots."))],
    )  # fmt: skip
    scopes = forms.MultipleChoiceField(label=_("What it may do"), widget=forms.CheckboxSelectMultiple)
    per_day = forms.IntegerField(
        label=_("How much it may ask in a day"), min_value=1, widget=Digits(),
        help_text=_("Devices, listings, pictures and other requests, counted together."),
    )  # fmt: skip
    expires_on = forms.DateField(
        label=_("Last day"), widget=forms.DateInput({"type": "date", "dir": "ltr"}, format="%Y-%m-%d"),
        help_text=_("At most a year from now."),
    )  # fmt: skip

    def __init__(self, actor: Actor, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        most = register().settings.portal_api_per_day
        self._most = most
        scopes = self.fields["scopes"]
        assert isinstance(scopes, forms.MultipleChoiceField)
        scopes.choices = choices_of(scopes_for(actor))
        self.fields["per_day"].initial = min(1000, most)
        if actor.role not in {PortalRole.REGULATOR, PortalRole.REGULATOR_SUPERVISOR}:
            del self.fields["partner"]

    def clean_per_day(self) -> int:
        """No more than the register allows a key."""
        asked: int = self.cleaned_data["per_day"]
        if asked > self._most:
            raise ValidationError(_("At most %(most)d a day.") % {"most": self._most})
        return asked

    def clean_expires_on(self) -> datetime:
        """The first instant at which it opens nothing."""
        on = self.cleaned_data["expires_on"]
        if on < moment.today():
            raise ValidationError(_("This day has passed."))
        if on > moment.today() + timedelta(days=_LONGEST_DAYS):
            raise ValidationError(_("A key lasts a year at most; make a new one then."))
        return datetime.combine(on + timedelta(days=1), time(), timezone.get_default_timezone())
