"""Who of the police may do what. A case is open to those who act for the office that decides it."""

from openceir.portal.accounts.roles import PortalRole, grant
from openceir.portal.cases.rules import of_its_office

__all__ = ["APPROVE_BULK", "APPROVE_REPORT", "BLOCK_IN_BULK", "CHECK_ROADSIDE", "DECIDE_CASES", "READ_CASES", "SEIZE"]


_BOTH = (PortalRole.POLICE_OFFICER, PortalRole.POLICE_SUPERVISOR)

READ_CASES = grant("police.read-cases", *_BOTH, also=of_its_office)
DECIDE_CASES = grant("police.decide-cases", *_BOTH, also=of_its_office)
APPROVE_REPORT = grant("police.approve-report", *_BOTH)
BLOCK_IN_BULK = grant("police.block-in-bulk", *_BOTH)
APPROVE_BULK = grant("police.approve-bulk", PortalRole.POLICE_SUPERVISOR)
CHECK_ROADSIDE = grant("police.check-roadside", *_BOTH)
SEIZE = grant("police.seize", *_BOTH, also=of_its_office)
