"""Devices were taken from their owners."""

from dataclasses import dataclass
from datetime import datetime

from openceir.statements.devices import DeviceSet
from openceir.statements.kinds._checks import not_after_signature, some_devices
from openceir.statements.roles import Role
from openceir.statements.statement import Statement, statement

__all__ = ["DeviceStolen"]


@statement(kind="device-stolen/1", said_by={Role.POLICE, Role.REGULATOR, Role.OPERATOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStolen(Statement):
    """The police, or who received the report, states that devices were stolen.

    Effect: blocks from `stolen_at` until a `device-recovered/1` answers it.
    """

    devices: DeviceSet
    stolen_at: datetime  # UTC, whole seconds
    case_number: str  # the force's own reference; no person's name enters the ledger

    def check(self, signed_at: datetime) -> None:
        """Refuse a statement about no device, and a theft after the signature."""
        some_devices(self.devices)
        not_after_signature("stolen_at", self.stolen_at, signed_at)
