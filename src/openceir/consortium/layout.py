"""The folder of one node, as the engine wants it and with our book beside.

config/config.toml genesis.json node_key.json priv_validator_key.json      the engine's
data/                                                                      the engine's blocks and votes
book.sqlite        this node's copy of the book; rebuilt from the others when it is moved away together with data/
imported.entries   the log that moved in at the beginning, if one did
keys/              the member's own keys, mode 0600
abci.sock, lock    while it runs
"""

import json
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from openceir.consortium.errors import ConsortiumError
from openceir.consortium.genesis import Genesis
from openceir.ledger.comet import Validator

__all__ = ["NodeFolder"]


@dataclass(frozen=True)
class NodeFolder:
    """Where the parts of a node are, and what its files say."""

    path: Path

    @property
    def book(self) -> Path:
        """The node's copy of the book."""
        return self.path / "book.sqlite"

    @property
    def moved(self) -> Path:
        """The entries of the log that moved in."""
        return self.path / "imported.entries"

    @property
    def keys(self) -> Path:
        """The member's keys."""
        return self.path / "keys"

    @cached_property
    def _genesis(self) -> dict[str, Any]:
        return self._read_json("genesis.json")

    @property
    def chain_id(self) -> str:
        """The name of the chain."""
        return str(self._genesis.get("chain_id", ""))

    @cached_property
    def genesis(self) -> Genesis:
        """What the chain began with."""
        return Genesis.parse(json.dumps(self._genesis.get("app_state")).encode())

    def first_validators(self) -> tuple[Validator, ...]:
        """Who signed the first block."""
        try:
            return tuple(Validator.from_json(one) for one in self._genesis["validators"])
        except (KeyError, TypeError, ValueError) as wrong:
            raise ConsortiumError(f"{self.path / 'config' / 'genesis.json'} names no validators") from wrong

    @cached_property
    def rpc(self) -> str:
        """Where the engine answers, as host:port."""
        path = self.path / "config" / "config.toml"
        try:
            address = tomllib.loads(path.read_text(encoding="utf-8"))["rpc"]["laddr"]
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as wrong:
            raise _unreadable(path) from wrong
        return str(address).removeprefix("tcp://")

    def _read_json(self, name: str) -> dict[str, Any]:
        path = self.path / "config" / name
        try:
            read = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ValueError) as wrong:
            raise _unreadable(path) from wrong
        if not isinstance(read, dict):
            raise _unreadable(path)
        return read


def _unreadable(path: Path) -> ConsortiumError:
    return ConsortiumError(f"{path} cannot be read; is it a node's folder, made by `openceir consortium init`?")
