"""A member has forgotten what it was ordered to forget."""

from dataclasses import dataclass
from datetime import datetime

from openceir.statements.kinds._checks import a_leaf_hash, not_after_signature
from openceir.statements.roles import Role
from openceir.statements.statement import Statement, statement

__all__ = ["ErasureDone"]


@statement(kind="erasure-done/1", said_by=Role, public=True)
@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureDone(Statement):
    """A member states that salt and payload of a statement are gone from its disks and from every view made of them.

    Effect: none on any device; `openceir ledger erasures` shows who has answered an order and who has not.
    """

    order: bytes  # leaf hash of the order, 32 octets
    done_at: datetime  # UTC, whole seconds
    backups_until: datetime  # UTC; when the last backup that may still hold a copy is overwritten

    def check(self, signed_at: datetime) -> None:
        """Refuse an order that is no leaf hash, and a deed still to come."""
        a_leaf_hash("order", self.order)
        not_after_signature("done_at", self.done_at, signed_at)
