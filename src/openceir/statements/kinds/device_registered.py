"""Devices entered the national registration list."""

from dataclasses import dataclass
from datetime import date, datetime

from openceir.statements.devices import DeviceSet
from openceir.statements.kinds._checks import not_after_signature, some_devices
from openceir.statements.roles import Role
from openceir.statements.statement import Statement, statement

__all__ = ["DeviceRegistered"]


@statement(kind="device-registered/1", said_by={Role.REGULATOR, Role.CUSTOMS})
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRegistered(Statement):
    """The regulator or customs states that these devices are on the national registration list.

    Effect: permits the devices, unless something else blocks them.
    """

    devices: DeviceSet
    registered_on: date
    attributes: bytes = b""  # a Parquet table of the list's own columns; opaque here

    def check(self, signed_at: datetime) -> None:
        """Refuse a statement about no device, and a registration still to come."""
        some_devices(self.devices)
        not_after_signature("registered_on", self.registered_on, signed_at)
