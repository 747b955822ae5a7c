"""What every page knows: the portal's name, its languages, and what the person may open."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, get_language_bidi

from openceir.portal.site.doors import doors_for, footer_links

__all__ = ["site"]


def site(request: HttpRequest) -> dict[str, Any]:
    """The context of every page."""
    return {
        "portal_name": settings.OPENCEIR.portal_name,
        "language_choices": _choices(get_language() or ""),
        "direction": "rtl" if get_language_bidi() else "ltr",
        "core_css": "site/core.rtl.css" if get_language_bidi() else "site/core.css",
        "doors": doors_for(request),
        "footer_links": footer_links(),
    }


@cache
def _choices(chosen: str) -> SafeString:
    return format_html_join(
        "",
        '<option value="{}" lang="{}"{}>{}</option>',
        [(code, code, _SELECTED if code == chosen else "", name) for code, name in settings.LANGUAGES],
    )


_SELECTED = SafeString(" selected")
