"""What the trade's pages ask."""

from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar, TypeVar

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from openceir.portal import moment
from openceir.portal.citizens.numbers import identifiers_in, imeis_in
from openceir.portal.site.forms import Digits
from openceir.portal.trade.flows import STEPS
from openceir.portal.trade.models import Paper
from openceir.portal.trade.papers import NewPaper
from openceir.portal.trade.questions import ANSWERS
from openceir.portal.trade.sealing import SealingKey, StockKeyRefused

__all__ = [
    "AnswerForm", "ApplicationForm", "AskForm", "BatchForm", "CompanyAnswerForm", "GiveUpForm", "KeyForm", "MoreForm",
    "PaidForm", "PaperForm", "ReviewForm", "SaleForm", "StandingDecisionForm", "StandingForm", "StockForm",
]  # fmt: skip


class KeyField(forms.CharField):
    """A stock key as a person types or pastes it. It is never put back into the page."""

    def __init__(self, *, required: bool = True, help_text: Any = "") -> None:
        attrs = {"dir": "ltr", "autocomplete": "off", "spellcheck": "false"}
        super().__init__(
            label=_("Your company's stock key"), max_length=120, widget=forms.PasswordInput(attrs), required=required,
            help_text=help_text,
        )  # fmt: skip

    def clean(self, value: object) -> SealingKey | None:
        """The key; None when none was given and none is needed."""
        text = super().clean(value)
        try:
            return SealingKey.parse(text) if text else None
        except StockKeyRefused as refused:
            raise forms.ValidationError(str(refused)) from None


_PAPER_FILE = _("PDF, JPEG or PNG, at most 8 MB.")


def _paper_fields(kind: str) -> dict[str, forms.Field]:
    """The fields of a paper of a kind. What a kind must have beside is said where it is read."""
    is_audit, has_end = kind == Paper.Kind.AUDIT, kind != Paper.Kind.REPORT
    fields: dict[str, forms.Field] = {
        "number": forms.CharField(label=_("Number"), max_length=80, widget=Digits({"inputmode": "text"})),
        "issuer": forms.CharField(label=_("Issued by"), max_length=120, help_text=_("The body, laboratory or auditor.")),
        "issued_on": forms.DateField(label=_("Issued on"), widget=Digits({"inputmode": "text"}), help_text=_("Such as 2027-07-01.")),
        "expires_on": forms.DateField(
            label=_("Last day"), required=False, widget=Digits({"inputmode": "text"}),
            help_text=_("Leave it empty if it does not end."),
        ),
        "standard": forms.CharField(
            label=_("Standard"), max_length=200, required=kind != Paper.Kind.LICENCE,
            help_text=_("Such as ISO 9001:2015.") if is_audit else _("Such as EN 301 511 or IEC 62209-1528."),
        ),
        "result": forms.CharField(
            label=_("Result"), max_length=400, required=False,
            help_text=_("What was measured: exposure (SAR), hazardous substances, quality of service, e-waste."),
        ),
        "file": forms.FileField(label=_("The document"), required=False, help_text=_PAPER_FILE),
    }  # fmt: skip
    if not has_end:
        del fields["expires_on"]
    if kind != Paper.Kind.REPORT:
        del fields["result"]
    fields["file"].required = kind in {Paper.Kind.CERTIFICATE, Paper.Kind.REPORT}
    return fields


class _Papers(forms.Form):
    """A form with papers among its fields: each kind's are named `<kind>_<field>` and stand under a heading."""

    kinds: ClassVar[tuple[str, ...]] = ()
    may_be_left_out: ClassVar[tuple[str, ...]] = ()

    @property
    def _own(self) -> list[str]:
        return [name for name in self.fields if name.partition("_")[0] not in self.kinds]

    @property
    def groups(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """Heading and fields, in their order; the form's own fields stand under none."""
        of_kind = [
            (Paper.Kind(kind).label, [self[name] for name in self.fields if name.startswith(f"{kind}_")])
            for kind in self.kinds
        ]
        return [("", [self[name] for name in self._own]), *of_kind]

    def clean(self) -> dict[str, Any]:
        """The days of each paper must be possible, and a paper that may be left out is whole or absent."""
        told = super().clean() or {}
        for kind in self.kinds:
            given = [name for name in _paper_fields(kind) if told.get(f"{kind}_{name}")]
            if kind in self.may_be_left_out and given:
                for name in ("number", "issuer", "issued_on"):
                    if name not in given and f"{kind}_{name}" not in self.errors:
                        self.add_error(f"{kind}_{name}", _("Fill this in too, or leave the whole paper out."))
            for name, why in _wrong_days(told.get(f"{kind}_issued_on"), told.get(f"{kind}_expires_on")):
                self.add_error(f"{kind}_{name}", why)
        return told

    def papers(self) -> list[NewPaper]:
        """The papers that were given."""
        told = self.cleaned_data
        return [
            _paper(kind, {name: told.get(f"{kind}_{name}") for name in _paper_fields(kind)})
            for kind in self.kinds
            if told.get(f"{kind}_number")
        ]

    def own(self) -> dict[str, Any]:
        """What was told beside the papers."""
        return {name: self.cleaned_data[name] for name in self._own}


APaperForm = TypeVar("APaperForm", bound=type[_Papers])


def _with_papers(form_class: APaperForm) -> APaperForm:
    """The class with the fields of its kinds of papers, which every reader of the class then sees."""
    for kind in form_class.kinds:
        for name, field in _paper_fields(kind).items():
            field.required = field.required and kind not in form_class.may_be_left_out
            form_class.base_fields[f"{kind}_{name}"] = field
    return form_class


def _wrong_days(issued_on: date | None, expires_on: date | None) -> list[tuple[str, Any]]:
    """Which of the two fields is wrong, and why."""
    today = moment.today()
    if issued_on is not None and issued_on > today:
        return [("issued_on", _("This day is to come."))]
    if expires_on is not None and expires_on < today:
        return [("expires_on", _("It has ended: enter one that is in force."))]
    if issued_on is not None and expires_on is not None and expires_on < issued_on:
        return [("expires_on", _("The last day lies before the day of issue."))]
    return []


def _paper(kind: str, told: dict[str, Any]) -> NewPaper:
    return NewPaper(
        kind=kind, number=told["number"], issuer=told["issuer"], issued_on=told["issued_on"],
        expires_on=told.get("expires_on"), standard=told.get("standard") or "", result=told.get("result") or "",
        document=told.get("file"),
    )  # fmt: skip


class PaperForm(forms.Form):
    """One more paper of a type, or a renewed one."""

    kind = forms.ChoiceField(label=_("Kind"), choices=Paper.Kind.choices)

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.fields |= {**_paper_fields(Paper.Kind.REPORT), **_paper_fields(Paper.Kind.CERTIFICATE)}
        self.fields["standard"].required = False
        self.order_fields(["kind", "number", "issuer", "issued_on", "expires_on", "standard", "result", "file"])

    def clean(self) -> dict[str, Any]:
        """The days must be possible."""
        told = super().clean() or {}
        for name, why in _wrong_days(told.get("issued_on"), told.get("expires_on")):
            self.add_error(name, why)
        return told

    def paper(self) -> NewPaper:
        """The paper."""
        return _paper(self.cleaned_data["kind"], self.cleaned_data)


@_with_papers
class ApplicationForm(_Papers):
    """A type of device for approval."""

    kinds = (Paper.Kind.CERTIFICATE, Paper.Kind.REPORT, Paper.Kind.AUDIT)

    tac = forms.CharField(
        label=_("TAC"), max_length=8, widget=Digits(), help_text=_("The first eight digits of its IMEIs."),
        validators=[RegexValidator(r"\A[0-9]{8}\Z", _("A TAC has eight digits."))],
    )  # fmt: skip
    brand = forms.CharField(label=_("Brand"), max_length=80)
    model = forms.CharField(label=_("Model"), max_length=120)
    sims = forms.IntegerField(label=_("SIM slots"), min_value=1, max_value=4, initial=1)


@_with_papers
class StandingForm(_Papers):
    """A company that wants to be verified."""

    kinds = (Paper.Kind.LICENCE,)
    may_be_left_out = (Paper.Kind.LICENCE,)

    legal_name = forms.CharField(label=_("Name of the company in the register of companies"), max_length=150)
    registration_number = forms.CharField(
        label=_("Number in that register"), max_length=60, widget=Digits({"inputmode": "text"})
    )
    registry = forms.CharField(label=_("Who keeps that register"), max_length=150)
    address = forms.CharField(label=_("Address"), max_length=300, widget=forms.Textarea({"rows": 3}))
    extract = forms.FileField(
        label=_("Extract from the register of companies, not older than three months"), help_text=_PAPER_FILE
    )


class StandingDecisionForm(forms.Form):
    """The regulator's decision on a company."""

    decision = forms.ChoiceField(label=_("Decision"), widget=forms.RadioSelect)
    text = forms.CharField(
        label=_("Reasons, or your question"), max_length=2000, min_length=10, widget=forms.Textarea({"rows": 4}),
        help_text=_("The company reads this."),
    )  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, possible: Iterable[str], **named: Any) -> None:
        super().__init__(*args, **named)
        words = {
            "verify": _("Verify: the company is in good standing"),
            "ask": _("Ask the company something"),
            "reject": _("Do not verify"),
            "suspend": _("Suspend: from now on it declares and sells nothing"),
            "restore": _("Restore: it may act again"),
        }
        field = self.fields["decision"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(name, words[name]) for name in words if name in set(possible)]


class PaidForm(forms.Form):
    """A fee was paid."""

    receipt = forms.CharField(
        label=_("Number of the receipt"), max_length=60, min_length=2, widget=Digits({"inputmode": "text"})
    )


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


class KeyForm(forms.Form):
    """The key that is at hand."""

    key = KeyField()


class GiveUpForm(forms.Form):
    """The key is lost."""

    is_understood = forms.BooleanField(
        label=_("I understand that nobody can ever read what this key sealed, and that I must declare it anew.")
    )


class AskForm(forms.Form):
    """A question to a company."""

    company = forms.ChoiceField(label=_("Company"))
    numbers = forms.CharField(
        label=_("Every IMEI of the device"), max_length=400,
        widget=forms.Textarea({"rows": 2, "dir": "ltr", "inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip
    question = forms.CharField(
        label=_("Your question"), max_length=2000, min_length=10, widget=forms.Textarea({"rows": 4}),
        help_text=_("The company reads this. Name no person."),
    )  # fmt: skip

    def __init__(self, *args: Any, companies: Iterable[str], **named: Any) -> None:
        super().__init__(*args, **named)
        field = self.fields["company"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(one, one) for one in companies]

    def clean_numbers(self) -> list[str]:
        """The 14 digits of each."""
        return imeis_in(self.cleaned_data["numbers"])


class CompanyAnswerForm(forms.Form):
    """A company's answer."""

    word = forms.ChoiceField(label=_("Is it yours?"), widget=forms.RadioSelect, choices=list(ANSWERS.items()))
    text = forms.CharField(
        label=_("What your records say"), max_length=4000, min_length=10, widget=forms.Textarea({"rows": 4}),
        help_text=_("Serial number, when and to whom it was delivered. Name no private person."),
    )  # fmt: skip
    document = forms.FileField(label=_("A document that shows it"), required=False, help_text=_PAPER_FILE)
    key = KeyField(
        required=False, help_text=_("With it, what your sealed stock holds under the number stands beside your answer.")
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


class MoreForm(forms.Form):
    """What the asker does with an answer."""

    decision = forms.ChoiceField(
        label=_("What next?"), widget=forms.RadioSelect,
        choices=[("close", _("Nothing more is needed")), ("again", _("Ask something more"))],
    )  # fmt: skip
    text = forms.CharField(
        label=_("Your question"), required=False, max_length=2000, widget=forms.Textarea({"rows": 3}),
        help_text=_("The company reads this. Name no person."),
    )  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Who asks again says what."""
        told = super().clean() or {}
        if told.get("decision") == "again" and len(told.get("text", "").strip()) < 10:
            self.add_error("text", _("Write what you want to know."))
        return told
