"""Which devices a statement speaks of."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, Final

import numpy as np

from openceir.statements._cbor import read_canonical, write_canonical
from openceir.statements._roaring import Keys, read_bitmap, write_bitmap
from openceir.statements.errors import StatementRefused

__all__ = ["MOST_DEVICES", "DeviceSet", "Keys"]

MOST_DEVICES: Final = 4_000_000  # single devices in one statement; 32 MB of keys when expanded
MOST_RANGES: Final = 100_000
MOST_OTHERS: Final = 1_000_000
FEW: Final = 32  # up to here the payload lists IMEIs as texts that a person can read

_SCHEME = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)
_LONGEST_OTHER = 200
_PAST_LAST_KEY = 10**14
_NO_KEYS: Final[tuple[int, ...]] = ()


class DeviceSet:
    """An immutable set of devices: IMEIs of 14 digits, inclusive ranges of them, and identifiers of other schemes.

    Ranges are never expanded: `keys` and iteration give single IMEIs only. A number may stand both singly and in a
    range. Equality is by meaning, not by spelling.

    Encoded, up to 32 IMEIs are texts and more are a roaring bitmap, which has several spellings; a set that was read
    from octets gives back exactly those octets, so that a digest over them stays true.
    """

    __slots__ = ("_bitmap", "_keys", "others", "ranges")

    ranges: tuple[tuple[int, int], ...]
    others: frozenset[tuple[str, str]]

    def __init__(
        self,
        keys: tuple[int, ...] | Keys = _NO_KEYS,
        ranges: tuple[tuple[int, int], ...] = (),
        others: frozenset[tuple[str, str]] = frozenset(),
        bitmap: bytes | None = None,
    ) -> None:
        """Take parts that are already ascending, distinct and checked; everyone else calls `of`."""
        self._keys = keys
        self.ranges = ranges
        self.others = others
        self._bitmap = bitmap

    @classmethod
    def of(
        cls,
        imeis: str | Iterable[str] = (),
        *,
        keys: Iterable[int] | Keys = (),
        ranges: Iterable[tuple[str, str]] = (),
        others: Iterable[tuple[str, str]] = (),
    ) -> "DeviceSet":
        """The set of these: 14-digit texts, device keys below 10^14, (first, last) texts, (scheme, canonical text).

        Raises: StatementRefused at the first that is none, or when they are more than one statement carries.
        """
        texts = [imeis] if isinstance(imeis, str) else imeis
        found = np.asarray(keys if isinstance(keys, np.ndarray) else list(keys), dtype=np.int64)
        singles = np.unique(np.concatenate([found, np.array([_key(text) for text in texts], dtype=np.int64)]))
        if singles.size and not (singles[0] >= 0 and singles[-1] < _PAST_LAST_KEY):
            raise StatementRefused(
                "a device key of an IMEI lies between 0 and 10^14 - 1; name others as (scheme, text)"
            )
        made = cls(
            singles, _merged([(_key(lo), _key(hi)) for lo, hi in ranges]), frozenset(_checked(o) for o in others)
        )
        made._refuse_too_many()
        return made

    # -- asking --------------------------------------------------------------------------------------------------

    @property
    def keys(self) -> Keys:
        """Device keys of the single IMEIs, ascending; the caller leaves the array as it is."""
        return self._keys if isinstance(self._keys, np.ndarray) else np.array(self._keys, dtype=np.int64)

    @property
    def count(self) -> int:
        """How many devices are named, those of ranges and other schemes included."""
        return len(self._keys) + len(self.others) + sum(hi - lo + 1 for lo, hi in self.ranges)

    def __bool__(self) -> bool:
        """Whether any device is named."""
        return bool(len(self._keys) or self.ranges or self.others)

    def __iter__(self) -> Iterator[str]:
        """The single IMEIs as 14-digit texts, ascending."""
        return (f"{key:014d}" for key in self._keys)

    def __contains__(self, device: object) -> bool:
        """Whether this 14-digit text, device key or (scheme, text) is named, singly or inside a range."""
        if isinstance(device, tuple):
            return device in self.others
        if isinstance(device, str):
            if not _is_imei(device):
                return False
            device = int(device)
        if not isinstance(device, int | np.integer):
            return False
        at = int(np.searchsorted(self.keys, device))
        if at < len(self._keys) and int(self._keys[at]) == device:
            return True
        span = bisect_right(self.ranges, (int(device), _PAST_LAST_KEY)) - 1
        return span >= 0 and self.ranges[span][0] <= int(device) <= self.ranges[span][1]

    def __eq__(self, other: object) -> bool:
        """Whether both name the same single IMEIs, ranges and other identifiers."""
        if not isinstance(other, DeviceSet):
            return NotImplemented
        return (
            self.ranges == other.ranges and self.others == other.others and bool(np.array_equal(self.keys, other.keys))
        )

    def __hash__(self) -> int:
        return hash((len(self._keys), self.ranges, self.others))

    def __repr__(self) -> str:
        """Counts only: a set in a traceback must not name devices."""
        return f"<DeviceSet: {len(self._keys)} IMEIs, {len(self.ranges)} ranges, {len(self.others)} others>"

    # -- octets --------------------------------------------------------------------------------------------------

    def to_cbor(self) -> dict[str, Any]:
        """The CBOR map of this set; absent parts are left out."""
        parts: dict[str, Any] = {}
        if self._bitmap is not None:
            parts["bitmap"] = self._bitmap
        elif len(self._keys) > FEW:
            parts["bitmap"] = write_bitmap(self.keys)
        elif len(self._keys):
            parts["imeis"] = list(self)
        if self.ranges:
            parts["ranges"] = [[f"{lo:014d}", f"{hi:014d}"] for lo, hi in self.ranges]
        if self.others:
            parts["others"] = [list(other) for other in sorted(self.others)]
        return parts

    @classmethod
    def from_cbor(cls, parts: object) -> "DeviceSet":
        """The set that a decoded CBOR map spells.

        Raises: StatementRefused when it is not the map that `to_cbor` writes, bitmaps of other writers excepted.
        """
        if not isinstance(parts, dict) or not parts.keys() <= {"imeis", "bitmap", "ranges", "others"}:
            raise StatementRefused("devices must be a map of imeis or bitmap, ranges and others")
        match parts:
            case {"imeis": [one]} if len(parts) == 1:  # as most statements do
                return cls((_key(one),))
        if not all(parts.values()):
            raise StatementRefused("an empty part of devices is left out; the empty set is an empty map")
        keys: tuple[int, ...] | Keys = _NO_KEYS
        bitmap = parts.get("bitmap")
        if bitmap is not None:
            if not isinstance(bitmap, bytes) or "imeis" in parts:
                raise StatementRefused("devices carry one octet string named bitmap, or texts named imeis, not both")
            keys = read_bitmap(bitmap, MOST_DEVICES)
            if not len(keys):
                raise StatementRefused("the bitmap of devices is empty; leave it out")
        elif "imeis" in parts:
            keys = tuple(_key(text) for text in _items(parts["imeis"], "imeis"))
            if not 1 <= len(keys) <= FEW or any(a >= b for a, b in pairwise(keys)):
                raise StatementRefused(f"imeis must be 1 to {FEW} texts, ascending and distinct; use a bitmap for more")
        made = cls(keys, bitmap=bitmap)
        if len(parts) > 1 or not len(keys):
            pairs = [_pair(item) for item in _items(parts.get("ranges", ()), "ranges")]
            ranges = tuple((_key(lo), _key(hi)) for lo, hi in pairs)
            others = [_checked(_pair(item)) for item in _items(parts.get("others", ()), "others")]
            if ranges != _merged(ranges) or others != sorted(set(others)):
                raise StatementRefused("ranges and others must be ascending and distinct, ranges also apart; sort them")
            made = cls(keys, ranges, frozenset(others), bitmap)
            made._refuse_too_many()
        return made

    def encode(self) -> bytes:
        """Canonical CBOR octets."""
        return write_canonical(self.to_cbor())

    @classmethod
    def decode(cls, octets: bytes) -> "DeviceSet":
        """The set that canonical CBOR octets spell; raises StatementRefused."""
        return cls.from_cbor(read_canonical(octets, "a set of devices"))

    def _refuse_too_many(self) -> None:
        for what, number, most in (
            ("IMEIs", len(self._keys), MOST_DEVICES),
            ("ranges", len(self.ranges), MOST_RANGES),
            ("other identifiers", len(self.others), MOST_OTHERS),
        ):
            if number > most:
                raise StatementRefused(f"{number} {what} in one statement, the most is {most}; send several statements")


def _is_imei(text: str) -> bool:
    return len(text) == 14 and text.isascii() and text.isdigit()


def _key(text: object) -> int:
    if not isinstance(text, str) or not _is_imei(text):
        raise StatementRefused("a device is named by the 14 digits that identify it, without check digit or version")
    return int(text)


def _checked(other: tuple[object, object]) -> tuple[str, str]:
    scheme, text = other
    if not isinstance(scheme, str) or not _SCHEME.fullmatch(scheme):
        raise StatementRefused("the scheme of an identifier is 1 to 32 small letters, digits and hyphens, such as eid")
    if not isinstance(text, str) or not 0 < len(text) <= _LONGEST_OTHER or not text.isprintable():
        raise StatementRefused(f"an identifier of scheme {scheme} must be 1 to {_LONGEST_OTHER} printable characters")
    return scheme, text


def _items(value: object, name: str) -> list[Any] | tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise StatementRefused(f"{name} must be an array")
    return value


def _pair(item: object) -> tuple[object, object]:
    if not isinstance(item, list | tuple) or len(item) != 2:
        raise StatementRefused("a range is [first, last] and another identifier is [scheme, text]")
    return item[0], item[1]


def _merged(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Ranges ascending, overlapping and touching ones joined."""
    merged: list[tuple[int, int]] = []
    for lo, hi in sorted(ranges):
        if lo > hi:
            raise StatementRefused("a range begins after its end; first and last may be swapped")
        if merged and lo <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(hi, merged[-1][1]))
        else:
            merged.append((lo, hi))
    return tuple(merged)
