"""One number sits on several devices."""

from dataclasses import dataclass
from datetime import datetime

from openceir.statements.devices import DeviceSet
from openceir.statements.kinds._checks import not_after_signature, some_devices
from openceir.statements.roles import Role
from openceir.statements.statement import Statement, statement

__all__ = ["DeviceCloned"]


@statement(kind="device-cloned/1", said_by=Role.REGULATOR)
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCloned(Statement):
    """The regulator states that each of these numbers was found on more devices than one, whatever rule found it.

    Effect: the number is watched and never blocked alone, since that would cut off the owner of the true one; of a
    number that is also stolen, those are blocked who appeared with it after the theft.
    """

    devices: DeviceSet
    found_at: datetime  # UTC, whole seconds
    grounds: str  # how it was found; no person's name, no place

    def check(self, signed_at: datetime) -> None:
        """Refuse a statement about no device, and a finding after the signature."""
        some_devices(self.devices)
        not_after_signature("found_at", self.found_at, signed_at)
