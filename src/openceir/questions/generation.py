"""A threshold key that nobody ever held: each member draws a part, and the parts add up.

Theory (joint Feldman sharing with proofs of possession, as FROST's key generation does it): member i draws a polynomial
f_i of degree t - 1, shows the public halves of its coefficients (the commitments) and proves that it knows f_i(0), so
that nobody can choose his part as "what I want minus yours". It sends f_i(j) to member j alone, sealed. Member j checks
f_i(j) · B against the commitments, and its share is Σ f_i(j); the key, Σ f_i(0), is never computed anywhere.

    round 1   every member publishes its Contribution         (commitments, proof, a key to seal to)
    round 2   every member seals one share to every other     (Deal)
    round 3   every member checks, adds up, and compares `transcript` with the others by another way

Limits: whoever speaks last in round 1 can draw until it likes the public key's look (a few bits of bias, which a PRF
key bears); anybody can stop the making, and is named; t members together can always compute the key.

Source: T. Pedersen (EUROCRYPT 1991); P. Feldman (FOCS 1987); C. Komlo, I. Goldberg, FROST (2020) figure 1.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import rbcl
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from openceir.questions.errors import ElementRefused, GenerationFailed, QuestionError
from openceir.questions.keys import GroupMember, KeyGroup, QuestionKey, is_epoch
from openceir.questions.oprf import (
    VOPRF,
    add,
    random_scalar,
    read_element,
    read_scalar,
    scalar_of,
    sum_of,
    times,
    times_base,
)
from openceir.questions.sharing import MOST_MEMBERS, polynomial, share_of

__all__ = ["Contribution", "Deal", "Generation", "begin", "transcript"]

_FORMAT = "openceir-key-contribution/1"


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a member shows of its part: public, the same to everybody."""

    epoch: str
    threshold: int
    index: int
    commitments: tuple[bytes, ...]
    proof: tuple[bytes, bytes]  # Schnorr: challenge, response
    sealing_key: bytes
    url: str = ""

    def format(self) -> str:
        """One line of JSON."""
        fields = {
            "format": _FORMAT, "epoch": self.epoch, "threshold": self.threshold, "index": self.index,
            "commitments": [element.hex() for element in self.commitments],
            "proof": [part.hex() for part in self.proof], "sealing_key": self.sealing_key.hex(), "url": self.url,
        }  # fmt: skip
        return json.dumps(fields, sort_keys=True)

    @classmethod
    def parse(cls, text: str) -> "Contribution":
        """The contribution in a file, its proof verified. Raises: GenerationFailed."""
        try:
            said = json.loads(text)
            if said.pop("format") != _FORMAT or not is_epoch(said["epoch"]):
                raise ValueError
            if type(said["index"]) is not int or type(said["threshold"]) is not int or not isinstance(said["url"], str):
                raise ValueError
            challenge, response = (read_scalar(bytes.fromhex(part)) for part in said["proof"])
            commitments = tuple(read_element(bytes.fromhex(element)) for element in said["commitments"])
            sealing_key = bytes.fromhex(said["sealing_key"])
            found = cls(
                said["epoch"],
                said["threshold"],
                said["index"],
                commitments,
                (challenge, response),
                sealing_key,
                said["url"],
            )
        except (ValueError, KeyError, TypeError, AttributeError, ElementRefused, RecursionError):
            raise GenerationFailed(
                "that is no contribution to a threshold key; ask its member for the file again"
            ) from None
        found.verify()
        return found

    def verify(self) -> None:
        """Return when its maker knows the secret behind its first commitment. Raises: GenerationFailed."""
        if (
            len(self.commitments) != self.threshold
            or not 1 <= self.index <= MOST_MEMBERS
            or len(self.sealing_key) != 32
        ):
            raise GenerationFailed(f"the contribution of member {self.index} has not as many commitments as it says")
        challenge, response = self.proof
        try:
            nonce = add(times_base(response), times(challenge, self.commitments[0]))
        except ElementRefused:
            nonce = b""
        if _possession(self.epoch, self.index, self.commitments[0], nonce) != challenge:
            raise GenerationFailed(f"member {self.index} does not show that it knows its part of the key")


@dataclass(frozen=True, slots=True)
class Deal:
    """One member's share for another, sealed: only the receiver can open it."""

    epoch: str
    sender: int
    receiver: int
    sealed: bytes

    def as_json(self) -> dict[str, Any]:
        """As a file carries it."""
        return {"epoch": self.epoch, "from": self.sender, "to": self.receiver, "sealed": self.sealed.hex()}

    @classmethod
    def from_json(cls, said: Any) -> "Deal":
        """The deal in a file. Raises: GenerationFailed."""
        try:
            found = cls(said["epoch"], said["from"], said["to"], bytes.fromhex(said["sealed"]))
        except (KeyError, TypeError, ValueError):
            raise GenerationFailed("that is no sealed share; ask its sender for the file again") from None
        if type(found.sender) is not int or type(found.receiver) is not int or not isinstance(found.epoch, str):
            raise GenerationFailed("that is no sealed share; ask its sender for the file again")
        return found


@dataclass(frozen=True, slots=True)
class Generation:
    """What a member keeps to itself between the rounds."""

    own: Contribution
    coefficients: tuple[bytes, ...] = field(repr=False)
    sealing_seed: bytes = field(repr=False)

    def format(self) -> str:
        """The secret as it is kept between the rounds, mode 0600."""
        secret = [coefficient.hex() for coefficient in self.coefficients]
        return json.dumps({"own": self.own.format(), "coefficients": secret, "sealing_seed": self.sealing_seed.hex()})

    @classmethod
    def parse(cls, text: str) -> "Generation":
        """What `format` wrote. Raises: GenerationFailed, which never shows it."""
        try:
            said = json.loads(text)
            coefficients = tuple(read_scalar(bytes.fromhex(one)) for one in said["coefficients"])
            return cls(Contribution.parse(said["own"]), coefficients, bytes.fromhex(said["sealing_seed"]))
        except (ValueError, KeyError, TypeError, QuestionError):
            raise GenerationFailed("the state of the key's making cannot be read; begin again, all members") from None

    def deals(self, contributions: Sequence[Contribution]) -> list[Deal]:
        """Round 2: a sealed share for every other member. Raises: GenerationFailed."""
        _fitting(self.own, contributions)
        deals = []
        for other in contributions:
            if other.index != self.own.index:
                told = _bound(self.own, other.index) + share_of(self.coefficients, other.index)
                sealed = SealedBox(PublicKey(other.sealing_key)).encrypt(told)
                deals.append(Deal(self.own.epoch, self.own.index, other.index, bytes(sealed)))
        return deals

    def finish(self, contributions: Sequence[Contribution], deals: Sequence[Deal]) -> tuple[QuestionKey, KeyGroup]:
        """Round 3: this member's share and the group. Raises: GenerationFailed, naming who sent what does not fit."""
        by_index = _fitting(self.own, contributions)
        received = {deal.sender: deal for deal in deals if deal.receiver == self.own.index}
        share = share_of(self.coefficients, self.own.index)
        for index, other in sorted(by_index.items()):
            if index == self.own.index:
                continue
            if index not in received:
                raise GenerationFailed(f"member {index} has not sent its share yet; ask it for its file")
            part = self._opened(received[index], other)
            share = bytes(rbcl.crypto_core_ristretto255_scalar_add(share, part))
        members = tuple(
            GroupMember(index, sum_of([_committed(one, index) for one in by_index.values()]), by_index[index].url)
            for index in sorted(by_index)
        )
        public = sum_of([one.commitments[0] for one in by_index.values()])
        group = KeyGroup(self.own.epoch, self.own.threshold, public, members)
        group.verify()
        key = QuestionKey(self.own.epoch, self.own.index, share)
        if key.public != group.member(self.own.index).public:
            raise GenerationFailed("the share does not fit its own public key; begin again")
        return key, group

    def _opened(self, deal: Deal, sender: Contribution) -> bytes:
        try:
            told = bytes(SealedBox(PrivateKey(self.sealing_seed)).decrypt(deal.sealed))
        except (CryptoError, ValueError):
            raise GenerationFailed(
                f"the share of member {deal.sender} cannot be opened; it was sealed to another"
            ) from None
        bound = _bound(sender, self.own.index)
        if told[: len(bound)] != bound:
            raise GenerationFailed(f"the share of member {deal.sender} belongs to another making of a key")
        part = read_scalar(told[len(bound) :])
        if times_base(part) != _committed(sender, self.own.index):
            raise GenerationFailed(f"member {deal.sender} sent a share that does not fit what it showed; exclude it")
        return part


def begin(epoch: str, threshold: int, index: int, url: str = "") -> Generation:
    """Round 1: this member's secret part; its `own` is what to publish."""
    if not is_epoch(epoch) or not 1 <= threshold <= MOST_MEMBERS or not 1 <= index <= MOST_MEMBERS:
        raise GenerationFailed(f"an epoch is a short name such as 2027; threshold and index are 1 to {MOST_MEMBERS}")
    coefficients = tuple(polynomial(threshold))
    commitments = tuple(times_base(coefficient) for coefficient in coefficients)
    nonce = random_scalar()
    challenge = _possession(epoch, index, commitments[0], times_base(nonce))
    product = bytes(rbcl.crypto_core_ristretto255_scalar_mul(challenge, coefficients[0]))
    response = bytes(rbcl.crypto_core_ristretto255_scalar_sub(nonce, product))
    sealing = PrivateKey.generate()
    own = Contribution(epoch, threshold, index, commitments, (challenge, response), bytes(sealing.public_key), url)
    return Generation(own, coefficients, bytes(sealing))


def transcript(contributions: Sequence[Contribution]) -> str:
    """What members read to each other at the end: the same only when all saw the same contributions."""
    lines = "\n".join(one.format() for one in sorted(contributions, key=lambda one: one.index))
    return hashlib.sha256(lines.encode()).hexdigest()[:32]


def _possession(epoch: str, index: int, commitment: bytes, nonce: bytes) -> bytes:
    return VOPRF.hash_to_scalar(b"openceir-possession/1|%b|%d|" % (epoch.encode(), index) + commitment + nonce)


def _bound(sender: Contribution, receiver: int) -> bytes:
    """What binds a sealed share to this making, this sender and this receiver."""
    return hashlib.sha256(f"openceir-deal/1|{receiver}|{sender.format()}".encode()).digest()


def _committed(one: Contribution, index: int) -> bytes:
    """f(index) · B from the commitments to f."""
    return sum_of([times(scalar_of(index**power), element) for power, element in enumerate(one.commitments)])


def _fitting(own: Contribution, contributions: Sequence[Contribution]) -> Mapping[int, Contribution]:
    by_index = {one.index: one for one in contributions}
    if len(by_index) != len(contributions) or by_index.get(own.index) != own:
        raise GenerationFailed("each member contributes once, and your own contribution must be among them, unchanged")
    for one in contributions:
        if (one.epoch, one.threshold) != (own.epoch, own.threshold):
            raise GenerationFailed(f"member {one.index} means another epoch or threshold")
        one.verify()
    if len(contributions) < own.threshold:
        raise GenerationFailed(f"{len(contributions)} members cannot hold a key of which {own.threshold} must answer")
    return by_index
