"""The doors of the portal: an app registers its own, and the head of each page shows those that the person may open."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language

__all__ = ["Door", "FooterLink", "doors_for", "footer_links", "open_door", "put_in_footer"]


@cache
def _address_of(name: str, argument: str = "") -> str:
    """The address of a page; asked for some twenty times a page, and always the same."""
    return reverse(name, args=[argument] if argument else [])


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One entry of the navigation at the head of every page."""

    name: str  # of the URL that it leads to
    text: str | Promise  # by gettext_lazy
    may_open: Callable[[HttpRequest], bool]
    order: int = 50

    @property
    def address(self) -> str:
        """Where it leads."""
        return _address_of(self.name)


_DOORS: dict[str, Door] = {}


def open_door(door: Door) -> None:
    """Add a door; an app does so in its `AppConfig.ready`."""
    _DOORS[door.name] = door


def doors_for(request: HttpRequest) -> SafeString:
    """The doors that the person of this request may open, in their order, as items of a list."""
    if not hasattr(request, "user"):  # a refusal before the session was read
        return SafeString("")
    opened = sorted((door for door in _DOORS.values() if door.may_open(request)), key=lambda door: door.order)
    language = get_language() or ""
    return SafeString("".join(_item(door.name, language, request.path == door.address) for door in opened))


@cache
def _item(name: str, language: str, is_here: bool) -> SafeString:
    door, here = _DOORS[name], SafeString(' aria-current="page"' if is_here else "")
    return format_html('<li><a href="{}"{}>{}</a></li>\n', door.address, here, door.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class FooterLink:
    """A link at the foot of every page."""

    name: str  # of the URL
    text: str | Promise
    argument: str = ""

    @property
    def address(self) -> str:
        """Where it leads."""
        return _address_of(self.name, self.argument)


_FOOTER: dict[tuple[str, str], FooterLink] = {}


def put_in_footer(link: FooterLink) -> None:
    """Add a link to the foot of every page; an app does so in its `AppConfig.ready`."""
    _FOOTER[(link.name, link.argument)] = link


def footer_links() -> SafeString:
    """The links at the foot of every page, in the language that is active."""
    return _footer_in(get_language() or "")


@cache
def _footer_in(language: str) -> SafeString:
    return format_html_join(
        "\n",
        '<li class="govuk-footer__inline-list-item"><a class="govuk-footer__link" href="{}">{}</a></li>',
        [(link.address, link.text) for link in _FOOTER.values()],
    )
