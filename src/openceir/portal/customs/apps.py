"""The customs' door."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

__all__ = ["CustomsConfig"]


class CustomsConfig(AppConfig):
    """What Django needs to know of it."""

    name = "openceir.portal.customs"
    label = "customs"

    def ready(self) -> None:
        """The doors."""
        from openceir.portal.accounts.roles import may
        from openceir.portal.customs.rules import READ_CONSIGNMENTS, READ_IMPORTS
        from openceir.portal.site.doors import Door, open_door

        for name, text, permission, order in (
            ("consignments", _("Consignments"), READ_CONSIGNMENTS, 30),
            ("imports", _("Travellers"), READ_IMPORTS, 31),
        ):
            open_door(
                Door(name=name, text=text, order=order, may_open=lambda request, one=permission: may(request.user, one))  # type: ignore[misc]
            )
