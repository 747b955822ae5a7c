"""Who may do what with accounts themselves."""

from openceir.portal.accounts.roles import PortalRole, grant

__all__ = ["APPOINT", "SEE_ALARMS"]

APPOINT = grant("accounts.appoint", PortalRole.ADMINISTRATOR, PortalRole.REGULATOR_SUPERVISOR)
SEE_ALARMS = grant(
    "accounts.see-alarms",
    PortalRole.POLICE_SUPERVISOR,
    PortalRole.CUSTOMS_SUPERVISOR,
    PortalRole.REGULATOR_SUPERVISOR,
    PortalRole.AUDITOR,
)
