"""The app of accounts."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

__all__ = ["AccountsConfig"]


class AccountsConfig(AppConfig):
    """What Django needs to know of it."""

    name = "openceir.portal.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Acts for two persons, and the doors of those who watch over others."""
        from openceir.portal.accounts import appointing, committing  # noqa: F401
        from openceir.portal.accounts.approvals import approve_permissions
        from openceir.portal.accounts.roles import may
        from openceir.portal.accounts.rules import APPOINT, SEE_ALARMS
        from openceir.portal.site.doors import Door, open_door

        open_door(
            Door(
                name="approvals", text=_("To approve"), order=80,
                may_open=lambda request: any(may(request.user, one) for one in approve_permissions()),
            )
        )  # fmt: skip
        open_door(Door(name="people", text=_("People"), may_open=lambda request: may(request.user, APPOINT), order=85))
        open_door(
            Door(name="alarms", text=_("Alarms"), may_open=lambda request: may(request.user, SEE_ALARMS), order=86)
        )
