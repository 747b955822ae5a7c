"""What the trade's pages ask."""

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from openceir.portal.citizens.numbers import identifiers_in
from openceir.portal.site.forms import Digits
from openceir.portal.trade.flows import STEPS
from openceir.portal.trade.sealing import SealingKey, StockKeyRefused

__all__ = ["AnswerForm", "ApplicationForm", "BatchForm", "ReviewForm", "SaleForm", "StockForm"]


class KeyField(forms.CharField):
    """A stock key as a person types or pastes it. It is never put back into the page."""

    def __init__(self) -> None:
        attrs = {"dir": "ltr", "autocomplete": "off", "spellcheck": "false"}
        super().__init__(label=_("Your company's stock key"), max_length=120, widget=forms.PasswordInput(attrs))

    def clean(self, value: object) -> SealingKey:
        """The key."""
        try:
            return SealingKey.parse(super().clean(value))
        except StockKeyRefused as refused:
            raise forms.ValidationError(str(refused)) from None


class ApplicationForm(forms.Form):
    """A type of device for approval."""

    tac = forms.CharField(
        label=_("TAC"), max_length=8, widget=Digits(), help_text=_("The first eight digits of its IMEIs."),
        validators=[RegexValidator(r"\A[0-9]{8}\Z", _("A TAC has eight digits."))],
    )  # fmt: skip
    brand = forms.CharField(label=_("Brand"), max_length=80)
    model = forms.CharField(label=_("Model"), max_length=120)
    sims = forms.IntegerField(label=_("SIM slots"), min_value=1, max_value=4, initial=1)
    certificate_number = forms.CharField(label=_("Number of the conformity certificate"), max_length=80)
    standards = forms.CharField(label=_("Standards it was tested against"), max_length=400)
    test_report = forms.CharField(label=_("Laboratory and number of the test report"), max_length=200)
    factory_audit = forms.CharField(label=_("Factory audit: who, when, against what"), max_length=200)
    certificate = forms.FileField(label=_("The certificate"), help_text=_("PDF, JPEG or PNG, at most 8 MB."))
    report = forms.FileField(label=_("The test report"), help_text=_("PDF, JPEG or PNG, at most 8 MB."))

    @property
    def documents(self) -> tuple[str, str]:
        """Which fields are documents."""
        return ("certificate", "report")


class AnswerForm(forms.Form):
    """An answer to the regulator's question."""

    text = forms.CharField(label=_("Your answer"), max_length=4000, min_length=2, widget=forms.Textarea({"rows": 4}))
    document = forms.FileField(
        label=_("A further document"), required=False, help_text=_("PDF, JPEG or PNG, at most 8 MB.")
    )


class ReviewForm(forms.Form):
    """The regulator's decision on a type."""

    steps = forms.MultipleChoiceField(
        label=_("What you checked"), choices=STEPS, required=False, widget=forms.CheckboxSelectMultiple
    )
    decision = forms.ChoiceField(
        label=_("Decision"), widget=forms.RadioSelect,
        choices=[("approve", _("Approve")), ("ask", _("Ask the company something")), ("reject", _("Do not approve"))],
    )  # fmt: skip
    text = forms.CharField(
        label=_("Reasons, or your question"), max_length=4000, min_length=10, widget=forms.Textarea({"rows": 4}),
        help_text=_("The company reads this."),
    )  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput)


class StockForm(forms.Form):
    """Devices in stock."""

    consignment = forms.CharField(label=_("Your reference of the consignment"), max_length=60, min_length=2)
    file = forms.FileField(
        label=_("The devices"), help_text=_("CSV or XLSX with the column imei; imei2, serial and model if there are.")
    )
    key = KeyField()


class BatchForm(forms.Form):
    """The regulator's decision on a batch."""

    decision = forms.ChoiceField(
        label=_("Decision"), widget=forms.RadioSelect,
        choices=[("accept", _("Accept: they may be sold")), ("refuse", _("Do not accept"))],
    )  # fmt: skip
    reasons = forms.CharField(
        label=_("Reasons"), max_length=2000, required=False, widget=forms.Textarea({"rows": 4}),
        help_text=_("The company reads this."),
    )  # fmt: skip


class SaleForm(forms.Form):
    """Devices that are sold."""

    numbers = forms.CharField(
        label=_("Numbers of the devices that you sell"), max_length=20_000, help_text=_("One IMEI of each is enough."),
        widget=forms.Textarea({"rows": 4, "dir": "ltr", "inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip
    key = KeyField()

    def clean_numbers(self) -> list[str]:
        """The numbers, each once."""
        return identifiers_in(self.cleaned_data["numbers"])
