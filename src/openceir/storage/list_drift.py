"""Whether operators hold what was delivered to them, by what they acknowledged."""

from dataclasses import dataclass

from openceir.storage.list_runs import ListRuns

__all__ = ["HeldList", "drifts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldList:
    """What an operator last said of one list, held against what was delivered."""

    operator: str
    kind: str
    sequence: int
    differs: bool  # never delivered, or with other rows
    is_behind: bool  # a newer one was delivered
    acknowledged_at: str
    finding: str


def drifts(runs: ListRuns, operator: str | None = None) -> list[HeldList]:
    """For each acknowledgement, whether it is what was delivered and whether it is behind."""
    found = []
    for said in runs.acknowledgements():
        if operator is not None and said.operator != operator:
            continue
        delivered = runs.newest(said.operator, said.kind, said.sequence)
        newest = runs.newest(said.operator, said.kind)
        differs = delivered is None or delivered.sha256 != said.sha256
        behind = newest is not None and said.sequence < newest.sequence
        if delivered is None:
            finding = f"says it holds {said.sequence}, which was never delivered"
        elif differs:
            finding = f"holds other rows than were delivered as {said.sequence}; let it load the full list"
        else:
            finding = f"holds {said.sequence}" + (f", the newest is {newest.sequence}" if behind and newest else "")
        found.append(
            HeldList(
                operator=said.operator,
                kind=said.kind,
                sequence=said.sequence,
                differs=differs,
                is_behind=behind,
                acknowledged_at=said.acknowledged_at,
                finding=finding,
            )
        )  # fmt: skip
    return found
