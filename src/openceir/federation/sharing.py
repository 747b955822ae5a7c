"""What one member may receive of what our own offices said: the nation's dated policy, kind by kind.

    [federation]
    shares = ["device-stolen/1", …]          what every member may receive

    [shares.xc-regulator]
    kinds = { from."2027-07-01" = ["device-stolen/1"] }     one member, from a day on

Public kinds are every member's: the federation could not be run without them.
"""

from datetime import date

from openceir.ledger import Governance
from openceir.policy import Policy
from openceir.statements import KINDS, PUBLIC_KINDS

__all__ = ["Shares"]


class Shares:
    """The kinds that each member may receive on one day."""

    def __init__(self, policy: Policy, governance: Governance, on: date) -> None:
        """Raises: PolicyError when the policy has no value in force that day."""
        self._common = frozenset(policy.value("federation.shares", on))
        self._own = {name: frozenset(table["kinds"]) for name, table in policy.shares(on).items() if "kinds" in table}
        self._governance = governance

    def kinds_for(self, member_id: str) -> frozenset[str]:
        """What this member may receive; nothing for a stranger or one that was removed."""
        member = self._governance.members.find(member_id)
        if member is None or not member.is_voter:
            return frozenset()
        kinds = self._own.get(member_id, self._common)
        return (kinds & KINDS.keys()) | PUBLIC_KINDS
