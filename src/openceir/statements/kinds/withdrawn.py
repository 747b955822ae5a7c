"""Something said before no longer holds."""

from dataclasses import dataclass
from datetime import datetime

from openceir.statements.devices import DeviceSet
from openceir.statements.errors import StatementRefused
from openceir.statements.kinds._checks import not_after_signature, some_devices
from openceir.statements.roles import Role
from openceir.statements.statement import NO_DEVICES, Statement, statement

__all__ = ["Withdrawn"]


@statement(
    kind="withdrawn/1",
    said_by={
        Role.REGULATOR,
        Role.POLICE,
        Role.OPERATOR,
        Role.CUSTOMS,
        Role.MAKER,
        Role.IMPORTER,
        Role.INSURER,
        Role.NUMBERING,
        Role.COURT,
    },
)
@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(Statement):
    """A member takes back what it said; the regulator and a court may take back what others said.

    Effect: ends the claims of `target`, or those of `claim` and `label`, on `devices` (all of the target's when empty).
    """

    target: bytes | None = None  # leaf hash of the statement, 32 octets
    claim: str | None = None  # or every claim of this name (stolen, blocked, classified, …) ...
    label: str | None = None  # ... and label, when given
    devices: DeviceSet = NO_DEVICES
    withdrawn_at: datetime  # UTC, whole seconds
    grounds: str

    def check(self, signed_at: datetime) -> None:
        """Refuse what names neither a statement nor a claim, or both, and a withdrawal after the signature."""
        if (self.target is None) == (self.claim is None):
            raise StatementRefused(
                "name either the statement that is withdrawn (target) or the claim, not both or neither"
            )
        if self.target is not None and len(self.target) != 32:
            raise StatementRefused("target is a leaf hash of 32 octets; `openceir statement list` shows them")
        if self.claim is not None:
            some_devices(self.devices)
        not_after_signature("withdrawn_at", self.withdrawn_at, signed_at)
