"""The police's door."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

__all__ = ["PoliceConfig"]


class PoliceConfig(AppConfig):
    """What Django needs to know of it."""

    name = "openceir.portal.police"
    label = "police"

    def ready(self) -> None:
        """Flows, acts for two persons, alerts and the doors."""
        from openceir.portal.accounts.roles import may
        from openceir.portal.police import bulk, decisions, hits, seizures  # noqa: F401
        from openceir.portal.police.rules import CHECK_ROADSIDE, READ_CASES
        from openceir.portal.site.doors import Door, open_door

        open_door(
            Door(name="police_queue", text=_("Cases"), may_open=lambda request: may(request.user, READ_CASES), order=20)
        )
        open_door(
            Door(
                name="roadside",
                text=_("Roadside"),
                may_open=lambda request: may(request.user, CHECK_ROADSIDE),
                order=21,
            )
        )
