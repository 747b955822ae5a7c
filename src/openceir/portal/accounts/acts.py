"""How an officer acts: who he is in this request, and how what he does becomes a statement of the ledger.

    actor = actor_of(request, DECIDE)                         # raises unless appointed and lately proven
    with transaction.atomic():
        case.move("verify", actor)                            # the portal's rows first …
        state(actor, [DeviceStolen(...)], verb="police.verify-theft", subject=case.reference)   # … the ledger last

The ledger comes last in the transaction: when it refuses, nothing of the portal changed; once it has the statement,
only the commit is left. Statements are signed with the officer's own key, or the office's when he has none; both lie
in the home's `keys/`, and what unlocks them is the second factor that the session showed not long ago.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext as _

from openceir.ledger import Entry, hash_leaf
from openceir.portal import moment
from openceir.portal.accounts import quotas
from openceir.portal.accounts.errors import NotAllowed, SecondFactorNeeded
from openceir.portal.accounts.log import note
from openceir.portal.accounts.models import User
from openceir.portal.accounts.roles import GRANTS
from openceir.portal.accounts.second_factor import was_shown_lately
from openceir.portal.register import register, submit_in_turn
from openceir.statements import Statement

__all__ = ["Actor", "actor_of", "clockwork", "reader_of", "state"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: a person in one of his appointments, or the portal's own clockwork."""

    name: str
    role: str
    office: str
    signs_with: str
    user: User | None = None


def actor_of(request: HttpRequest, permission: str, about: Model | None = None) -> Actor:
    """Who acts in this request, under this permission.

    Raises: NotAllowed; SecondFactorNeeded when none was shown within the last quarter of an hour.
    """
    actor = reader_of(request, permission, about)
    if not was_shown_lately(request):
        raise SecondFactorNeeded(
            _("Show your passkey or a code again before you do this: the last time is too long ago.")
        )
    return actor


def reader_of(request: HttpRequest, permission: str, about: Model | None = None) -> Actor:
    """As `actor_of`, for one who only looks: signed in with a second factor, however long ago. Raises: NotAllowed."""
    user = request.user
    if not isinstance(user, User) or not user.has_perm(permission, about):
        raise NotAllowed(_("Your appointments do not allow this; the administrator of your office can change them."))
    appointment = next(one for one in user.appointments_now if one.role in GRANTS[permission])
    return Actor(
        name=user.username,
        role=appointment.role,
        office=appointment.office,
        signs_with=appointment.signs_with,
        user=user,
    )


def clockwork(office: str) -> Actor:
    """The portal itself, which does for an office what the law says happens by the clock."""
    return Actor(name="clock", role="clock", office=office, signs_with=office)


def state(
    actor: Actor,
    statements: Sequence[Statement],
    *,
    verb: str,
    subject: str = "",
    reason: str = "",
    count: int | None = None,
) -> list[Entry]:
    """Sign these in the actor's name, note the act and log them as one block: all of it or nothing.

    `count` is how many devices they are about, for the quota; the number of statements unless given.
    Raises: QuotaExceeded; StatementRefused and what else the register refuses with.
    """
    of = len(statements) if count is None else count
    book, now = register(), moment.now()
    with transaction.atomic():
        quotas.take(actor, verb, of, now)
        signed = [book.sign(one, by=actor.signs_with, at=now) for one in statements]
        note(
            actor, verb, subject=subject, reason=reason, count=of, statements=[hash_leaf(one.octets) for one in signed]
        )
        return submit_in_turn(signed, at=now)
