"""Who acts for which office: proposed by one person, agreed to by another, ended by one with a reason."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from openceir.portal import moment
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.approvals import approvable, propose
from openceir.portal.accounts.errors import PortalError
from openceir.portal.accounts.log import note
from openceir.portal.accounts.models import Appointment, Proposal, User
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.accounts.rules import APPOINT

__all__ = ["AppointmentRefused", "end_appointment", "propose_appointment"]


class AppointmentRefused(PortalError):
    """Nobody can be appointed like that."""

    code = "appointment-refused"


def propose_appointment(
    actor: Actor, *, username: str, role: PortalRole, office: str, until: datetime | None, reason: str
) -> Proposal:
    """Put an appointment before a second person. Raises: AppointmentRefused for one that would change nothing."""
    user = User.objects.filter(username=username).first()
    if user is None:
        raise AppointmentRefused(_("Nobody has an account of this name. The person makes one first."))
    if any(one.role == role and one.office == office for one in user.appointments_now):
        raise AppointmentRefused(_("This person holds this appointment already."))
    payload = {"username": username, "role": str(role), "office": office, "until": until.isoformat() if until else None}
    return propose(
        actor, _APPOINTMENT, payload=payload, summary=f"{username}: {role}, {office}", reason=reason, subject=username
    )


def _appoint(actor: Actor, proposal: Proposal) -> None:
    told = proposal.payload
    Appointment.objects.create(
        user=User.objects.get(username=told["username"]),
        role=told["role"],
        office=told["office"],
        until=datetime.fromisoformat(told["until"]) if told["until"] else None,
        appointed_by=f"{proposal.proposed_by}, {actor.name}",
    )
    note(actor, "accounts.appoint", subject=told["username"], reason=proposal.summary)


_APPOINTMENT = approvable("accounts.appointment", approve=APPOINT, carry_out=_appoint)


def end_appointment(actor: Actor, appointment: Appointment, *, reason: str) -> None:
    """Let an appointment end now. One person may: to take a power away is never what an insider sells."""
    with transaction.atomic():
        appointment.until = moment.now()
        appointment.save(update_fields=["until"])
        note(actor, "accounts.end-appointment", subject=appointment.user.username, reason=reason)
