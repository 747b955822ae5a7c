"""The API for programs: partners, marketplaces, offices' own systems."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

__all__ = ["ApiConfig"]


class ApiConfig(AppConfig):
    """What Django needs to know of it."""

    name = "openceir.portal.api"
    label = "api"

    def ready(self) -> None:
        """The door to the page of keys, and what the worker does."""
        from openceir.portal.api import chores  # noqa: F401
        from openceir.portal.api.views import may_have_keys
        from openceir.portal.site.doors import Door, open_door

        open_door(Door(name="api_keys", text=_("Keys for programs"), may_open=may_have_keys, order=80))
