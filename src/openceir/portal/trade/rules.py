"""Who of the trade, and of the regulator for it, may do what."""

from typing import Any

import rules.predicates

from openceir.portal.accounts.roles import PortalRole, grant
from openceir.portal.cases.rules import of_its_office

__all__ = ["ANSWER", "APPLY", "ASK_COMPANY", "HAVE_STANDING", "KEEP_STOCK", "REVIEW", "SELL"]


@rules.predicates.predicate(name="of the applicant's company")
def _of_its_company(user: Any, case: Any) -> bool:
    return case is None or any(one.office == case.details.get("applicant") for one in user.appointments_now)


@rules.predicates.predicate(name="of the company that was asked")
def _was_asked(user: Any, case: Any) -> bool:
    return case is None or any(one.office == case.details.get("company") for one in user.appointments_now)


_TRADE = (PortalRole.IMPORTER, PortalRole.MAKER, PortalRole.DEALER)

HAVE_STANDING = grant("trade.have-standing", *_TRADE, also=_of_its_company)
APPLY = grant("trade.apply", PortalRole.IMPORTER, PortalRole.MAKER, also=_of_its_company)
KEEP_STOCK = grant("trade.keep-stock", PortalRole.IMPORTER, PortalRole.MAKER)
SELL = grant("trade.sell", *_TRADE)
REVIEW = grant("trade.review", PortalRole.REGULATOR, PortalRole.REGULATOR_SUPERVISOR)
ANSWER = grant("trade.answer", *_TRADE, also=_was_asked)
ASK_COMPANY = grant(
    "trade.ask-company",
    PortalRole.POLICE_OFFICER,
    PortalRole.POLICE_SUPERVISOR,
    PortalRole.CUSTOMS_OFFICER,
    PortalRole.CUSTOMS_SUPERVISOR,
    PortalRole.REGULATOR,
    PortalRole.REGULATOR_SUPERVISOR,
    also=of_its_office,
)
