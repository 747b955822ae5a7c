"""Reads from the shelves what detection asks for: claims and reference tables as columns (detection/ports.py)."""

from collections.abc import Iterable
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from openceir.detection import LISTS, STANDING, Inputs, Measured
from openceir.identity import G2, G3, G4, G5
from openceir.status import ClaimKind, CurrentClaims, Keys
from openceir.storage.claims import ClaimShelf
from openceir.storage.reference import ReferenceTables

__all__ = ["gather_inputs", "standing_findings"]

_TAC = 1_000_000
# What makes a unit registered. An allocated or approved range says something of a model, not of this unit.
_REGISTERED = (ClaimKind.REGISTERED, ClaimKind.IMPORTED, ClaimKind.PERMITTED)


def gather_inputs(claims: ClaimShelf, reference: ReferenceTables, measured: Measured, at: datetime) -> Inputs:
    """Lists and standing classifications as they hold at the instant `at`, over the given measures.

    Registered ranges are taken as ranges. Stolen ranges are not asked about: their statements block them anyway.
    """
    tacs = reference.tacs()
    lists = {
        "stolen": _devices(claims.current(kind, at) for kind in (ClaimKind.STOLEN, ClaimKind.LOST)),
        "barred": _devices([claims.current(ClaimKind.BLOCKED, at)]),
        "barred_tac": pa.table({"tac": _whole_tacs(claims, at)}),
        "monitored": _monitored(claims.current(ClaimKind.TRACKED, at)),
        "registered": _devices(claims.current(kind, at) for kind in _REGISTERED),
        "registered_range": _ranges(claims, at),
        "associated": pa.table({"device": np.unique(reference.associations()["device"].to_numpy())}),
        "subscriber": reference.subscribers()
        .select(["imsi", "uid"])
        .sort_by([("imsi", "ascending"), ("uid", "ascending")]),
        "tac": tacs.append_column("generations", _generations(tacs["rat"])).select(LISTS["tac"].names).sort_by("tac"),
    }
    return Inputs(measured=measured, lists=lists, standing=standing_findings(claims, at))


def _devices(found: Iterable[CurrentClaims]) -> pa.Table:
    return pa.table({"device": np.unique(np.concatenate([one.device for one in found]))})


def _monitored(found: CurrentClaims) -> pa.Table:
    since = np.array([said.effective_at // 86_400 for said in found.said], np.int64)
    rows = since[found.row] if len(found.row) else np.empty(0, np.int64)
    devices, first = np.unique(found.device, return_index=True)
    return pa.table({"device": devices, "since_on": np.minimum.reduceat(rows, first) if len(first) else rows})


def _ranges(claims: ClaimShelf, at: datetime) -> pa.Table:
    spans = sorted({(piece.lo, piece.hi) for kind in _REGISTERED for piece in claims.current_ranges(kind, at)})
    return pa.table(
        {"lo": pa.array([lo for lo, _ in spans], pa.int64()), "hi": pa.array([hi for _, hi in spans], pa.int64())}
    )


def _whole_tacs(claims: ClaimShelf, at: datetime) -> Keys:
    """The TACs of which every device is blocked by a range."""
    pieces = sorted((piece.lo, piece.hi) for piece in claims.current_ranges(ClaimKind.BLOCKED, at))
    joined: list[list[int]] = []
    for lo, hi in pieces:
        if joined and lo <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], hi)
        else:
            joined.append([lo, hi])
    tacs = [np.arange(-(-lo // _TAC), (hi + 1) // _TAC, dtype=np.int64) for lo, hi in joined]
    return np.unique(np.concatenate([np.empty(0, np.int64), *tacs]))


def _generations(rat: pa.ChunkedArray) -> pa.ChunkedArray:
    """From what a model's bands can do to one bit a generation; null stays null."""
    bits = pa.scalar(0, pa.int64())
    for place, mask in enumerate((G2, G3, G4, G5)):
        has = pc.not_equal(pc.bit_wise_and(rat, pa.scalar(mask, pa.int64())), 0)
        bits = pc.add(bits, pc.if_else(has, pa.scalar(1 << place, pa.int64()), pa.scalar(0, pa.int64())))
    return bits


def standing_findings(claims: ClaimShelf, at: datetime) -> pa.Table:
    """The latest classification of each rule and device that holds at the instant `at`; columns of STANDING."""
    table = claims.current(ClaimKind.CLASSIFIED, at).table()
    block_on = pc.cast(pc.cast(table["block_on"], pa.int32()), pa.int64())
    rows = pa.table(
        {
            "rule": table["label"], "device": table["device"], "block_on": block_on, "amnesty": table["amnesty"],
            "blocking": table["blocking"], "marks_duplicate": table["marks_duplicate"],
        }
    ).cast(STANDING)  # fmt: skip
    order = pc.sort_indices(
        rows.append_column("idx", table["idx"]),
        sort_keys=[("rule", "ascending"), ("device", "ascending"), ("idx", "descending")],
    )
    rows = rows.take(order)
    if not rows.num_rows:
        return rows
    rule, device = rows["rule"].combine_chunks().dictionary_encode().indices.to_numpy(), rows["device"].to_numpy()
    first = np.concatenate([[True], (rule[1:] != rule[:-1]) | (device[1:] != device[:-1])])
    return rows.filter(pa.array(first))
