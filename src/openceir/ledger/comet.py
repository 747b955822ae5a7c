"""A light client of CometBFT: whether more than two thirds of a known set of validators signed a header.

    header H    commits to the validators of H and H+1, and by `app_hash` to the application's state after block H-1
    commit H    the precommits of validators over the header's hash

Whoever trusts one set of validators (the genesis', or one taken over a trusted channel) can follow the chain to any
later header: to the next one by its `next_validators_hash`, or over a gap when more than a third of the power that is
trusted signed the later one too, since at least one honest validator is then among them. Keys of validators that left
long ago may be stolen: a trusted header that is older than the trust period shows nothing any more.

Only Ed25519 keys. Signatures are verified as RFC 8032 says (libsodium); the engine takes ZIP-215, which is wider, so that
an odd signature could at worst make us refuse what the engine took.

Source: CometBFT 0.38, spec/core/data_structures.md, spec/core/encoding.md, spec/light-client/verification.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from openceir.ledger.errors import ProofRefused
from openceir.ledger.merkle import MerkleLog, hash_leaf
from openceir.statements import PublicKey

__all__ = [
    "BlockId",
    "Commit",
    "CommitVote",
    "CometTime",
    "Header",
    "LightBlock",
    "Validator",
    "hash_validators",
    "verify_chain",
    "vote_sign_bytes",
]

MOST_VALIDATORS: Final = 10_000
_COMMIT, _NIL = 2, 3  # BlockIDFlag
_PRECOMMIT: Final = 2
_DRIFT: Final = timedelta(seconds=10)  # how far a header's time may be ahead of the asker's clock
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)
_HASH_OCTETS, _ADDRESS_OCTETS = 32, 20
_MOST_INT64: Final = (1 << 63) - 1


# -- protobuf, as far as it is hashed and signed ----------------------------------------------------------------------


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    octets.append(number)
    return bytes(octets)


def _number(field: int, number: int) -> bytes:
    return b"" if number == 0 else _varint(field << 3) + _varint(number)


def _fixed(field: int, number: int) -> bytes:
    return b"" if number == 0 else _varint(field << 3 | 1) + number.to_bytes(8, "little", signed=True)


def _octets(field: int, octets: bytes) -> bytes:
    return _part(field, octets) if octets else b""


def _part(field: int, octets: bytes) -> bytes:
    """A field of octets that stands there even when it is empty, as a message within another does."""
    return _varint(field << 3 | 2) + _varint(len(octets)) + octets


@dataclass(frozen=True, slots=True, order=True)
class CometTime:
    """An instant of the chain. Units: seconds since 1970 UTC, and nanoseconds that are signed with them."""

    seconds: int
    nanos: int = 0

    @classmethod
    def parse(cls, text: str) -> "CometTime":
        """The instant in the engine's JSON; raises ValueError."""
        match = _RFC3339.fullmatch(text)
        if match is None:
            raise ValueError(f"{text[:40]!r} is no time of the engine")
        moment = datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
        return cls(int((moment - _EPOCH).total_seconds()), int((match[2] or "").ljust(9, "0")))

    @property
    def moment(self) -> datetime:
        """The same in whole seconds."""
        return _EPOCH + timedelta(seconds=self.seconds)

    def encode(self) -> bytes:
        """As protobuf writes a Timestamp."""
        return _number(1, self.seconds) + _number(2, self.nanos)


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class BlockId:
    """Which block: its header's hash, and the parts that it was sent in."""

    hash: bytes
    parts: int
    parts_hash: bytes

    def encode(self) -> bytes:
        """As protobuf writes a BlockID, and as it is signed."""
        return _octets(1, self.hash) + _part(2, _number(1, self.parts) + _octets(2, self.parts_hash))

    @property
    def is_nothing(self) -> bool:
        """Whether no block is meant: before the first one, or in a vote for none."""
        return not self.hash and not self.parts and not self.parts_hash

    def plain(self) -> list[object]:
        """For a receipt."""
        return [self.hash, self.parts, self.parts_hash]


@dataclass(frozen=True, slots=True)
class Validator:
    """A key that signs blocks, and its power."""

    key: bytes
    power: int

    @property
    def address(self) -> bytes:
        """How votes name it."""
        return hashlib.sha256(self.key).digest()[:_ADDRESS_OCTETS]

    def encode(self) -> bytes:
        """As it is hashed (SimpleValidator)."""
        return _part(1, _octets(1, self.key)) + _number(2, self.power)

    @classmethod
    def from_json(cls, plain: Any) -> "Validator":
        """A validator of genesis.json or of the engine's `validators`; raises ValueError."""
        if plain["pub_key"]["type"] != "tendermint/PubKeyEd25519":
            raise ValueError("a validator's key is not Ed25519")
        key = base64.b64decode(plain["pub_key"]["value"], validate=True)
        power = int(plain["voting_power"] if "voting_power" in plain else plain["power"])
        return cls(key, power)


@dataclass(frozen=True, slots=True)
class Header:
    """What a block says of itself."""

    block_version: int
    app_version: int
    chain_id: str
    height: int
    time: CometTime
    last_block: BlockId
    hashes: tuple[bytes, ...]  # last_commit, data, validators, next_validators, consensus, app, last_results, evidence
    proposer: bytes

    @property
    def validators_hash(self) -> bytes:
        """Of those who sign this block."""
        return self.hashes[2]

    @property
    def next_validators_hash(self) -> bytes:
        """Of those who sign the next one."""
        return self.hashes[3]

    @property
    def app_hash(self) -> bytes:
        """Of the application's state after the block before."""
        return self.hashes[5]

    def hash(self) -> bytes:
        """What is signed: the Merkle root over the fields."""
        fields = (
            _number(1, self.block_version) + _number(2, self.app_version),
            _octets(1, self.chain_id.encode()),
            _number(1, self.height),
            self.time.encode(),
            self.last_block.encode(),
            *(_octets(1, one) for one in self.hashes),
            _octets(1, self.proposer),
        )
        return _root(fields)


@dataclass(frozen=True, slots=True)
class CommitVote:
    """One validator's vote in a commit."""

    flag: int
    address: bytes
    time: CometTime
    signature: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """The votes for a block."""

    height: int
    round: int
    block: BlockId
    votes: tuple[CommitVote, ...]


def vote_sign_bytes(
    chain_id: str, kind: int, height: int, round_: int, block: BlockId | None, time: CometTime
) -> bytes:
    """What a validator signs when it votes. Source: CanonicalVote, length first."""
    vote = (
        _number(1, kind)
        + _fixed(2, height)
        + _fixed(3, round_)
        + (b"" if block is None or block.is_nothing else _part(4, block.encode()))
        + _part(5, time.encode())
        + _octets(6, chain_id.encode())
    )
    return _varint(len(vote)) + vote


def hash_validators(validators: Sequence[Validator]) -> bytes:
    """The hash of a set, in the engine's own order: the most power first, then by address."""
    return _root([one.encode() for one in _ordered(validators)])


def _ordered(validators: Sequence[Validator]) -> list[Validator]:
    return sorted(validators, key=lambda one: (-one.power, one.address))


def _root(leaves: Sequence[bytes]) -> bytes:
    tree = MerkleLog()  # the engine's tree is that of RFC 6962
    tree.extend(map(hash_leaf, leaves))
    return tree.root()


@dataclass(frozen=True, slots=True)
class LightBlock:
    """A header, who signed it, and the set that they were of."""

    header: Header
    commit: Commit
    validators: tuple[Validator, ...]

    def verify(self, chain_id: str, validators_hash: bytes) -> None:
        """Raise ProofRefused unless more than two thirds of the set with this hash signed this header."""
        header, commit = self.header, self.commit
        if header.chain_id != chain_id:
            raise ProofRefused(f"the header is of the chain {header.chain_id[:60]}, not of {chain_id}")
        if hash_validators(self.validators) != validators_hash or header.validators_hash != validators_hash:
            raise ProofRefused(f"the validators of block {header.height} are not those that are trusted")
        if commit.height != header.height or commit.block.hash != header.hash():
            raise ProofRefused(f"the votes are not for the header of block {header.height}")
        if len(commit.votes) != len(self.validators):
            raise ProofRefused(f"the commit of block {header.height} has another number of votes than of validators")
        total = sum(one.power for one in self.validators)
        signed = self._signed(dict(zip((one.address for one in self.validators), self.validators, strict=True)))
        if not 3 * signed > 2 * total:
            raise ProofRefused(f"{signed} of {total} signed block {header.height}: not more than two thirds")

    def signed_by(self, trusted: Sequence[Validator]) -> int:
        """How much of the power of `trusted` signed this; a false signature raises ProofRefused."""
        return self._signed({one.address: one for one in trusted})

    def _signed(self, known: dict[bytes, Validator]) -> int:
        commit, power, seen = self.commit, 0, set[bytes]()
        for vote in commit.votes:
            validator = known.get(vote.address)
            if vote.flag != _COMMIT or validator is None:
                continue  # absent, for no block, or not one of those asked for
            if vote.address in seen:
                raise ProofRefused(f"one validator signed block {commit.height} twice")
            seen.add(vote.address)
            message = vote_sign_bytes(
                self.header.chain_id, _PRECOMMIT, commit.height, commit.round, commit.block, vote.time
            )
            if not PublicKey("validator", validator.key).has_signed(message, vote.signature):
                raise ProofRefused(f"a signature under block {commit.height} is false")
            power += validator.power
        return power

    # -- other spellings -----------------------------------------------------------------------------------------

    @classmethod
    def from_json(cls, commit: Any, validators: Any) -> "LightBlock":
        """From the engine's `commit` and `validators` answers. Raises: ProofRefused when they are not that."""
        try:
            header = commit["signed_header"]["header"]
            votes = commit["signed_header"]["commit"]
            found = cls(
                Header(
                    int(header["version"]["block"]),
                    int(header["version"].get("app", "0")),
                    str(header["chain_id"]),
                    int(header["height"]),
                    CometTime.parse(header["time"]),
                    _block_id(header["last_block_id"]),
                    tuple(bytes.fromhex(header[f"{name}_hash"]) for name in _HASHES),
                    bytes.fromhex(header["proposer_address"]),
                ),
                Commit(
                    int(votes["height"]),
                    int(votes["round"]),
                    _block_id(votes["block_id"]),
                    tuple(map(_vote, votes["signatures"])),
                ),
                tuple(Validator.from_json(one) for one in validators),
            )
            return cls.from_plain(found.plain())  # whose bounds count for everybody
        except (KeyError, TypeError, ValueError, AttributeError) as wrong:
            raise ProofRefused(f"the engine's answer is no header with its commit: {wrong}") from wrong

    def plain(self) -> list[object]:
        """As it stands in a receipt: lists, numbers and octets."""
        header, commit = self.header, self.commit
        return [
            [
                header.block_version, header.app_version, header.chain_id, header.height,
                [header.time.seconds, header.time.nanos], header.last_block.plain(), list(header.hashes), header.proposer,
            ],
            [
                commit.height, commit.round, commit.block.plain(),
                [[vote.flag, vote.address, vote.time.seconds, vote.time.nanos, vote.signature] for vote in commit.votes],
            ],
            [[one.key, one.power] for one in self.validators],
        ]  # fmt: skip

    @classmethod
    def from_plain(cls, plain: Any) -> "LightBlock":
        """What `plain` gave. Raises: ProofRefused."""
        match plain:
            case [
                [int(version), int(app), str(chain), int(height), time, last, [*hashes], bytes(proposer)],
                [int(at), int(round_), block, [*votes]],
                [*validators],
            ] if (
                len(hashes) == len(_HASHES)
                and all(isinstance(one, bytes) and len(one) <= _HASH_OCTETS for one in hashes)
                and len(chain) <= 50
                and 0 < len(validators) <= MOST_VALIDATORS
                and len(votes) <= MOST_VALIDATORS
                and all(0 <= number <= _MOST_INT64 for number in (version, app, height, at))
                and 0 <= round_ < 1 << 31
            ):
                header = Header(
                    version, app, chain, height, _plain_time(time), _plain_block(last), tuple(hashes), proposer
                )
                commit = Commit(at, round_, _plain_block(block), tuple(map(_plain_vote, votes)))
                return cls(header, commit, tuple(map(_plain_validator, validators)))
        raise ProofRefused("that is no header with its commit and validators")


_HASHES: Final = (
    "last_commit",
    "data",
    "validators",
    "next_validators",
    "consensus",
    "app",
    "last_results",
    "evidence",
)


def _block_id(plain: Any) -> BlockId:
    parts = plain["parts"]
    return BlockId(bytes.fromhex(plain["hash"]), int(parts["total"]), bytes.fromhex(parts["hash"]))


def _vote(plain: Any) -> CommitVote:
    flag = int(plain["block_id_flag"])
    time = CometTime(0) if flag not in (_COMMIT, _NIL) else CometTime.parse(plain["timestamp"])
    signature = base64.b64decode(plain["signature"] or "", validate=True)
    return CommitVote(flag, bytes.fromhex(plain["validator_address"]), time, signature)


def _plain_time(plain: Any) -> CometTime:
    match plain:
        case [int(seconds), int(nanos)] if 0 <= seconds < 1 << 37 and 0 <= nanos < 10**9:
            return CometTime(seconds, nanos)
    raise ProofRefused("a time of a header is its seconds and nanoseconds")


def _plain_block(plain: Any) -> BlockId:
    match plain:
        case [bytes(digest), int(parts), bytes(parts_hash)] if 0 <= parts < 1 << 32 and len(digest) <= _HASH_OCTETS:
            return BlockId(digest, parts, parts_hash)
    raise ProofRefused("a block is named by its hash and its parts")


def _plain_vote(plain: Any) -> CommitVote:
    match plain:
        case [int(flag), bytes(address), int(seconds), int(nanos), bytes(signature)]:
            return CommitVote(flag, address, _plain_time([seconds, nanos]), signature)
    raise ProofRefused("a vote is a flag, an address, a time and a signature")


def _plain_validator(plain: Any) -> Validator:
    match plain:
        case [bytes(key), int(power)] if len(key) == 32 and 0 < power <= _MOST_INT64 // 8:
            return Validator(key, power)
    raise ProofRefused("a validator is a key of 32 octets and its power")


# -- following a chain ------------------------------------------------------------------------------------------------


def verify_chain(
    chain_id: str,
    trusted: Sequence[Validator],
    blocks: Sequence[LightBlock],
    *,
    trusted_at: tuple[int, datetime] | None = None,
    now: datetime | None = None,
    trust_period: timedelta | None = None,
) -> Header:
    """The last header of `blocks`, reached step by step from a set of validators that is trusted.

    `trusted` sign the block after the one of `trusted_at`, its height and time; the first block when that is None. With `now` and
    `trust_period` a step from something older than the period is refused, and a header from the future too.
    Raises: ProofRefused at the first step that shows nothing.
    """
    if not blocks:
        raise ProofRefused("there is no header to follow the chain by")
    known, (height, time) = list(trusted), trusted_at or (0, None)
    next_hash = hash_validators(known)
    for block in blocks:
        header = block.header
        is_of_trusted = block is blocks[0] and header.validators_hash == next_hash
        if not is_of_trusted and (header.height <= height or (time is not None and header.time.moment < time)):
            raise ProofRefused(f"block {header.height} does not follow block {height}, in number or in time")
        if now is not None and trust_period is not None:
            if time is not None and time + trust_period < now:
                raise ProofRefused(
                    f"what is trusted is of {time:%Y-%m-%d}, older than the trust period; get a newer set of validators"
                )
            if header.time.moment > now + _DRIFT:
                raise ProofRefused(f"block {header.height} is of the future; is the clock right?")
        if header.validators_hash == next_hash:
            block.verify(chain_id, next_hash)
        elif header.height == height + 1:
            raise ProofRefused(f"the validators of block {header.height} are not those that the block before names")
        else:
            if not 3 * block.signed_by(known) > sum(one.power for one in known):
                raise ProofRefused(
                    f"too few of the validators that are trusted signed block {header.height}; give a header between"
                )
            block.verify(chain_id, header.validators_hash)
        known, height, time = list(block.validators), header.height, header.time.moment
        next_hash = header.next_validators_hash
    return blocks[-1].header
