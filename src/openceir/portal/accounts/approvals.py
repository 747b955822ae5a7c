"""Acts that two persons must agree to. An app names one once; who proposes never approves.

    BULK_BLOCK = approvable("police.bulk-block", approve=APPROVE_BULK, carry_out=block_all)

    propose(actor, BULK_BLOCK, payload={"case": case.reference}, summary=..., reason=..., subject=case.reference)
    decide(second_actor, proposal, approve=True, because=...)     # carries it out, in one transaction

`carry_out(actor, proposal)` is given the second person, in whose name the statement is signed; the act log names both.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from openceir.portal import moment
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.errors import NotAllowed, PortalError
from openceir.portal.accounts.log import note
from openceir.portal.accounts.models import Proposal

__all__ = [
    "Approvable",
    "approvable",
    "approvable_named",
    "approve_permissions",
    "decide",
    "propose",
    "waiting_for",
]

CarryOut = Callable[[Actor, Proposal], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvable:
    """An act that waits for a second person with the permission `approve`."""

    name: str
    approve: str
    carry_out: CarryOut


_APPROVABLE: dict[str, Approvable] = {}


def approvable(name: str, *, approve: str, carry_out: CarryOut) -> Approvable:
    """Register an act for two persons."""
    _APPROVABLE[name] = Approvable(name=name, approve=approve, carry_out=carry_out)
    return _APPROVABLE[name]


def approvable_named(name: str) -> Approvable:
    """The act of this name."""
    return _APPROVABLE[name]


def approve_permissions() -> list[str]:
    """Every permission with which something can be approved, ascending."""
    return sorted({act.approve for act in _APPROVABLE.values()})


def propose(
    actor: Actor, act: Approvable, *, payload: dict[str, Any], summary: str, reason: str, subject: str = ""
) -> Proposal:
    """Put an act before a second person."""
    assert actor.user is not None
    with transaction.atomic():
        proposal = Proposal.objects.create(
            name=act.name,
            payload=payload,
            summary=summary,
            subject=subject,
            office=actor.office,
            reason=reason,
            proposed_by=actor.user,
        )
        note(actor, f"{act.name}:propose", subject=subject, reason=reason)
    return proposal


def decide(actor: Actor, proposal: Proposal, *, approve: bool, because: str) -> Proposal:
    """The second person's word: carried out at once, or refused.

    Raises: NotAllowed for the one who proposed it; PortalError when it was decided or has expired.
    """
    assert actor.user is not None
    act = approvable_named(proposal.name)
    if not actor.user.has_perm(act.approve):
        raise NotAllowed(_("You may not approve this; it waits for somebody who may."))
    if actor.user.pk == proposal.proposed_by_id:
        raise NotAllowed(_("You proposed this yourself; a second person must agree."))
    if actor.office != proposal.office:
        raise NotAllowed(_("This waits for a second person of the office that proposed it."))
    with transaction.atomic():
        kept = Proposal.objects.select_for_update().get(pk=proposal.pk)
        if kept.outcome != Proposal.Outcome.WAITS:
            raise PortalError(
                _("This was decided by %(name)s in the meantime; nothing was done twice.") % {"name": kept.decided_by}
            )
        if kept.expires_at < moment.now():
            raise PortalError(_("Nobody decided this in time and it has expired; it can be proposed again."))
        kept.outcome = Proposal.Outcome.APPROVED if approve else Proposal.Outcome.REFUSED
        kept.decided_by, kept.decided_at, kept.decided_because = actor.user, moment.now(), because
        kept.save()
        note(actor, f"{act.name}:{'approve' if approve else 'refuse'}", subject=kept.subject, reason=because)
        if approve:
            act.carry_out(actor, kept)
    return kept


def waiting_for(actor: Actor) -> list[Proposal]:
    """What waits for this person's word."""
    assert actor.user is not None
    waits = Proposal.objects.filter(
        outcome=Proposal.Outcome.WAITS, office=actor.office, expires_at__gt=moment.now()
    ).exclude(proposed_by=actor.user)
    return [one for one in waits if actor.user.has_perm(approvable_named(one.name).approve)]
