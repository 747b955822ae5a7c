"""What one detection rule found, signed."""

from dataclasses import dataclass
from datetime import date, datetime

from openceir.statements.devices import DeviceSet
from openceir.statements.errors import StatementRefused
from openceir.statements.kinds._checks import not_after_signature
from openceir.statements.roles import Role
from openceir.statements.statement import NO_DEVICES, Statement, statement

__all__ = ["DeviceClassified"]


@statement(kind="device-classified/1", said_by=Role.REGULATOR)
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceClassified(Statement):
    """The regulator adopts what a rule of its policy found on a day: who newly matches, who no longer does.

    Effect: the newer one of a rule and device ends the older. Blocks from `block_on` if `blocking`, tracks before.
    """

    rule: str  # the rule's label in the policy
    conditions: tuple[str, ...]
    blocking: bool
    marks_duplicate: bool  # the rule says: this IMEI is on several handsets
    policy_digest: bytes  # SHA-256 of the policy it was found under
    as_of_on: date  # the last day of data that was looked at
    evidence_digest: bytes  # SHA-256 of the evidence kept beside
    block_on: date | None = None  # None: never by this statement
    amnesty: bool = False
    matched: DeviceSet = NO_DEVICES
    cleared: DeviceSet = NO_DEVICES  # matched before and no longer do

    def check(self, signed_at: datetime) -> None:
        """Refuse an empty change, digests of another length, and findings of a day still to come."""
        if not self.matched and not self.cleared:
            raise StatementRefused("nothing matched and nothing was cleared; such a run needs no statement")
        if not self.rule:
            raise StatementRefused("rule is empty; a finding must name the rule that made it")
        if len(self.policy_digest) != 32 or len(self.evidence_digest) != 32:
            raise StatementRefused("policy_digest and evidence_digest are SHA-256 digests of 32 octets")
        not_after_signature("as_of_on", self.as_of_on, signed_at)
