"""Forms as pages show them: label, hint, error and field tied together, errors once more in a summary at the top.

`{{ form }}` renders every field; `{{ form.name.as_field_group }}` one. `{% error_summary form %}` stands at the head of
the page. Give digits, references and dates `widget=Digits()`: they run left to right in every script.
"""

from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting
from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe

from openceir.portal.site.fields import field_group, widget_tag

__all__ = ["Digits", "Renderer"]


class Renderer(TemplatesSetting):
    """Django's renderer with our layout of a field. What a page has most of is written in Python (`fields.py`)."""

    form_template_name = "site/forms/form.html"
    field_template_name = "site/field"  # no template: `render` knows it

    def render(self, template_name: str, context: Any, request: HttpRequest | None = None) -> SafeString:
        """A field group, a widget or a form."""
        if template_name == self.field_template_name:
            field: BoundField = context["field"]
            return field_group(field)
        tag = widget_tag(template_name, context["widget"]) if "widget" in context else None
        return mark_safe(super().render(template_name, context, request)) if tag is None else tag  # noqa: S308


class Digits(forms.TextInput):
    """A field for an IMEI, a reference or a number."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(
            {"dir": "ltr", "inputmode": "numeric", "autocomplete": "off", "spellcheck": "false", **(attrs or {})}
        )
