"""The declared limits of a file: each figure beside its limit, so that a refusal names both."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openceir.intake.errors import IntakeError

__all__ = ["Figure", "Limits", "refuse_beyond"]

Limits = Mapping[str, float]  # the values of a policy section as they stand on the day


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure and the limit it is held to.

    Units: as the name says; a ratio is `part` of `whole`.
    """

    name: str  # also the name of the limit in the policy section
    says: str  # what it is a figure of, for people
    value: float
    limit: float
    part: float
    whole: float
    is_floor: bool = False  # the value must reach the limit rather than stay within it

    @property
    def is_kept(self) -> bool:
        """Whether the limit is kept; a figure exactly at its limit keeps it."""
        return self.value >= self.limit if self.is_floor else self.value <= self.limit

    def __str__(self) -> str:
        sign = "at least" if self.is_floor else "at most"
        return f"{self.says}: {self.value:.4g} ({self.part:g} of {self.whole:g}), limit {sign} {self.limit:g}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"name": self.name, "value": self.value, "limit": self.limit, "part": self.part, "whole": self.whole,
                "kept": self.is_kept}  # fmt: skip

    @classmethod
    def ratio(
        cls, name: str, says: str, part: float, whole: float, limit: float, *, is_floor: bool = False
    ) -> "Figure":
        """The figure `part / whole`; of nothing the ratio keeps every limit."""
        value = part / whole if whole else float(is_floor)
        return cls(name=name, says=says, value=value, limit=limit, part=part, whole=whole, is_floor=is_floor)


def refuse_beyond(file: str, section: str, figures: list[Figure], also: list[str]) -> None:
    """Raise IntakeError when any limit is passed; the sentence names each such figure and limit.

    `also` are the first rows set aside: most often they explain the figure.
    """
    broken = [figure for figure in figures if not figure.is_kept]
    if not broken:
        return
    first = broken[0].name.replace("_", "-")
    sentence = "; ".join(f"{figure} ({section}.{figure.name})" for figure in broken)
    rows = ("; " + "; ".join(also[:5])) if also else ""
    raise IntakeError(
        f"intake-{first}",
        f"{file} is refused and nothing of it was kept: {sentence}{rows}; "
        "mend the file and send it again, or change the limit in the policy",
    )


def drop_figures(kind: str, now: int, then: int, limits: Limits) -> list[Figure]:
    """How far a full list of `now` entries shrinks against the `then` that stand."""
    name, dropped = kind.replace("-", "_"), max(then - now, 0)
    figures = []
    if (ratio := f"{name}_drop_ratio") in limits:
        figures.append(
            Figure.ratio(ratio, "share of the list that a full list leaves out", dropped, then, limits[ratio])
        )
    if (rows := f"{name}_drop_rows") in limits:
        says = "rows of the list that a full list leaves out"
        figures.append(Figure(name=rows, says=says, value=dropped, limit=limits[rows], part=dropped, whole=then))
    return figures


def refuse_emptying(file: str, kind: str, now: int, then: int) -> None:
    """Raise IntakeError when a full list would leave nothing of a list that holds something, whatever the limits."""
    if then and not now:
        raise IntakeError(
            "intake-list-emptied",
            f"{file} is a full {kind} list of nothing, and the list holds {then}: refused, nothing was changed; "
            "to take everything off, send a delta that removes each",
        )
