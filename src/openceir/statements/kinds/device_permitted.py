"""Devices are excepted."""

from dataclasses import dataclass
from datetime import datetime

from openceir.statements.devices import DeviceSet
from openceir.statements.errors import StatementRefused
from openceir.statements.kinds._checks import some_devices
from openceir.statements.roles import Role
from openceir.statements.statement import NO_DEVICES, Statement, statement

__all__ = ["DevicePermitted"]


@statement(kind="device-permitted/1", said_by={Role.REGULATOR, Role.COURT})
@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePermitted(Statement):
    """The regulator or a court states that devices may be used whatever lists and detection say.

    Effect: permits from `permitted_at` until `until`, over blocks of lists and detection.
    """

    devices: DeviceSet = NO_DEVICES
    permitted_at: datetime  # UTC, whole seconds
    until: datetime | None = None  # None: until withdrawn
    grounds: str  # the order or list it rests on; no person's name
    keyed_digests: tuple[bytes, ...] = ()  # devices whose numbers stay hidden: digests under the register's key

    def check(self, signed_at: datetime) -> None:
        """Refuse a statement about no device, without grounds, or ending before it begins."""
        if not self.keyed_digests:
            some_devices(self.devices)
        if not self.grounds:
            raise StatementRefused("grounds is empty; an exception must say what it rests on")
        if self.until is not None and self.until <= self.permitted_at:
            raise StatementRefused("until is not after permitted_at; were the two swapped?")
        if any(not 16 <= len(digest) <= 64 for digest in self.keyed_digests):
            raise StatementRefused("a keyed digest has 16 to 64 octets; anything shorter can be guessed")
