"""Who may see the country's figures, change its policy, adopt findings and decide appeals."""

from openceir.portal.accounts.roles import PortalRole, grant

__all__ = [
    "ADOPT_FINDINGS",
    "APPROVE_FINDINGS",
    "APPROVE_NOTICES",
    "APPROVE_POLICY",
    "CHANGE_NOTICES",
    "CHANGE_POLICY",
    "DECIDE_APPEALS",
    "MAKE_FIGURES",
    "READ_FIGURES",
    "READ_FINDINGS",
    "READ_NOTICES",
    "READ_POLICY",
]

_BOTH = (PortalRole.REGULATOR, PortalRole.REGULATOR_SUPERVISOR)

READ_FIGURES = grant("regulator.read-figures", *_BOTH, PortalRole.AUDITOR)
MAKE_FIGURES = grant("regulator.make-figures", *_BOTH)
READ_POLICY = grant("regulator.read-policy", *_BOTH, PortalRole.AUDITOR)
CHANGE_POLICY = grant("regulator.change-policy", *_BOTH)
APPROVE_POLICY = grant("regulator.approve-policy", PortalRole.REGULATOR_SUPERVISOR)
READ_FINDINGS = grant("regulator.read-findings", *_BOTH, PortalRole.AUDITOR)
ADOPT_FINDINGS = grant("regulator.adopt-findings", *_BOTH)
APPROVE_FINDINGS = grant("regulator.approve-findings", PortalRole.REGULATOR_SUPERVISOR)
DECIDE_APPEALS = grant("regulator.decide-appeals", *_BOTH)
READ_NOTICES = grant("regulator.read-notices", *_BOTH, PortalRole.AUDITOR)
CHANGE_NOTICES = grant("regulator.change-notices", *_BOTH)
APPROVE_NOTICES = grant("regulator.approve-notices", PortalRole.REGULATOR_SUPERVISOR)
