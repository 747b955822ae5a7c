"""What was said must be forgotten, everywhere."""

from dataclasses import dataclass
from datetime import datetime

from openceir.statements.kinds._checks import a_leaf_hash
from openceir.statements.roles import Role
from openceir.statements.statement import Statement, statement

__all__ = ["ErasureOrdered"]


@statement(kind="erasure-ordered/1", said_by=Role, public=True)
@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureOrdered(Statement):
    """A member orders that everybody destroys salt and payload of what it once stated; a court or regulator of its nation may too.

    Effect: every member that holds a copy destroys it and says `erasure-done/1`. The entry keeps its place and its
    signature, the log still verifies, and nobody can tell any more what was said.
    """

    target: bytes  # leaf hash of the statement whose payload goes, 32 octets
    grounds: str  # the law it rests on; no person's name, no device: this statement itself is kept

    def check(self, signed_at: datetime) -> None:
        """Refuse a target that is no leaf hash."""
        a_leaf_hash("target", self.target)
