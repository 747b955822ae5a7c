"""What the operators' pages ask."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from openceir.portal.cases.evidence import MOST_OCTETS, kind_of
from openceir.portal.citizens.numbers import imeis_in
from openceir.portal.operators.models import NoticeOutcome
from openceir.portal.site.forms import Digits

__all__ = ["AuditForm", "BeginForm", "ContestForm", "DumpForm", "OutcomeForm", "SentForm"]


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


class _Device(forms.Form):
    imei = forms.CharField(label=_("IMEI"), max_length=40, widget=Digits())

    def clean_imei(self) -> str:
        """Its 14 digits."""
        found: list[str] = imeis_in(self.cleaned_data["imei"])
        if len(found) != 1:
            raise ValidationError(_("Write one IMEI."))
        return found[0]


class OutcomeForm(_Device):
    """What came of the notice about a device."""

    outcome = forms.ChoiceField(
        label=_("What came of it?"), choices=NoticeOutcome.Outcome.choices, widget=forms.RadioSelect
    )
    remark = forms.CharField(label=_("Remark"), max_length=400, required=False)


class ContestForm(_Device):
    """A block is contested for a subscriber."""

    grounds = forms.CharField(
        label=_("Why should it not be blocked?"), widget=forms.Textarea({"rows": 5}), min_length=10, max_length=4000,
        help_text=_("Do not name the subscriber. The regulator decides; the clock runs from now."),
    )  # fmt: skip
    document = forms.FileField(
        label=_("A document"), required=False, help_text=_("JPEG, PNG or PDF."),
        widget=forms.FileInput({"accept": "image/jpeg,image/png,application/pdf"}),
    )  # fmt: skip

    def clean_document(self) -> object:
        """Whole, and no larger than is taken."""
        sent = self.cleaned_data["document"]
        if not sent:
            return None
        if sent.size > MOST_OCTETS:
            raise ValidationError(_("The file is larger than 8 MB. Send a smaller photo or scan."))
        if kind_of(sent.read()) is None:
            raise ValidationError(
                _("The file is not a whole JPEG or PNG picture or PDF document. Save it as one of these.")
            )
        sent.seek(0)
        return sent


class AuditForm(forms.Form):
    """The signed report of an audit."""

    file = forms.FileField(label=_("The report"), help_text=_("As openceir eir audit --out wrote it."))
