"""Who may read the documents of a case: whoever acts for the office that decides it."""

from typing import Any

import rules.predicates

from openceir.portal.accounts.roles import PortalRole, grant

__all__ = ["READ_EVIDENCE", "of_its_office"]


@rules.predicates.predicate(name="of the case's office")
def of_its_office(user: Any, case: Any) -> bool:
    """Whether somebody acts for the office that decides the case; true where no case is asked about."""
    return case is None or any(one.office == case.office for one in user.appointments_now)


READ_EVIDENCE = grant(
    "cases.read-evidence",
    PortalRole.POLICE_OFFICER,
    PortalRole.POLICE_SUPERVISOR,
    PortalRole.CUSTOMS_OFFICER,
    PortalRole.CUSTOMS_SUPERVISOR,
    PortalRole.REGULATOR,
    PortalRole.REGULATOR_SUPERVISOR,
    also=of_its_office,
)
