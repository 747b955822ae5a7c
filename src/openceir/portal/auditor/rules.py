"""Who may see who did what."""

from openceir.portal.accounts.roles import PortalRole, grant

__all__ = ["READ_ACTS", "REPLAY"]

READ_ACTS = grant("auditor.read-acts", PortalRole.AUDITOR, PortalRole.REGULATOR_SUPERVISOR)
REPLAY = grant("auditor.replay", PortalRole.AUDITOR, PortalRole.REGULATOR_SUPERVISOR)
