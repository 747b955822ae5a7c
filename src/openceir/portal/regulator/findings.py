"""What detection proposes, and its adoption by two persons: only a signed statement changes anything."""

from typing import Any

from django.utils.translation import gettext as _

from openceir.portal import moment
from openceir.portal.accounts import quotas
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.approvals import approvable, propose
from openceir.portal.accounts.errors import PortalError
from openceir.portal.accounts.log import note
from openceir.portal.accounts.models import Proposal
from openceir.portal.register import in_turn, register
from openceir.portal.regulator.rules import APPROVE_FINDINGS
from openceir.storage.evidence import DetectionRun

__all__ = ["propose_adoption", "rules_of"]


def rules_of(run: DetectionRun) -> list[dict[str, Any]]:
    """Of each rule of a run: how many it newly matches, clears and changes, when it blocks, and why it may be refused."""
    return [
        {
            "label": proposal.rule.label,
            "reason": proposal.rule.reason,
            "blocking": proposal.rule.blocking,
            "matched": len(proposal.matched),
            "cleared": len(proposal.cleared),
            "changed": len(proposal.changed),
            "block_on": proposal.block_on,
            "ratio": proposal.matching_ratio * 100,
            "refusal": proposal.refusal,
        }
        for proposal in register().detection_runs.proposals_of(run)
        if not proposal.is_empty or proposal.refusal
    ]


def propose_adoption(actor: Actor, run: DetectionRun, *, reason: str) -> Proposal:
    """Put a run before a second person. Raises: PortalError when it is adopted or waits already."""
    if run.adopted_at is not None:
        raise PortalError(_("This run was adopted already."))
    if Proposal.objects.filter(name=_ADOPTION.name, outcome="waits", payload__run=run.number).exists():
        raise PortalError(_("This run waits for a second person already."))
    devices = sum(row["matched"] for row in rules_of(run) if row["refusal"] is None)
    return propose(
        actor, _ADOPTION, payload={"run": run.number, "outcome": run.outcome_digest.hex(), "devices": devices},
        summary=_("findings of run %(run)d, %(devices)d devices newly found") % {"run": run.number, "devices": devices},
        reason=reason, subject=f"run-{run.number}",
    )  # fmt: skip


def _adopt(actor: Actor, proposal: Proposal) -> None:
    """The second person's key signs; a run whose outcome is not the one agreed on is refused by its digest."""
    told, now = proposal.payload, moment.now()
    run = register().detection_runs.run(told["run"])
    if run.outcome_digest.hex() != told["outcome"]:
        raise PortalError(_("The run is not the one that was agreed on."))
    quotas.take(actor, "regulator.adopt-findings", 1, now)
    note(actor, "regulator.adopt-findings", subject=proposal.subject, reason=proposal.reason, count=1)
    in_turn(lambda book: book.adopt(run.number, by=actor.signs_with, at=now))


_ADOPTION = approvable("regulator.adoption", approve=APPROVE_FINDINGS, carry_out=_adopt)
