"""Claims: what one statement says of its devices, one device's share of it, and a range's."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt

from openceir.status.words import ENDINGS, PERMITS, THEFTS, ClaimKind

__all__ = ["Claim", "Keys", "RangeClaim", "Said", "Spoken"]

Keys = npt.NDArray[np.int64]  # device keys (docs/architecture.md §2)


def _no_keys() -> Keys:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing that one statement says of all its devices alike: a claim, or the end of claims.

    `part` counts what one statement says: a classification both matches (0) and clears (1).
    Units: instants are seconds since 1970 UTC.
    """

    index: int  # of the statement in the log
    part: int = 0
    kind: ClaimKind
    label: str = ""  # the rule of a classification
    issuer: str
    effective_at: int
    logged_at: int
    leaf_hash: bytes
    until_at: int | None = None  # the first second at which it holds no longer by its own words
    block_on: date | None = None
    blocking: bool = False
    amnesty: bool = False
    marks_duplicate: bool = False
    restores_at: int | None = None  # of a dispute: from here an undecided block reads TRACKED
    target: bytes | None = None  # of a withdrawal or dispute: the leaf hash of the statement meant
    ends_kind: ClaimKind | None = None  # of a withdrawal without a target
    ends_label: str | None = None  # None: whatever the label
    over_others: bool = False  # a withdrawal by the regulator or a court ends others' claims too
    note: str = ""  # case number or grounds, as the issuer wrote them; of a classification its conditions
    evidence_digest: bytes | None = None
    nation: str = ""  # of the issuer; empty: of this register's own
    roles: tuple[str, ...] = ()  # the issuer's offices when it was logged, in the order of their names
    log: str = ""  # whose log it stands in; empty: this register's own
    approvals: tuple[int, ...] = ()  # when voters of the federation approved it, one instant a voter

    @property
    def place(self) -> tuple[str, int, int]:
        """Where it stands, and nothing else stands: which log, which entry, which part of it."""
        return self.log, self.index, self.part

    def is_beside(self, other: "Said") -> bool:
        """Whether both stand in one log and come from one nation, so that the later may end the earlier."""
        return self.log == other.log and self.nation == other.nation

    def holds_by_its_own_words(self, at: int) -> bool:
        """Whether it has begun and not run out; what others said of it is not asked."""
        return self.effective_at <= at and (self.until_at is None or at < self.until_at)

    def blocks_on(self, day: date) -> bool:
        """Whether, while it holds, it blocks a device on that day."""
        if self.kind is ClaimKind.CLASSIFIED:
            return self.blocking and self.block_on is not None and self.block_on <= day
        return self.kind is ClaimKind.BLOCKED or self.kind in THEFTS

    @property
    def conditions(self) -> Sequence[str]:
        """The conditions of a classification."""
        return self.note.split(", ") if self.kind is ClaimKind.CLASSIFIED else ()

    @property
    def marks_shared(self) -> bool:
        """Whether it says that several devices bear this number."""
        return self.kind is ClaimKind.CLONED or self.marks_duplicate

    @property
    def permits(self) -> bool:
        """Whether it alone makes a device permitted."""
        return self.kind in PERMITS

    @property
    def is_ending(self) -> bool:
        """Whether it ends claims. A classification is a claim, and ends its rule's older ones too."""
        return self.kind in ENDINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One device's share of what was said. A range's share carries the range it came by."""

    said: Said
    imsi: int | None = field(default=None, repr=False)  # a leading 1 before the digits, docs/architecture.md §2
    msisdn: int | None = field(default=None, repr=False)
    by_range: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeClaim:
    """What was said of every device from `lo` to `hi`, both included; never expanded."""

    said: Said
    lo: int
    hi: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """`said`, and of which devices: what a shelf stores of one part of a statement.

    Shapes: `devices` sorted and unique, except for pairs, where the three columns are rows (device, imsi, msisdn),
    0 for an absent number; `ranges` sorted and apart from one another.
    """

    said: Said
    devices: Keys = field(default_factory=_no_keys)
    ranges: Sequence[tuple[int, int]] = ()
    others: Sequence[tuple[str, str]] = ()  # (scheme, canonical text): the shelf gives them keys
    imsis: Keys = field(default_factory=_no_keys, repr=False)
    msisdns: Keys = field(default_factory=_no_keys, repr=False)
    keyed_digests: Sequence[bytes] = ()
