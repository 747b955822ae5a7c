"""An application for type approval with its certificates and reports, and the regulator's decision on it."""

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openceir.portal import moment
from openceir.portal.accounts.acts import Actor, state
from openceir.portal.accounts.errors import PortalError
from openceir.portal.accounts.log import note
from openceir.portal.cases.models import Case
from openceir.portal.cases.notices import notify
from openceir.portal.cases.wordings import wording
from openceir.portal.trade.fees import charge, need_paid
from openceir.portal.trade.flows import STEPS
from openceir.portal.trade.models import Fee, Paper
from openceir.portal.trade.papers import NewPaper, accept_papers, add_paper, good_papers
from openceir.portal.trade.standing import need_standing
from openceir.statements import DeviceSet, TypeApproved

__all__ = ["apply", "approve", "approved_tacs", "reject"]
_APPROVED = wording("type-approved", gettext_lazy("Your type was approved. You can declare stock of it."))
_NOT_APPROVED = wording("type-not-approved", gettext_lazy("Your type was not approved. The reasons are on its page."))


def apply(actor: Actor, told: dict[str, object], papers: Iterable[NewPaper]) -> Case:
    """A new application with its papers. Raises: PortalError for a TAC under application; EvidenceRefused."""
    tac = str(told["tac"])
    with transaction.atomic():
        if Case.objects.filter(kind="type-approval", details__tac=tac).exclude(state="rejected").exists():
            raise PortalError(_("There is an application for this TAC already, or it is approved."))
        case, _secret = Case.open(
            "type-approval", office="regulator", person=actor.user, details={**told, "applicant": actor.office}
        )
        for paper in papers:
            add_paper(case, paper)
        charge(actor.office, Fee.Item.TYPE_APPROVAL, case=case)
        note(actor, "trade.apply", subject=case.reference)
    return case


def approve(actor: Actor, case: Case, *, steps: Iterable[str], reasons: str, seen_version: int) -> None:
    """Approve every number of the TAC, on the certificate that ends last.

    Raises: PortalError when a step of the review is not done or no certificate is in force; StandingNeeded, FeeRefused;
    IllegalMove, CaseChanged, StatementRefused.
    """
    if missing := [str(words) for name, words in STEPS if name not in set(steps)]:
        raise PortalError(_("Not done yet: %(steps)s") % {"steps": "; ".join(missing)})
    need_standing(str(case.details["applicant"]))
    need_paid(case=case)
    today, tac = moment.today(), str(case.details["tac"])
    in_force = [
        one
        for one in case.papers.filter(kind=Paper.Kind.CERTIFICATE)
        if one.expires_on is None or one.expires_on >= today
    ]
    if not in_force:
        raise PortalError(_("No conformity certificate of this type is in force."))
    certificate = max(in_force, key=lambda one: (one.expires_on is None, one.expires_on or today))
    with transaction.atomic():
        case.move("approve", actor=actor.office, text=reasons, seen_version=seen_version)
        notify(case, _APPROVED)
        accept_papers(case)
        approved = TypeApproved(
            devices=DeviceSet.of(ranges=[(f"{tac}000000", f"{tac}999999")]),
            certificate_number=certificate.number,
            approved_on=today,
        )
        state(actor, [approved], verb="trade.approve-type", subject=case.reference, reason=reasons)


def reject(actor: Actor, case: Case, *, reasons: str, seen_version: int) -> None:
    """Do not approve it, and say why."""
    with transaction.atomic():
        case.move("reject", actor=actor.office, text=reasons, seen_version=seen_version)
        notify(case, _NOT_APPROVED)
        note(actor, "trade.reject-type", subject=case.reference, reason=reasons)


def approved_tacs(office: str) -> dict[str, bool]:
    """The TACs that were approved for a company, and whether a certificate of each is in force today."""
    cases = list(Case.objects.filter(kind="type-approval", state="approved", details__applicant=office))
    lasting = good_papers(Paper.Kind.CERTIFICATE, cases, moment.today())
    return {str(case.details["tac"]): case.pk in lasting for case in cases}
