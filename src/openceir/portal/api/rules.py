"""Who may make keys for programs."""

from openceir.portal.accounts.roles import PortalRole, grant

__all__ = ["GIVE_PARTNERS_KEYS", "MAKE_OWN_KEYS"]

MAKE_OWN_KEYS = grant(
    "api.make-own-keys",
    PortalRole.IMPORTER,
    PortalRole.MAKER,
    PortalRole.DEALER,
    PortalRole.OPERATOR,
    PortalRole.MARKETPLACE,
)
GIVE_PARTNERS_KEYS = grant("api.give-partners-keys", PortalRole.REGULATOR, PortalRole.REGULATOR_SUPERVISOR)
