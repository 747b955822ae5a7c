"""Which claims of one kind hold at an instant, as columns: what detection and lists join their own rows with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from openceir.status.claim import Keys, Said
from openceir.status.columns import ClaimColumns, Rows, effects_of, standing_rows
from openceir.status.foreign import NOTHING_COUNTS, Effect, ForeignRules
from openceir.status.words import THEFTS, ClaimKind

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["CurrentClaims", "RangePieces", "current_claims", "of_ranges", "range_pieces"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentClaims:
    """The claims that hold: `device` ascending, `row` a position in `said`, latest first within a device."""

    said: Sequence[Said]
    device: Keys
    row: Rows

    def table(self) -> "pa.Table":
        """The same with what was said: device, idx, label, issuer, effective_at, until_at, block_on, blocking, …

        Units: effective_at and until_at are seconds since 1970 UTC, block_on is a date.
        """
        import pyarrow as pa  # slow to load, and most answers need no table

        parts = self.said
        kinds = {
            "idx": pa.array([part.index for part in parts], pa.int64()),
            "label": pa.array([part.label for part in parts], pa.string()),
            "issuer": pa.array([part.issuer for part in parts], pa.string()),
            "effective_at": pa.array([part.effective_at for part in parts], pa.int64()),
            "until_at": pa.array([part.until_at for part in parts], pa.int64()),
            "block_on": pa.array([part.block_on for part in parts], pa.date32()),
            "blocking": pa.array([part.blocking for part in parts], pa.bool_()),
            "amnesty": pa.array([part.amnesty for part in parts], pa.bool_()),
            "marks_duplicate": pa.array([part.marks_duplicate for part in parts], pa.bool_()),
        }
        rows = pa.array(self.row, pa.int32())
        return pa.table({"device": pa.array(self.device), **{name: of.take(rows) for name, of in kinds.items()}})


@dataclass(frozen=True, slots=True, kw_only=True)
class RangePieces:
    """Pieces of ranges within which everything said of ranges is the same, ascending and apart. Ends are included.

    A device that is named singly may differ from its piece: ask for that device.
    """

    lo: Keys
    hi: Keys


def current_claims(
    columns: ClaimColumns,
    kind: ClaimKind,
    at: datetime,
    *,
    devices: Keys | None = None,
    known_at: datetime | None = None,
    foreign: ForeignRules = NOTHING_COUNTS,
) -> CurrentClaims:
    """The claims of `kind` that hold at the instant `at`, on devices named singly and on `devices` besides.

    Those of other nations only where `foreign` makes them count as if they were said here.
    """
    some = _parts_that_matter(columns, kind)
    device, row = standing_rows(some, at, devices=devices, known_at=known_at, foreign=foreign)
    counts = effects_of(some.said, int(at.timestamp()), foreign) == Effect.COUNTS
    of_kind = np.fromiter((part.kind is kind for part in some.said), dtype=np.bool_, count=len(some.said)) & counts
    return CurrentClaims(said=some.said, device=device[of_kind[row]], row=row[of_kind[row]])


def _parts_that_matter(columns: ClaimColumns, kind: ClaimKind) -> ClaimColumns:
    """The columns without what can neither be a claim of `kind` nor end one."""
    matter = {kind, ClaimKind.WITHDRAWN}
    if kind in THEFTS:
        matter |= {ClaimKind.RECOVERED}
    if kind is ClaimKind.CLASSIFIED:
        matter |= {ClaimKind.CLEARED}
    # a withdrawal may take back a withdrawal of anything, so that all of them stay
    keep = np.fromiter((part.kind in matter for part in columns.said), dtype=np.bool_, count=len(columns.said))
    place = (np.cumsum(keep) - 1).astype(np.int32)
    singly, spans = keep[columns.row], keep[columns.range_row]
    return ClaimColumns(
        said=[part for part, kept in zip(columns.said, keep.tolist(), strict=True) if kept],
        device=columns.device[singly],
        row=place[columns.row[singly]],
        lo=columns.lo[spans],
        hi=columns.hi[spans],
        range_row=place[columns.range_row[spans]],
        whole=columns.whole[keep],
    )


def range_pieces(columns: ClaimColumns) -> RangePieces:
    """The ranges cut at each other's ends. A piece's `lo` stands for all of it: ask for that device in `of_ranges`."""
    cuts = np.unique(np.concatenate([columns.lo, columns.hi + 1]))
    if cuts.size < 2:
        return RangePieces(lo=cuts[:0], hi=cuts[:0])
    lo, hi = cuts[:-1], cuts[1:] - 1
    # a gap between ranges is no piece: as many ranges have ended before it as have begun
    begun = np.searchsorted(np.sort(columns.lo), lo, "right")
    ended = np.searchsorted(np.sort(columns.hi), lo, "left")
    covered = begun > ended
    return RangePieces(lo=lo[covered], hi=hi[covered])


def of_ranges(columns: ClaimColumns) -> ClaimColumns:
    """The columns without what was said of devices singly."""
    return ClaimColumns(
        said=columns.said,
        device=columns.device[:0],
        row=columns.row[:0],
        lo=columns.lo,
        hi=columns.hi,
        range_row=columns.range_row,
        whole=columns.whole,
    )
