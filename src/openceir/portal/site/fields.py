"""A field of a form as markup of the kit, written here rather than in a template: at a tenth of what templates cost.

Every value passes `_text`, which leaves alone what is marked as safe and escapes the rest.
"""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from django import forms
from django.forms.boundfield import BoundField, BoundWidget
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

__all__ = ["field_group", "form_kind", "widget_tag"]

_INPUTS = {
    f"django/forms/widgets/{kind}.html"
    for kind in ("input", "text", "email", "number", "hidden", "file", "date", "password", "checkbox")
}
_OPTIONS = {f"django/forms/widgets/{kind}_option.html" for kind in ("radio", "checkbox")}  # `_choice` labels them

_CLASS_OF_WIDGET: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.Textarea, "govuk-textarea"),
    (forms.Select, "govuk-select"),
    (forms.FileInput, "govuk-file-upload"),
    (forms.CheckboxInput, "govuk-checkboxes__input"),
    (forms.widgets.Input, "govuk-input"),
)


def _text(value: Any) -> str:
    """`django.utils.html.conditional_escape` without its care for lazy results, which a page pays for hundreds of times."""
    if isinstance(value, Promise):
        value = str(value)
    return str(value.__html__()) if hasattr(value, "__html__") else escape(str(value))


def _attributes(values: Mapping[str, Any]) -> str:
    return "".join(
        f" {name}" if value is True else f' {name}="{_text(value)}"'
        for name, value in values.items()
        if value is not False
    )


def widget_tag(template_name: str, widget: Mapping[str, Any]) -> SafeString | None:
    """What the template of Django makes of a widget; None for the few that are left to it."""
    if template_name in _INPUTS or (template_name in _OPTIONS and not widget["wrap_label"]):
        tag = _input(widget)
    elif template_name == "django/forms/widgets/textarea.html":
        attributes = _attributes({"name": widget["name"], **widget["attrs"]})
        tag = f"<textarea{attributes}>\n{_text(widget['value'] or '')}</textarea>"
    elif template_name == "django/forms/widgets/select.html":
        groups = "".join(_options(name, options) for name, options, _ in widget["optgroups"])
        tag = f"<select{_attributes({'name': widget['name'], **widget['attrs']})}>{groups}</select>"
    else:
        return None
    return mark_safe(tag)  # noqa: S308 - every value is escaped


def _input(widget: Mapping[str, Any]) -> str:
    value = {} if widget["value"] is None else {"value": widget["value"]}
    return f"<input{_attributes({'type': widget['type'], 'name': widget['name'], **value, **widget['attrs']})}>"


def _options(group: str | None, options: Iterable[Mapping[str, Any]]) -> str:
    inner = "".join(
        f"<option{_attributes({'value': option['value'], **option['attrs']})}>{_text(option['label'])}</option>"
        for option in options
    )
    return f'<optgroup label="{_text(group)}">{inner}</optgroup>' if group else inner


def form_kind(field: BoundField) -> str:
    """How a field is laid out: one checkbox, several choices, or a line of its own."""
    widget = field.field.widget
    if isinstance(widget, forms.CheckboxSelectMultiple):
        return "checkboxes"
    if isinstance(widget, forms.RadioSelect):
        return "radios"
    return "checkbox" if isinstance(widget, forms.CheckboxInput) else "line"


def field_group(field: BoundField) -> SafeString:
    """A field with its label, hint and errors, tied together for who hears the page."""
    kind, errors, hint, name = form_kind(field), field.errors, field.help_text, field.auto_id
    wrong = "".join(
        f'<p{f" id={chr(34)}{name}-error{chr(34)}" if number == 0 else ""} class="govuk-error-message">'
        f'<span class="govuk-visually-hidden">{_text(_("Error:"))}</span> {_text(error)}</p>'
        for number, error in enumerate(errors)
    )
    hint_class = "govuk-hint govuk-checkboxes__hint" if kind == "checkbox" else "govuk-hint"
    said = f'<div id="{name}-hint" class="{hint_class}">{_text(hint)}</div>' if hint else ""
    if kind in {"radios", "checkboxes"}:
        items = "".join(
            f'<div class="govuk-{kind}__item">{_choice(choice, kind)}</div>\n'
            for choice in field  # one of several
        )
        described = f' aria-describedby="{name}-hint"' if hint else ""
        inner = (
            f'<fieldset class="govuk-fieldset"{described}>'
            f'<legend class="govuk-fieldset__legend govuk-fieldset__legend--s">{_text(field.label)}</legend>\n'
            f'{said}{wrong}<div class="govuk-{kind}">{items}</div></fieldset>'
        )
    elif kind == "checkbox":
        inner = (
            f'{wrong}<div class="govuk-checkboxes"><div class="govuk-checkboxes__item">{_widget(field)}'
            f'<label class="govuk-label govuk-checkboxes__label" for="{field.id_for_label}">{_text(field.label)}</label>'
            f"{said}</div></div>"
        )
    else:
        optional = f" {_text(_('(optional)'))}" if _says_optional(field) else ""
        label = f'<label class="govuk-label" for="{field.id_for_label}">{_text(field.label)}{optional}</label>\n'
        inner = f"{label}{said}{wrong}{_widget(field)}"
    marked = " govuk-form-group--error" if errors else ""
    return mark_safe(f'<div class="govuk-form-group{marked}">{inner}</div>\n')  # noqa: S308 - every value is escaped


def _widget(field: BoundField) -> str:
    """The field's widget with the kit's class and everything a screen reader needs to tie it to hint and error."""
    widget = field.field.widget
    of_kit = next((name for kind, name in _CLASS_OF_WIDGET if isinstance(widget, kind)), "")
    attrs: dict[str, Any] = {"class": f"{of_kit} {widget.attrs.get('class', '')}".strip()}
    told = [f"{field.auto_id}-hint"] if field.help_text else []
    if field.errors:
        attrs["class"] += f" {of_kit}--error"
        attrs["aria-invalid"] = "true"
        told.append(f"{field.auto_id}-error")
    if told:
        attrs["aria-describedby"] = " ".join(told)
    return str(field.as_widget(attrs=attrs))


def _choice(choice: BoundWidget, kind: str) -> str:
    """One of several radios or checkboxes with the kit's class, without which it lies under its label."""
    choice.data["attrs"]["class"] = f"govuk-{kind}__input"
    label = f'<label class="govuk-label govuk-{kind}__label" for="{choice.id_for_label}">{_text(choice.choice_label)}</label>'
    return f"{choice.tag()}{label}"


def _says_optional(field: BoundField) -> bool:
    """Whether "(optional)" stands behind the label: not where one of several fields must be filled in."""
    return not field.field.required and not field.field.widget.attrs.get("data-one-of")
