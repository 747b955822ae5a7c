"""Several identifiers belong to one device."""

from dataclasses import dataclass
from datetime import datetime

from openceir.statements.devices import DeviceSet
from openceir.statements.errors import StatementRefused
from openceir.statements.roles import Role
from openceir.statements.statement import Statement, statement

__all__ = ["DeviceBound"]


@statement(kind="device-bound/1", said_by={Role.MAKER, Role.CUSTOMS, Role.REGULATOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceBound(Statement):
    """A maker, customs or the regulator states that these identifiers are all of one device.

    Effect: none; answers about one of them show the others.
    """

    identifiers: DeviceSet  # the IMEIs of its slots, its serial number, EID, MAC addresses

    def check(self, signed_at: datetime) -> None:
        """Refuse fewer than two identifiers, and ranges, which cannot be one device."""
        if self.identifiers.ranges:
            raise StatementRefused("a range is many devices; name the identifiers of one device singly")
        if self.identifiers.count < 2:
            raise StatementRefused("binding needs at least two identifiers of the device")
