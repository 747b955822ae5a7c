"""Forms as pages show them: label, hint, error and field tied together, errors once more in a summary at the top.

`{{ form }}` renders every field; `{{ form.name.as_field_group }}` one. `{% error_summary form %}` stands at the head of
the page. Give digits, references and dates `widget=Digits()`: they run left to right in every script.
"""

from typing import Any

from django import forms
from django.forms.renderers import TemplatesSetting

__all__ = ["Digits", "Renderer", "classes_of"]


class Renderer(TemplatesSetting):
    """Django's renderer with our templates."""

    form_template_name = "site/forms/form.html"
    field_template_name = "site/forms/field.html"


class Digits(forms.TextInput):
    """A field for an IMEI, a reference or a number."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(
            {"dir": "ltr", "inputmode": "numeric", "autocomplete": "off", "spellcheck": "false", **(attrs or {})}
        )


_CLASS_OF_WIDGET: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.Textarea, "govuk-textarea"),
    (forms.Select, "govuk-select"),
    (forms.FileInput, "govuk-file-upload"),
    (forms.CheckboxInput, "govuk-checkboxes__input"),
    (forms.widgets.Input, "govuk-input"),
)


def classes_of(widget: forms.Widget) -> str:
    """The class of the kit for a widget."""
    return next((name for kind, name in _CLASS_OF_WIDGET if isinstance(widget, kind)), "")
