"""An application for type approval, and the regulator's decision on it."""

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openceir.portal import moment
from openceir.portal.accounts.acts import Actor, state
from openceir.portal.accounts.errors import PortalError
from openceir.portal.accounts.log import note
from openceir.portal.cases.evidence import Upload, add_evidence
from openceir.portal.cases.models import Case
from openceir.portal.cases.notices import notify
from openceir.portal.cases.wordings import wording
from openceir.portal.trade.flows import STEPS
from openceir.statements import DeviceSet, TypeApproved

__all__ = ["apply", "approve", "approved_tacs", "reject"]
_APPROVED = wording("type-approved", gettext_lazy("Your type was approved. You can declare stock of it."))
_NOT_APPROVED = wording("type-not-approved", gettext_lazy("Your type was not approved. The reasons are on its page."))


def apply(actor: Actor, told: dict[str, object], documents: Iterable[Upload]) -> Case:
    """A new application with its documents. Raises: PortalError for a TAC under application; EvidenceRefused."""
    tac = str(told["tac"])
    with transaction.atomic():
        if Case.objects.filter(kind="type-approval", details__tac=tac).exclude(state="rejected").exists():
            raise PortalError(_("There is an application for this TAC already, or it is approved."))
        case, _secret = Case.open(
            "type-approval", office="regulator", person=actor.user, details={**told, "applicant": actor.office}
        )
        for document in documents:
            add_evidence(case, document)
        note(actor, "trade.apply", subject=case.reference)
    return case


def approve(actor: Actor, case: Case, *, steps: Iterable[str], reasons: str, seen_version: int) -> None:
    """Approve every number of the TAC.

    Raises: PortalError when a step of the review is not done; IllegalMove, CaseChanged, StatementRefused.
    """
    if missing := [str(words) for name, words in STEPS if name not in set(steps)]:
        raise PortalError(_("Not done yet: %(steps)s") % {"steps": "; ".join(missing)})
    tac = str(case.details["tac"])
    with transaction.atomic():
        case.move("approve", actor=actor.office, text=reasons, seen_version=seen_version)
        notify(case, _APPROVED)
        approved = TypeApproved(
            devices=DeviceSet.of(ranges=[(f"{tac}000000", f"{tac}999999")]),
            certificate_number=str(case.details["certificate_number"]),
            approved_on=moment.today(),
        )
        state(actor, [approved], verb="trade.approve-type", subject=case.reference, reason=reasons)


def reject(actor: Actor, case: Case, *, reasons: str, seen_version: int) -> None:
    """Do not approve it, and say why."""
    with transaction.atomic():
        case.move("reject", actor=actor.office, text=reasons, seen_version=seen_version)
        notify(case, _NOT_APPROVED)
        note(actor, "trade.reject-type", subject=case.reference, reason=reasons)


def approved_tacs(office: str) -> set[str]:
    """The TACs that were approved for a company."""
    rows = Case.objects.filter(kind="type-approval", state="approved", details__applicant=office)
    return {str(case.details["tac"]) for case in rows}
