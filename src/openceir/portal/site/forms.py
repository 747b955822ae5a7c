"""Forms as pages show them: label, hint, error and field tied together, errors once more in a summary at the top.

`{{ form }}` renders every field; `{{ form.name.as_field_group }}` one. `{% error_summary form %}` stands at the head of
the page. Give digits, references and dates `widget=Digits()`: they run left to right in every script.
"""

from typing import Any

from django import forms
from django.forms.renderers import TemplatesSetting
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

__all__ = ["Digits", "Renderer", "classes_of"]


class Renderer(TemplatesSetting):
    """Django's renderer with our templates."""

    form_template_name = "site/forms/form.html"
    field_template_name = "site/forms/field.html"

    def render(self, template_name: str, context: Any, request: HttpRequest | None = None) -> SafeString:
        """A template; the widgets of which a page has most are written here, at a tenth of what two templates cost."""
        if template_name in _INPUTS:
            widget = context["widget"]
            value = {} if widget["value"] is None else {"value": widget["value"]}
            return format_html(
                "<input{}>", _attributes({"type": widget["type"], "name": widget["name"], **value, **widget["attrs"]})
            )
        if template_name == "django/forms/widgets/textarea.html":
            widget = context["widget"]
            attributes = _attributes({"name": widget["name"], **widget["attrs"]})
            return format_html("<textarea{}>\n{}</textarea>", attributes, widget["value"] or "")
        return mark_safe(super().render(template_name, context, request))  # noqa: S308 - what a template made


_INPUTS = {
    f"django/forms/widgets/{kind}.html"
    for kind in ("input", "text", "email", "number", "hidden", "file", "date", "password")
}


def _attributes(values: dict[str, Any]) -> SafeString:
    return format_html_join(
        "",
        "{}",
        (
            (format_html(" {}", name) if value is True else format_html(' {}="{}"', name, value),)
            for name, value in values.items()
            if value is not False
        ),
    )


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
