"""Who of an operator may do what."""

from typing import Any

import rules.predicates

from openceir.portal.accounts.roles import PortalRole, grant

__all__ = [
    "CONTEST",
    "FILE_AUDITS",
    "GIVE_FEEDBACK",
    "READ_AUDITS",
    "READ_LISTS",
    "READ_REJECTS",
    "SEND_NOTICES",
    "UPLOAD",
]


@rules.predicates.predicate(name="of the dump's operator")
def _of_its_operator(user: Any, dump: Any) -> bool:
    return dump is None or any(one.office == dump.operator for one in user.appointments_now)


UPLOAD = grant("operators.upload-dumps", PortalRole.OPERATOR, also=_of_its_operator)
READ_REJECTS = grant("operators.read-rejects", PortalRole.OPERATOR, also=_of_its_operator)
READ_LISTS = grant("operators.read-lists", PortalRole.OPERATOR)
SEND_NOTICES = grant("operators.send-notices", PortalRole.OPERATOR)
GIVE_FEEDBACK = grant("operators.give-feedback", PortalRole.OPERATOR)
CONTEST = grant("operators.contest-block", PortalRole.OPERATOR)
READ_AUDITS = grant(
    "operators.read-audits",
    PortalRole.OPERATOR,
    PortalRole.AUDITOR,
    PortalRole.REGULATOR,
    PortalRole.REGULATOR_SUPERVISOR,
)
FILE_AUDITS = grant("operators.file-audits", PortalRole.AUDITOR, PortalRole.REGULATOR, PortalRole.REGULATOR_SUPERVISOR)
