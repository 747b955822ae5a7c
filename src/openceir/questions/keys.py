"""Keys of an epoch: the secret that one evaluator holds, and what everybody may know of all of them.

A key that is whole is derived from a seed (RFC 9497 §3.2.1), which lets the Rust library `voprf` do the evaluating
where it is installed: half the time of libsodium's for a list of millions. A share has no seed and is evaluated by
libsodium. Both give the same octets; a test holds them against each other and against the RFC's vectors.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from openceir.questions.errors import ElementRefused, KeyGroupRefused, QuestionError
from openceir.questions.oprf import (
    MOST_IN_BATCH,
    PROOF_OCTETS,
    VOPRF,
    read_element,
    read_scalar,
    times,
    times_base,
)
from openceir.questions.sharing import verify_group

try:
    from voprf import ristretto as _quick
except ImportError:  # an extra; without it libsodium does the same more slowly
    _quick = None  # type: ignore[assignment]

__all__ = ["GroupMember", "KeyGroup", "QuestionKey", "evaluate_blinded", "is_epoch"]

_FORMAT = "openceir-question-key/1"
_EPOCH = re.compile(r"[0-9a-z][0-9a-z-]{0,31}")
_INFO = b"openceir-questions"


def is_epoch(text: object) -> bool:
    """Whether `text` can name an epoch: it becomes a file name."""
    return isinstance(text, str) and _EPOCH.fullmatch(text) is not None


@dataclass(frozen=True)
class QuestionKey:
    """One evaluator's secret for one epoch: the whole key, or member `index`'s share of it."""

    epoch: str
    index: int
    scalar: bytes = field(repr=False)
    seed: bytes | None = field(default=None, repr=False)

    @classmethod
    def of_seed(cls, epoch: str, seed: bytes) -> "QuestionKey":
        """A whole key."""
        if not is_epoch(epoch):
            raise QuestionError(f"{epoch[:40]!r} cannot name an epoch: small letters, digits and hyphens, such as 2027")
        return cls(epoch, 1, VOPRF.derive_key(seed, _INFO + b"/" + epoch.encode()), seed)

    @classmethod
    def parse(cls, text: str) -> "QuestionKey":
        """The key that `format` wrote. Raises: QuestionError, which never shows the text."""
        try:
            said = json.loads(text)
            if said.pop("format") != _FORMAT or not is_epoch(said["epoch"]):
                raise ValueError
            if "seed" in said:
                return cls.of_seed(said["epoch"], bytes.fromhex(said["seed"]))
            index, scalar = said["index"], read_scalar(bytes.fromhex(said["share"]))
            if type(index) is not int or index < 1:
                raise ValueError
            return cls(said["epoch"], index, scalar)
        except (ValueError, KeyError, TypeError, AttributeError, QuestionError, RecursionError):
            raise QuestionError("that is no question key; restore it from its copy") from None

    def format(self) -> str:
        """The secret as it is kept, one line of JSON."""
        secret: dict[str, Any] = {"share": self.scalar.hex(), "index": self.index}
        if self.seed is not None:
            secret = {"seed": self.seed.hex()}
        return json.dumps({"format": _FORMAT, "epoch": self.epoch, **secret})

    @cached_property
    def public(self) -> bytes:
        """The public key, 32 octets."""
        return times_base(self.scalar)

    @cached_property
    def _evaluator(self) -> "_quick.Evaluator | None":
        if _quick is None or self.seed is None:
            return None
        return _quick.Evaluator.from_seed(self.seed, _INFO + b"/" + self.epoch.encode())

    @property
    def is_quick(self) -> bool:
        """Whether the Rust library does the work."""
        return self._evaluator is not None

    def evaluate(self, subjects: Sequence[bytes]) -> list[bytes]:
        """The outputs, 64 octets each, for subjects that are known here."""
        if (quick := self._evaluator) is not None:
            return [quick.evaluate_known_input(subject) for subject in subjects]
        return [VOPRF.evaluate(self.scalar, subject) for subject in subjects]

    def answer(self, blinded: Sequence[bytes]) -> tuple[list[bytes], bytes]:
        """The evaluations of blinded elements and one proof of all of them.

        Raises: ElementRefused; QuestionError when there are none or too many.
        """
        if (quick := self._evaluator) is not None and len(blinded) == 1:  # as every citizen's question is
            answered = quick.evaluate(_quick_element(blinded[0])).serialize()
            return [answered[PROOF_OCTETS:]], answered[:PROOF_OCTETS]
        return evaluate_blinded(self.scalar, blinded, self.public)


def _quick_element(octets: bytes) -> "_quick.BlindedInput":
    """The element for the Rust library, which refuses what `read_element` refuses and does not say why."""
    try:
        return _quick.BlindedInput.deserialize(octets)
    except ValueError:
        read_element(octets)
        raise ElementRefused("the octets are no element that can be evaluated") from None


def evaluate_blinded(scalar: bytes, blinded: Sequence[bytes], public: bytes | None = None) -> tuple[list[bytes], bytes]:
    """The evaluations of blinded elements under any key, and one proof of all of them.

    Raises: ElementRefused; QuestionError when there are none or too many.
    """
    if not 1 <= len(blinded) <= MOST_IN_BATCH:
        raise QuestionError(f"a question holds 1 to {MOST_IN_BATCH} elements, this one {len(blinded)}")
    evaluated = [times(scalar, read_element(element)) for element in blinded]
    return evaluated, VOPRF.prove(scalar, public or times_base(scalar), blinded, evaluated)


@dataclass(frozen=True, slots=True)
class GroupMember:
    """One who holds a share: its number, its public key, and where it is asked; no address: the register itself."""

    index: int
    public: bytes
    url: str = ""


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """What everybody may know of an epoch's key: its public key, and who answers for it together."""

    epoch: str
    threshold: int
    public: bytes
    members: tuple[GroupMember, ...]

    @classmethod
    def of_one(cls, key: QuestionKey) -> "KeyGroup":
        """A register that holds the whole key itself."""
        return cls(key.epoch, 1, key.public, (GroupMember(1, key.public),))

    def verify(self) -> None:
        """Return when the public keys belong together. Raises: KeyGroupRefused."""
        if len({member.index for member in self.members}) != len(self.members):
            raise KeyGroupRefused("a member stands twice in the group")
        for element in (self.public, *(member.public for member in self.members)):
            read_element(element)
        verify_group(self.threshold, self.public, {member.index: member.public for member in self.members})

    def member(self, index: int) -> GroupMember:
        """The member of this number. Raises: KeyGroupRefused."""
        for member in self.members:
            if member.index == index:
                return member
        raise KeyGroupRefused(f"there is no member {index} in the group of the epoch {self.epoch}")

    def as_json(self) -> dict[str, Any]:
        """The group as documents carry it."""
        return {
            "epoch": self.epoch,
            "threshold": self.threshold,
            "public_key": self.public.hex(),
            "members": [
                {"index": member.index, "public_key": member.public.hex(), "url": member.url} for member in self.members
            ],
        }

    @classmethod
    def from_json(cls, said: Any) -> "KeyGroup":
        """The group in a document, verified. Raises: KeyGroupRefused, ElementRefused."""
        try:
            if not is_epoch(said["epoch"]) or type(said["threshold"]) is not int:
                raise ValueError
            members = tuple(_member(row) for row in said["members"])
            group = cls(said["epoch"], said["threshold"], bytes.fromhex(said["public_key"]), members)
        except (KeyError, TypeError, ValueError):
            raise KeyGroupRefused("the document names no group of keys as docs/reference/questions.md says") from None
        group.verify()
        return group


def _member(row: Mapping[str, Any]) -> GroupMember:
    if type(row["index"]) is not int or not isinstance(row["url"], str) or len(row["url"]) > 2000:
        raise ValueError
    return GroupMember(row["index"], bytes.fromhex(row["public_key"]), row["url"])
