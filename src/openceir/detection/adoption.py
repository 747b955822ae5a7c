"""What is stated when a proposal is adopted."""

from collections.abc import Callable

from openceir.detection.proposal import Devices, Proposal, no_devices
from openceir.statements import DeviceClassified, DeviceSet

__all__ = ["classifications_of"]


def classifications_of(proposal: Proposal, set_of: Callable[[Devices], DeviceSet]) -> list[DeviceClassified]:
    """One statement for who is new and who is cleared, one for each change of consequence.

    `set_of` names the devices of a column.
    """
    rule = proposal.rule
    parts = [(proposal.matched, proposal.cleared, proposal.block_on, proposal.amnesty)]
    parts += [(change.devices, no_devices(), change.block_on, change.amnesty) for change in proposal.changed]
    return [
        DeviceClassified(
            rule=rule.label, conditions=proposal.evidence.conditions, blocking=rule.blocking,
            marks_duplicate=rule.marks_duplicate, policy_digest=proposal.policy_digest,
            as_of_on=proposal.as_of_on, evidence_digest=proposal.evidence.digest, block_on=block_on,
            amnesty=amnesty, matched=set_of(matched), cleared=set_of(cleared),
        )
        for matched, cleared, block_on, amnesty in parts
        if len(matched) or len(cleared)
    ]  # fmt: skip
