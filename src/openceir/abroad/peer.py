"""Another member's door as we see it: everything is bounded, and nothing of it is believed here.

Source: docs/start/federation.md lists the paths; C2SP tlog-tiles and tlog-witness.
"""

import json
import ssl
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from openceir.errors import OpenceirError
from openceir.federation import FederationError
from openceir.ledger import AddCheckpoint, SignedCheckpoint, Tile, read_bundle, read_tile
from openceir.statements import SignedStatement, SigningKey, StatementRefused, read_canonical
from openceir.wire.http_signature import Signed, sign_request

if TYPE_CHECKING:
    import httpx

__all__ = ["PayloadGiven", "Peer", "PeerAway", "PeerWrong", "tls_to_peers"]

Octets = TypeVar("Octets")
Found = TypeVar("Found")

_SLOWEST_S = 20.0
_LARGEST_NOTE_OCTETS = 128 << 10
_LARGEST_ANSWER_OCTETS = 1 << 20
_LARGEST_BUNDLE_OCTETS = 256 * (2 + 4096)  # the largest statement; the format itself would allow 16 MiB
_LARGEST_PAYLOADS_OCTETS = 72 << 20  # one payload may be large; answers end soon after 4 MiB


class PeerAway(FederationError):
    """A member's door cannot be reached or is not ready; it is asked again later."""

    code = "peer-away"


class PeerWrong(FederationError):
    """A member's door answered what it should not have: too much, too little, or another thing."""

    code = "peer-wrong"


class NothingThere(PeerWrong):
    """There is nothing at that place of a member's door."""


class PayloadGiven(NamedTuple):
    """What a door says of one entry's payload."""

    entry: int
    why: str  # held, not-shared or erased
    salt: bytes
    octets: bytes


def tls_to_peers(certificate: Path, key: Path, authorities: Path) -> ssl.SSLContext:
    """TLS as the doors want it: our certificate shown, theirs checked. Raises: FederationError."""
    try:
        context = ssl.create_default_context(cafile=str(authorities))
        context.load_cert_chain(str(certificate), str(key))
    except (OSError, ssl.SSLError) as wrong:
        raise FederationError(f"the certificates for the other members' doors cannot be used: {wrong}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class Peer:
    """One member's door. Every method raises PeerAway or PeerWrong."""

    def __init__(self, client: "httpx.Client", member: str) -> None:
        self._client, self.member = client, member

    @classmethod
    def at(cls, address: str, member: str, tls: ssl.SSLContext) -> "Peer":
        """The door of this member at this address."""
        import httpx  # only who is in a federation needs it: the extra `federation`

        if not address.startswith("https://"):
            raise FederationError(f"{address!r} is no https address")
        client = httpx.Client(base_url=address, verify=tls, timeout=_SLOWEST_S, trust_env=False)
        return cls(client, member)

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    # -- logs --------------------------------------------------------------------------------------------------------

    def checkpoint(self, prefix: str = "") -> SignedCheckpoint | None:
        """The newest checkpoint of the log under this prefix: its own, or `/logs/<member>` for a copy.

        None when the door says that nothing was logged yet.
        """
        try:
            return self._read(SignedCheckpoint.parse, self._text(f"{prefix}/checkpoint"))
        except NothingThere:
            return None

    def bundle(self, tile: Tile, prefix: str = "") -> list[bytes]:
        """The entries of a bundle."""
        octets = self._get(f"{prefix}/{tile.path()}", most=_LARGEST_BUNDLE_OCTETS)
        return self._read(lambda given: read_bundle(given, tile.width), octets)

    def hashes(self, tile: Tile, prefix: str = "") -> list[bytes]:
        """The hashes of a tile."""
        octets = self._get(f"{prefix}/{tile.path()}", most=1 << 14)
        return self._read(lambda given: read_tile(given, tile), octets)

    def times(self, first: int, prefix: str = "") -> list[tuple[int, int]]:
        """From which entry on which time counts, from `first` on; ascending in both."""
        said = self._json(f"{prefix}/times?from={first}")
        try:
            times = [(index, seconds) for index, seconds in said["times"]]
        except (ValueError, KeyError, TypeError) as wrong:
            raise PeerWrong(f"{self.member} says the times of its entries in words that are not understood") from wrong
        for before, after in zip([(-1, 0), *times], times, strict=False):
            if type(after[0]) is not int or type(after[1]) is not int or not 0 <= after[1] < 1 << 37:
                raise PeerWrong(f"{self.member} says the times of its entries in words that are not understood")
            if after[0] <= before[0] or after[1] < before[1]:
                raise PeerWrong(f"the times of {self.member}'s entries run back")
        return times

    def seen(self) -> dict[str, SignedCheckpoint]:
        """The newest checkpoints that it holds of other members, by member."""
        said = self._json("/seen")
        try:
            return {str(one["member"]): SignedCheckpoint.parse(one["note"]) for one in said["seen"]}
        except (OpenceirError, KeyError, TypeError, AttributeError) as wrong:
            raise PeerWrong(f"{self.member} says what it saw in words that are not understood") from wrong

    def forks(self) -> list[str]:
        """The names of the proofs of forks that it holds."""
        said = self._json("/forks")
        try:
            names = said["forks"]
            if all(isinstance(name, str) and len(name) < 128 and "/" not in name for name in names):
                return list(names)
        except (KeyError, TypeError):
            pass
        raise PeerWrong(f"{self.member} lists its proofs in words that are not understood")

    def fork(self, name: str) -> str:
        """The text of a proof."""
        return self._text(f"/forks/{name}", most=_LARGEST_ANSWER_OCTETS)

    def founding(self) -> SignedStatement:
        """The statement with which its federation began."""
        return self._read(SignedStatement.read, self._get("/founding", most=_LARGEST_ANSWER_OCTETS))

    # -- witnessing --------------------------------------------------------------------------------------------------

    def add_checkpoint(self, asked: AddCheckpoint) -> tuple[int, str]:
        """What it answers as a witness: the status and the body."""
        import httpx

        try:
            answer = self._client.post("/add-checkpoint", content=asked.format().encode())
        except httpx.HTTPError as wrong:
            raise PeerAway(f"{self.member} cannot be reached ({type(wrong).__name__})") from wrong
        if answer.status_code not in {200, 400, 403, 404, 409, 422} or len(answer.content) > _LARGEST_NOTE_OCTETS:
            raise PeerAway(f"{self.member} is not ready to witness (HTTP status {answer.status_code})")
        return answer.status_code, answer.content.decode("utf-8", "replace")

    # -- payloads ----------------------------------------------------------------------------------------------------

    def payloads(self, first: int, end: int, key: SigningKey, at: datetime) -> tuple[int, list[PayloadGiven]]:
        """What its entries [first, end) say, as far as it tells us, and where to go on; asked for with our signature."""
        octets = self._get_signed("/payloads", f"from={first}&to={end}", _LARGEST_PAYLOADS_OCTETS, key, at)
        try:
            match read_canonical(octets, "the payloads"):
                case [int(after), [*rows]] if first < after <= end:
                    given = [PayloadGiven(*row) for row in rows]
                    if all(_is_sound(one, first, after) for one in given):
                        return after, given
        except (StatementRefused, TypeError) as wrong:
            raise PeerWrong(f"{self.member} gives payloads in a form that is not understood") from wrong
        raise PeerWrong(f"{self.member} gives payloads in a form that is not understood")

    def shares(self, key: SigningKey, at: datetime) -> list[str]:
        """The kinds of its statements that it lets us know; none when its door is older than this question."""
        try:
            octets = self._get_signed("/shares", "", _LARGEST_ANSWER_OCTETS, key, at)
        except NothingThere:
            return []
        match self._read(lambda given: read_canonical(given, "the kinds"), octets):
            case [*kinds] if all(isinstance(kind, str) for kind in kinds):
                return [str(kind) for kind in kinds]
        raise PeerWrong(f"{self.member} says what it shares in a form that is not understood")

    def _get_signed(self, path: str, query: str, most: int, key: SigningKey, at: datetime) -> bytes:
        asked = Signed("GET", self._authority, path, query)
        fields = sign_request(asked, key.public.kid.hex(), key.sign, int(at.timestamp()))
        return self._get(f"{path}?{query}" if query else path, most=most, headers=fields)

    @property
    def _authority(self) -> str:
        """What our Host field says: the port is left out where it is the usual one (RFC 9110 §4.2.3)."""
        parts = urlsplit(str(self._client.base_url))
        return parts.netloc.rpartition("@")[2].removesuffix(":443")

    # -- asking ------------------------------------------------------------------------------------------------------

    def _text(self, path: str, most: int = _LARGEST_NOTE_OCTETS) -> str:
        try:
            return self._get(path, most=most).decode()
        except UnicodeDecodeError as wrong:
            raise PeerWrong(f"{self.member} gives a text that is not UTF-8") from wrong

    def _json(self, path: str) -> Any:
        try:
            return json.loads(self._get(path, most=_LARGEST_ANSWER_OCTETS))
        except (ValueError, RecursionError) as wrong:
            raise PeerWrong(f"{self.member} gives JSON that cannot be read") from wrong

    def _read(self, how: Callable[[Octets], Found], given: Octets) -> Found:
        try:
            return how(given)
        except OpenceirError as wrong:
            raise PeerWrong(f"{self.member}: {wrong}") from wrong

    def _get(self, path: str, *, most: int, headers: dict[str, str] | None = None) -> bytes:
        import httpx

        found = bytearray()
        try:
            with self._client.stream("GET", path, headers=headers) as answer:
                for piece in answer.iter_bytes():
                    found += piece
                    if len(found) > most:
                        raise PeerWrong(f"{self.member} sends more than the {most} octets that this answer may have")
        except httpx.HTTPError as wrong:
            raise PeerAway(f"{self.member} cannot be reached ({type(wrong).__name__}); asked again later") from wrong
        if answer.status_code == 200:
            return bytes(found)
        if answer.status_code >= 500 or answer.status_code in {408, 429}:
            raise PeerAway(f"{self.member} is not ready (HTTP status {answer.status_code}); asked again later")
        refusal = NothingThere if answer.status_code == 404 else PeerWrong
        raise refusal(f"{self.member} refuses {path.partition('?')[0]} (HTTP status {answer.status_code})")


def _is_sound(one: PayloadGiven, first: int, after: int) -> bool:
    return (
        type(one.entry) is int
        and first <= one.entry < after
        and one.why in {"held", "not-shared", "erased"}
        and isinstance(one.salt, bytes)
        and isinstance(one.octets, bytes)
    )
