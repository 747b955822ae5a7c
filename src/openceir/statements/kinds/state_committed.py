"""What a register says of all devices at one size of its log, in one root."""

from dataclasses import dataclass
from datetime import datetime

from openceir.statements.errors import StatementRefused
from openceir.statements.kinds._checks import not_after_signature
from openceir.statements.roles import Role
from openceir.statements.statement import Statement, statement

__all__ = ["StateCommitted"]


@statement(kind="state-committed/1", said_by=Role.REGULATOR, public=True)
@dataclass(frozen=True, slots=True, kw_only=True)
class StateCommitted(Statement):
    """A regulator commits itself to its map of every device and what holds of it, by the map's root.

    Effect: none on any device. With it stands a proof that a device is, or is not, reported: `ledger/state_map.py`.
    """

    size: int  # entries of the log that the map was made from
    epoch: int  # which token key; counts from 1
    token_key: bytes  # its public half, 32 octets: proofs of tokens are verified with it
    root: bytes  # of the map, 32 octets
    as_of_at: datetime  # UTC, whole seconds: what held at this instant

    def check(self, signed_at: datetime) -> None:
        """Refuse a root or key of another length, and a state that was still to come."""
        if len(self.root) != 32 or len(self.token_key) != 32 or self.epoch < 1:
            raise StatementRefused("root and token_key have 32 octets, and epochs count from 1")
        not_after_signature("as_of_at", self.as_of_at, signed_at)
