"""The operators' counter: what a network asks, answered from a list that lies beside it."""

from openceir.eir.attributes import Status, attribute, entry_of
from openceir.eir.decision import Decider, Decision, DecisionPolicy, InterfacePolicy, Step, read_policy
from openceir.eir.errors import EirError, IndexRefused, PolicyRefused
from openceir.eir.index import Check, Contents, Index, Overlay, Pairs, Ranges, build, folded, open_index

__all__ = [
    "Status", "attribute", "entry_of",
    "Check", "Contents", "Index", "Overlay", "Pairs", "Ranges", "build", "folded", "open_index",
    "Decider", "Decision", "DecisionPolicy", "InterfacePolicy", "Step", "read_policy",
    "EirError", "IndexRefused", "PolicyRefused",
]  # fmt: skip
