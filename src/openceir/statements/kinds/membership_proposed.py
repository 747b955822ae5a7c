"""A change of who belongs to a federation is put to its members."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from openceir.statements.errors import StatementRefused
from openceir.statements.members import MOST_POWER, Member, MemberKey
from openceir.statements.roles import Role
from openceir.statements.statement import Statement, statement

__all__ = ["MembershipProposed"]

# What each change names, beside the member; every one may set the quorum too, since a voter more may ask for it.
_NAMES: Final = {
    "admit": {"terms"},
    "add-key": {"member", "key"},
    "revoke-key": {"member", "kid", "revoked_at"},
    "change-roles": {"member", "roles"},
    "change-power": {"member", "power"},
    "remove": {"member"},
    "change-quorum": {"quorum"},
}


@statement(kind="membership-proposed/1", said_by=Role, public=True)
@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipProposed(Statement):
    """A voting member of a federation proposes to admit or remove a member, or to change its keys, roles or power.

    Effect: none until so many voters as the quorum says have approved it, its proposer counted; then from the next
    block on. A member that is removed keeps its history: its keys are revoked, it votes no more.
    """

    action: str  # admit, add-key, revoke-key, change-roles, change-power, remove or change-quorum
    member: str | None = None  # the id of the member concerned
    terms: Member | None = None  # of a new member
    key: MemberKey | None = None
    kid: bytes | None = None  # thumbprint of the key to revoke, 32 octets
    revoked_at: datetime | None = None  # from when on it counts no longer; a stolen key may be revoked from the past on
    roles: tuple[Role, ...] = ()
    power: int | None = None
    quorum: int | None = None
    until: datetime  # UTC; approvals after it count no more
    grounds: str  # no person's name

    def check(self, signed_at: datetime) -> None:
        """Refuse an unknown change, and one that names too little or too much."""
        if self.action not in _NAMES:
            raise StatementRefused(f"{self.action[:40]!r} is no change of members; changes are {', '.join(_NAMES)}")
        given = {
            name
            for name in ("member", "terms", "key", "kid", "revoked_at", "power", "quorum")
            if getattr(self, name) is not None
        }
        given |= {"roles"} if self.roles else set()
        if given - {"quorum"} != _NAMES[self.action] - {"quorum"} or not _NAMES[self.action] <= given:
            raise StatementRefused(f"{self.action} names {', '.join(sorted(_NAMES[self.action]))}, and nothing else")
        if self.kid is not None and len(self.kid) != 32:
            raise StatementRefused("kid is a key's thumbprint of 32 octets")
        if self.power is not None and self.power > MOST_POWER:
            raise StatementRefused(f"the most power is {MOST_POWER}")
        if self.until <= signed_at:
            raise StatementRefused("until is not after the signature, so nobody could approve it in time")
