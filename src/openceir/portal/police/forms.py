"""What the police's pages ask."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from openceir.identity import is_valid_imsi
from openceir.portal.cases.references import parse_code
from openceir.portal.citizens.numbers import canonical_imei, identifiers_in, imeis_in
from openceir.portal.site.forms import Digits

__all__ = ["BulkForm", "DecisionForm", "FindForm", "NoteForm", "QueueForm", "ReturnForm", "RoadsideForm", "SeizeForm"]

DECISIONS = {
    "verify": _("Verify: the evidence shows whose phone it is"),
    "recover": _("The phone is back"),
    "confirm": _("Confirm: the phone is back"),
    "ask": _("Ask the person something"),
    "reject": _("Do not accept"),
}


class QueueForm(forms.Form):
    """Which cases to show, and in which order."""

    whose = forms.ChoiceField(
        label=_("Whose"), required=False,
        choices=[("", _("my office's")), ("mine", _("mine")), ("nobody", _("nobody's yet"))],
    )  # fmt: skip
    state = forms.ChoiceField(
        label=_("State"), required=False,
        choices=[
            ("", _("to be decided")), ("unproven", _("waiting for proof")), ("open", _("every open one")),
            ("overdue", _("overdue")), ("closed", _("closed")),
        ],
    )  # fmt: skip
    order = forms.ChoiceField(
        label=_("Order"), required=False, choices=[("", _("oldest first")), ("newest", _("newest first"))]
    )


class DecisionForm(forms.Form):
    """A decision on a case."""

    decision = forms.ChoiceField(label=_("Decision"), widget=forms.RadioSelect)
    text = forms.CharField(
        label=_("Reasons, or your question"), required=False, max_length=4000, widget=forms.Textarea({"rows": 4}),
        help_text=_("The person reads this."),
    )  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: object, possible: list[str], **named: object) -> None:
        super().__init__(*args, **named)  # type: ignore[arg-type]
        field = self.fields["decision"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(name, DECISIONS[name]) for name in DECISIONS if name in possible]


class NoteForm(forms.Form):
    """A note for colleagues."""

    note = forms.CharField(label=_("Note for colleagues"), max_length=2000, widget=forms.Textarea({"rows": 3}))


class FindForm(forms.Form):
    """A case to find."""

    sought = forms.CharField(
        label=_("Reference of the case, or an IMEI"), max_length=40, widget=Digits({"inputmode": "text"})
    )
    purpose = forms.CharField(label=_("Why you check"), max_length=200, min_length=3)

    def clean(self) -> dict[str, Any]:
        """What was entered, as `reference` or as `device`."""
        told = super().clean() or {}
        sought = told.get("sought", "")
        told["reference"], told["device"] = parse_code(sought) or "", ""
        if sought and not told["reference"]:
            try:
                told["device"] = canonical_imei(sought)
            except ValidationError:
                self.add_error("sought", _("This is neither a whole reference nor an IMEI. Compare it."))
        return told


class RoadsideForm(forms.Form):
    """The numbers that a phone shows."""

    numbers = forms.CharField(
        label=_("IMEI"), widget=forms.Textarea({"rows": 2, "dir": "ltr", "inputmode": "numeric", "autocomplete": "off"}),
        help_text=_("Dial *#06# on the phone. Enter every IMEI that it shows, one a line."), max_length=400,
    )  # fmt: skip
    purpose = forms.CharField(label=_("Why you check"), max_length=200, min_length=3)

    def clean_numbers(self) -> list[str]:
        """The numbers, each once."""
        return identifiers_in(self.cleaned_data["numbers"])[:8]


class SeizeForm(forms.Form):
    """A device taken into custody."""

    numbers = forms.CharField(
        label=_("Every IMEI of the phone"), widget=forms.Textarea({"rows": 2, "dir": "ltr", "inputmode": "numeric"}),
        max_length=400,
    )  # fmt: skip
    grounds = forms.CharField(label=_("Grounds"), max_length=400, min_length=3)
    bearer = forms.CharField(
        label=_("Who had it"), max_length=150, required=False, help_text=_("Stays in the case; it enters no ledger.")
    )

    def clean_numbers(self) -> list[str]:
        """The 14 digits of each."""
        return imeis_in(self.cleaned_data["numbers"])


class ReturnForm(forms.Form):
    """A device given back, or kept."""

    decision = forms.ChoiceField(
        label=_("Decision"), widget=forms.RadioSelect,
        choices=[("return", _("Give it back to its owner")), ("keep", _("Keep it by order of a court"))],
    )  # fmt: skip
    text = forms.CharField(label=_("To whom and on which proof, or which court's order"), max_length=400, min_length=3)
    imsi = forms.CharField(
        label=_("IMSI of the owner's SIM card"), max_length=15, required=False, widget=Digits(),
        help_text=_("The phone then keeps working with this card, even where its number was copied."),
    )  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput)

    def clean_imsi(self) -> str:
        """The IMSI's digits."""
        imsi: str = self.cleaned_data["imsi"].replace(" ", "")
        if imsi and not is_valid_imsi(imsi):
            raise forms.ValidationError(_("An IMSI has 14 or 15 digits; the operator can tell it."))
        return imsi


class BulkForm(forms.Form):
    """A list of stolen devices."""

    file = forms.FileField(
        label=_("The list"), help_text=_("CSV or XLSX with the columns imei, stolen_on (2027-03-01) and case_number.")
    )
    reason = forms.CharField(label=_("Where the list comes from"), max_length=400, min_length=3)
