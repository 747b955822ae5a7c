"""How allauth does things here."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

__all__ = ["Adapter", "name_that_was_tried"]


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Anybody may open an account; appointments are what opens doors."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether an account may be opened."""
        return True


def name_that_was_tried(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """The name that a password was tried for: what failures are counted by and what is locked must be the same.

    Django tells of a failure with `username`, axes asks before an attempt with `login`. Names differ by case for nobody.
    """
    told = credentials or {}
    return str(told.get("username") or told.get("login") or request.POST.get("login", "")).strip().lower()
