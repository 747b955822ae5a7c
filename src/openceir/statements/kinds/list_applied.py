"""An operator's equipment registers have taken in a list."""

from dataclasses import dataclass
from datetime import datetime

from openceir.statements.errors import StatementRefused
from openceir.statements.kinds._checks import not_after_signature
from openceir.statements.roles import Role
from openceir.statements.statement import Statement, statement

__all__ = ["ListApplied"]


@statement(kind="list-applied/1", said_by=Role.OPERATOR, public=True)
@dataclass(frozen=True, slots=True, kw_only=True)
class ListApplied(Statement):
    """An operator acknowledges that all its equipment registers answer by a list: which one, and since when.

    Effect: none on any device. It names no device; members' times to apply each other's blocks are counted from it.
    """

    list_name: str  # blocklist, blockranges, pairblocks, notifications or exceptions
    sequence: int  # of the list, as in its header
    digest: bytes  # SHA-256 of the list as delivered, 32 octets
    log_size: int  # entries of the log that the list was made from
    made_at: datetime  # UTC: when the register made it
    applied_at: datetime  # UTC: when the last of the operator's equipment registers answered by it

    def check(self, signed_at: datetime) -> None:
        """Refuse a digest of another length, and times that run backwards."""
        if len(self.digest) != 32:
            raise StatementRefused("digest is the SHA-256 of the list, 32 octets")
        if self.applied_at < self.made_at:
            raise StatementRefused("applied_at is before made_at; were the two swapped?")
        not_after_signature("applied_at", self.applied_at, signed_at)
