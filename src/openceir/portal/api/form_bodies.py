"""The forms of the pages as bodies of requests: one description of a field, for people and for programs.

What a form takes, its page and the API take alike, and both say the same sentences about what is wrong. The OpenAPI
schema is read off the form, so it changes with it.
"""

from typing import Any, TypeVar

from django import forms
from django.core.validators import RegexValidator
from django.http import HttpRequest

from openceir.portal.api.problems import FormInvalid

__all__ = ["body_of", "filled"]

AForm = TypeVar("AForm", bound=forms.Form)


def body_of(form_class: type[forms.Form], *, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """What goes into `openapi_extra`: a form with documents is sent as parts."""
    fields = {name: field for name, field in form_class.base_fields.items() if name not in without}
    schema = {
        "type": "object",
        "properties": {name: _schema_of(field) for name, field in fields.items()},
        "required": [name for name, field in fields.items() if field.required],
    }
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


def filled(request: HttpRequest, form_class: type[AForm], **more: Any) -> AForm:
    """The form, filled by the request and valid; `more` are fields that only pages send. Raises: FormInvalid."""
    data = request.POST.copy()
    for name, value in more.items():
        data[name] = value
    form = form_class(data, request.FILES)
    if not form.is_valid():
        raise FormInvalid(form)
    return form


def _schema_of(field: forms.Field) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if field.label:
        schema["title"] = field.label
    match field:
        case forms.FileField():
            return schema | {"format": "binary"}
        case forms.MultipleChoiceField():
            names = [str(value) for value, _text in _choices(field)]
            return {**schema, "type": "array", "items": {"type": "string", "enum": names}}
        case forms.ChoiceField():
            return schema | {"enum": [str(value) for value, _text in _choices(field)]}
        case forms.DateField():
            return schema | {"format": "date"}
        case forms.EmailField():
            schema["format"] = "email"
        case forms.IntegerField():
            bounds = {"minimum": field.min_value, "maximum": field.max_value}
            return schema | {"type": "integer"} | {name: value for name, value in bounds.items() if value is not None}
        case forms.BooleanField():
            return schema | {"type": "boolean"}
    if isinstance(field, forms.CharField):
        least = field.min_length or (1 if field.required else 0)
        schema |= {"minLength": least} if least else {}
        schema |= {"maxLength": field.max_length} if field.max_length else {}
        for validator in field.validators:
            if isinstance(validator, RegexValidator) and not isinstance(field, forms.EmailField):
                pattern = str(getattr(validator.regex, "pattern", validator.regex))
                schema["pattern"] = pattern.replace(r"\A", "^").replace(r"\Z", "$")
    return schema


def _choices(field: forms.ChoiceField) -> Any:
    choices: Any = field.choices
    return [(value, text) for value, text in choices if value != ""]
