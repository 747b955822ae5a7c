"""Customs let devices in."""

from dataclasses import dataclass
from datetime import date, datetime

from openceir.statements.devices import DeviceSet
from openceir.statements.kinds._checks import not_after_signature, some_devices
from openceir.statements.roles import Role
from openceir.statements.statement import Statement, statement

__all__ = ["DeviceImported"]


@statement(kind="device-imported/1", said_by=Role.CUSTOMS)
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceImported(Statement):
    """Customs states that these devices of a consignment entered the country, duties settled.

    Effect: permits the devices, unless something else blocks them.
    """

    devices: DeviceSet
    consignment: str  # the customs declaration's number
    imported_on: date

    def check(self, signed_at: datetime) -> None:
        """Refuse a statement about no device, and an import still to come."""
        some_devices(self.devices)
        not_after_signature("imported_on", self.imported_on, signed_at)
