"""What customs' pages ask."""

from django import forms
from django.utils.translation import gettext_lazy as _

from openceir.portal.citizens.numbers import identifiers_in

__all__ = ["DecisionForm", "ImportForm", "ManifestForm", "ScanForm"]


class ManifestForm(forms.Form):
    """A consignment and its manifest."""

    number = forms.CharField(label=_("Number of the declaration"), max_length=60, min_length=2)
    importer = forms.CharField(label=_("Importer"), max_length=80, min_length=2)
    port = forms.CharField(label=_("Port of entry"), max_length=80, min_length=2)
    file = forms.FileField(
        label=_("The manifest"), help_text=_("CSV or XLSX with the column imei, and model if it is known.")
    )


class ScanForm(forms.Form):
    """Numbers read from devices or boxes."""

    numbers = forms.CharField(
        label=_("Numbers that you scanned"), max_length=60_000,
        widget=forms.Textarea({"rows": 6, "dir": "ltr", "inputmode": "numeric", "autocomplete": "off"}),
        help_text=_("A hand scanner types each number and a new line."),
    )  # fmt: skip

    def clean_numbers(self) -> list[str]:
        """The numbers, each once."""
        return identifiers_in(self.cleaned_data["numbers"])


class DecisionForm(forms.Form):
    """Release or hold."""

    decision = forms.ChoiceField(
        label=_("Decision"), widget=forms.RadioSelect,
        choices=[("release", _("Release the devices that fit")), ("hold", _("Hold everything"))],
    )  # fmt: skip
    grounds = forms.CharField(label=_("Grounds"), max_length=400, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)


class ImportForm(forms.Form):
    """A decision on a traveller's import."""

    decision = forms.ChoiceField(
        label=_("Decision"), widget=forms.RadioSelect,
        choices=[("accept", _("Register the device")), ("ask", _("Ask the person something")), ("reject", _("Do not register"))],
    )  # fmt: skip
    text = forms.CharField(
        label=_("Reasons, or your question"), required=False, max_length=4000, widget=forms.Textarea({"rows": 4}),
        help_text=_("The person reads this."),
    )  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput)
