"""How allauth does things here."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

__all__ = ["Adapter"]


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Anybody may open an account; appointments are what opens doors."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether an account may be opened."""
        return True
