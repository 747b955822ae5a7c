"""The door of importers, makers and dealers, and of the regulator's review of what they apply for."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

__all__ = ["TradeConfig"]


class TradeConfig(AppConfig):
    """What Django needs to know of it."""

    name = "openceir.portal.trade"
    label = "trade"

    def ready(self) -> None:
        """Flows, deadlines, chores and doors."""
        from openceir.portal.accounts.roles import may
        from openceir.portal.site.doors import Door, open_door
        from openceir.portal.trade import flows, papers, questions, standing  # noqa: F401
        from openceir.portal.trade.rules import ANSWER, APPLY, ASK_COMPANY, HAVE_STANDING, KEEP_STOCK, REVIEW, SELL

        for name, text, permission, order in (
            ("standing", _("Standing"), HAVE_STANDING, 39),
            ("type_approvals", _("Type approvals"), APPLY, 40),
            ("stock", _("Stock"), KEEP_STOCK, 41),
            ("sell", _("Sales"), SELL, 42),
            ("company_questions", _("Questions"), ANSWER, 43),
            ("asked_questions", _("Questions to companies"), ASK_COMPANY, 45),
            ("trade_review", _("Trade"), REVIEW, 64),
        ):
            open_door(
                Door(name=name, text=text, order=order, may_open=lambda request, one=permission: may(request.user, one))  # type: ignore[misc]
            )
