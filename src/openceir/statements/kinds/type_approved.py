"""A model may be sold here."""

from dataclasses import dataclass
from datetime import date, datetime

from openceir.statements.devices import DeviceSet
from openceir.statements.kinds._checks import not_after_signature, some_devices
from openceir.statements.roles import Role
from openceir.statements.statement import Statement, statement

__all__ = ["TypeApproved"]


@statement(kind="type-approved/1", said_by=Role.REGULATOR)
@dataclass(frozen=True, slots=True, kw_only=True)
class TypeApproved(Statement):
    """The regulator states that a type of device was approved, and which numbers are of that type.

    Effect: permits the devices named, unless something else blocks them.
    """

    devices: DeviceSet
    certificate_number: str
    approved_on: date

    def check(self, signed_at: datetime) -> None:
        """Refuse a statement about no device, and an approval still to come."""
        some_devices(self.devices)
        not_after_signature("approved_on", self.approved_on, signed_at)
