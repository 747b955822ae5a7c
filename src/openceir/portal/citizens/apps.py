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
        from openceir.portal.site.doors import Door, FooterLink, open_door, put_in_footer

        for order, (name, text) in enumerate(
            (
                ("home", _("Check")),
                ("report", _("Stolen or lost")),
                ("appeal", _("Appeal")),
                ("bring", _("Register")),
                ("open_case", _("My case")),
                ("mine", _("My devices")),
            )
        ):
            open_door(Door(name=name, text=text, may_open=lambda request: True, order=order))
        for argument, text in (
            ("find", _("Find your IMEI")),
            ("buying", _("Buying a used phone")),
            ("stolen", _("When your phone is gone")),
            ("copied", _("When your number was copied")),
            ("travel", _("Visitors and travellers")),
            ("privacy", _("Privacy")),
            ("accessibility", _("Accessibility")),
        ):
            put_in_footer(FooterLink(name="help", argument=argument, text=text))
        put_in_footer(FooterLink(name="figures", text=_("Figures")))
        put_in_footer(FooterLink(name="verify_receipt", text=_("Verify a receipt")))
