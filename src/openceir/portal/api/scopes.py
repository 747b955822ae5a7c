"""What a key may open. A scope that rests on a permission opens only what its holder may do on the pages as well."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from openceir.portal.accounts.roles import GRANTS, PortalRole
from openceir.portal.operators.rules import READ_LISTS, UPLOAD
from openceir.portal.trade.rules import APPLY, KEEP_STOCK

__all__ = ["SCOPES", "Scope", "choices_of", "of_company", "of_partner"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One row of the table."""

    name: str
    text: str | Promise
    permission: str = ""  # empty: it rests on none
    for_others: bool = False  # whether it brings the matters of citizens, which only the regulator lets somebody do


SCOPES = {
    scope.name: scope
    for scope in (
        Scope(name="check", text=_("check many devices at once")),
        Scope(name="screen", text=_("screen listings of a marketplace")),
        Scope(name="scan", text=_("read labels from photos")),
        Scope(name="reports", text=_("report stolen and lost phones for their owners"), for_others=True),
        Scope(name="appeals", text=_("appeal for the holders of blocked phones"), for_others=True),
        Scope(name="registrations", text=_("register devices for those who brought them"), for_others=True),
        Scope(name="type-approvals", text=_("apply for type approvals"), permission=APPLY),
        Scope(name="stock", text=_("declare stock"), permission=KEEP_STOCK),
        Scope(name="dumps", text=_("send dumps"), permission=UPLOAD),
        Scope(name="lists", text=_("fetch lists"), permission=READ_LISTS),
    )
}


def of_company(role: str) -> list[Scope]:
    """What one with this role may put into a key of his own company."""
    return [
        scope
        for scope in SCOPES.values()
        if not scope.for_others and (not scope.permission or PortalRole(role) in GRANTS[scope.permission])
    ]


def of_partner() -> list[Scope]:
    """What the regulator may put into a partner's key: nothing that only a company does for itself."""
    return [scope for scope in SCOPES.values() if not scope.permission]


def choices_of(scopes: Iterable[Scope]) -> list[tuple[str, str | Promise]]:
    """As a form shows them."""
    return [(scope.name, scope.text) for scope in scopes]
