"""Who of the trade, and of the regulator for it, may do what."""

from typing import Any

import rules.predicates

from openceir.portal.accounts.roles import PortalRole, grant

__all__ = ["APPLY", "KEEP_STOCK", "REVIEW", "SELL"]


@rules.predicates.predicate(name="of the applicant's company")
def _of_its_company(user: Any, case: Any) -> bool:
    return case is None or any(one.office == case.details.get("applicant") for one in user.appointments_now)


APPLY = grant("trade.apply", PortalRole.IMPORTER, PortalRole.MAKER, also=_of_its_company)
KEEP_STOCK = grant("trade.keep-stock", PortalRole.IMPORTER, PortalRole.MAKER)
SELL = grant("trade.sell", PortalRole.IMPORTER, PortalRole.MAKER, PortalRole.DEALER)
REVIEW = grant("trade.review", PortalRole.REGULATOR, PortalRole.REGULATOR_SUPERVISOR)
