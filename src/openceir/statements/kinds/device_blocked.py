"""Devices are barred by order."""

from dataclasses import dataclass
from datetime import datetime

from openceir.statements.devices import DeviceSet
from openceir.statements.errors import StatementRefused
from openceir.statements.kinds._checks import some_devices
from openceir.statements.roles import Role
from openceir.statements.statement import Statement, statement

__all__ = ["DeviceBlocked"]


@statement(kind="device-blocked/1", said_by={Role.REGULATOR, Role.COURT})
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceBlocked(Statement):
    """The regulator or a court states that devices must not be served, for reasons outside detection.

    Effect: blocks from `blocked_at`, which may lie ahead, until withdrawn.
    """

    devices: DeviceSet
    blocked_at: datetime  # UTC, whole seconds
    grounds: str  # the order or list it rests on; no person's name

    def check(self, signed_at: datetime) -> None:
        """Refuse a statement about no device or without grounds."""
        some_devices(self.devices)
        if not self.grounds:
            raise StatementRefused("grounds is empty; a block must say what it rests on")
