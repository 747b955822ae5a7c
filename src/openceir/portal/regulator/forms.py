"""What the regulator's pages ask."""

from django import forms
from django.utils.translation import gettext_lazy as _

from openceir.portal.site.forms import Digits

__all__ = ["AppealForm", "FileForm", "LimitForm", "MonthForm", "NoticeTextForm", "ReasonForm"]


class MonthForm(forms.Form):
    """Which month's figures to make."""

    month = forms.RegexField(
        label=_("Month"), regex=r"^[0-9]{4}-(0[1-9]|1[0-2])$", widget=Digits({"inputmode": "text"}), strip=True,
        help_text=_("Such as 2026-10. Figures of a month that were made before are made anew."),
        error_messages={"invalid": _("Write the month like 2026-10.")},
    )  # fmt: skip


class LimitForm(forms.Form):
    """One limit from a day on."""

    value = forms.CharField(label=_("New value"), max_length=200, widget=Digits({"inputmode": "text"}))
    since = forms.DateField(
        label=_("In force from"), help_text=_("Such as 2027-07-01."), widget=Digits({"inputmode": "text"})
    )
    source = forms.CharField(
        label=_("Legal source"), max_length=200, help_text=_("The law, rule or decision that sets it, with its clause.")
    )
    reason = forms.CharField(label=_("Why"), max_length=400, min_length=3)


class FileForm(forms.Form):
    """A policy file as a whole."""

    text = forms.CharField(
        label=_("The file"), widget=forms.Textarea({"rows": 24, "dir": "ltr", "spellcheck": "false", "class": "app-code"}),
        max_length=200_000, strip=False,
    )  # fmt: skip
    reason = forms.CharField(label=_("Why, and by which law"), max_length=400, min_length=3)


class ReasonForm(forms.Form):
    """Why something is proposed."""

    reason = forms.CharField(label=_("Why"), max_length=400, min_length=3)


class NoticeTextForm(forms.Form):
    """Other words for a notice."""

    text = forms.CharField(
        label=_("The text"), widget=forms.Textarea({"rows": 5, "dir": "auto"}), max_length=600, required=False,
        help_text=_("Placeholders such as %(day)s are filled in. Leave it empty to go back to the program's own words."),
    )  # fmt: skip
    since = forms.DateField(
        label=_("In force from"), help_text=_("Such as 2027-07-01."), widget=Digits({"inputmode": "text"})
    )
    reason = forms.CharField(label=_("Why"), max_length=400, min_length=3)


class AppealForm(forms.Form):
    """A decision on an appeal."""

    decision = forms.ChoiceField(
        label=_("Decision"), widget=forms.RadioSelect,
        choices=[
            ("grant", _("For the person: what blocks the device is withdrawn")),
            ("reject", _("Against the person: the block stands")),
            ("ask", _("Ask the person something first; the clock runs on")),
        ],
    )  # fmt: skip
    reasons = forms.CharField(
        label=_("Reasons, or your question"), widget=forms.Textarea({"rows": 6}), max_length=4000, min_length=10,
        help_text=_("The person reads them, and a court may."),
    )  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput)
