"""The statuses of a whole country at one instant, as columns.

The same rules as `fold.py`, one array operation for all devices where that file has one `if` for one device. A
property test holds the two equal over random histories; whoever changes one changes both.

Theory: every statement part (`Said`) that is about a device is a row (device, said): singly named, inside a range,
or through the statement that it targets. Rows of a device stand latest first, as `standing` walks them. Whether a
row ends another depends on the two parts alone, so round k decides at once for all devices that have a k-th row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from openceir.identity import NON_UNIQUE_KEYS
from openceir.status.claim import Keys, Said
from openceir.status.fold import ends, ends_abroad
from openceir.status.foreign import NOTHING_COUNTS, Effect, ForeignRules
from openceir.status.words import MISSES, REPEATS, THEFTS, ClaimKind, Status, StatusError

__all__ = ["NO_DAY", "ClaimColumns", "StatusColumns", "days", "effects_of", "fold_columns", "standing_rows"]

NO_DAY = np.iinfo(np.int32).max  # in columns of days since 1970: none
_MOST_NAMES = 64  # bits of one word
_MOST_ROUNDS = 32  # devices with a longer history are settled one at a time

Bools = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int32]

_KINDS = tuple(ClaimKind)
_CODE = {kind: code for code, kind in enumerate(_KINDS)}


def days(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimColumns:
    """Everything said, as columns; pairs left out, since they are about a device with somebody.

    Shapes: `device` and `row` are equally long, as are `lo`, `hi` and `range_row`; a row is a position in `said`.
    """

    said: Sequence[Said]
    device: Keys
    row: Rows
    lo: Keys
    hi: Keys
    range_row: Rows
    whole: Bools  # one a said: a withdrawal or dispute of all that its target is about


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusColumns:
    """One row a device, ascending.

    `reasons` are the claims on which the status rests, `block_reasons` those that block now or on a day to come and
    are not disputed; both are sets of bits, bit i standing for `names[i]`.
    Units: `block_on` and `pairs_from_on` are days since 1970, NO_DAY when there is none.
    """

    device: Keys
    status: npt.NDArray[np.int8]  # position in tuple(Status)
    ordered: Bools  # an undisputed order is among what blocks it: no pairing lifts that, unless policy says so
    block_on: npt.NDArray[np.int32]  # BLOCKED: since when; TRACKED: when it will be blocked unless something happens
    pairs_from_on: npt.NDArray[np.int32]  # the theft after which new pairs of this shared number are blocked
    amnesty: Bools  # the day to come was set by an amnesty
    reasons: npt.NDArray[np.uint64]
    block_reasons: npt.NDArray[np.uint64]
    names: tuple[tuple[ClaimKind, str], ...]

    def where(self, status: Status) -> Bools:
        """Which rows have this status."""
        return np.asarray(self.status == tuple(Status).index(status))

    def names_in(self, bits: int) -> tuple[tuple[ClaimKind, str], ...]:
        """The (kind, label) of a set of bits."""
        return tuple(name for place, name in enumerate(self.names) if bits >> place & 1)


class _SaidArrays:
    """The fields of `said` that decide, as arrays; texts and hashes as small numbers, -1 for none."""

    def __init__(self, said: Sequence[Said]) -> None:
        labels: dict[str, int] = {}
        issuers: dict[str, int] = {}
        books: dict[tuple[str, str], int] = {}
        nations: dict[str, int] = {"": 0}
        leaves: dict[bytes, int] = {}
        for part in said:
            leaves.setdefault(part.leaf_hash, len(leaves))

        def column(values: Any, kind: Any = np.int64) -> npt.NDArray[Any]:
            return np.fromiter(values, dtype=kind, count=len(said))

        self.kind = column((_CODE[part.kind] for part in said), np.int8)
        self.index = column(part.index for part in said)
        self.label = column(labels.setdefault(part.label, len(labels)) for part in said)
        self.issuer = column(issuers.setdefault(part.issuer, len(issuers)) for part in said)
        self.leaf = column(leaves[part.leaf_hash] for part in said)
        # a target outside the log is no target that could be met, but neither is it "no target"
        self.target = column(-1 if part.target is None else leaves.get(part.target, -2) for part in said)
        self.ends_kind = column((-1 if part.ends_kind is None else _CODE[part.ends_kind] for part in said), np.int8)
        self.ends_label = column(
            -1 if part.ends_label is None else labels.setdefault(part.ends_label, len(labels)) for part in said
        )
        self.book = column(books.setdefault((part.log, part.nation), len(books)) for part in said)
        self.nation = column(nations.setdefault(part.nation, len(nations)) for part in said)
        self.over_others = column((part.over_others for part in said), np.bool_)
        self.effective_at = column(part.effective_at for part in said)
        self.until_at = column(np.iinfo(np.int64).max if part.until_at is None else part.until_at for part in said)
        self.logged_at = column(part.logged_at for part in said)
        self.restores_at = column(
            np.iinfo(np.int64).max if part.restores_at is None else part.restores_at for part in said
        )
        self.blocking = column((part.blocking for part in said), np.bool_)
        self.block_on = column((NO_DAY if part.block_on is None else days(part.block_on) for part in said), np.int32)
        self.amnesty = column((part.amnesty for part in said), np.bool_)
        self.marks_shared = column((part.marks_shared for part in said), np.bool_)
        conditions = [part.conditions for part in said]
        self.names_condition = {
            name: column((name in some for some in conditions), np.bool_) for name in (*REPEATS, *MISSES)
        }
        self.is_ending = column((part.is_ending for part in said), np.bool_)
        self.ends_something = self.is_ending | self.is_any(ClaimKind.CLASSIFIED)

    def is_any(self, *kinds: ClaimKind) -> Bools:
        """Which parts are of one of these kinds."""
        return np.isin(self.kind, [_CODE[kind] for kind in kinds])

    def ends(self, later: Rows, claim: Rows) -> Bools:
        """`fold.ends` for pairs of parts."""
        kind = self.kind[later]
        entitled = self.over_others[later] | (self.issuer[later] == self.issuer[claim])
        by_target = (self.target[later] != -1) & (self.target[later] == self.leaf[claim])
        by_name = (
            (self.target[later] == -1)
            & (self.ends_kind[later] == self.kind[claim])
            & ((self.ends_label[later] == -1) | (self.ends_label[later] == self.label[claim]))
        )
        withdrawn = (kind == _CODE[ClaimKind.WITHDRAWN]) & entitled & (by_target | by_name)
        recovered = (
            (kind == _CODE[ClaimKind.RECOVERED])
            & np.isin(self.kind[claim], [_CODE[theft] for theft in THEFTS])
            & (self.effective_at[claim] <= self.effective_at[later])
        )
        replaced = (
            np.isin(kind, [_CODE[ClaimKind.CLEARED], _CODE[ClaimKind.CLASSIFIED]])
            & (self.kind[claim] == _CODE[ClaimKind.CLASSIFIED])
            & (self.label[later] == self.label[claim])
        )
        follows = (self.index[later] > self.index[claim]) & (self.book[later] == self.book[claim])
        return np.asarray(follows & (withdrawn | recovered | replaced))


def fold_columns(
    columns: ClaimColumns,
    at: datetime,
    *,
    devices: Keys | None = None,
    known_at: datetime | None = None,
    foreign: ForeignRules = NOTHING_COUNTS,
) -> StatusColumns:
    """The status of every device that is named singly, and of `devices` besides, at the instant `at`."""
    said = _SaidArrays(columns.said)
    universe, device, row = _rows_about(columns, devices)
    device, row = _holding(columns, said, device, row, at, known_at, foreign)
    effects = effects_of(columns.said, int(at.timestamp()), foreign)
    today = days(at.astimezone(UTC).date())
    return _decide(columns.said, said, effects, universe, device, row, int(at.timestamp()), today)


def effects_of(parts: Sequence[Said], seconds: int, foreign: ForeignRules) -> npt.NDArray[np.int8]:
    """What each part counts for here at that second, as numbers of `Effect`."""
    effects = np.full(len(parts), Effect.COUNTS, dtype=np.int8)
    for place, part in enumerate(parts):
        if part.nation:
            effects[place] = foreign.weigh(part, seconds).effect
    return effects


def standing_rows(
    columns: ClaimColumns,
    at: datetime,
    *,
    devices: Keys | None = None,
    known_at: datetime | None = None,
    foreign: ForeignRules = NOTHING_COUNTS,
) -> tuple[Keys, Rows]:
    """(device, said) of every claim that holds at the instant `at`; devices ascending, latest first within one."""
    _, device, row = _rows_about(columns, devices)
    return _holding(columns, _SaidArrays(columns.said), device, row, at, known_at, foreign)


def _holding(
    columns: ClaimColumns,
    said: "_SaidArrays",
    device: Keys,
    row: Rows,
    at: datetime,
    known_at: datetime | None,
    foreign: ForeignRules,
) -> tuple[Keys, Rows]:
    seconds = int(at.timestamp())
    known = None if known_at is None else int(known_at.timestamp())
    begun = said.effective_at <= seconds
    if known is not None:
        begun &= said.logged_at <= known
    keep = begun[row]
    device, row = device[keep], row[keep]
    alive = _standing(columns.said, said, device, row)
    holding = alive & ~said.is_ending[row] & (seconds < said.until_at[row])
    if foreign.quorum:
        _end_abroad(
            columns.said,
            said,
            device,
            row,
            alive,
            holding,
            [foreign.overrides(p, seconds, known) for p in columns.said],
        )
    return device[holding], row[holding]


def _end_abroad(
    parts: Sequence[Said],
    said: "_SaidArrays",
    device: Keys,
    row: Rows,
    alive: Bools,
    holding: Bools,
    approved: Sequence[bool],
) -> None:
    """Take out of `holding` what endings of other nations, approved by a quorum, reach. They are few."""
    for place in np.flatnonzero(alive & said.is_ending[row] & np.array(approved, dtype=np.bool_)[row]).tolist():
        first, end = np.searchsorted(device, device[place], "left"), np.searchsorted(device, device[place], "right")
        for other in range(int(first), int(end)):
            if holding[other] and ends_abroad(parts[row[place]], parts[row[other]]):
                holding[other] = False


def _rows_about(columns: ClaimColumns, devices: Keys | None) -> tuple[Keys, Keys, Rows]:
    """All devices asked about, ascending, and every (device, said), a device's rows together and its latest first.

    Shapes: universe; device and row, equally long.
    """
    parts = [columns.device] if devices is None else [columns.device, np.asarray(devices, dtype=np.int64)]
    universe = np.sort(np.concatenate(parts))
    universe = universe[_starts(universe)]  # distinct: np.unique hashes, which costs ten times as much here
    pieces = [(columns.device, columns.row), *_within_ranges(columns, universe)]
    device = np.concatenate([piece[0] for piece in pieces])
    row = np.concatenate([piece[1] for piece in pieces])
    device, row = _with_whole_targets(columns, device, row)
    # said stands in the order of the log, so a larger position is a later word
    order = np.lexsort((-row, device))
    device, row = device[order], row[order]
    # named singly and in a range by the same statement: once is enough
    fresh = np.ones(device.size, dtype=np.bool_)
    fresh[1:] = (device[1:] != device[:-1]) | (row[1:] != row[:-1])
    return universe, device[fresh], row[fresh]


def _within_ranges(columns: ClaimColumns, universe: Keys) -> list[tuple[Keys, Rows]]:
    """For every range, the devices asked about that lie in it."""
    first = np.searchsorted(universe, columns.lo, "left")
    counts = np.searchsorted(universe, columns.hi, "right") - first
    total = int(counts.sum())
    if not total:
        return []
    # 0..count-1 after each first, without a loop
    steps = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
    return [(universe[np.repeat(first, counts) + steps], np.repeat(columns.range_row, counts))]


def _with_whole_targets(columns: ClaimColumns, device: Keys, row: Rows) -> tuple[Keys, Rows]:
    """Add a row for each device of a statement that was withdrawn or disputed as a whole.

    In the order of the log, so that the withdrawal of a withdrawal finds the rows of the first.
    """
    whole = np.flatnonzero(columns.whole)
    if not whole.size:
        return device, row
    places: dict[bytes, list[int]] = {}
    for place, part in enumerate(columns.said):
        places.setdefault(part.leaf_hash, []).append(place)
    order = np.argsort(row, kind="stable")
    by_row, bounds = device[order], np.searchsorted(row[order], np.arange(len(columns.said) + 1))
    made: dict[int, Keys] = {}
    for place in whole.tolist():
        target = columns.said[place].target
        found = [
            np.concatenate([by_row[bounds[meant] : bounds[meant + 1]], made.get(meant, by_row[:0])])
            for meant in places.get(target, [])
            # of its own log what stands before it; what another nation's log holds has no place before or after
            if meant < place or not columns.said[meant].is_beside(columns.said[place])
        ] if target is not None else []  # fmt: skip
        if found:
            made[place] = np.unique(np.concatenate(found))
    return (
        np.concatenate([device, *made.values()]),
        np.concatenate([row, *(np.full(keys.size, place, dtype=np.int32) for place, keys in made.items())]),
    )


def _starts(device: Keys) -> npt.NDArray[np.int64]:
    """Where each device's rows begin."""
    fresh = np.ones(device.size, dtype=np.bool_)
    fresh[1:] = device[1:] != device[:-1]
    return np.flatnonzero(fresh)


def _standing(parts: Sequence[Said], said: _SaidArrays, device: Keys, row: Rows) -> Bools:
    """Which rows no later row ends, rows that are ended themselves ending nothing."""
    alive = np.ones(device.size, dtype=np.bool_)
    starts = _starts(device)
    counts = np.diff(np.append(starts, device.size))
    ends_something = said.ends_something[row]
    # a device none of whose rows ends anything keeps them all
    busy = np.add.reduceat(ends_something, starts, dtype=np.int64) > 0 if starts.size else np.zeros(0, dtype=np.bool_)
    starts, counts = starts[busy & (counts > 1)], counts[busy & (counts > 1)]
    for start, count in zip(
        starts[counts > _MOST_ROUNDS].tolist(), counts[counts > _MOST_ROUNDS].tolist(), strict=True
    ):
        _settle_one(parts, row, ends_something, alive, start, start + count)
    starts, counts = starts[counts <= _MOST_ROUNDS], counts[counts <= _MOST_ROUNDS]
    for k in range(1, int(counts.max(initial=0))):
        starts = starts[counts > k]
        counts = counts[counts > k]
        for j in range(k):
            later = starts + j
            hot = later[alive[later] & ends_something[later]]
            claim = hot - j + k
            alive[claim[said.ends(row[hot], row[claim])]] = False
    return alive


def _settle_one(parts: Sequence[Said], row: Rows, ends_something: Bools, alive: Bools, start: int, stop: int) -> None:
    enders: list[Said] = []
    for place in range(start, stop):
        part = parts[row[place]]
        if any(ends(later, part) for later in enders):
            alive[place] = False
        elif ends_something[place]:
            enders.append(part)


def _decide(
    parts: Sequence[Said],
    said: _SaidArrays,
    effects: npt.NDArray[np.int8],
    universe: Keys,
    device: Keys,
    row: Rows,
    seconds: int,
    today: int,
) -> StatusColumns:
    group = np.searchsorted(universe, device)
    disputed = _disputed(said, group, row, seconds)

    def some(rows: Bools) -> Bools:
        """Which devices have such a row."""
        found = np.zeros(universe.size, dtype=np.bool_)
        found[group[rows]] = True
        return found

    counts, tracks = effects[row] == Effect.COUNTS, effects[row] == Effect.TRACKS
    theft = counts & said.is_any(*THEFTS)[row]
    lapsed = np.zeros(row.size, dtype=np.bool_)
    # a finding lapses by what its own nation said
    of_nation = group * (int(said.nation.max(initial=0)) + 1) + said.nation[row]
    for name, named in said.names_condition.items():
        if named.any():
            has_said = np.isin(of_nation, of_nation[said.is_any(*(REPEATS.get(name) or MISSES[name]))[row]])
            lapsed |= named[row] & (has_said if name in MISSES else ~has_said)
    classified = counts & said.is_any(ClaimKind.CLASSIFIED)[row] & ~lapsed
    cloned = counts & said.is_any(ClaimKind.CLONED)[row]
    ordered = counts & said.is_any(ClaimKind.BLOCKED)[row]
    shared = (classified | cloned) & said.marks_shared[row]
    bites_on = np.where(classified, said.block_on[row], (said.effective_at[row] // 86_400).astype(np.int32))
    will_block = theft | ordered | (classified & said.blocking[row] & (bites_on != NO_DAY))
    blocks = will_block & (bites_on <= today)
    watches = classified | cloned | (counts & said.is_any(ClaimKind.TRACKED)[row]) | (tracks & ~lapsed)
    permits = said.is_any(ClaimKind.REGISTERED, ClaimKind.APPROVED, ClaimKind.IMPORTED, ClaimKind.ALLOCATED)[row]
    permits &= counts
    permitted = counts & said.is_any(ClaimKind.PERMITTED)[row]

    def first_day(rows: Bools) -> npt.NDArray[np.int32]:
        earliest = np.full(universe.size, NO_DAY, dtype=np.int32)
        np.minimum.at(earliest, group[rows], bites_on[rows])
        return earliest

    non_unique = np.isin(universe, np.array(sorted(NON_UNIQUE_KEYS), dtype=np.int64))
    has_permitted, has_block, has_live_block = some(permitted), some(blocks), some(blocks & ~disputed)
    pairs_only = non_unique | (some(theft) & some(shared) & ~has_permitted & ~some(ordered & ~disputed))
    rules = [pairs_only, has_permitted, has_live_block, has_block, some(watches), some(permits)]
    step = np.select(rules, [1, 2, 4, 5, 6, 7], default=8)
    status_of_step = np.full(9, list(Status).index(Status.UNKNOWN), dtype=np.int8)
    for steps, status in (((2, 7), Status.PERMITTED), ((1, 5, 6), Status.TRACKED), ((4,), Status.BLOCKED)):
        status_of_step[list(steps)] = list(Status).index(status)

    pending = will_block & ~blocks & ~disputed
    block_on = np.where(step == 4, first_day(blocks & ~disputed), np.where(step == 6, first_day(pending), NO_DAY))
    step_of_row = step[group]
    deciding = np.select(
        [step_of_row == 1, step_of_row == 2, step_of_row == 4, step_of_row == 5, step_of_row == 6, step_of_row == 7],
        [
            theft | shared,
            permitted,
            blocks & ~disputed,
            blocks | (counts & said.is_any(ClaimKind.DISPUTED)[row]),
            watches,
            permits,
        ],
        default=counts & said.is_any(ClaimKind.DECLARED)[row],
    )
    names, bit_of_row = _names(parts, row[deciding | (will_block & ~disputed)], row)

    def bits(rows: Bools) -> npt.NDArray[np.uint64]:
        found = np.zeros(universe.size, dtype=np.uint64)
        np.bitwise_or.at(found, group[rows], bit_of_row[rows])
        return found

    return StatusColumns(
        device=universe,
        status=status_of_step[step],
        ordered=(step == 4) & some(ordered & ~disputed),
        block_on=block_on.astype(np.int32),
        pairs_from_on=np.where((step == 1) & ~non_unique, first_day(theft & ~disputed), NO_DAY).astype(np.int32),
        amnesty=(step == 6) & some(pending & said.amnesty[row]),
        reasons=bits(deciding),
        block_reasons=bits(will_block & ~disputed),
        names=names,
    )


def _disputed(said: _SaidArrays, group: npt.NDArray[np.intp], row: Rows, seconds: int) -> Bools:
    """Which rows stand under a dispute of the same device whose time to decide has run out."""
    live = said.is_any(ClaimKind.DISPUTED)[row] & (said.restores_at[row] <= seconds)
    if not live.any():
        return np.zeros(row.size, dtype=np.bool_)
    width = int(said.leaf.max()) + 1
    nations = int(said.nation.max()) + 1
    meant = live & (said.target[row] >= 0)
    here = meant & (said.nation[row] == 0)
    disputed = np.isin(group * width + said.leaf[row], group[here] * width + said.target[row[here]])
    # filed in the nation that said what is disputed
    disputed |= np.isin(
        (group * width + said.leaf[row]) * nations + said.nation[row],
        (group[meant] * width + said.target[row[meant]]) * nations + said.nation[row[meant]],
    )
    return disputed


def _names(
    parts: Sequence[Said], used: Rows, row: Rows
) -> tuple[tuple[tuple[ClaimKind, str], ...], npt.NDArray[np.uint64]]:
    """The distinct (kind, label) of the parts used, and each row's bit (0 for rows that are not used)."""
    place_of: dict[tuple[ClaimKind, str], int] = {}
    bit_of_said = np.zeros(len(parts), dtype=np.uint64)
    for place in np.unique(used).tolist():
        name = (parts[place].kind, parts[place].label)
        bit = place_of.setdefault(name, len(place_of))
        if bit >= _MOST_NAMES:
            raise StatusError(
                f"more than {_MOST_NAMES} kinds of claims and rules restrict devices at once; withdraw the classifications of rules no longer in use"
            )
        bit_of_said[place] = np.uint64(1 << bit)
    return tuple(place_of), bit_of_said[row]
