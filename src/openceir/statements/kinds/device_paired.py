"""A subscriber may use a shared or doubtful IMEI."""

from dataclasses import dataclass
from datetime import datetime

from openceir.statements.errors import StatementRefused
from openceir.statements.forms import Pair
from openceir.statements.kinds._checks import not_after_signature
from openceir.statements.roles import Role
from openceir.statements.statement import Statement, statement

__all__ = ["DevicePaired"]


@statement(kind="device-paired/1", said_by={Role.REGULATOR, Role.OPERATOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePaired(Statement):
    """The regulator or an operator states which subscribers may use which devices.

    Effect: permits each pair of IMEI and IMSI, whatever is said of the IMEI alone.
    """

    pairs: tuple[Pair, ...]  # (imei, imsi, msisdn): personal data, erased with the payload
    paired_at: datetime  # UTC, whole seconds

    def check(self, signed_at: datetime) -> None:
        """Refuse an empty list, and a pairing after the signature."""
        if not self.pairs:
            raise StatementRefused("the statement pairs nobody; was the list empty?")
        not_after_signature("paired_at", self.paired_at, signed_at)
