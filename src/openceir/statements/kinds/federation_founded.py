"""Several authorities agree to share one history."""

from dataclasses import dataclass
from datetime import datetime

from openceir.statements.errors import MemberRefused, StatementRefused
from openceir.statements.kinds._checks import quorum_of
from openceir.statements.members import Member, Members
from openceir.statements.roles import Role
from openceir.statements.statement import Statement, statement

__all__ = ["FederationFounded"]


@statement(kind="federation-founded/1", said_by=Role.REGULATOR, public=True)
@dataclass(frozen=True, slots=True, kw_only=True)
class FederationFounded(Statement):
    """A regulator states the first members of a federation, their keys, and how many of them decide.

    Effect: from the next block on members change by statements only. It certifies itself: its issuer stands in the
    list, so whoever joins compares its leaf hash with the one that the founders read out to each other.
    """

    name: str  # of the federation; the origin of a shared log
    quorum: int  # how many voters must agree; more than half of them
    members: tuple[Member, ...]

    def check(self, signed_at: datetime) -> None:
        """Refuse a name that no checkpoint could bear, a member or key that stands twice, and a quorum of too few."""
        if not self.name or "+" in self.name or " " in self.name:
            raise StatementRefused("the name of a federation has no space and no plus sign; it is a log's origin")
        try:
            Members(self.members)
        except MemberRefused as wrong:
            raise StatementRefused(str(wrong)) from wrong
        quorum_of(self.quorum, sum(member.is_voter for member in self.members))
