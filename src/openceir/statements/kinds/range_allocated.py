"""A block of numbers was given to a maker."""

from dataclasses import dataclass
from datetime import date, datetime

from openceir.statements.devices import DeviceSet
from openceir.statements.kinds._checks import not_after_signature, some_devices
from openceir.statements.roles import Role
from openceir.statements.statement import Statement, statement

__all__ = ["RangeAllocated"]


@statement(kind="range-allocated/1", said_by={Role.NUMBERING, Role.REGULATOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class RangeAllocated(Statement):
    """A numbering body states that ranges of IMEIs were allocated to one model.

    Effect: permits the devices of the range, unless something else blocks them.
    """

    devices: DeviceSet  # as ranges, usually one TAC: 1,000,000 numbers
    brand: str
    model: str
    allocated_on: date

    def check(self, signed_at: datetime) -> None:
        """Refuse a statement about no device, and an allocation still to come."""
        some_devices(self.devices)
        not_after_signature("allocated_on", self.allocated_on, signed_at)
