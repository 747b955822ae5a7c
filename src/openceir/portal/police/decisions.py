"""Decisions on reports: by one officer, or by two where policy asks for it (`portal.two_persons.verify_report`)."""

from django.utils.translation import gettext as _

from openceir.portal import moment
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.approvals import approvable, propose
from openceir.portal.accounts.errors import PortalError
from openceir.portal.accounts.models import Proposal
from openceir.portal.cases.models import Case
from openceir.portal.citizens.reports import confirm_recovery, reject_report, verify_report
from openceir.portal.police.rules import APPROVE_REPORT
from openceir.portal.register import register

__all__ = ["decide_report", "needs_two"]


def needs_two() -> bool:
    """Whether a second person must agree before a report blocks a phone."""
    return bool(register().policy.value("portal.two_persons.verify_report", moment.today()))


def decide_report(actor: Actor, case: Case, decision: str, *, text: str, seen_version: int) -> Proposal | None:
    """Carry out an officer's decision: verify, ask, reject, recover. The proposal, when a second person must agree.

    Raises: IllegalMove, CaseChanged, QuotaExceeded, StatementRefused; PortalError where words are missing.
    """
    if decision in {"ask", "reject"} and len(text.strip()) < 10:
        raise PortalError(_("Write your question or your reasons: the person reads them."))
    if decision == "ask":
        case.move("ask", actor=actor.office, text=text, seen_version=seen_version)
    elif decision == "reject" and case.kind in {"theft", "loss"}:
        reject_report(actor, case, reasons=text, seen_version=seen_version)
    elif decision == "reject":
        case.move("reject", actor=actor.office, text=text, seen_version=seen_version)
    elif decision == "recover":
        confirm_recovery(actor, case, text=text, seen_version=seen_version)
    elif needs_two() and case.details["mode"] == "block":
        if Proposal.objects.filter(name=_VERIFICATION.name, outcome="waits", subject=case.reference).exists():
            raise PortalError(_("This case waits for a second person already."))
        return propose(
            actor, _VERIFICATION, payload={"case": case.pk, "version": seen_version, "text": text},
            summary=_("block the phone of report %(reference)s") % {"reference": case},
            reason=text or _("the evidence is sufficient"), subject=case.reference,
        )  # fmt: skip
    else:
        verify_report(actor, case, seen_version=seen_version, text=text)
    return None


def _verify(actor: Actor, proposal: Proposal) -> None:
    told = proposal.payload
    verify_report(actor, Case.objects.get(pk=told["case"]), seen_version=told["version"], text=told["text"])


_VERIFICATION = approvable("police.verification", approve=APPROVE_REPORT, carry_out=_verify)
