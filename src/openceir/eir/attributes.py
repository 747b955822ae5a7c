"""The one octet that stands behind every device, range, pair and rule of an index.

      7   6   5   4   3   2   1   0
    +-------+---+-------------------+
    | status| P |   reason class    |     status: 0 nothing said, 1 PERMITTED, 2 TRACKED, 3 BLOCKED
    +-------+---+-------------------+     P: pairs of this device with subscribers are listed beside it

The stricter status is the greater number, so that of two entries for one device the stricter is the maximum.
"""

from enum import IntEnum
from typing import NamedTuple

__all__ = ["HAS_PAIRS", "MAX_REASONS", "STATUS_SHIFT", "Entry", "Status", "attribute", "entry_of", "status_of"]

STATUS_SHIFT = 6
HAS_PAIRS = 1 << 5
MAX_REASONS = 32


class Status(IntEnum):
    """What may be done with a device. Source: ITU-T Q.5055; UNKNOWN is our word for "no list names it"."""

    UNKNOWN = 0
    PERMITTED = 1
    TRACKED = 2
    BLOCKED = 3


class Entry(NamedTuple):
    """What an attribute octet says."""

    status: Status
    reason: int
    has_pairs: bool


def attribute(status: Status, reason: int = 0, *, has_pairs: bool = False) -> int:
    """The octet that says this.

    Raises: ValueError when the reason class does not fit in five bits.
    """
    if not 0 <= reason < MAX_REASONS:
        raise ValueError(f"reason class {reason} does not fit: an index holds {MAX_REASONS} classes")
    return status << STATUS_SHIFT | (HAS_PAIRS if has_pairs else 0) | reason


def entry_of(octet: int) -> Entry:
    """What this octet says."""
    return ENTRIES[octet]


def status_of(octet: int) -> Status:
    """The status part of an attribute octet."""
    return ENTRIES[octet].status


ENTRIES = tuple(Entry(Status(octet >> STATUS_SHIFT), octet & 31, bool(octet & HAS_PAIRS)) for octet in range(256))
