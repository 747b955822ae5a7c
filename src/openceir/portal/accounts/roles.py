"""The roles that people have at the portal, and which permission each has: the role x action matrix.

An app grants its permissions in its `rules.py`, which is imported at the start:

    DECIDE = grant("police.decide-case", PortalRole.POLICE_OFFICER, PortalRole.POLICE_SUPERVISOR)

A permission is asked for with `user.has_perm(DECIDE)`, on a view with `accounts.doors.needs(DECIDE)`. Predicates that
look at the object (a case of one's own office) are joined with `&`, as `rules` does it.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import rules.permissions
import rules.predicates

if TYPE_CHECKING:
    from openceir.portal.accounts.models import User

__all__ = ["GRANTS", "PortalRole", "grant", "may"]


class PortalRole(StrEnum):
    """What somebody is appointed as. Everybody else is a citizen."""

    POLICE_OFFICER = "police-officer"
    POLICE_SUPERVISOR = "police-supervisor"
    CUSTOMS_OFFICER = "customs-officer"
    CUSTOMS_SUPERVISOR = "customs-supervisor"
    IMPORTER = "importer"
    MAKER = "maker"
    DEALER = "dealer"
    OPERATOR = "operator"
    MARKETPLACE = "marketplace"
    REGULATOR = "regulator"
    REGULATOR_SUPERVISOR = "regulator-supervisor"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


GRANTS: dict[str, frozenset[PortalRole]] = {}  # permission -> the roles that have it


def grant(permission: str, *roles: PortalRole, also: Any = None) -> str:
    """Let these roles do what `permission` names; its name. `also` is a predicate of (user, object) that must hold too."""
    if permission in GRANTS:
        raise TypeError(f"the permission {permission} is granted twice")
    GRANTS[permission] = frozenset(roles)
    predicate = _appointed_as(roles)
    rules.permissions.add_perm(permission, predicate if also is None else predicate & also)
    return permission


def may(user: Any, permission: str, about: object = None) -> bool:
    """Whether this person has the permission, for this object if it looks at one."""
    return bool(getattr(user, "is_active", False) and user.has_perm(permission, about))


def _appointed_as(roles: Iterable[PortalRole]) -> Any:
    wanted = frozenset(roles)

    @rules.predicates.predicate(name="appointed as " + ", ".join(sorted(wanted)))
    def is_appointed(user: "User", about: object = None) -> bool:
        return bool(user.is_authenticated) and any(one.role in wanted for one in user.appointments_now)

    return is_appointed
