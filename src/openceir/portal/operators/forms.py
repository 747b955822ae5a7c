"""What the operators' pages ask."""

from django import forms
from django.utils.translation import gettext_lazy as _

__all__ = ["BeginForm", "DumpForm", "SentForm"]


class _Days(forms.Form):
    since = forms.DateField(
        label=_("First day"), required=False, widget=forms.DateInput({"type": "date"}),
        help_text=_("Only if the file's name does not tell the days."),
    )  # fmt: skip
    until = forms.DateField(label=_("Last day"), required=False, widget=forms.DateInput({"type": "date"}))
    sha256 = forms.CharField(
        label=_("SHA-256"), required=False, max_length=64,
        widget=forms.TextInput({"dir": "ltr", "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("If you give it, as sha256sum prints it, nothing else is imported."),
    )  # fmt: skip

    def clean_sha256(self) -> str:
        """In small letters."""
        return str(self.cleaned_data["sha256"]).strip().lower()


class DumpForm(_Days):
    """A dump, whole."""

    file = forms.FileField(label=_("The dump"), help_text=_("CSV, plain, gzip or zip; or Parquet."))
    field_order = ("file", "since", "until", "sha256")


class BeginForm(_Days):
    """A dump that will come in parts."""

    name = forms.CharField(max_length=120)
    size = forms.IntegerField(min_value=1, max_value=1 << 50)
    mark = forms.CharField(max_length=40, required=False)


class SentForm(forms.Form):
    """The notices of a list were sent."""

    sent = forms.IntegerField(label=_("Notices that you sent"), min_value=0, max_value=10**12)
    not_reached = forms.IntegerField(label=_("Of these, not delivered"), min_value=0, max_value=10**12)
    remark = forms.CharField(label=_("Remark"), max_length=400, required=False)

    def clean(self) -> dict[str, object]:
        """No more can fail than were sent."""
        told = super().clean() or {}
        sent, lost = told.get("sent"), told.get("not_reached")
        if sent is not None and lost is not None and lost > sent:
            self.add_error("not_reached", _("That is more than you sent."))
        return told
