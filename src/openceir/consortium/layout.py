"""The folder of one node, as the engine wants it and with our book beside.

config/config.toml genesis.json node_key.json priv_validator_key.json      the engine's
data/                                                                      the engine's blocks and votes
book.sqlite        this node's copy of the book; rebuilt from the others when it is moved away together with data/
imported.entries   the log that moved in at the beginning, if one did
keys/              the member's own keys, mode 0600
abci.sock, lock    while it runs
"""

import base64
import hashlib
import json
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from openceir.consortium.errors import ConsortiumError
from openceir.consortium.genesis import Genesis
from openceir.ledger.comet import Validator
from openceir.ledger.ordered_receipt import ChainTrust
from openceir.statements import SigningKey
from openceir.storage.key_files import read_signing_key

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

    def trust(self) -> ChainTrust:
        """Whom this node believes from the beginning: the validators of its genesis."""
        return ChainTrust(self.chain_id, self.first_validators())

    def first_validators(self) -> tuple[Validator, ...]:
        """Who signed the first block."""
        try:
            return tuple(Validator.from_json(one) for one in self._genesis["validators"])
        except (KeyError, TypeError, ValueError) as wrong:
            raise ConsortiumError(f"{self.path / 'config' / 'genesis.json'} names no validators") from wrong

    @property
    def rpc(self) -> str:
        """Where the engine answers, as host:port. Raises: ConsortiumError."""
        return str(self._config["rpc"]["laddr"]).removeprefix("tcp://")

    @cached_property
    def _config(self) -> dict[str, dict[str, Any]]:
        path = self.path / "config" / "config.toml"
        try:
            config = tomllib.loads(path.read_text(encoding="utf-8"))
            if isinstance(config["rpc"]["laddr"], str) and isinstance(config["p2p"]["laddr"], str):
                return config
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as wrong:
            raise _unreadable(path) from wrong
        raise _unreadable(path)

    def member_key(self) -> SigningKey:
        """The key with which this node's member says things. Raises: ConsortiumError, KeyRefused."""
        files = sorted(self.keys.glob("*.key"))
        if len(files) != 1:
            raise ConsortiumError(
                f"{self.keys} holds {len(files)} keys where the member's one is expected; name one with --key"
            )
        return read_signing_key(files[0])

    def node_key(self) -> SigningKey:
        """The key with which the engine signs blocks. Raises: ConsortiumError."""
        return self._engine_key("priv_validator_key.json", "node")

    def peer_key(self) -> SigningKey:
        """The key that proves the node's address to others. Raises: ConsortiumError."""
        return self._engine_key("node_key.json", "peer")

    @property
    def peer(self) -> str:
        """How other nodes find this one: id@host:port. Raises: ConsortiumError."""
        address = hashlib.sha256(self.peer_key().public.octets).digest()[:20]
        p2p = self._config["p2p"]
        place = p2p.get("external_address") or str(p2p["laddr"]).removeprefix("tcp://")
        return f"{address.hex()}@{place}"

    @property
    def genesis_text(self) -> str:
        """genesis.json as it is. Raises: ConsortiumError."""
        path = self.path / "config" / "genesis.json"
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as wrong:
            raise _unreadable(path) from wrong

    def _engine_key(self, file: str, use: str) -> SigningKey:
        try:
            octets = base64.b64decode(self._read_json(file)["priv_key"]["value"], validate=True)
            return SigningKey(f"{self.path.name}/{use}", octets[:32])
        except (KeyError, TypeError, ValueError) as wrong:
            raise _unreadable(self.path / "config" / file) from wrong

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
