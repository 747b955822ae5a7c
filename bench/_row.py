"""One line of the table in docs/performance.md, and the sizes at which it is measured."""

from dataclasses import dataclass

_SIGNS = {">=": 1, "<=": -1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How large a run is; every benchmark picks its own from these, and says in its row's name which it took.

    Units: sightings (rows of operators' dumps).
    """

    name: str
    month: int  # the usual size of one month's data
    large: int  # the size at which memory must stay flat
    peer: int  # the size at which the peer was measured


SCALES = {
    "small": Scale(name="small", month=1_000_000, large=3_000_000, peer=1_000_000),
    "full": Scale(name="full", month=10_000_000, large=50_000_000, peer=3_000_000),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """The same work done by something else: the bare engine in the same run, or a figure published of the peer."""

    what: str
    measured: float  # in the unit of the row it stands beside


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was measured, what was asked for, and what the same work costs elsewhere."""

    name: str  # the work and its size, e.g. "import of 3 M rows of CSV.gz"
    measured: float
    unit: str  # e.g. "rows/CPU-s", "CPU-s", "ms", "MB"
    cpu_seconds: float  # the whole process tree's, for this row's work alone
    target: str = ""  # ">= 500000" or "<= 15", in `unit`; empty when nothing was asked for
    peak_mb: float | None = None  # resident memory of the process tree, sampled
    beside: tuple[Beside, ...] = ()
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the target was met at this size; None when there is none.

        Raises: ValueError when the target is not a sign and a number.
        """
        if not self.target:
            return None
        sign, _, bound = self.target.partition(" ")
        if sign not in _SIGNS:
            raise ValueError(f"{self.name}: target {self.target!r} must read like '>= 500000' or '<= 15'")
        return (self.measured - float(bound)) * _SIGNS[sign] >= 0
