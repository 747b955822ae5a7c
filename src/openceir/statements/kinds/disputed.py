"""Someone concerned objects."""

from dataclasses import dataclass
from datetime import datetime

from openceir.statements.devices import DeviceSet
from openceir.statements.errors import StatementRefused
from openceir.statements.kinds._checks import not_after_signature
from openceir.statements.roles import Role
from openceir.statements.statement import NO_DEVICES, Statement, statement

__all__ = ["Disputed"]


@statement(kind="disputed/1", said_by={Role.REGULATOR, Role.COURT, Role.OPERATOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class Disputed(Statement):
    """An authority or operator states that an objection against a statement was filed.

    Effect: while undecided, a block by the target reads TRACKED from `restores_at`.
    """

    target: bytes  # leaf hash of the statement objected to, 32 octets
    devices: DeviceSet = NO_DEVICES  # those objected for; all of the target's when empty
    filed_at: datetime  # UTC, whole seconds
    restores_at: datetime  # UTC; when the time to decide has run out
    grounds: str  # no person's name

    def check(self, signed_at: datetime) -> None:
        """Refuse a target that is no leaf hash, and times that run backwards."""
        if len(self.target) != 32:
            raise StatementRefused("target is a leaf hash of 32 octets; `openceir statement list` shows them")
        if self.restores_at < self.filed_at:
            raise StatementRefused("restores_at is before filed_at; were the two swapped?")
        not_after_signature("filed_at", self.filed_at, signed_at)
