"""The asker's half, without a socket: what to send, what to make of what came back, where to look it up.

asked = Asking(group, subjects)
body  = asked.request(tokens)             POST it to t members
asked.take(index, reply)                  verified, or refused with the member's name
outputs = asked.outputs()                 once t members answered
bucket_path(layer, bucket_number(output, layer.prefix_bits)), word_in(output, Bucket.read(…))
"""

from collections.abc import Sequence
from typing import Any

from openceir.questions.bucket import Word
from openceir.questions.errors import ElementRefused, KeyGroupRefused, NoAnswer, ProofFalse
from openceir.questions.keys import KeyGroup
from openceir.questions.manifest import RestrictedRange
from openceir.questions.oprf import MOST_IN_BATCH, VOPRF, Blinded, read_element
from openceir.questions.sharing import combine

__all__ = ["Asking", "elements_in", "range_word"]


def elements_in(said: Any) -> list[bytes]:
    """The elements of a request or reply: an array of 64 hexadecimal digits each. Raises: ElementRefused."""
    if not isinstance(said, list) or not 1 <= len(said) <= MOST_IN_BATCH:
        raise ElementRefused(f"elements is an array of 1 to {MOST_IN_BATCH} texts")
    found = []
    for text in said:
        if not isinstance(text, str) or len(text) != 64 or not text.isascii():
            raise ElementRefused("an element is written as 64 hexadecimal digits")
        try:
            found.append(read_element(bytes.fromhex(text)))
        except ValueError:
            raise ElementRefused("an element is written as 64 hexadecimal digits") from None
    return found


class Asking:
    """Questions that travel together, with one proof a member."""

    def __init__(self, group: KeyGroup, subjects: Sequence[bytes]) -> None:
        self.group = group
        self._blinded: list[Blinded] = [VOPRF.blind(subject) for subject in subjects]
        self._partials: dict[int, list[bytes]] = {}

    def request(self, tokens: Sequence[str] = ()) -> dict[str, Any]:
        """The body to send to every member; it holds uniform group elements and nothing of the subjects."""
        said: dict[str, Any] = {"epoch": self.group.epoch, "elements": [each.element.hex() for each in self._blinded]}
        return {**said, "tokens": list(tokens)} if tokens else said

    def take(self, index: int, reply: Any) -> None:
        """A member's evaluations, verified against its public key.

        Raises: ProofFalse, KeyGroupRefused; NoAnswer when the reply is no evaluation.
        """
        member = self.group.member(index)
        try:
            evaluated, proof = elements_in(reply["elements"]), bytes.fromhex(reply["proof"])
        except (KeyError, TypeError, ValueError, ElementRefused):
            raise NoAnswer(f"member {index} answered something that is no evaluation") from None
        try:
            VOPRF.verify(member.public, [each.element for each in self._blinded], evaluated, proof)
        except (ProofFalse, ElementRefused) as wrong:
            raise ProofFalse(f"member {index} of the epoch {self.group.epoch}: {wrong}") from None
        self._partials[index] = evaluated

    @property
    def is_answered(self) -> bool:
        """Whether enough members answered."""
        return len(self._partials) >= self.group.threshold

    def outputs(self) -> list[bytes]:
        """The outputs, 64 octets a subject, in order. Raises: KeyGroupRefused before enough members answered."""
        if not self.is_answered:
            raise KeyGroupRefused(f"{len(self._partials)} members answered, {self.group.threshold} are needed")
        chosen = sorted(self._partials)[: self.group.threshold]
        return [
            VOPRF.finalize(blinded, combine({index: self._partials[index][place] for index in chosen}))
            for place, blinded in enumerate(self._blinded)
        ]


def range_word(subject: bytes, ranges: Sequence[RestrictedRange]) -> Word | None:
    """What a restricted range says of an IMEI; BLOCKED before TRACKED."""
    text = subject.decode()
    found = [one.word for one in ranges if one.first <= text <= one.last] if text.isdigit() else []
    return min(found, default=None)
