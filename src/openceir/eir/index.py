"""The list an EIR answers from: TAC-ranked, immutable, mapped into memory and shared by every process.

A device key (docs/architecture.md §2) is a TAC of eight digits and a serial number of six. The TAC finds a slot j,
the serial's upper bits one of the slot's sixteen buckets, and a bisection among the bucket's lower sixteen bits finds
the device's rank; `attr[rank]` says what is to be done with it (`attributes.py`).

    tac[T] u32 sorted | offs[16 T + 1] u32 | low[n] u16 | attr[n] u8          2 + 1 octets a device, 68 a TAC

Beside it, all sorted and none expanded: whole-TAC rules on the slots, ranges within a TAC, ranges over several TACs,
ranges of IMSIs, software versions of a TAC, pairs of a device with a subscriber, and the few identities that are not
IMEIs. A day's changes wait in an `Overlay` that is asked first, until `folded` writes the next file.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import cbor2
import numpy as np
from numpy.typing import NDArray

from openceir.eir._index_file import CHUNK, SectionFile, read_sections, write_sections
from openceir.eir._index_shape import BUCKETS, has_parts_that_fit
from openceir.eir.attributes import ENTRIES, HAS_PAIRS, STATUS_SHIFT, Entry
from openceir.eir.errors import IndexRefused
from openceir.statements import PublicKey, SigningKey

__all__ = ["ANY_TAC", "Check", "Contents", "Index", "Overlay", "Pairs", "Ranges", "build", "folded", "open_index"]

SERIALS = 1_000_000
ANY_TAC = 100_000_000  # a software version rule for every TAC: one above the last TAC
_HAS_RANGES = 1 << 8  # on a TAC's rule: ranges within this TAC exist, so it is worth looking

Keys = NDArray[np.int64]
Octets = NDArray[np.uint8]

_NO_KEYS: Keys = np.empty(0, np.int64)
_NO_OCTETS: Octets = np.empty(0, np.uint8)


class Ranges(NamedTuple):
    """Inclusive ranges. Shapes: three arrays of one length; they may overlap, then the narrower wins, of two equal the stricter."""

    low: Keys = _NO_KEYS
    high: Keys = _NO_KEYS
    attribute: Octets = _NO_OCTETS


class Pairs(NamedTuple):
    """A device with one subscriber. Shapes: three arrays of one length. Units: IMSI as in docs/architecture.md §2."""

    device: Keys = _NO_KEYS
    imsi: Keys = _NO_KEYS
    attribute: Octets = _NO_OCTETS


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What an index is built from; every part may be empty and in any order."""

    device: Keys = field(default_factory=lambda: _NO_KEYS)  # 14-digit device keys
    attribute: Octets = field(default_factory=lambda: _NO_OCTETS)  # one for each; of duplicates the stricter stays
    ranges: Ranges = field(default_factory=Ranges)  # of device keys; a whole TAC is a range too
    imsi_ranges: Ranges = field(default_factory=Ranges)
    software_versions: Mapping[tuple[int, int], int] = field(default_factory=dict)  # (TAC or ANY_TAC, SVN) -> attribute
    pairs: Pairs = field(default_factory=Pairs)
    others: Mapping[str, int] = field(default_factory=dict)  # canonical PEI such as mac-00-11-22-33-44-55 -> attribute
    reasons: Sequence[str] = ("listed",)  # the names of the reason classes, at most 32


class Check(Enum):
    """When the large arrays are held against the signed head. The head and all small arrays always are, at open."""

    NOW = "at open"
    LATER = "piece by piece, by verify_rest"


class Overlay:
    """Changes newer than the file: what they say replaces what the file says."""

    def __init__(self) -> None:
        self.devices: dict[int, int] = {}  # 0: no longer listed by itself
        self.pairs: dict[tuple[int, int], int] = {}  # 0: no longer a pair
        self.others: dict[str, int] = {}
        self.sequence = 0  # the number of the list that file and changes together are; 0: the file's own

    def __len__(self) -> int:
        return len(self.devices) + len(self.pairs) + len(self.others)


class Index:
    """An opened index file. Never changes; another one takes its place."""

    def __init__(self, file: SectionFile) -> None:
        self.file = file
        self.sequence: int = file.head["sequence"]
        self.issued_at: str = file.head["issued_at"]
        self.source: str = file.head["source"]
        self.reasons: tuple[str, ...] = tuple(file.head["reasons"])
        self.digest = file.digest
        self.pair_count = len(file.view("pair_device"))
        self.range_count = len(file.view("narrow_low")) + len(file.view("wide_low"))
        self.imsi_range_count = len(file.view("imsi_low"))
        tacs = file.view("tac").tolist()
        self._slots: dict[int, int] = dict(zip(tacs, range(0, BUCKETS * len(tacs), BUCKETS), strict=True))
        self.software_versions: dict[int, int] = dict(
            zip(file.view("svn_key").tolist(), file.view("svn_attr").tolist(), strict=True)
        )
        self.others: dict[str, int] = cbor2.loads(bytes(file.view("others")))
        self.entry = self._entry_finder()
        self.range_attribute = self._range_finder()
        self.imsi_attribute = _segment_finder(file, "imsi")
        # The lowest and the highest subscriber of any listed range: outside of it nobody needs to look.
        self.imsi_span = (file.view("imsi_low")[0], file.view("imsi_high")[-1]) if self.imsi_range_count else (1, 0)

    def __len__(self) -> int:
        """How many devices stand in the index by themselves."""
        return len(self.file.view("low"))

    def lookup(self, device: int) -> Entry:
        """Status, reason class and whether pairs exist, for a device listed by itself."""
        return ENTRIES[self.entry(device)]

    def _entry_finder(self) -> Callable[[int], int]:
        """The hot look-up as a closure: its arrays are cells, which Python reads faster than attributes."""
        slot_of = self._slots.get
        offs, low, attr = self.file.view("offs"), self.file.view("low"), self.file.view("attr")
        bisect = bisect_left

        def entry(device: int) -> int:
            """The attribute octet of a device listed by itself, 0 when it is not."""
            tac = device // SERIALS
            slot = slot_of(tac)
            if slot is None:
                return 0
            serial = device - tac * SERIALS
            bucket = slot + (serial >> 16)
            serial &= 65535
            end = offs[bucket + 1]
            rank = bisect(low, serial, offs[bucket], end)
            return attr[rank] if rank < end and low[rank] == serial else 0

        return entry

    def _range_finder(self) -> Callable[[int], int]:
        """Narrowest first: ranges within the TAC, the whole TAC, ranges over several TACs."""
        slot_of = self._slots.get
        rules = self.file.view("tac_rule")
        narrow, wide = _segment_finder(self.file, "narrow"), _segment_finder(self.file, "wide")
        has_wide = len(self.file.view("wide_low")) > 0

        def range_attribute(device: int) -> int:
            """The attribute octet of the narrowest range that holds the device, 0 when none does."""
            slot = slot_of(device // SERIALS)
            if slot is not None:
                rule = rules[slot >> 4]
                if rule & _HAS_RANGES:
                    found = narrow(device)
                    if found:
                        return found
                if rule & 255:
                    return rule & 255
            return wide(device) if has_wide else 0

        return range_attribute

    def pair_attribute(self, device: int, imsi: int) -> int:
        """The attribute octet of this device with this subscriber, 0 when they are no listed pair."""
        devices, imsis = self.file.view("pair_device"), self.file.view("pair_imsi")
        start = bisect_left(devices, device)
        end = bisect_right(devices, device, start)
        at = bisect_left(imsis, imsi, start, end)
        found: int = self.file.view("pair_attr")[at] if at < end and imsis[at] == imsi else 0
        return found

    def lookup_many(self, devices: Keys) -> Octets:
        """The attribute octet of each device, 0 where it is not listed by itself; for batches.

        Shapes: one octet out for one key in.
        """
        tacs, low = self.file.array("tac"), self.file.array("low")
        attr, offs = self.file.array("attr"), self.file.array("offs").astype(np.int64)
        out = np.zeros(len(devices), np.uint8)
        if not len(tacs) or not len(low):
            return out
        tac, serial = devices // SERIALS, devices % SERIALS
        slot = np.minimum(np.searchsorted(tacs, tac), len(tacs) - 1)
        bucket = BUCKETS * slot + (serial >> 16)
        left, right = offs[bucket], offs[bucket + 1]
        end, wanted = right.copy(), serial & 65535
        for _ in range(17):  # 2**16 values in a bucket: seventeen halvings leave nothing between left and right
            middle = np.minimum((left + right) >> 1, len(low) - 1)
            goes_right = (left < right) & (low[middle] < wanted)
            left, right = np.where(goes_right, middle + 1, left), np.where(goes_right | (left >= right), right, middle)
        rank = np.minimum(left, len(low) - 1)
        found = (tacs[slot] == tac) & (left < end) & (low[rank] == wanted)
        out[found] = attr[rank[found]]
        return out

    def verify_rest(self) -> Iterator[str]:
        """Hold the large arrays against the signed head, one CHUNK a step; run it in the pauses of a server.

        Raises: IndexRefused at the first octets that are not those that were signed; go back to the last good file.
        """
        return self.file.verify(_large(self.file))


def open_index(
    path: Path, trusted: Collection[PublicKey] = (), *, accept_unsigned: bool = False, check: Check = Check.NOW
) -> Index:
    """Open an index file whose head is signed by one of the `trusted` keys.

    Raises: IndexRefused when it is torn, altered, of another format, or signed by nobody in `trusted`.
    """
    file = read_sections(path, trusted, accept_unsigned=accept_unsigned)
    if not has_parts_that_fit(file):
        raise IndexRefused(f"{path}: its head or its arrays do not fit each other; build it anew")
    large = _large(file)
    for _ in file.verify([name for name in file.sections if check is Check.NOW or name not in large]):
        pass
    return Index(file)


def _large(file: SectionFile) -> list[str]:
    return [name for name, section in file.sections.items() if section.length > CHUNK]


def _segment_finder(file: SectionFile, name: str) -> Callable[[int], int]:
    lows, highs, attrs = file.view(f"{name}_low"), file.view(f"{name}_high"), file.view(f"{name}_attr")

    if not len(lows):
        return lambda key: 0
    bisect = bisect_right

    def attribute_at(key: int) -> int:
        at = bisect(lows, key) - 1
        return attrs[at] if at >= 0 and key <= highs[at] else 0

    return attribute_at


# ---------------------------------------------------------------------------------------------------- building


def build(
    path: Path,
    contents: Contents,
    *,
    sequence: int,
    issued_at: datetime,
    source: str,
    key: SigningKey | None = None,
) -> None:
    """Write the index of `contents` in one atomic step, signed when a key is given.

    Raises: IndexRefused when a key is not a device key of 14 digits; StorageError when the disk refuses.
    """
    pairs = _sorted_pairs(contents.pairs)
    device, attr = _sorted_devices(contents, pairs)
    ranges = contents.ranges
    whole = (ranges.low % SERIALS == 0) & (ranges.high == ranges.low + SERIALS - 1)
    within = (ranges.low // SERIALS == ranges.high // SERIALS) & ~whole
    narrow = flattened(_taken(ranges, within))
    wide = flattened(_taken(ranges, ~whole & ~within))
    rule_tac, rule_attr = _strictest(ranges.low[whole] // SERIALS, ranges.attribute[whole])

    tacs = np.unique(np.concatenate([_distinct_tacs(device), rule_tac, np.unique(narrow.low // SERIALS)]))
    tac_rule = np.zeros(len(tacs), np.uint16)
    tac_rule[np.searchsorted(tacs, rule_tac)] = rule_attr
    tac_rule[np.isin(tacs, narrow.low // SERIALS)] |= _HAS_RANGES
    borders = (tacs * SERIALS)[:, None] + (np.arange(BUCKETS, dtype=np.int64) << 16)
    offs = np.append(np.searchsorted(device, borders.ravel()), len(device)).astype(np.uint32)

    imsi = flattened(contents.imsi_ranges)
    rules = sorted(contents.software_versions.items())
    head = {
        "sequence": sequence,
        "issued_at": issued_at.isoformat(),
        "source": source,
        "reasons": list(contents.reasons),
        "entries": len(device),
    }
    arrays: dict[str, NDArray[Any]] = {
        "tac": tacs.astype(np.uint32),
        "tac_rule": tac_rule,
        "offs": offs,
        "low": _lower_bits(device),
        "attr": attr,
        **_named("narrow", narrow),
        **_named("wide", wide),
        **_named("imsi", imsi),
        "svn_key": np.array([tac * 100 + svn for (tac, svn), _ in rules], np.uint64),
        "svn_attr": np.array([octet for _, octet in rules], np.uint8),
        "pair_device": pairs.device.astype(np.uint64),
        "pair_imsi": pairs.imsi.astype(np.uint64),
        "pair_attr": pairs.attribute,
        "others": np.frombuffer(cbor2.dumps(dict(contents.others), canonical=True), np.uint8),
    }
    write_sections(path, head, arrays, key)


def folded(index: Index, overlay: Overlay) -> Contents:
    """What the next file holds: the contents of `index` as changed by `overlay`."""
    file = index.file
    pairs = {
        (int(device), int(imsi)): int(octet)
        for device, imsi, octet in zip(
            file.view("pair_device"), file.view("pair_imsi"), file.view("pair_attr"), strict=True
        )
    } if overlay.pairs else None  # fmt: skip
    device, attr = _devices_of(index)
    if overlay.devices:
        changed = np.fromiter(overlay.devices.keys(), np.int64, len(overlay.devices))
        octets = np.fromiter(overlay.devices.values(), np.uint8, len(overlay.devices))
        order = np.argsort(changed)
        changed, octets = changed[order], octets[order]
        at = np.searchsorted(device, changed)
        known = np.flatnonzero(device[np.minimum(at, len(device) - 1)] == changed) if len(device) else at[:0]
        device, attr = np.delete(device, at[known]), np.delete(attr, at[known])
        stays = octets >> STATUS_SHIFT != 0
        at = np.searchsorted(device, changed[stays])
        device, attr = np.insert(device, at, changed[stays]), np.insert(attr, at, octets[stays])
    if pairs is not None:
        pairs.update(overlay.pairs)
        listed = [(device, imsi, octet) for (device, imsi), octet in pairs.items() if octet]
        columns = np.array(listed, np.int64).reshape(len(listed), 3)
        new_pairs = Pairs(columns[:, 0], columns[:, 1], columns[:, 2].astype(np.uint8))
    else:
        new_pairs = Pairs(*(file.array(f"pair_{part}") for part in ("device", "imsi", "attr")))
        new_pairs = Pairs(new_pairs.device.astype(np.int64), new_pairs.imsi.astype(np.int64), new_pairs.attribute)
    # Entries that stood there only to say "has pairs" come back from the pairs themselves.
    alone = attr >> STATUS_SHIFT != 0
    others = {**index.others, **overlay.others}
    return Contents(
        device=device if alone.all() else device[alone],
        attribute=(attr if alone.all() else attr[alone]) & np.uint8(255 - HAS_PAIRS),
        ranges=_ranges_of(index),
        imsi_ranges=_segments_of(file, "imsi"),
        software_versions={divmod(key, 100): octet for key, octet in index.software_versions.items()},
        pairs=new_pairs,
        others={pei: octet for pei, octet in others.items() if octet},
        reasons=index.reasons,
    )


def flattened(ranges: Ranges) -> Ranges:
    """The same ranges cut so that none overlap: each key keeps the narrowest, of two equally narrow the stricter.

    Shapes: sorted by low; adjacent pieces of one attribute may stay in two.
    """
    order = np.lexsort((ranges.attribute, ranges.high, ranges.low))
    low, high, octet = ranges.low[order], ranges.high[order], ranges.attribute[order]
    if not len(low) or bool((low[1:] > high[:-1]).all()):
        return Ranges(low, high, octet)
    # Wide ones are painted first, narrow ones over them. Painting works on the pieces between all borders.
    borders = np.unique(np.concatenate([low, high + 1]))
    paint = np.zeros(len(borders), np.uint8)
    first, last = np.searchsorted(borders, low), np.searchsorted(borders, high + 1)
    for number in np.lexsort((octet, low - high)):
        paint[first[number] : last[number]] = octet[number]
    painted = np.flatnonzero(paint)
    return Ranges(borders[painted], borders[painted + 1] - 1, paint[painted])


def _sorted_devices(contents: Contents, pairs: Pairs) -> tuple[Keys, Octets]:
    """Devices in order, once each, the stricter of two, with the bit that says "has pairs".

    Key and attribute travel in one number while they are sorted: 14 digits need 47 bits, the attribute 8.
    """
    given = contents.device
    if len(given) and not 0 <= int(given.min()) <= int(given.max()) < 10**14:
        raise IndexRefused("a device key has more than 14 digits; an index of devices holds IMEIs only")
    paired = np.unique(pairs.device)
    packed = np.left_shift(given, 8)
    packed |= contents.attribute
    if bool((packed[1:] > packed[:-1]).all()):
        # A paired device has a place even when nothing is said of it alone. In order already, as every list that was
        # folded is: then only the few that are missing are put in.
        at = np.searchsorted(given, paired)
        missing = given[np.minimum(at, len(given) - 1)] != paired if len(given) else np.ones(len(paired), bool)
        packed = np.insert(packed, at[missing], paired[missing] << 8) if missing.any() else packed
    else:
        packed = np.concatenate([packed, paired << 8])
        packed.sort()
    attr = packed.view(np.uint8)[::8].copy()
    packed >>= 8
    last = np.append(packed[1:] != packed[:-1], True)[: len(packed)]
    device = packed
    if not last.all():
        device, attr = packed[last], attr[last]
    attr[np.searchsorted(device, paired)] |= HAS_PAIRS
    return device, attr


def _sorted_pairs(pairs: Pairs) -> Pairs:
    order = np.lexsort((pairs.attribute, pairs.imsi, pairs.device))
    device, imsi, octet = pairs.device[order], pairs.imsi[order], pairs.attribute[order]
    last = np.append((device[1:] != device[:-1]) | (imsi[1:] != imsi[:-1]), True)[: len(device)]
    return Pairs(device[last], imsi[last], octet[last])


def _strictest(keys: Keys, octets: Octets) -> tuple[Keys, Octets]:
    order = np.lexsort((octets, keys))
    keys, octets = keys[order], octets[order]
    last = np.append(keys[1:] != keys[:-1], True)[: len(keys)]
    return keys[last], octets[last]


def _distinct_tacs(device: Keys) -> Keys:
    """The TACs of sorted devices, by steps so that a hundred million need no second array of their size."""
    found = [_NO_KEYS]
    for at in range(0, len(device), CHUNK):
        tac = device[at : at + CHUNK] // SERIALS
        found.append(tac[np.append(tac[1:] != tac[:-1], True)])
    return np.unique(np.concatenate(found))


def _lower_bits(device: Keys) -> NDArray[np.uint16]:
    low = np.empty(len(device), np.uint16)
    for at in range(0, len(device), CHUNK):
        low[at : at + CHUNK] = device[at : at + CHUNK] % SERIALS & 65535
    return low


def _taken(ranges: Ranges, chosen: NDArray[np.bool_]) -> Ranges:
    return Ranges(ranges.low[chosen], ranges.high[chosen], ranges.attribute[chosen])


def _named(name: str, ranges: Ranges) -> dict[str, NDArray[Any]]:
    return {
        f"{name}_low": ranges.low.astype(np.uint64),
        f"{name}_high": ranges.high.astype(np.uint64),
        f"{name}_attr": ranges.attribute,
    }


def _devices_of(index: Index) -> tuple[Keys, Octets]:
    file = index.file
    borders = (file.array("tac").astype(np.int64) * SERIALS)[:, None] + (np.arange(BUCKETS, dtype=np.int64) << 16)
    counts = np.diff(file.array("offs").astype(np.int64))
    return np.repeat(borders.ravel(), counts) + file.array("low"), file.array("attr")


def _segments_of(file: SectionFile, name: str) -> Ranges:
    low, high = (file.array(f"{name}_{end}").astype(np.int64) for end in ("low", "high"))
    return Ranges(low, high, file.array(f"{name}_attr"))


def _ranges_of(index: Index) -> Ranges:
    file = index.file
    rule = file.array("tac_rule") & 255
    ruled = np.flatnonzero(rule)
    tac = file.array("tac")[ruled].astype(np.int64) * SERIALS
    parts = [
        _segments_of(file, "narrow"),
        _segments_of(file, "wide"),
        Ranges(tac, tac + SERIALS - 1, rule[ruled].astype(np.uint8)),
    ]
    return Ranges(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
