"""What a consortium begins with, alike on every node: the founding statement, and the log that moves in, if any.

It stands in `app_state` of the engine's genesis.json:

    { "founding": base64 of the founding's transaction,
      "imported": { "origin": "openceir/1a2b…", "size": 4711, "root": hex } }       the second may be absent

The entries that move in are a file beside it on every node, `imported.entries`, which is believed only when its tree has
this size and root.
"""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from openceir.consortium.errors import ConsortiumError, NodeRefused
from openceir.consortium.transaction import read_transaction
from openceir.ledger import Disclosed, MerkleLog, hash_leaf
from openceir.statements import (
    FederationFounded,
    StatementRefused,
    open_payload,
    read_canonical,
    read_header,
    write_canonical,
)
from openceir.storage.files import StorageError, write_beside

__all__ = ["Genesis", "Imported", "MovedEntry", "read_moved", "write_moved"]

_LENGTH_OCTETS: Final = 4
_MOST_RUN: Final = 16 << 20
_CLOSED_AT: Final = 1 << 20  # octets of entries written together


@dataclass(frozen=True, slots=True)
class Imported:
    """The log that moves in: its name, how many entries it has, and their root."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class MovedEntry:
    """An entry of the log that moves in, and when it was logged there."""

    octets: bytes
    logged_at: datetime
    disclosed: Disclosed = None  # of a public kind


@dataclass(frozen=True, slots=True)
class Genesis:
    """The founding transaction and the log that moves in."""

    founding: bytes
    imported: Imported | None = None

    def founded(self) -> tuple[bytes, Disclosed, FederationFounded]:
        """The founding's signed octets, what discloses it, and what it says; its signature is not looked at.

        Raises: NodeRefused when it is no founding.
        """
        try:
            octets, disclosed = read_transaction(self.founding)
            said = open_payload(read_header(octets), *(disclosed or (b"", b"")))
        except StatementRefused as wrong:
            raise NodeRefused(f"the founding in genesis.json cannot be read: {wrong}") from wrong
        if not isinstance(said, FederationFounded):
            raise NodeRefused(f"genesis.json begins with a {said.kind}, not with the founding of a federation")
        return octets, disclosed, said

    def as_json(self) -> dict[str, Any]:
        """What stands in `app_state`."""
        plain: dict[str, Any] = {"founding": base64.b64encode(self.founding).decode()}
        if self.imported is not None:
            moved = self.imported
            plain["imported"] = {"origin": moved.origin, "size": moved.size, "root": moved.root.hex()}
        return plain

    @classmethod
    def parse(cls, app_state: bytes) -> "Genesis":
        """What `as_json` says, from the engine's octets. Raises: NodeRefused."""
        try:
            plain = json.loads(app_state)
            founding = base64.b64decode(plain["founding"], validate=True)
            moved = plain.get("imported")
            imported = None
            if moved is not None:
                imported = Imported(str(moved["origin"]), int(moved["size"]), bytes.fromhex(moved["root"]))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as wrong:
            raise NodeRefused(
                "app_state of genesis.json is not what `openceir consortium init` writes; copy the file again"
            ) from wrong
        return cls(founding, imported)


def write_moved(path: Path, entries: Iterator[MovedEntry]) -> Imported:
    """Write the entries that move in to a file; its size and root, the origin left empty for the caller to name.

    Raises: StorageError.
    """
    tree = MerkleLog()
    with write_beside(path) as fresh, fresh.open("wb") as out:
        run: list[list[object]] = []
        octets = 0
        for entry in entries:
            tree.append(hash_leaf(entry.octets))
            run.append([int(entry.logged_at.timestamp()), entry.octets, *(entry.disclosed or ())])
            octets += len(entry.octets) + sum(map(len, entry.disclosed or ()))
            if octets >= _CLOSED_AT:
                _write_run(out, run)
                run, octets = [], 0
        if run:
            _write_run(out, run)
    return Imported("", tree.size, tree.root())


def _write_run(out: Any, run: list[list[object]]) -> None:
    octets = write_canonical(run)
    out.write(len(octets).to_bytes(_LENGTH_OCTETS) + octets)


def read_moved(path: Path, imported: Imported) -> tuple[list[MovedEntry], MerkleLog]:
    """The entries that move in and the tree over them.

    Raises: NodeRefused unless they give the size and root that the genesis states; StorageError.
    """
    tree, entries = MerkleLog(), list[MovedEntry]()
    try:
        with path.open("rb") as file:
            while head := file.read(_LENGTH_OCTETS):
                octets = file.read(min(int.from_bytes(head), _MOST_RUN))
                for item in read_canonical(octets, str(path)):
                    entries.append(_moved(item))
                    tree.append(hash_leaf(entries[-1].octets))
    except FileNotFoundError:
        raise NodeRefused(f"the genesis moves a log in, and {path} is not there; copy it from another node") from None
    except OSError as wrong:
        raise StorageError(f"{path} cannot be read: {wrong.strerror}") from wrong
    except (StatementRefused, ValueError, TypeError, OverflowError) as wrong:
        raise NodeRefused(f"{path} was changed or cut: {wrong}; copy it from another node") from wrong
    if (tree.size, tree.root()) != (imported.size, imported.root):
        raise NodeRefused(
            f"{path} holds {tree.size} entries of another root than the {imported.size} that genesis.json states"
        )
    return entries, tree


def _moved(item: Any) -> MovedEntry:
    match item:
        case [int(seconds), bytes(octets)]:
            return MovedEntry(octets, datetime.fromtimestamp(seconds, UTC))
        case [int(seconds), bytes(octets), bytes(salt), bytes(payload)]:
            return MovedEntry(octets, datetime.fromtimestamp(seconds, UTC), (salt, payload))
    raise ConsortiumError("an entry is its time and its octets, and what a public one says")
