"""The door of importers, makers and dealers, and of the regulator's review of what they apply for."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

__all__ = ["TradeConfig"]


class TradeConfig(AppConfig):
    """What Django needs to know of it."""

    name = "openceir.portal.trade"
    label = "trade"

    def ready(self) -> None:
        """The flow, and the doors."""
        from openceir.portal.accounts.roles import may
        from openceir.portal.site.doors import Door, open_door
        from openceir.portal.trade import flows  # noqa: F401
        from openceir.portal.trade.rules import APPLY, KEEP_STOCK, REVIEW, SELL

        for name, text, permission, order in (
            ("type_approvals", _("Type approvals"), APPLY, 40),
            ("stock", _("Stock"), KEEP_STOCK, 41),
            ("sell", _("Sales"), SELL, 42),
            ("trade_review", _("Trade"), REVIEW, 64),
        ):
            open_door(
                Door(name=name, text=text, order=order, may_open=lambda request, one=permission: may(request.user, one))  # type: ignore[misc]
            )
