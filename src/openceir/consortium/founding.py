"""A working set of nodes: keys, the founding that all members sign up to, and the engine's files.

Values of the engine that differ from its defaults, and why, stand in the config.toml that is written. Those that bite
when they are left alone: nodes on one machine are refused as peers (`addr_book_strict`, `allow_duplicate_ip`), a block a
second is made while nothing is said (`create_empty_blocks`), and pending transactions are few and large.
"""

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from openceir.consortium.errors import ConsortiumError
from openceir.consortium.genesis import Genesis, Imported
from openceir.consortium.transaction import MOST_OCTETS, write_transaction
from openceir.statements import FederationFounded, KeyUse, Member, MemberKey, PublicKey, Role, SigningKey, sign
from openceir.storage.files import replace_file
from openceir.storage.key_files import write_signing_key

__all__ = [
    "Joining",
    "NodeKeys",
    "Place",
    "Plan",
    "PublicParts",
    "Running",
    "StateSync",
    "address_of",
    "found",
    "genesis_text",
    "join",
    "others_of",
    "write_config",
]

MOST_MEMBERS: Final = 100
BLOCK_OCTETS: Final = 4 << 20
POWER: Final = 10
PORTS_A_NODE: Final = 10

_CONFIG: Final = """# Written by `openceir consortium init`. What is not here has the engine's default.
proxy_app = "unix://abci.sock"   # `openceir consortium node` puts its own socket in this place
moniker = "{moniker}"
log_level = "{log_level}"

[rpc]
laddr = "tcp://{rpc}"            # unprotected: reachable from this machine only; put a proxy before it to open it
max_body_bytes = {body}          # a transaction of 64 KiB in base64, and some room
max_open_connections = 200

[p2p]
laddr = "tcp://{listen}"
external_address = "{external}"
persistent_peers = "{peers}"
addr_book_strict = {strict}      # true refuses peers at private addresses, also those of the same machine
allow_duplicate_ip = {duplicate} # several nodes on one machine share an address
pex = {pex}                      # members are known by name; nobody else is looked for

[mempool]
size = 10000
cache_size = 50000
max_tx_bytes = {tx}
recheck_timeout = "10s"          # all pending transactions are asked for after each block; on a busy machine 1 s is short

[consensus]
timeout_propose = "{propose}"
timeout_commit = "{commit}"      # how long a block waits for late votes: the pace of blocks
create_empty_blocks = false      # a block when something was said, and one after it that carries the state's hash
create_empty_blocks_interval = "{heartbeat}" # a sign of life, and a fresh time for light clients

[statesync]
enable = {statesync}             # a node that joins takes a snapshot; false again once it has one is harmless
rpc_servers = "{servers}"
trust_height = {trust_height}
trust_hash = "{trust_hash}"
trust_period = "168h0m0s"

[storage]
discard_abci_responses = false

[tx_index]
indexer = "null"                 # our own book finds every entry
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node is: the host that others reach it at, and its two ports."""

    host: str
    p2p_port: int
    rpc_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """How nodes run, the same on all of them."""

    on_one_machine: bool = True
    block_seconds: float = 1.0
    heartbeat_seconds: int = 300  # a block at least so often
    log_level: str = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a set of nodes is made with."""

    name: str  # of the consortium, the origin of its log
    members: Sequence[str]
    places: Sequence[Place]
    at: datetime
    quorum: int
    roles: frozenset[Role] = frozenset(Role)  # a national authority speaks for every office of its country
    nations: Sequence[str] = ()
    running: Running = Running()

    @property
    def chain_id(self) -> str:
        """The engine's name of the chain: at most 50 characters."""
        letters = "".join(c if c.isascii() and c.isalnum() else "-" for c in self.name)
        return f"{letters[:36]}-{hashlib.sha256(f'{self.name} {self.at.isoformat()}'.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class PublicParts:
    """What the others must know of a member and its node; nothing of it is secret."""

    member: str
    nation: str
    statements: PublicKey
    node: PublicKey
    peer: bytes  # the address that its peer key proves, 20 octets
    place: Place

    @property
    def address(self) -> str:
        """How the others name its node: id@host:port."""
        return f"{self.peer.hex()}@{self.place.host}:{self.place.p2p_port}"

    def as_member(self, roles: frozenset[Role], at: datetime) -> Member:
        """The member as the founding names it."""
        keys = (MemberKey(self.statements, at), MemberKey(self.node, at, use=KeyUse.NODE))
        return Member(self.member, roles, keys, nation=self.nation, power=POWER)


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """A member's private keys, made where its node is."""

    statements: SigningKey
    node: SigningKey  # signs blocks
    peer: SigningKey  # proves the node's address

    @classmethod
    def new(cls, member: str) -> "NodeKeys":
        """Fresh ones."""
        return cls(*(SigningKey(name, os.urandom(32)) for name in (member, f"{member}/node", f"{member}/peer")))

    def public(self, nation: str, place: Place) -> PublicParts:
        """Their public halves."""
        name = self.statements.name
        return PublicParts(name, nation, self.statements.public, self.node.public, address_of(self.peer.public), place)

    def write(self, folder: Path) -> None:
        """Keep them in the node's folder, mode 0600. Raises: KeyRefused when it has keys already."""
        write_signing_key(folder / "keys" / f"{self.statements.name}.key", self.statements)
        _write_secret(folder / "config" / "priv_validator_key.json", _validator_json(self.node))
        _write_secret(folder / "config" / "node_key.json", {"priv_key": _private_json(self.peer)})
        _write_secret(folder / "data" / "priv_validator_state.json", {"height": "0", "round": 0, "step": 0})


def found(out: Path, plan: Plan, imported: Imported | None = None) -> list[Path]:
    """Write a folder for each member's node under `out`; the folders.

    Raises: ConsortiumError for a plan that cannot work; KeyRefused when a folder has keys already.
    """
    _refuse_names(plan.members)
    if len(plan.places) != len(plan.members):
        raise ConsortiumError(f"{len(plan.members)} members need as many hosts, not {len(plan.places)}")
    keys = [NodeKeys.new(name) for name in plan.members]
    nations = plan.nations or [""] * len(keys)
    parts = [mine.public(*where) for mine, where in zip(keys, zip(nations, plan.places, strict=True), strict=True)]
    genesis = genesis_text(plan, parts, keys[0].statements, imported)
    folders = []
    for number, (mine, own) in enumerate(zip(keys, parts, strict=True)):
        folder = out / f"node{number}"
        mine.write(folder)
        write_config(folder, own.member, own.place, others_of(parts, own), genesis, plan.running)
        folders.append(folder)
    return folders


def others_of(parts: Sequence[PublicParts], own: PublicParts) -> list[str]:
    """The addresses of all nodes but our own."""
    return [one.address for one in parts if one.member != own.member]


def genesis_text(
    plan: Plan, parts: Sequence[PublicParts], founder: SigningKey, imported: Imported | None = None
) -> str:
    """genesis.json: the founding, signed by the first member's key, and the validators.

    Raises: ConsortiumError for a plan that cannot work.
    """
    _refuse_names([one.member for one in parts])
    members = tuple(one.as_member(plan.roles, plan.at) for one in parts)
    said = FederationFounded(name=plan.name, quorum=plan.quorum, members=members)
    founding = sign(said, founder, issuer=founder.name, stated_at=plan.at, salt=os.urandom(16))
    return _genesis_json(plan, Genesis(write_transaction(founding), imported), parts)


def _refuse_names(names: Sequence[str]) -> None:
    if not 1 <= len(names) <= MOST_MEMBERS or len(set(names)) != len(names):
        raise ConsortiumError(f"a consortium has 1 to {MOST_MEMBERS} members, each with a name of its own")


@dataclass(frozen=True, slots=True)
class StateSync:
    """Where a node that joins finds a snapshot, and the header under which it believes one."""

    servers: Sequence[str]  # host:port of two nodes' RPC or more
    height: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Joining:
    """A node made for a chain that runs: its folder, and the keys to be admitted."""

    folder: Path
    statements: SigningKey
    node: SigningKey
    peer: str  # how the others name it: id@host:port


def join(
    folder: Path,
    member: str,
    place: Place,
    genesis: str,
    peers: Sequence[str],
    running: Running,
    sync: StateSync | None,
) -> Joining:
    """Write the folder of a node that joins a chain that runs; without `sync` it takes every block since the first."""
    mine = NodeKeys.new(member)
    mine.write(folder)
    write_config(folder, member, place, peers, genesis, running, sync)
    return Joining(folder, mine.statements, mine.node, mine.public("", place).address)


def write_config(
    folder: Path,
    member: str,
    place: Place,
    peers: Sequence[str],
    genesis: str,
    running: Running,
    sync: StateSync | None = None,
) -> None:
    """Write what the engine reads but the keys: the node's settings, and what the chain begins with."""
    here = "127.0.0.1" if running.on_one_machine else "0.0.0.0"  # noqa: S104 - the other members must reach it
    config = _CONFIG.format(
        moniker=member,
        log_level=running.log_level,
        rpc=f"127.0.0.1:{place.rpc_port}",
        body=256 << 10,
        listen=f"{here}:{place.p2p_port}",
        external="" if running.on_one_machine else f"{place.host}:{place.p2p_port}",
        peers=",".join(peers),
        strict=_toml(not running.on_one_machine),
        duplicate=_toml(running.on_one_machine),
        pex="false",
        tx=MOST_OCTETS,
        propose=f"{max(3.0, 3 * running.block_seconds):g}s",
        commit=f"{running.block_seconds:g}s",
        heartbeat=f"{running.heartbeat_seconds}s",
        statesync=_toml(sync is not None),
        servers="" if sync is None else ",".join(f"http://{server}" for server in sync.servers),
        trust_height=0 if sync is None else sync.height,
        trust_hash="" if sync is None else sync.hash.hex(),
    )
    replace_file(folder / "config" / "config.toml", config.encode())
    replace_file(folder / "config" / "genesis.json", genesis.encode())


def _genesis_json(plan: Plan, genesis: Genesis, parts: Sequence[PublicParts]) -> str:
    return json.dumps(
        {
            "genesis_time": f"{plan.at:%Y-%m-%dT%H:%M:%SZ}",
            "chain_id": plan.chain_id,
            "initial_height": "1",
            "consensus_params": {
                "block": {"max_bytes": str(BLOCK_OCTETS), "max_gas": "-1"},
                "evidence": {
                    "max_age_num_blocks": "100000",
                    "max_age_duration": str(172_800 * 10**9),
                    "max_bytes": "1048576",
                },
                "validator": {"pub_key_types": ["ed25519"]},
                "version": {"app": "0"},
                "abci": {"vote_extensions_enable_height": "0"},
            },
            "validators": [
                {
                    "address": address_of(one.node).hex().upper(),
                    "pub_key": _public_json(one.node),
                    "power": str(POWER),
                    "name": one.member,
                }
                for one in parts
            ],
            "app_hash": "",
            "app_state": genesis.as_json(),
        },
        indent=1,
    )


def address_of(key: PublicKey) -> bytes:
    """How the engine names a key: the first twenty octets of its digest."""
    return hashlib.sha256(key.octets).digest()[:20]


def _public_json(key: PublicKey) -> dict[str, str]:
    return {"type": "tendermint/PubKeyEd25519", "value": base64.b64encode(key.octets).decode()}


def _private_json(key: SigningKey) -> dict[str, str]:
    return {
        "type": "tendermint/PrivKeyEd25519",
        "value": base64.b64encode(key.seed + key.public.octets).decode(),
    }


def _validator_json(key: SigningKey) -> dict[str, Any]:
    return {
        "address": address_of(key.public).hex().upper(),
        "pub_key": _public_json(key.public),
        "priv_key": _private_json(key),
    }


def _write_secret(path: Path, value: dict[str, Any]) -> None:
    replace_file(path, json.dumps(value, indent=1).encode(), mode=0o600)


def _toml(value: bool) -> str:
    return "true" if value else "false"
