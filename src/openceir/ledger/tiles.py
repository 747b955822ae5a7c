"""The log as static files: hashes in tiles of 256, entries in bundles of 256, under names that never change meaning.

    tile/<level>/<N>[.p/<W>]       hashes 256 N to 256 N + W of the nodes over 256^level leaves, 32 octets each
    tile/entries/<N>[.p/<W>]       the entries 256 N to 256 N + W, each after its length in two octets
    <N> is 067 or x001/x234/067    three digits a step, all but the last after an x

A partial tile has W of 1 to 255. What stands under a name is the same for ever, so that anything may keep a copy.

Source: C2SP tlog-tiles. Pruning is not done: the minimum index is always 0.
"""

import re
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from openceir.ledger.errors import LedgerError, ProofRefused
from openceir.ledger.merkle import MerkleLog

__all__ = ["TILE_WIDTH", "Tile", "bundles_between", "read_bundle", "read_tile", "tile_octets", "write_bundle"]

TILE_WIDTH: Final = 256
MOST_BUNDLE_OCTETS: Final = TILE_WIDTH * (2 + 0xFFFF)
_OCTETS: Final = 32
_LENGTH: Final = struct.Struct(">H")
_PATH: Final = re.compile(
    r"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*)([0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True)
class Tile:
    """The name of one tile; `level` is None for a bundle of entries."""

    level: int | None
    index: int
    width: int = TILE_WIDTH

    @property
    def first(self) -> int:
        """The place of its first hash in its level, or of its first entry."""
        return self.index * TILE_WIDTH

    def path(self) -> str:
        """The path after the log's prefix."""
        digits = f"{self.index:03d}"
        digits = digits.rjust(-(-len(digits) // 3) * 3, "0")
        steps = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        name = "/".join([*(f"x{step}" for step in steps[:-1]), steps[-1]])
        kind = "entries" if self.level is None else str(self.level)
        return f"tile/{kind}/{name}" + (f".p/{self.width}" if self.width != TILE_WIDTH else "")

    @classmethod
    def parse(cls, path: str) -> "Tile":
        """The tile of this path; raises LedgerError for another spelling."""
        found = _PATH.fullmatch(path) if path.isascii() and len(path) < 64 else None
        if found is not None:
            kind, steps, last, width = found.groups()
            index = int(steps.replace("x", "").replace("/", "") + last)
            tile = cls(None if kind == "entries" else int(kind), index, int(width) if width else TILE_WIDTH)
            if tile.path() == path:  # refuses needless leading zeros, and .p/256 and above
                return tile
        raise LedgerError("that is no name of a tile: tile/<level>/<N>[.p/<W>] or tile/entries/<N>[.p/<W>]")


def tile_octets(tree: MerkleLog, size: int, tile: Tile, entries: Callable[[int, int], Sequence[bytes]]) -> bytes:
    """What stands under the tile's name in the log of `size` entries; `entries(first, end)` gives entries.

    Raises: LedgerError when the log is too short for it.
    """
    if not tile.first + tile.width <= size >> 8 * (tile.level or 0):
        raise LedgerError(f"the log has {size} entries and no such tile; ask for what its checkpoint covers")
    if tile.level is None:
        return write_bundle(entries(tile.first, tile.first + tile.width))
    level = 8 * tile.level
    return b"".join(tree.node(level, at) for at in range(tile.first, tile.first + tile.width))


def read_tile(octets: bytes, tile: Tile) -> list[bytes]:
    """The hashes of a tile; raises ProofRefused when it has another length."""
    if len(octets) != tile.width * _OCTETS:
        raise ProofRefused(f"{tile.path()} has {len(octets)} octets, expected {tile.width * _OCTETS}")
    return [octets[at : at + _OCTETS] for at in range(0, len(octets), _OCTETS)]


def write_bundle(entries: Sequence[bytes]) -> bytes:
    """The octets of a bundle of these entries."""
    if any(len(entry) > 0xFFFF for entry in entries):
        raise LedgerError("an entry of a bundle has at most 65535 octets")
    return b"".join([_LENGTH.pack(len(entry)) + entry for entry in entries])


def read_bundle(octets: bytes, width: int) -> list[bytes]:
    """The `width` entries of a bundle; raises ProofRefused when there are more or fewer, or the last one is cut."""
    entries: list[bytes] = []
    at = 0
    while at < len(octets) and len(entries) < width:
        if at + 2 > len(octets):
            break
        end = at + 2 + (octets[at] << 8 | octets[at + 1])
        if end > len(octets):
            break
        entries.append(octets[at + 2 : end])
        at = end
    if at != len(octets) or len(entries) != width:
        raise ProofRefused(f"a bundle holds {len(entries)} whole entries in {at} of {len(octets)} octets, not {width}")
    return entries


def bundles_between(first: int, end: int) -> Iterator[Tile]:
    """The bundles that hold the entries [first, end) of a log of `end` entries; the first may begin before."""
    for index in range(first // TILE_WIDTH, -(-end // TILE_WIDTH)):
        yield Tile(None, index, min(TILE_WIDTH, end - index * TILE_WIDTH))
