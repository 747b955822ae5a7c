"""Who of customs may do what."""

from openceir.portal.accounts.roles import PortalRole, grant
from openceir.portal.cases.rules import of_its_office

__all__ = ["DECIDE_IMPORTS", "DECLARE", "READ_CONSIGNMENTS", "READ_IMPORTS", "RELEASE", "SCAN"]


_BOTH = (PortalRole.CUSTOMS_OFFICER, PortalRole.CUSTOMS_SUPERVISOR)

READ_CONSIGNMENTS = grant("customs.read-consignments", *_BOTH)
DECLARE = grant("customs.declare", *_BOTH)
SCAN = grant("customs.scan", *_BOTH)
RELEASE = grant("customs.release", *_BOTH)
READ_IMPORTS = grant("customs.read-imports", *_BOTH, also=of_its_office)
DECIDE_IMPORTS = grant("customs.decide-imports", *_BOTH, also=of_its_office)
