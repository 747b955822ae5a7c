"""The operators' door."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

__all__ = ["OperatorsConfig"]


class OperatorsConfig(AppConfig):
    """What Django needs to know of it."""

    name = "openceir.portal.operators"
    label = "operators"

    def ready(self) -> None:
        """The doors, and what the worker does."""
        from openceir.portal.accounts.roles import may
        from openceir.portal.operators import chores  # noqa: F401
        from openceir.portal.operators.rules import CONTEST, GIVE_FEEDBACK, READ_AUDITS, READ_LISTS, UPLOAD
        from openceir.portal.site.doors import Door, open_door

        for name, text, permission, order in (
            ("dumps", _("Dumps"), UPLOAD, 50),
            ("operator_lists", _("Lists"), READ_LISTS, 51),
            ("notice_outcomes", _("Outcomes of notices"), GIVE_FEEDBACK, 52),
            ("operator_contests", _("Contested blocks"), CONTEST, 53),
            ("eir_audits", _("Audits"), READ_AUDITS, 54),
        ):
            open_door(
                Door(name=name, text=text, order=order, may_open=lambda request, one=permission: may(request.user, one))  # type: ignore[misc]
            )
