"""Reading a roaring bitmap that a stranger wrote.

CRoaring's reader stays inside the buffer but believes what the headers say: a bitset container that holds more bits
than it announces makes the later expansion write past its array. So every container is measured here before the
library sees the octets, and nothing larger than the caller's limit is ever expanded.

Layout (all little-endian): u64 number of buckets; each bucket is u32 high half, then a 32-bit bitmap:

    cookie 12346, u32 n                     | or  u16 12347, u16 n-1, ceil(n/8) octets that mark run containers
    n x (u16 key, u16 cardinality-1)
    n x u32 offset                          (with cookie 12347 only from n = 4)
    containers: run: u16 m, m x (u16 start, u16 length-1); more than 4096 values: 8192 octets; else values as u16

Source: RoaringFormatSpec, "Extension for 64-bit implementations".
"""

import struct

import numpy as np
from pyroaring import BitMap64

from openceir.statements.errors import StatementRefused

__all__ = ["Keys", "read_bitmap", "write_bitmap"]

Keys = np.ndarray[tuple[int], np.dtype[np.int64]]

_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_WITHOUT_RUNS, _WITH_RUNS = 12346, 12347
_LARGEST_ARRAY = 4096
_BITSET_OCTETS = 8192
_OFFSETS_FROM = 4


def write_bitmap(keys: Keys) -> bytes:
    """A bitmap of `keys`, runs folded."""
    bitmap = BitMap64(keys.astype(np.uint64))
    bitmap.run_optimize()
    octets: bytes = bitmap.serialize()
    return octets


def read_bitmap(octets: bytes, most: int) -> Keys:
    """The values of the bitmap, ascending.

    Raises: StatementRefused when the octets are not exactly one well-formed bitmap of at most `most` values.
    """
    try:
        count = _measure(octets)
    except (struct.error, IndexError) as wrong:
        raise StatementRefused("the bitmap of devices is cut short; write it anew") from wrong
    if count > most:
        raise StatementRefused(f"the bitmap names {count} devices, the most in one statement is {most}; send several")
    try:
        keys = np.asarray(BitMap64.deserialize(octets).to_array(), dtype=np.uint64)
    except (ValueError, IndexError) as wrong:
        raise StatementRefused("the bitmap of devices cannot be read; write it anew") from wrong
    if keys.size and (keys[-1] >= 10**14 or not bool(np.all(keys[1:] > keys[:-1]))):
        raise StatementRefused("the bitmap of devices is out of order or names a number of more than 14 digits")
    return keys.astype(np.int64)


def _measure(octets: bytes) -> int:
    """How many values the bitmap will expand to; raises when any header lies."""
    (buckets,) = _U64.unpack_from(octets, 0)
    at, total = 8, 0
    for _ in range(buckets):
        at, count = _measure_bucket(octets, at + 4)
        total += count
    if at != len(octets):
        raise StatementRefused(f"the bitmap of devices is followed by {len(octets) - at} octets that belong to nothing")
    return total


def _measure_bucket(octets: bytes, at: int) -> tuple[int, int]:
    """End of the 32-bit bitmap at `at`, and its number of values."""
    (cookie,) = _U32.unpack_from(octets, at)
    at += 4
    runs = b""
    if cookie & 0xFFFF == _WITH_RUNS:
        n = (cookie >> 16) + 1
        runs = octets[at : at + (n + 7) // 8]
        at += (n + 7) // 8
        offsets = n >= _OFFSETS_FROM
    elif cookie == _WITHOUT_RUNS:
        (n,) = _U32.unpack_from(octets, at)
        at += 4
        offsets = True
    else:
        raise StatementRefused("the bitmap of devices does not begin like one (cookie 12346 or 12347)")
    if not 1 <= n <= 1 << 16:
        raise StatementRefused(f"the bitmap of devices has a bucket of {n} containers, expected 1 to 65536")
    cardinalities = struct.unpack_from(f"<{2 * n}H", octets, at)[1::2]
    at += 4 * n + (4 * n if offsets else 0)
    total = 0
    for i, cardinality in enumerate(cardinalities):
        if runs and runs[i // 8] >> (i % 8) & 1:
            at, count = _measure_runs(octets, at)
        else:
            count = cardinality + 1
            if count <= _LARGEST_ARRAY:
                at += 2 * count
            else:
                if int.from_bytes(octets[at : at + _BITSET_OCTETS]).bit_count() != count:
                    raise StatementRefused("the bitmap of devices announces another number of devices than it holds")
                at += _BITSET_OCTETS
        total += count
    return at, total


def _measure_runs(octets: bytes, at: int) -> tuple[int, int]:
    """End of the run container at `at`, and its number of values."""
    (m,) = _U16.unpack_from(octets, at)
    words = struct.unpack_from(f"<{2 * m}H", octets, at + 2)
    starts, lengths = words[::2], words[1::2]
    if not m or any(start + length > 0xFFFF for start, length in zip(starts, lengths, strict=True)):
        raise StatementRefused("the bitmap of devices has a run that is empty or leaves its container")
    return at + 2 + 4 * m, sum(lengths) + m
