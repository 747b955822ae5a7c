"""The citizens' door."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

__all__ = ["CitizensConfig"]


class CitizensConfig(AppConfig):
    """What Django needs to know of it."""

    name = "openceir.portal.citizens"
    label = "citizens"

    def ready(self) -> None:
        """Flows, deadlines and doors."""
        from openceir.portal.citizens import appeals, chores, flows  # noqa: F401
        from openceir.portal.site.doors import Door, open_door

        open_door(Door(name="home", text=_("Check"), may_open=lambda request: True, order=1))
