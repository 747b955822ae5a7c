"""A maker or importer says which devices it has."""

from dataclasses import dataclass
from datetime import date, datetime

from openceir.statements.devices import DeviceSet
from openceir.statements.kinds._checks import not_after_signature, some_devices
from openceir.statements.roles import Role
from openceir.statements.statement import Statement, statement

__all__ = ["StockDeclared"]


@statement(kind="stock-declared/1", said_by={Role.MAKER, Role.IMPORTER})
@dataclass(frozen=True, slots=True, kw_only=True)
class StockDeclared(Statement):
    """A maker or importer states which devices a consignment holds, before customs has seen it.

    Effect: none by itself; customs compares its own count with it.
    """

    devices: DeviceSet
    consignment: str  # the declarer's reference
    declared_on: date

    def check(self, signed_at: datetime) -> None:
        """Refuse a statement about no device, and a declaration still to come."""
        some_devices(self.devices)
        not_after_signature("declared_on", self.declared_on, signed_at)
