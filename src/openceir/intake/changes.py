"""What a list changes: the difference between what was read and what the list holds now, as statements.

A full list is compared with what its member's claims say now; a delta says itself what changes, and must fit. What is
not on a full list any more is taken back by withdrawing the very statement that said it, for those devices, so that
nobody else's word is touched: leaving a list is no recovery, which the police state.
"""

import io
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from openceir.identity import format_device_key
from openceir.intake.aside import Rejects
from openceir.intake.errors import IntakeError
from openceir.intake.figures import Figure, Limits, drop_figures, refuse_beyond, refuse_emptying
from openceir.intake.lists import ListKind, ListRead
from openceir.intake.ports import ListedDevices, Standing
from openceir.statements import (
    DeviceBlocked,
    DeviceBound,
    DeviceLost,
    DevicePaired,
    DevicePermitted,
    DeviceRecovered,
    DeviceRegistered,
    DeviceSet,
    DeviceStolen,
    DeviceTracked,
    Pair,
    Statement,
    Withdrawn,
)

__all__ = ["GROUNDS", "ListChange", "Listing", "counted", "find_change", "statements_of"]

Ints = npt.NDArray[np.int64]
Name = TypeVar("Name")

# What a list's statements rest on; by this and its member the list is found again among the claims.
GROUNDS: Final = {
    ListKind.STOLEN: "stolen list",
    ListKind.LOST: "lost list",
    ListKind.RECOVERED: "recovered list",
    ListKind.REGISTRATION: "",
    ListKind.PAIRING: "pairing list",
    ListKind.BARRED: "barred list",
    ListKind.BARRED_TAC: "barred TAC list",
    ListKind.MONITORING: "monitoring list",
    ListKind.GOLDEN: "golden list",
}
_CLAIM: Final = {
    ListKind.STOLEN: "stolen",
    ListKind.LOST: "lost",
    ListKind.REGISTRATION: "registered",
    ListKind.BARRED: "blocked",
    ListKind.BARRED_TAC: "blocked",
    ListKind.MONITORING: "tracked",
}
_IN_EFFECT: Final = "all that this delta says is so already; nothing was changed"
_ADD, _REMOVE, _UPDATE = range(3)
_SECTION: Final = "intake.lists"
_EPOCH: Final = date(1970, 1, 1)
_MOST_A_STATEMENT: Final = 1_000_000
_MOST_PAIRS_A_STATEMENT: Final = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Devices that come onto a list on the same day."""

    devices: DeviceSet
    on: date
    attributes: bytes = b""  # Parquet: the list's own columns, a row a device


@dataclass(frozen=True, slots=True, kw_only=True)
class ListChange:
    """What one file changes on one list. Pure data: signing it is somebody else's business."""

    kind: ListKind
    on: date
    listed: tuple[Listing, ...] = ()
    unlisted: tuple[Standing, ...] = ()  # devices that leave, by the statement that listed them
    bound: tuple[DeviceSet, ...] = ()
    pairs: tuple[Pair, ...] = ()
    digests: tuple[bytes, ...] = ()
    figures: tuple[Figure, ...] = ()
    says: tuple[str, ...] = field(default=())


def find_change(
    file: str,
    read: ListRead,
    listed: ListedDevices,
    *,
    delta: bool,
    by: str,
    on: date,
    limits: Limits,
    rejects: Rejects,
    digest_of: Callable[[str], bytes],
) -> ListChange:
    """Compare a list with what stands, set aside what does not fit a delta, and hold the file to its limits.

    `digest_of` gives the keyed digest of an identifier's text, for golden lists.
    Raises: IntakeError when a limit is passed, or a full list would empty what was not empty.
    """
    match read.kind:
        case ListKind.PAIRING:
            change, now, then = _pairs_change(read, listed.pairs(by), delta, on, rejects)
        case ListKind.GOLDEN:
            change, now, then = _digests_change(read, listed.digests(by), delta, on, digest_of, rejects)
        case ListKind.RECOVERED:
            change, now, then = _listings_only(read, on), read.size(), 0
        case _:
            standing = listed.devices(_CLAIM[read.kind], by, GROUNDS[read.kind])
            change, now, then = _devices_change(read, standing, delta, on, rejects)
    figures = [
        Figure.ratio("set_aside_ratio", "rows set aside", rejects.rows, read.rows, limits["set_aside_ratio"]),
        *([] if delta else drop_figures(read.kind, now, then, limits)),
    ]
    refuse_beyond(file, _SECTION, figures, rejects.sentences())
    if not delta:
        refuse_emptying(file, read.kind, now, then)
    return ListChange(
        kind=read.kind, on=on, listed=change.listed, unlisted=change.unlisted, bound=_bound(read),
        pairs=change.pairs, digests=change.digests, figures=tuple(figures), says=change.says,
    )  # fmt: skip


# -- devices -----------------------------------------------------------------------------------------------------


class _Names:
    """Devices, ranges and other identifiers of statements in the numbers of a ListRead."""

    def __init__(self, read: ListRead) -> None:
        self._read = read
        self._numbers = {other: -1 - place for place, other in enumerate(read.others)}

    def numbers_of(self, devices: DeviceSet) -> Ints:
        ranges = [("range", f"{first:014d}-{last:014d}") for first, last in devices.ranges]
        others = [self._number(other) for other in (*ranges, *sorted(devices.others))]
        return np.concatenate([devices.keys, np.array(others, np.int64)])

    def _number(self, other: tuple[str, str]) -> int:
        if other not in self._numbers:
            self._read.others.append(other)
            self._numbers[other] = -len(self._read.others)
        return self._numbers[other]

    def devices_of(self, numbers: Ints) -> DeviceSet:
        others = [self._read.others[-1 - number] for number in numbers[numbers < 0].tolist()]
        return DeviceSet.of(
            keys=numbers[numbers >= 0],
            ranges=[(text[:14], text[15:]) for scheme, text in others if scheme == "range"],
            others=[other for other in others if other[0] != "range"],
        )


def _devices_change(
    read: ListRead, standing: list[Standing], delta: bool, on: date, rejects: Rejects
) -> tuple[ListChange, int, int]:
    names = _Names(read)
    held = [(one.leaf_hash, names.numbers_of(one.devices)) for one in standing]
    now = np.unique(np.concatenate([np.empty(0, np.int64), *(numbers for _, numbers in held)]))
    is_held = _is_in(read.devices, now)
    if delta and _is_in_effect(read, is_held):
        return ListChange(kind=read.kind, on=on, says=(_IN_EFFECT,)), len(now), len(now)
    if delta:
        bad_add = (read.change == _ADD) & is_held
        bad_rest = (read.change != _ADD) & ~is_held
        _misfits(read, bad_add, "list-has-it", rejects)
        _misfits(read, bad_rest, "list-lacks-it", rejects)
        added = np.flatnonzero(((read.change == _ADD) & ~is_held) | ((read.change == _UPDATE) & is_held))
        gone = read.devices[(read.change != _ADD) & is_held]
        leaving = read.devices[(read.change == _REMOVE) & is_held]
        size = len(now) + len(added) - len(leaving)
    else:
        added = np.flatnonzero(~is_held)
        gone = leaving = now[~_is_in(now, np.sort(read.devices))]
        size = len(read.devices)
    unlisted = tuple(
        Standing(leaf, names.devices_of(numbers[_is_in(numbers, np.sort(gone))]))
        for leaf, numbers in held
        if _is_in(numbers, np.sort(gone)).any()
    )
    says: tuple[str, ...] = (f"{len(added)} come onto the {read.kind} list, {len(leaving)} leave it, {size} are on it",)
    if not delta and read.attributes is not None and is_held.any():
        says += (
            f"of {int(is_held.sum())} that were on it already the columns first stated stay: a full list is compared by"
            " identifiers; send changed columns as a delta with change_type update",
        )
    return _listings(read, names, added, on, unlisted, says), size, len(now)


def _listings_only(read: ListRead, on: date) -> ListChange:
    says = (f"{len(read.devices)} are stated as recovered",)
    return _listings(read, _Names(read), np.arange(len(read.devices)), on, (), says)


def _listings(
    read: ListRead, names: _Names, places: Ints, on: date, unlisted: tuple[Standing, ...], says: tuple[str, ...]
) -> ListChange:
    listed = []
    for day in np.unique(read.on[places]).tolist():
        of_day = places[read.on[places] == day]
        for start in range(0, len(of_day), _MOST_A_STATEMENT):
            some = of_day[start : start + _MOST_A_STATEMENT]
            listed.append(
                Listing(
                    devices=names.devices_of(read.devices[some]),
                    on=_EPOCH + timedelta(days=day),
                    attributes=_parquet(read.attributes.take(pa.array(some))) if read.attributes is not None else b"",
                )
            )
    return ListChange(kind=read.kind, on=on, listed=tuple(listed), unlisted=unlisted, says=says)


def _is_in_effect(read: ListRead, is_held: npt.NDArray[np.bool_]) -> bool:
    """Whether a delta was applied before, as after a crash between the ledger and the journal."""
    done = ((read.change == _ADD) & is_held) | ((read.change == _REMOVE) & ~is_held)
    return bool(len(done)) and bool(done.all())


def _misfits(read: ListRead, bad: npt.NDArray[np.bool_], reason: str, rejects: Rejects) -> None:
    lines = np.unique(read.lines[bad])  # a row may name several identifiers
    if len(lines):
        rejects.add(reason, "change_type", lines.tolist(), [""] * len(lines))
        read.accepted -= len(lines)


def _is_in(numbers: Ints, ascending: Ints) -> npt.NDArray[np.bool_]:
    """Membership by binary search: an order of magnitude cheaper than set operations on large lists."""
    if not len(ascending):
        return np.zeros(len(numbers), np.bool_)
    at = np.minimum(np.searchsorted(ascending, numbers), len(ascending) - 1)
    return np.asarray(ascending[at] == numbers)


def _bound(read: ListRead) -> tuple[DeviceSet, ...]:
    names = _Names(read)
    stated = set(read.devices.tolist())
    groups = (names.devices_of(np.array(group, np.int64)) for group in read.bound if stated.issuperset(group))
    return tuple(group for group in groups if group.count > 1)


def _parquet(table: pa.Table) -> bytes:
    """The same rows give the same octets."""
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(None), sink, compression="zstd")
    return sink.getvalue()


# -- pairs and digests -------------------------------------------------------------------------------------------


def _pairs_change(
    read: ListRead, standing: list[tuple[bytes, Pair]], delta: bool, on: date, rejects: Rejects
) -> tuple[ListChange, int, int]:
    held: dict[Pair, set[bytes]] = {}
    for leaf, pair in standing:
        held.setdefault(pair, set()).add(leaf)
    named = [Pair(*read.pairs[place]) for place in read.devices.tolist()]
    if delta and _is_in_effect(read, np.array([pair in held for pair in named], np.bool_)):
        return ListChange(kind=read.kind, on=on, says=(_IN_EFFECT,)), len(held), len(held)
    added, gone = _difference(read, named, set(held), delta, rejects)
    # A withdrawal takes all pairs of a device that one statement made; those that stay are stated again.
    touched: dict[bytes, set[str]] = {}
    for pair in gone:
        for leaf in held[pair]:
            touched.setdefault(leaf, set()).add(pair.imei)
    again = {
        pair
        for pair, leaves in held.items()
        if pair not in gone and any(pair.imei in touched.get(leaf, ()) for leaf in leaves)
    }
    unlisted = tuple(Standing(leaf, DeviceSet.of(imeis)) for leaf, imeis in sorted(touched.items()))
    size = len(held) + len(added) - len(gone) if delta else len(set(named))
    says = (f"{len(added)} pairs come onto the pairing list, {len(gone)} leave it, {size} are on it",)
    pairs = tuple(sorted({*added, *again}, key=lambda pair: (pair.imei, pair.imsi, pair.msisdn or "")))
    return ListChange(kind=read.kind, on=on, unlisted=unlisted, pairs=pairs, says=says), size, len(held)


def _digests_change(
    read: ListRead,
    standing: list[tuple[bytes, bytes]],
    delta: bool,
    on: date,
    digest_of: Callable[[str], bytes],
    rejects: Rejects,
) -> tuple[ListChange, int, int]:
    held: dict[bytes, set[bytes]] = {}
    for leaf, digest in standing:
        held.setdefault(digest, set()).add(leaf)
    if any(read.span(number) for number in read.devices[read.devices < 0].tolist()):
        raise IntakeError(
            "intake-golden-range", "a golden list names single devices; a range cannot be kept as digests"
        )
    named = [
        digest_of(format_device_key(number) if number >= 0 else read.others[-1 - number][1])
        for number in read.devices.tolist()
    ]
    if delta and _is_in_effect(read, np.array([digest in held for digest in named], np.bool_)):
        return ListChange(kind=read.kind, on=on, says=(_IN_EFFECT,)), len(held), len(held)
    added, gone = _difference(read, named, set(held), delta, rejects)
    # Digests of one statement can only be withdrawn together; those that stay are stated again.
    touched = {leaf for digest in gone for leaf in held[digest]}
    again = {digest for digest, leaves in held.items() if digest not in gone and leaves <= touched}
    unlisted = tuple(Standing(leaf, DeviceSet()) for leaf in sorted(touched))
    size = len(held) + len(added) - len(gone) if delta else len(set(named))
    says = (f"{len(added)} come onto the golden list, {len(gone)} leave it, {size} are on it",)
    return (
        ListChange(kind=read.kind, on=on, unlisted=unlisted, digests=tuple(sorted({*added, *again})), says=says),
        size,
        len(held),
    )


def _difference(
    read: ListRead, named: list[Name], held: set[Name], delta: bool, rejects: Rejects
) -> tuple[set[Name], set[Name]]:
    """What is added and what goes."""
    if not delta:
        return set(named) - held, held - set(named)
    is_held = np.array([name in held for name in named], np.bool_)
    _misfits(read, (read.change == _ADD) & is_held, "list-has-it", rejects)
    _misfits(read, (read.change != _ADD) & ~is_held, "list-lacks-it", rejects)
    kinds = list(zip(named, read.change.tolist(), strict=True))
    return (
        {name for name, change in kinds if change == _ADD and name not in held},
        {name for name, change in kinds if change == _REMOVE and name in held},
    )


# -- statements --------------------------------------------------------------------------------------------------


def statements_of(change: ListChange, at: datetime) -> list[Statement]:
    """What is to be signed at the instant `at` so that the change becomes true, in order."""
    return [*_taken_back(change, at), *_stated(change, at), *(DeviceBound(identifiers=group) for group in change.bound)]


def _taken_back(change: ListChange, at: datetime) -> Iterable[Statement]:
    grounds = GROUNDS[change.kind] or f"{change.kind} list"
    for standing in change.unlisted:
        yield Withdrawn(
            target=standing.leaf_hash, devices=standing.devices, withdrawn_at=at, grounds=f"left the {grounds}"
        )


def _stated(change: ListChange, at: datetime) -> Iterable[Statement]:
    grounds = GROUNDS[change.kind]
    for listing in change.listed:
        since = min(datetime(listing.on.year, listing.on.month, listing.on.day, tzinfo=UTC), at)
        match change.kind:
            case ListKind.STOLEN:
                yield DeviceStolen(devices=listing.devices, stolen_at=since, case_number=grounds)
            case ListKind.LOST:
                yield DeviceLost(devices=listing.devices, lost_at=since, case_number=grounds)
            case ListKind.RECOVERED:
                yield DeviceRecovered(devices=listing.devices, recovered_at=since, case_number=grounds)
            case ListKind.REGISTRATION:
                yield DeviceRegistered(devices=listing.devices, registered_on=listing.on, attributes=listing.attributes)
            case ListKind.BARRED | ListKind.BARRED_TAC:
                yield DeviceBlocked(devices=listing.devices, blocked_at=since, grounds=grounds)
            case ListKind.MONITORING:
                yield DeviceTracked(devices=listing.devices, tracked_at=since, grounds=grounds)
    since = min(datetime(change.on.year, change.on.month, change.on.day, tzinfo=UTC), at)
    for start in range(0, len(change.pairs), _MOST_PAIRS_A_STATEMENT):
        yield DevicePaired(pairs=change.pairs[start : start + _MOST_PAIRS_A_STATEMENT], paired_at=since)
    for start in range(0, len(change.digests), _MOST_PAIRS_A_STATEMENT):
        some = change.digests[start : start + _MOST_PAIRS_A_STATEMENT]
        yield DevicePermitted(permitted_at=since, grounds=grounds, keyed_digests=some)


def counted(statements: list[Statement]) -> tuple[str, ...]:
    """A sentence for each kind: how many statements."""
    kinds = Counter(type(said).kind for said in statements)
    return tuple(f"{count} {kind}" for kind, count in kinds.items())
