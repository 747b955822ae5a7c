"""The forms of the citizens' pages. Every error names its field and says what to do."""

import io
from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from openceir.portal import moment
from openceir.portal.cases.areas import areas_now
from openceir.portal.cases.evidence import MOST_OCTETS, kind_of
from openceir.portal.cases.references import parse_code
from openceir.portal.citizens.labels import found_on_label
from openceir.portal.citizens.numbers import identifiers_in, imeis_in
from openceir.portal.citizens.reports import ANTITHEFT
from openceir.portal.site.forms import Digits
from openceir.scan import ScanError

__all__ = [
    "AnswerForm", "AntitheftForm", "AppealForm", "CheckForm", "DocumentForm", "ImportForm", "OpenCaseForm", "ReportForm",
    "WatchForm", "DeclareForm",
]  # fmt: skip

_MOST_PHOTO_OCTETS = 12 << 20
_MOST_CSV_OCTETS = 256 << 10


def _digits_field(**attrs: str) -> forms.Textarea:
    return forms.Textarea(
        {**attrs, "rows": 2, "dir": "ltr", "autocomplete": "off", "spellcheck": "false", "inputmode": "text"}
    )


class CheckForm(forms.Form):
    """One or many identifiers, typed, in a file, or on a photo of a label."""

    identifiers = forms.CharField(
        label=_("IMEI"),
        help_text=_(
            "Dial *#06# to see it. A phone with two SIMs has two: enter both. One on each line, or with commas."
        ),
        widget=_digits_field(**{"data-one-of": "check"}),
        required=False,
        max_length=40_000,
    )
    photo = forms.FileField(
        label=_("or a photo of the label"),
        help_text=_("The numbers are read from it; the photo is not kept."),
        widget=forms.FileInput({"accept": "image/*", "capture": "environment", "data-one-of": "check"}),
        required=False,
    )
    listed = forms.FileField(
        label=_("or a CSV file"),
        help_text=_("The first column is checked, up to 1,000 rows."),
        widget=forms.FileInput({"accept": ".csv,text/csv,text/plain", "data-one-of": "check"}),
        required=False,
    )

    def clean_photo(self) -> list[str]:
        """The numbers on the photo."""
        sent = self.cleaned_data.get("photo")
        if not sent:
            return []
        if sent.size > _MOST_PHOTO_OCTETS:
            raise ValidationError(_("The photo is larger than 12 MB. Take it with a lower resolution."))
        try:
            found = found_on_label(sent.read())
        except ScanError as refused:
            raise ValidationError(_("The photo cannot be read. Send a JPEG or PNG picture of the label.")) from refused
        numbers = [one.canonical for one in found if one.scheme == "imei"]
        if not numbers:
            raise ValidationError(
                _("No IMEI was found on the photo. Hold the label flat and in light, or type the number.")
            )
        return numbers

    def clean_listed(self) -> list[str]:
        """The first column of the file."""
        sent = self.cleaned_data.get("listed")
        if not sent:
            return []
        if sent.size > _MOST_CSV_OCTETS:
            raise ValidationError(_("The file is larger than 256 kB. Send at most 1,000 rows at once."))
        try:
            text = sent.read().decode("utf-8-sig")
        except UnicodeDecodeError as wrong:
            raise ValidationError(_("The file is not text in UTF-8. Save it as CSV UTF-8.")) from wrong
        rows = [line.replace(";", ",").split(",")[0] for line in io.StringIO(text)]
        return [row for row in rows if any(c.isdigit() for c in row)]

    def clean(self) -> dict[str, Any]:
        """All of them, each once, as `values`."""
        found = super().clean() or {}
        if self.errors:
            return found
        text = "\n".join([found.get("identifiers", ""), *found.get("photo", []), *found.get("listed", [])])
        try:
            found["values"] = identifiers_in(text)
        except ValidationError as wrong:
            self.add_error("identifiers", wrong)
        return found


class _Contact(forms.Form):
    """How to reach the person; the number that was lost is of no use for it."""

    name = forms.CharField(label=_("Your name"), max_length=150, widget=forms.TextInput({"autocomplete": "name"}))
    email = forms.EmailField(
        label=_("E-mail address"), required=False, widget=forms.EmailInput({"autocomplete": "email", "dir": "ltr"})
    )
    phone = forms.CharField(
        label=_("Telephone number on which you can be reached"),
        help_text=_(
            "Not the number of the lost phone. You can also do without: everything stands on the page of your case."
        ),
        required=False,
        max_length=20,
        widget=forms.TextInput({"autocomplete": "tel", "dir": "ltr", "inputmode": "tel"}),
    )

    def clean_phone(self) -> str:
        """Digits with a plus."""
        phone: str = self.cleaned_data["phone"].strip()
        digits = phone.translate(str.maketrans("", "", " -()./"))
        if phone and not (digits.lstrip("+").isdigit() and 3 <= len(digits.lstrip("+")) <= 15):
            raise ValidationError(_("This is not a telephone number. Write it like +999 555 000001."))
        return digits


class _Once(forms.Form):
    """What makes a form that was sent twice count once."""

    once = forms.UUIDField(widget=forms.HiddenInput)


def _document(label: Any, *, required: bool, help_text: Any) -> forms.FileField:
    return forms.FileField(
        label=label,
        required=required,
        help_text=help_text,
        widget=forms.FileInput({"accept": "image/jpeg,image/png,application/pdf"}),
    )


def _checked_document(sent: Any) -> Any:
    """A document that will be taken. Raises: ValidationError."""
    if not sent:
        return sent
    if sent.size > MOST_OCTETS:
        raise ValidationError(_("The file is larger than 8 MB. Send a smaller photo or scan."))
    octets = sent.read()
    sent.seek(0)
    if kind_of(octets) is None:
        raise ValidationError(
            _("The file is not a whole JPEG or PNG picture or PDF document. Save it as one of these.")
        )
    return sent


class _Device(forms.Form):
    """The IMEIs of one device."""

    imeis = forms.CharField(
        label=_("IMEI of the phone"),
        help_text=_("All of them if it has two SIMs: on its box, its bill, or in your account. One on each line."),
        widget=_digits_field(),
        max_length=200,
    )

    def clean_imeis(self) -> list[str]:
        """The 14 digits of each."""
        return imeis_in(self.cleaned_data["imeis"])


class ReportForm(_Device, _Contact, _Once):
    """A phone was stolen or lost."""

    what = forms.ChoiceField(
        label=_("What happened?"),
        choices=[("theft", _("It was stolen")), ("loss", _("I lost it"))],
        widget=forms.RadioSelect,
    )
    mode = forms.ChoiceField(
        label=_("What should be done?"),
        choices=[
            ("block", _("Block it: no network serves it any more")),
            ("watch", _("Recovery mode: do not block it, only watch where it appears")),
        ],
        widget=forms.RadioSelect,
        initial="block",
    )
    happened_on = forms.DateField(
        label=_("On which day?"), widget=forms.DateInput({"type": "date", "dir": "ltr"}, format="%Y-%m-%d")
    )
    place = forms.CharField(label=_("Where?"), required=False, max_length=200)
    area = forms.ChoiceField(label=_("In which area?"), required=False)  # only where policy names areas
    proof = _document(
        _("Proof that it is yours"),
        required=False,
        help_text=_(
            "A bill, or a photo of the box with the number. JPEG, PNG or PDF. You can add it later; until then nothing is blocked."
        ),
    )
    field_order = ("what", "imeis", "mode", "happened_on", "place", "area", "proof", "name", "email", "phone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        areas = [(name, area.name) for name, area in areas_now().items()]
        if areas:
            self.fields["area"].choices = [("", _("I would rather not say")), *areas]  # type: ignore[attr-defined]
        else:
            del self.fields["area"]

    def clean_happened_on(self) -> datetime:
        """The instant from which a block counts: the day's first second."""
        on = self.cleaned_data["happened_on"]
        if on > moment.today():
            raise ValidationError(_("This day is still to come."))
        if on.year < 2000:
            raise ValidationError(_("This day is too long ago."))
        return datetime.combine(on, time(), UTC)

    def clean_proof(self) -> Any:
        """A document."""
        return _checked_document(self.cleaned_data["proof"])


class ImportForm(_Device, _Contact, _Once):
    """Somebody brought a device into the country."""

    how = forms.ChoiceField(
        label=_("How did it come to you?"),
        choices=[
            ("travel", _("I brought it from a journey")),
            ("post", _("It came by post")),
            ("visit", _("I am visiting this country")),
            ("old", _("I have used it here for a long time")),
        ],
        widget=forms.RadioSelect,
    )
    duty_reference = forms.CharField(
        label=_("Number of the customs declaration"),
        required=False,
        max_length=60,
        widget=Digits({"inputmode": "text"}),
    )
    proof = _document(_("Bill or customs paper"), required=False, help_text=_("JPEG, PNG or PDF, at most 8 MB."))
    field_order = ("imeis", "how", "duty_reference", "proof", "name", "email", "phone")

    def clean_proof(self) -> Any:
        """A document."""
        return _checked_document(self.cleaned_data["proof"])


class AppealForm(_Device, _Contact, _Once):
    """Somebody says that a block is wrong."""

    grounds = forms.CharField(
        label=_("Why is it wrong?"),
        help_text=_("For example: I bought it in a shop; somebody copied its number; it was never stolen."),
        widget=forms.Textarea({"rows": 5}),
        max_length=2000,
    )
    proof = _document(
        _("Proof that it is yours"), required=True, help_text=_("A bill, or a photo of the box with the number.")
    )
    field_order = ("imeis", "grounds", "proof", "name", "email", "phone")

    def clean_imeis(self) -> list[str]:
        """One: the other slots are appealed for one by one, since each may be blocked for another reason."""
        found: list[str] = super().clean_imeis()
        if len(found) != 1:
            raise ValidationError(_("Enter the one IMEI that is blocked. Appeal once more for another."))
        return found

    def clean_proof(self) -> Any:
        """A document."""
        return _checked_document(self.cleaned_data["proof"])


class WatchForm(_Once):
    """Tell me if this changes."""

    identifier = forms.CharField(widget=forms.HiddenInput, max_length=40)
    email = forms.EmailField(
        label=_("E-mail address"), required=False, widget=forms.EmailInput({"autocomplete": "email", "dir": "ltr"})
    )


class OpenCaseForm(forms.Form):
    """A reference and the secret that goes with it."""

    reference = forms.CharField(
        label=_("Reference"), widget=Digits({"inputmode": "text", "autocapitalize": "characters"}), max_length=40
    )
    secret = forms.CharField(
        label=_("Secret"),
        help_text=_("You were shown it once, with the reference."),
        widget=Digits({"inputmode": "text", "autocapitalize": "characters"}),
        max_length=40,
    )

    def clean_reference(self) -> str:
        """A reference without a typing mistake."""
        code = parse_code(self.cleaned_data["reference"])
        if code is None:
            raise ValidationError(
                _("This reference has a wrong or missing character. Compare it with what you wrote down.")
            )
        return code


class DocumentForm(forms.Form):
    """One more document for a case."""

    document = _document(_("Add a document"), required=True, help_text=_("JPEG, PNG or PDF, at most 8 MB."))

    def clean_document(self) -> Any:
        """A document."""
        return _checked_document(self.cleaned_data["document"])


class AnswerForm(forms.Form):
    """The answer to an office's question, or a word beside a request."""

    text = forms.CharField(label=_("Your answer"), widget=forms.Textarea({"rows": 4}), max_length=2000)


class AntitheftForm(forms.Form):
    """What the owner did with the phone's own protection (ITU-T X.1127)."""

    antitheft = forms.ChoiceField(label=_("The phone's own protection"), choices=list(ANTITHEFT.items()))


class DeclareForm(_Device):
    """A device that somebody says is theirs."""
