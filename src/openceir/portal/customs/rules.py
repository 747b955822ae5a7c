"""Who of customs may do what."""

from typing import Any

import rules.predicates

from openceir.portal.accounts.roles import PortalRole, grant

__all__ = ["DECIDE_IMPORTS", "DECLARE", "READ_CONSIGNMENTS", "READ_IMPORTS", "RELEASE", "SCAN"]


@rules.predicates.predicate(name="of the case's office")
def _of_its_office(user: Any, case: Any) -> bool:
    return case is None or any(one.office == case.office for one in user.appointments_now)


_BOTH = (PortalRole.CUSTOMS_OFFICER, PortalRole.CUSTOMS_SUPERVISOR)

READ_CONSIGNMENTS = grant("customs.read-consignments", *_BOTH)
DECLARE = grant("customs.declare", *_BOTH)
SCAN = grant("customs.scan", *_BOTH)
RELEASE = grant("customs.release", *_BOTH)
READ_IMPORTS = grant("customs.read-imports", *_BOTH, also=_of_its_office)
DECIDE_IMPORTS = grant("customs.decide-imports", *_BOTH, also=_of_its_office)
