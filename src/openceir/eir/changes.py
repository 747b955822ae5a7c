"""A delta of the block list beside the index it changes: what the doors answer from until both are folded into one.

    octets 0-7     magic "OCEIR-CH"
    8-11           version (1), u32; 12-15: N, how many devices, u32
    16-47          digest of the index that these changes are over (`Index.digest`)
    48-55          the list's number with these changes, u64
    56-87          SHA-256 of all octets but these
    then           N device keys, u64, ascending; N attribute octets, 0 where a device is no longer listed

Numbers are little-endian. The file stands beside the index, `served.changes` beside `served.idx`, replaced in one step.
Over any other index it says nothing, so it may outlive the fold by a moment. It has no signature: who follows a centre
made both from lists whose signature was verified, in a folder that only its owner writes.
"""

import hashlib
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from openceir.eir.errors import IndexRefused
from openceir.eir.index import Index, Overlay
from openceir.storage.files import replace_file

__all__ = ["changes_beside", "changes_over", "write_changes"]

_MAGIC = b"OCEIR-CH"
_VERSION = 1
_HEAD = struct.Struct("<8sII32sQ")
_BEGIN = _HEAD.size + 32


def changes_beside(index: Path) -> Path:
    """Where the changes of an index file stand."""
    return index.with_suffix(".changes")


def write_changes(index: Index, devices: Mapping[int, int], sequence: int) -> None:
    """Put these changes beside an index in one step: device key -> attribute octet.

    Raises: StorageError when the disk refuses.
    """
    keys = np.fromiter(devices.keys(), "<u8", len(devices))
    order = np.argsort(keys)
    octets = np.fromiter(devices.values(), np.uint8, len(devices))[order]
    head = _HEAD.pack(_MAGIC, _VERSION, len(devices), index.digest, sequence)
    body = keys[order].tobytes() + octets.tobytes()
    replace_file(changes_beside(index.file.path), head + hashlib.sha256(head + body).digest() + body, 0o600)


def changes_over(index: Index) -> Overlay:
    """The changes that stand beside an index; none when there are none, or when they are another's.

    Raises: IndexRefused when the file is torn or altered.
    """
    path, overlay = changes_beside(index.file.path), Overlay()
    try:
        octets = path.read_bytes()
    except FileNotFoundError:
        return overlay
    except OSError as wrong:
        raise IndexRefused(f"{path} cannot be read: {wrong.strerror}") from None
    try:
        magic, version, count, base, sequence = _HEAD.unpack_from(octets)
    except struct.error:
        magic, version, count, base, sequence = b"", 0, 0, b"", 0
    body = octets[_BEGIN:]
    if (magic, version, len(body)) != (_MAGIC, _VERSION, 9 * count) or (
        hashlib.sha256(octets[: _HEAD.size] + body).digest() != octets[_HEAD.size : _BEGIN]
    ):
        raise IndexRefused(f"{path} is torn or altered; the index without it serves on until the changes are in it")
    if base == index.digest:
        keys, attributes = np.frombuffer(body, "<u8", count), np.frombuffer(body, np.uint8, count, 8 * count)
        overlay.devices = dict(zip(keys.tolist(), attributes.tolist(), strict=True))
        overlay.sequence = sequence
    return overlay
