"""Devices are watched."""

from dataclasses import dataclass
from datetime import datetime

from openceir.statements.devices import DeviceSet
from openceir.statements.errors import StatementRefused
from openceir.statements.kinds._checks import some_devices
from openceir.statements.roles import Role
from openceir.statements.statement import Statement, statement

__all__ = ["DeviceTracked"]


@statement(kind="device-tracked/1", said_by=Role.REGULATOR)
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTracked(Statement):
    """The regulator states that devices are to be watched, and served meanwhile.

    Effect: tracks from `tracked_at` until withdrawn.
    """

    devices: DeviceSet
    tracked_at: datetime  # UTC, whole seconds
    grounds: str  # the order or list it rests on; no person's name

    def check(self, signed_at: datetime) -> None:
        """Refuse a statement about no device or without grounds."""
        some_devices(self.devices)
        if not self.grounds:
            raise StatementRefused("grounds is empty; watching must say what it rests on")
