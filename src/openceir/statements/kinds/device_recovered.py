"""Lost or stolen devices are back."""

from dataclasses import dataclass
from datetime import datetime

from openceir.statements.devices import DeviceSet
from openceir.statements.kinds._checks import not_after_signature, some_devices
from openceir.statements.roles import Role
from openceir.statements.statement import Statement, statement

__all__ = ["DeviceRecovered"]


@statement(kind="device-recovered/1", said_by={Role.POLICE, Role.REGULATOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecovered(Statement):
    """The police or the regulator states that devices are back with their owners.

    Effect: ends every `stolen` and `lost` claim on the devices from `recovered_at`.
    """

    devices: DeviceSet
    recovered_at: datetime  # UTC, whole seconds
    case_number: str  # of the report that it answers

    def check(self, signed_at: datetime) -> None:
        """Refuse a statement about no device, and a recovery after the signature."""
        some_devices(self.devices)
        not_after_signature("recovered_at", self.recovered_at, signed_at)
