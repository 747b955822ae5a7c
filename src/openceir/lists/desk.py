"""What goes on which list: devices and pairs, already judged, become the rows that each operator receives.

Pure: the same devices, sightings, pairs and options give the same rows. The same filters make full lists and,
because deltas come only from full lists, deltas too.

- block list, block ranges: whoever is blocked on the day; every operator receives the same.
- pair blocks: of a stolen number that others were given too, the pairs that networks first saw after the day of the
  theft and that nobody paired. They go to the subscriber's home operator; of a foreign subscriber, to every operator.
- notifications: the subscribers seen with a device whose blocking has a coming date. To the home operator; a foreign
  subscriber's to every operator that saw him. A triplet is left out when exactly its device is paired with exactly
  its subscriber: a pairing of one device says nothing of another device that the same subscriber uses.
- exceptions: the pairs, to the home operator; of a foreign subscriber, to every operator. Not of a device that an
  authority ordered blocked: a pairing is an operator's word or a clerk's, and lifts no order unless policy says so.
"""

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from openceir.identity import ODD_DEVICE_BASE, format_device_key, format_subscriber, luhn_check_digit
from openceir.lists.errors import ListError
from openceir.lists.header import is_operator_name
from openceir.lists.kinds import Row
from openceir.policy import Policy
from openceir.status import came_after

__all__ = [
    "Desk",
    "DeviceBlocks",
    "ListOptions",
    "Pair",
    "RangeBlock",
    "SeenPair",
    "SharedTheft",
    "Triplet",
    "options_of",
]

_DAY_ZERO = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class DeviceBlocks:
    """Devices with the day they are blocked on, and why, as columns.

    Shapes: equal lengths; `devices` ascending and unique. Units: `block_on` days since 1970; `reasons` index `texts`.
    """

    devices: npt.NDArray[np.int64]
    block_on: npt.NDArray[np.int32]
    reasons: npt.NDArray[np.int32]
    amnesty: npt.NDArray[np.bool_]
    texts: Sequence[str]  # reasons joined by a pipe, alphabetical


class RangeBlock(NamedTuple):
    """Devices from `lo` to `hi`, both included, blocked since `block_on`."""

    lo: int
    hi: int
    block_on: date
    reasons: str


def _unnamed(row: tuple[object, ...]) -> str:
    """No number: a row in a traceback must not name anybody."""
    return f"<{type(row).__name__}>"


class Pair(NamedTuple):
    """A device that a subscriber may use; 0 for an absent number."""

    device: int
    imsi: int
    msisdn: int

    def __repr__(self) -> str:
        return _unnamed(self)


class Triplet(NamedTuple):
    """A device and a subscriber whom these operators saw with it in the look-back time; 0 for an absent number."""

    device: int
    imsi: int
    msisdn: int
    operators: tuple[str, ...]

    def __repr__(self) -> str:
        return _unnamed(self)


class SeenPair(NamedTuple):
    """A device and a subscriber, the day networks first saw them together, and since when these networks are watched."""

    device: int
    imsi: int
    first_seen_on: date
    watched_since: date

    def __repr__(self) -> str:
        return _unnamed(self)


class SharedTheft(NamedTuple):
    """A stolen number that is also a duplicate: its new pairs are blocked, not the number."""

    stolen_on: date
    reasons: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOptions:
    """The `[lists]` section of the policy on one day, and the operators with their MCC-MNC prefixes."""

    operators: Mapping[str, Sequence[str]]
    lookback_days: int
    check_digit: bool = False
    invalid_imeis: bool = True
    exceptions_only_blocked: bool = False
    exceptions_with_barred: bool = False
    notify_imsi_change: bool = True


def options_of(policy: Policy, on: date) -> ListOptions:
    """The options in force on the day `on`.

    Raises: ListError when an operator's id cannot be a file name; PolicyError for a missing value.
    """
    values = {name: limit.value for name, limit in policy.section("lists", on).items()}
    # small letters, as in the sightings: an operator's files come as NorthTel_… and northtel_…
    operators = {name.lower(): tuple(entry.get("mcc_mnc", ())) for name, entry in sorted(policy.operators(on).items())}
    for name in operators:
        if not is_operator_name(name):
            raise ListError(
                f"operator id {name!r} cannot name a file: use letters, digits, - and _ in [operators.…] of the policy"
            )
    return ListOptions(
        operators=operators,
        lookback_days=int(values["lookback_days"]),
        check_digit=bool(values["check_digit"]),
        invalid_imeis=bool(values["invalid_imeis"]),
        exceptions_only_blocked=bool(values["exceptions_only_blocked"]),
        exceptions_with_barred=bool(values["exceptions_with_barred"]),
        notify_imsi_change=bool(values["notify_imsi_change"]),
    )


@dataclass
class Desk:
    """Writes rows under one set of options.

    `odd_texts` gives what stood in IMEI fields that were no IMEI, by key, and leaves out keys of other schemes: a
    serial number or a MAC address means nothing to an operator's EIR and stands on no list.
    """

    options: ListOptions
    odd_texts: Callable[[Sequence[int]], Mapping[int, str]]

    def __post_init__(self) -> None:
        self._odd: dict[int, str | None] = {}
        self._by_prefix: dict[str, list[str]] = {}
        for operator, prefixes in self.options.operators.items():
            for prefix in prefixes:
                self._by_prefix.setdefault(prefix, []).append(operator)
        self._prefix_lengths = sorted({len(prefix) for prefix in self._by_prefix}, reverse=True)

    def device_text(self, device: int) -> str | None:
        """How a device stands on lists; None when it stands on none."""
        if device < ODD_DEVICE_BASE:
            text = format_device_key(device)
            return text + luhn_check_digit(text) if self.options.check_digit else text
        if not self.options.invalid_imeis:
            return None
        if device not in self._odd:
            self._look_up([device])
        return self._odd[device]

    def _look_up(self, devices: Sequence[int]) -> None:
        known = self.odd_texts(devices)
        self._odd.update((device, known.get(device)) for device in devices)

    def block_rows(self, blocked: DeviceBlocks) -> Iterator[Row]:
        """The block list, the same for every operator. Shapes: streams; no more than the columns in memory."""
        days: dict[int, str] = {}
        for text, place in self._by_text(blocked.devices):
            day = int(blocked.block_on[place])
            if day not in days:
                days[day] = (_DAY_ZERO + timedelta(days=day)).isoformat()
            yield (text, days[day], blocked.texts[blocked.reasons[place]])

    def _by_text(self, devices: npt.NDArray[np.int64]) -> Iterator[tuple[str, int]]:
        """(text, place) in the order of the texts. Fourteen digits sort alike as number and as text."""
        odd_from = int(np.searchsorted(devices, ODD_DEVICE_BASE))
        if self.options.invalid_imeis:
            self._look_up(devices[odd_from:].tolist())  # all at once, not a question each
        odd = sorted(
            (text, place)
            for place in range(odd_from, len(devices))
            if (text := self.device_text(int(devices[place]))) is not None
        )
        plain = ((str(self.device_text(device)), place) for place, device in enumerate(devices[:odd_from].tolist()))
        return heapq.merge(plain, odd)

    def range_rows(self, ranges: Iterable[RangeBlock]) -> Iterator[Row]:
        """The block ranges, the same for every operator; always 14 digits, since a range's end has no check digit."""
        for lo, hi, block_on, reasons in ranges:
            yield (format_device_key(lo), format_device_key(hi), block_on.isoformat(), reasons)

    def pair_block_rows(
        self, seen: Iterable[SeenPair], thefts: Mapping[int, SharedTheft], paired: Collection[Pair]
    ) -> dict[str, list[Row]]:
        """The pair blocks of each operator. `seen` are the pairs of devices in `thefts`."""
        allowed = {(pair.device, pair.imsi) for pair in paired}
        lists = self._empty()
        for device, imsi, first_seen_on, watched_since in seen:
            stolen_on, reasons = thefts[device]
            if (device, imsi) in allowed or not came_after(stolen_on, first_seen_on, watched_since):
                continue
            text = self.device_text(device)
            if text is None:
                continue
            subscriber = format_subscriber(imsi)
            row = (text, subscriber, stolen_on.isoformat(), reasons)
            for operator in self.home_operators(subscriber) or self.options.operators:
                lists[operator].append(row)
        return _sorted(lists)

    def notification_rows(
        self, triplets: Iterable[Triplet], coming: DeviceBlocks, paired: Collection[Pair]
    ) -> dict[str, list[Row]]:
        """The notifications of each operator. `triplets` are those of devices in `coming`."""
        place_of = {device: place for place, device in enumerate(coming.devices.tolist())}
        is_paired = self.paired_test(paired)
        days = {on: (_DAY_ZERO + timedelta(days=on)).isoformat() for on in np.unique(coming.block_on).tolist()}
        block_on, reasons, amnesty = coming.block_on.tolist(), coming.reasons.tolist(), coming.amnesty.tolist()
        lists = self._empty()
        text_of = cache(self.device_text)  # a device has several triplets
        for device, imsi, msisdn, operators in triplets:
            place = place_of.get(device)
            if place is None or not (imsi or msisdn) or is_paired(device, imsi, msisdn):
                continue
            text = text_of(device)
            if text is None:
                continue
            subscriber = format_subscriber(imsi) if imsi else ""
            row = (
                text,
                subscriber,
                format_subscriber(msisdn) if msisdn else "",
                days[block_on[place]],
                coming.texts[reasons[place]],
                "true" if amnesty[place] else "false",
            )
            for operator in self.home_operators(subscriber) or operators:
                if operator in lists:  # who saw it may have left the country since
                    lists[operator].append(row)
        return _sorted(lists)

    def settled_rows(self, triplets: Iterable[Triplet], paired: Collection[Pair]) -> list[Row]:
        """The triplets that are not notified because they are paired, as (imei, imsi, msisdn)."""
        is_paired = self.paired_test(paired)
        return [
            (text, format_subscriber(imsi) if imsi else "", format_subscriber(msisdn) if msisdn else "")
            for device, imsi, msisdn, _ in triplets
            if (imsi or msisdn) and is_paired(device, imsi, msisdn) and (text := self.device_text(device)) is not None
        ]

    def exception_rows(
        self, paired: Iterable[Pair], is_blocked: Callable[[int], bool], is_barred: Callable[[int], bool]
    ) -> dict[str, list[Row]]:
        """The exceptions of each operator, filtered as the options say."""
        lists = self._empty()
        for device, imsi, msisdn in paired:
            if self.options.exceptions_only_blocked and not is_blocked(device):
                continue
            if not self.options.exceptions_with_barred and is_barred(device):
                continue
            text = self.device_text(device)
            if text is None:
                continue
            subscriber = format_subscriber(imsi) if imsi else ""
            row = (text, subscriber, format_subscriber(msisdn) if msisdn else "")
            for operator in self.home_operators(subscriber) or self.options.operators:
                lists[operator].append(row)
        return _sorted(lists)

    def paired_test(self, paired: Collection[Pair]) -> Callable[[int, int, int], bool]:
        """Whether (device, imsi, msisdn) is paired: device *and* subscriber, both of one and the same pair.

        A subscriber is the same by the IMSI, as in the EIR; by the number only where the pair gives no IMSI, or
        where policy does not want people warned who put a new SIM of the same number into the paired device.
        """
        by_imsi = {(pair.device, pair.imsi) for pair in paired if pair.imsi}
        by_number = {
            (pair.device, pair.msisdn)
            for pair in paired
            if pair.msisdn and not (pair.imsi and self.options.notify_imsi_change)
        }
        return lambda device, imsi, msisdn: (device, imsi) in by_imsi or (device, msisdn) in by_number

    def home_operators(self, imsi: str) -> list[str]:
        """The country's operators whose MCC-MNC the IMSI begins with; none for a foreign or absent IMSI.

        The longest prefix decides, should one operator's code begin another's.
        """
        if imsi:
            for length in self._prefix_lengths:
                if found := self._by_prefix.get(imsi[:length]):
                    return found
        return []

    def _empty(self) -> dict[str, list[Row]]:
        return {operator: [] for operator in self.options.operators}


def _sorted(lists: dict[str, list[Row]]) -> dict[str, list[Row]]:
    return {operator: sorted(set(rows)) for operator, rows in lists.items()}
