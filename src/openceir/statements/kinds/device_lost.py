"""Devices were lost by their owners."""

from dataclasses import dataclass
from datetime import datetime

from openceir.statements.devices import DeviceSet
from openceir.statements.kinds._checks import not_after_signature, some_devices
from openceir.statements.roles import Role
from openceir.statements.statement import Statement, statement

__all__ = ["DeviceLost"]


@statement(kind="device-lost/1", said_by={Role.POLICE, Role.REGULATOR, Role.OPERATOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLost(Statement):
    """The police, or who received the report, states that devices were lost.

    Effect: blocks from `lost_at` until a `device-recovered/1` answers it.
    """

    devices: DeviceSet
    lost_at: datetime  # UTC, whole seconds
    case_number: str  # the reporter's own reference; no person's name enters the ledger

    def check(self, signed_at: datetime) -> None:
        """Refuse a statement about no device, and a loss after the signature."""
        some_devices(self.devices)
        not_after_signature("lost_at", self.lost_at, signed_at)
