"""What every page knows: the portal's name, its languages, and what the person may open."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language_bidi

from openceir.portal.site.doors import doors_for, footer_links

__all__ = ["site"]


def site(request: HttpRequest) -> dict[str, Any]:
    """The context of every page."""
    return {
        "portal_name": settings.OPENCEIR.portal_name,
        "languages": settings.LANGUAGES,
        "direction": "rtl" if get_language_bidi() else "ltr",
        "core_css": "site/core.rtl.css" if get_language_bidi() else "site/core.css",
        "doors": doors_for(request),
        "footer_links": footer_links(),
    }
