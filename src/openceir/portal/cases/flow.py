"""The course of a case: a table of its states and of the moves between them. Each kind of case registers its own.

    THEFT = Flow(
        kind="theft",
        title=_("report of a theft"),
        start="received",
        states={"received": _("received"), "verified": _("verified by the police"), "rejected": _("not accepted")},
        moves=(
            Move(name="verify", sources=("received",), target="verified", told=_("The police verified your report.")),
            Move(name="reject", sources=("received",), target="rejected", told=_("…"), closes=True),
        ),
    )

Who may make a move is the view's business (`accounts.doors.needs`), and what the ledger is told is the act's.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise

__all__ = ["FLOWS", "Flow", "Move", "flow_of", "open_flow"]

Text = str | Promise


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One step. `told` is what the citizen reads of it in the timeline; empty: it is not shown to him."""

    name: str
    sources: tuple[str, ...]
    target: str
    told: Text = ""
    closes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The states of one kind of case."""

    kind: str
    title: Text
    start: str
    states: Mapping[str, Text]
    moves: tuple[Move, ...]

    def move(self, name: str) -> Move:
        """The move of this name."""
        return next(one for one in self.moves if one.name == name)

    def moves_from(self, state: str) -> list[Move]:
        """What can be done with a case in this state."""
        return [one for one in self.moves if state in one.sources]


FLOWS: dict[str, Flow] = {}


def open_flow(flow: Flow) -> Flow:
    """Register a kind of case; its states and moves must fit each other."""
    for move in flow.moves:
        if not {*move.sources, move.target} <= flow.states.keys():
            raise TypeError(f"the move {move.name} of {flow.kind} names a state that the flow does not have")
    FLOWS[flow.kind] = flow
    return flow


def flow_of(kind: str) -> Flow:
    """The flow of a kind of case."""
    return FLOWS[kind]
