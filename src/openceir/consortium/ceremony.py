"""Founding a consortium so that no private key ever leaves the machine of its member.

    member      make_keys(folder, …)                 keys in its node's folder, and a card: their public halves
    founder     gather(cards, …)                     one file from all cards: the founding, signed, and where nodes are
    member      settle(folder, file)                 its node's folder is whole, once its own keys are found in the file

A card is signed by both keys that count in the book, so nobody brings another's key as its own. Whose card it is, and
that all hold the same file, people make sure of: `fingerprint` is what they read to each other.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from openceir.consortium.errors import ConsortiumError, NodeRefused
from openceir.consortium.founding import (
    NodeKeys,
    Place,
    Plan,
    PublicParts,
    Running,
    address_of,
    genesis_text,
    others_of,
    write_config,
)
from openceir.consortium.genesis import Genesis
from openceir.consortium.layout import NodeFolder
from openceir.statements import KeyRefused, KeyUse, PublicKey, SigningKey, write_canonical
from openceir.storage.files import replace_file

__all__ = ["FoundingFile", "gather", "make_keys", "read_card", "settle"]

_DOMAIN: Final = b"openceir consortium card 1\0"
_MOST_OCTETS: Final = 4 << 20
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost"})


def make_keys(folder: Path, member: str, nation: str, place: Place) -> Path:
    """Make a member's keys in its node's folder; the card to hand to the founder.

    Raises: KeyRefused when the folder has keys already.
    """
    keys = NodeKeys.new(member)
    keys.write(folder)
    card = folder / f"{member}.card"
    replace_file(card, write_card(keys, nation, place))
    return card


def write_card(keys: NodeKeys, nation: str, place: Place) -> bytes:
    """The public halves of a member's keys and where its node is, signed by them."""
    parts = keys.public(nation, place)
    said = _said(parts)
    signatures = [base64.b64encode(key.sign(said)).decode() for key in (keys.statements, keys.node)]
    return json.dumps({**_plain(parts), "signatures": signatures}, indent=1).encode()


def read_card(octets: bytes) -> PublicParts:
    """What a card says. Raises: ConsortiumError unless both its keys signed it."""
    try:
        plain = _object(octets)
        parts = _parts(plain)
        signatures = [base64.b64decode(one, validate=True) for one in plain["signatures"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, KeyRefused) as wrong:
        raise ConsortiumError(f"this is no card that `openceir consortium keys` makes: {wrong}") from wrong
    said = _said(parts)
    keys = (parts.statements, parts.node)
    if len(signatures) != 2 or not all(key.has_signed(said, one) for key, one in zip(keys, signatures, strict=True)):
        raise ConsortiumError(f"the card of {parts.member} is not signed by the keys that it names; ask for it again")
    return parts


@dataclass(frozen=True, slots=True)
class FoundingFile:
    """What the founder hands to every member."""

    genesis: str
    parts: tuple[PublicParts, ...]
    block_seconds: float

    def format(self) -> bytes:
        """The file's octets."""
        plain = {
            "genesis": self.genesis,
            "block_seconds": self.block_seconds,
            "nodes": [_plain(one) for one in self.parts],
        }
        return json.dumps(plain, indent=1).encode()

    @classmethod
    def parse(cls, octets: bytes) -> "FoundingFile":
        """What `format` wrote. Raises: ConsortiumError."""
        try:
            plain = _object(octets)
            genesis, pace = plain["genesis"], float(plain["block_seconds"])
            parts = tuple(_parts(one) for one in plain["nodes"])
            if isinstance(genesis, str) and 0 < pace <= 60:
                return cls(genesis, parts, pace)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, KeyRefused) as wrong:
            raise ConsortiumError(f"this is no file that `openceir consortium gather` makes: {wrong}") from wrong
        raise ConsortiumError("this is no file that `openceir consortium gather` makes; ask for it again")

    @property
    def fingerprint(self) -> str:
        """What members read to each other: the same for all who hold this file."""
        digest = hashlib.sha256(self.format()).hexdigest()[:32]
        return " ".join(digest[at : at + 4] for at in range(0, 32, 4))


def gather(cards: Sequence[bytes], founder: SigningKey, plan: Plan) -> FoundingFile:
    """The founding of a consortium of those whose cards these are, signed by one of them.

    `plan.members`, `places` and `nations` are taken from the cards.
    Raises: ConsortiumError when a card is false, or the founder's is missing.
    """
    parts = sorted((read_card(card) for card in cards), key=lambda one: one.member)
    if all(one.statements.octets != founder.public.octets for one in parts):
        raise ConsortiumError(f"none of the cards is of {founder.name}, who founds; add its card")
    for what in ("statements", "node", "peer", "address"):
        if len({getattr(one, what) for one in parts}) != len(parts):
            raise ConsortiumError(
                f"two cards name the same {what}; every member makes keys and chooses a place of its own"
            )
    return FoundingFile(genesis_text(plan, parts, founder), tuple(parts), plan.running.block_seconds)


def settle(folder: Path, file: FoundingFile) -> NodeFolder:
    """Make the node's folder whole: its settings, and what the chain begins with.

    Raises: ConsortiumError when the founding does not name the keys that lie in the folder, or other nodes than the file.
    """
    node = NodeFolder(folder)
    mine, engine, peer = node.member_key(), node.node_key(), node.peer_key()
    own = next((one for one in file.parts if one.member == mine.name), None)
    ours = (mine.public.octets, engine.public.octets, address_of(peer.public))
    if own is None or (own.statements.octets, own.node.octets, own.peer) != ours:
        raise ConsortiumError(
            f"the founding does not name the keys of {mine.name} that lie in {folder}; was this card used?"
        )
    _refuse_other_members(file)
    hosts = {one.place.host for one in file.parts}
    running = Running(on_one_machine=hosts <= _LOOPBACK, block_seconds=file.block_seconds)
    write_config(folder, own.member, own.place, others_of(file.parts, own), file.genesis, running)
    return NodeFolder(folder)


def _refuse_other_members(file: FoundingFile) -> None:
    """What the file tells people and what the chain begins with must be one."""
    genesis = _genesis(file.genesis)
    _, _, said = genesis.founded()
    founded = {
        (
            one.id,
            one.nation,
            *(key.public.octets for use in (KeyUse.STATEMENTS, KeyUse.NODE) for key in one.keys if key.use is use),
        )
        for one in said.members
    }
    if founded != {(one.member, one.nation, one.statements.octets, one.node.octets) for one in file.parts}:
        raise ConsortiumError(
            "the founding names other members or keys than the file beside it; ask for the file again"
        )


def _genesis(text: str) -> Genesis:
    try:
        return Genesis.parse(json.dumps(json.loads(text)["app_state"]).encode())
    except (ValueError, KeyError, TypeError, RecursionError, NodeRefused) as wrong:
        raise ConsortiumError(f"the founding cannot be read: {wrong}; ask for the file again") from wrong


def _said(parts: PublicParts) -> bytes:
    plain = _plain(parts)
    return _DOMAIN + write_canonical([[name, plain[name]] for name in sorted(plain)])


def _plain(parts: PublicParts) -> dict[str, Any]:
    return {
        "member": parts.member,
        "nation": parts.nation,
        "host": parts.place.host,
        "p2p_port": parts.place.p2p_port,
        "rpc_port": parts.place.rpc_port,
        "statements": parts.statements.format(),
        "node": parts.node.format(),
        "peer": parts.peer.hex(),
    }


def _parts(plain: Mapping[str, Any]) -> PublicParts:
    place = Place(_host(plain["host"]), _port(plain["p2p_port"]), _port(plain["rpc_port"]))
    member, nation, peer = plain["member"], plain["nation"], bytes.fromhex(plain["peer"])
    statements, node = PublicKey.parse(plain["statements"]), PublicKey.parse(plain["node"])
    if statements.name != member or node.name != f"{member}/node" or not isinstance(nation, str) or len(peer) != 20:
        raise ValueError("its keys do not bear the member's name")
    return PublicParts(member, nation, statements, node, peer, place)


def _host(text: Any) -> str:
    """A name or address that cannot be anything else in a settings file."""
    if (
        not isinstance(text, str)
        or not text
        or len(text) > 253
        or not all(c.isascii() and (c.isalnum() or c in "-.:[]") for c in text)
    ):
        raise ValueError("its host is no name or address of a machine")
    return text


def _port(number: Any) -> int:
    if type(number) is not int or not 0 < number < 1 << 16:
        raise ValueError("a port is a number up to 65535")
    return number


def _object(octets: bytes) -> dict[str, Any]:
    if len(octets) > _MOST_OCTETS:
        raise ValueError("it is too long")
    plain = json.loads(octets)
    if not isinstance(plain, dict):
        raise TypeError("it is no object")
    return plain
