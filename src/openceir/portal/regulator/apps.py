"""The regulator's door."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

__all__ = ["RegulatorConfig"]


class RegulatorConfig(AppConfig):
    """What Django needs to know of it."""

    name = "openceir.portal.regulator"
    label = "regulator"

    def ready(self) -> None:
        """Acts for two persons, and the doors."""
        from openceir.portal.accounts.roles import may
        from openceir.portal.regulator import checks, chores, findings, policy, texts  # noqa: F401
        from openceir.portal.regulator.rules import (
            DECIDE_APPEALS,
            READ_FIGURES,
            READ_FINDINGS,
            READ_NOTICES,
            READ_POLICY,
        )
        from openceir.portal.site.doors import Door, open_door

        for name, text, permission, order in (
            ("regulator_dashboard", _("Overview"), READ_FIGURES, 59),
            ("regulator_figures", _("Figures"), READ_FIGURES, 60),
            ("policy", _("Policy"), READ_POLICY, 61),
            ("findings", _("Findings"), READ_FINDINGS, 62),
            ("appeals", _("Appeals"), DECIDE_APPEALS, 63),
            ("waiting_times", _("Waiting times"), READ_FIGURES, 64),
            ("notice_texts", _("Texts of notices"), READ_NOTICES, 65),
        ):
            open_door(
                Door(name=name, text=text, order=order, may_open=lambda request, one=permission: may(request.user, one))  # type: ignore[misc]
            )
