"""What templates of the portal have beside Django's own tags; loaded in every template."""

from datetime import date, datetime
from typing import Any

from django import forms, template
from django.template.loader import render_to_string
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from openceir.identity import format_imei
from openceir.portal.cases.references import format_code
from openceir.portal.site.fields import form_kind

register = template.Library()


@register.filter
def ltr(value: object) -> SafeString:
    """Digits, references and codes, which run left to right within any script."""
    return format_html('<bdi dir="ltr">{}</bdi>', value)


@register.filter
def spaced(name: str) -> str:
    """A column's or field's name as words."""
    return name.replace("_", " ")


@register.filter
def reference(value: str) -> SafeString:
    """A case's reference or secret, in groups of four."""
    return format_html('<bdi dir="ltr" class="app-code">{}</bdi>', format_code(value))


@register.filter
def imei(device: str) -> SafeString:
    """A device as a case keeps it: 14 digits are shown with their check digit."""
    spelt = format_imei(device) if len(device) == 14 and device.isascii() and device.isdigit() else device
    return format_html('<bdi dir="ltr">{}</bdi>', spelt)


@register.filter
def day(value: date | datetime | None) -> SafeString | str:
    """A day, in the words of the reader's language."""
    if value is None:
        return ""
    on = timezone.localtime(value).date() if isinstance(value, datetime) else value
    return format_html(
        '<time datetime="{}"><bdi>{}</bdi></time>', on.isoformat(), formats.date_format(on, "DATE_FORMAT")
    )


@register.filter
def instant(value: datetime | None) -> SafeString | str:
    """An instant to the minute, UTC."""
    if value is None:
        return ""
    return format_html(
        '<time datetime="{}"><bdi>{}</bdi> <bdi dir="ltr">{} UTC</bdi></time>',
        value.isoformat(),
        formats.date_format(value, "DATE_FORMAT"),
        f"{value:%H:%M}",
    )


@register.simple_tag
def error_summary(*form: forms.BaseForm | None) -> str:
    """What is wrong with forms, each error a link to its field; nothing when nothing is."""
    wrong = [one for one in form if one and one.errors]
    if not wrong:
        return ""
    errors = [
        (f"#{field.auto_id}" if form_kind(field) in {"line", "checkbox"} else f"#{field.auto_id}_0", error)
        for one in wrong
        for field in one
        for error in field.errors
    ]
    general = [error for one in wrong for error in one.non_field_errors()]
    return render_to_string("site/parts/error_summary.html", {"errors": errors, "general": general})


@register.inclusion_tag("site/parts/summary_list.html")
def summary_list(rows: object) -> dict[str, Any]:
    """Pairs of a name and a value."""
    return {"rows": rows}


@register.inclusion_tag("site/parts/pagination.html", takes_context=True)
def pagination(context: dict[str, Any], page: object) -> dict[str, Any]:
    """Links to the pages of a `django.core.paginator.Page`; what else the address asks for stays."""
    query = context["request"].GET.copy()
    query.pop("page", None)
    return {"page": page, "query": query.urlencode()}


@register.inclusion_tag("site/parts/timeline.html")
def timeline(events: object) -> dict[str, Any]:
    """A case's events, oldest first."""
    return {"events": events}
