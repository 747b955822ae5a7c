"""The auditor's door."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

__all__ = ["AuditorConfig"]


class AuditorConfig(AppConfig):
    """What Django needs to know of it."""

    name = "openceir.portal.auditor"
    label = "auditor"

    def ready(self) -> None:
        """The door to the proofs is open to everybody: whoever holds a receipt may check it."""
        from openceir.portal.accounts.roles import may
        from openceir.portal.auditor.rules import READ_ACTS
        from openceir.portal.site.doors import Door, open_door

        open_door(Door(name="proofs", text=_("Proofs"), may_open=lambda request: True, order=90))
        open_door(Door(name="acts", text=_("Acts"), may_open=lambda request: may(request.user, READ_ACTS), order=91))
