"""A member of a federation agrees."""

from dataclasses import dataclass
from datetime import datetime

from openceir.statements.kinds._checks import a_leaf_hash
from openceir.statements.roles import Role
from openceir.statements.statement import Statement, statement

__all__ = ["Approved"]


@statement(kind="approved/1", said_by=Role, public=True)
@dataclass(frozen=True, slots=True, kw_only=True)
class Approved(Statement):
    """A voting member of a federation approves another statement.

    Effect: of a proposal, that it counts once a quorum approved it. Of a recovery, withdrawal or permission, that it
    ends what another nation's authority said, once a quorum approved it: the courts' way around the owner of a record.
    """

    target: bytes  # leaf hash of the statement approved, 32 octets

    def check(self, signed_at: datetime) -> None:
        """Refuse a target that is no leaf hash."""
        a_leaf_hash("target", self.target)
