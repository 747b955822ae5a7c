"""The witness's side of "here is my new checkpoint, and the proof that I only grew": what is asked and what is answered.

    old 4700                          the size that the witness saw last
    PlRNCrwHpqhGrupue0L7gxbjbMiK…=    the consistency proof, a line a hash

    openceir/1a2b3c4d                 the checkpoint
    4711
    …

`judge` decides and changes nothing. Whoever calls it keeps what was seen last, and must read it, judge and keep the
new one as one step: two requests at once could otherwise roll the witness back.

Source: C2SP tlog-witness, "add-checkpoint".
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from openceir.ledger.checkpoint import Checkpoint, SignedCheckpoint, from_base64
from openceir.ledger.cosignature import cosign
from openceir.ledger.errors import ProofRefused
from openceir.ledger.merkle import EMPTY_ROOT, verify_consistency
from openceir.statements import PublicKey, SigningKey

__all__ = ["AddCheckpoint", "WitnessAnswer", "judge"]

MOST_PROOF_LINES: Final = 63
MOST_OCTETS: Final = 72 << 10
_TEXT: Final = "text/plain; charset=utf-8"
_SIZE: Final = "text/x.tlog.size"


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request to a witness."""

    old_size: int
    proof: tuple[bytes, ...]
    note: SignedCheckpoint

    def format(self) -> str:
        """The body of the request."""
        lines = [f"old {self.old_size}", *(base64.b64encode(node).decode() for node in self.proof), ""]
        return "\n".join(lines) + "\n" + self.note.format()

    @classmethod
    def parse(cls, body: str) -> "AddCheckpoint":
        """The request in `body`; raises ProofRefused, which the door answers with 400."""
        head, blank, note = body.partition("\n\n")
        old, *proof = head.split("\n")
        size = old.removeprefix("old ")
        if len(body) > MOST_OCTETS or not blank or len(proof) > MOST_PROOF_LINES:
            raise ProofRefused("the request is an old size, at most 63 lines of proof, an empty line and a checkpoint")
        if (
            not (old.startswith("old ") and size.isascii() and size.isdigit())
            or len(size) > 19
            or str(int(size)) != size
        ):
            raise ProofRefused('the first line is "old" and a decimal number without leading zeros')
        nodes = [from_base64(line) for line in proof]
        if any(node is None or len(node) != 32 for node in nodes):
            raise ProofRefused("a line of the proof is a hash of 32 octets in base64")
        return cls(int(size), tuple(node for node in nodes if node is not None), SignedCheckpoint.parse(note))


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    """What to answer; `seen` is to be kept, durably, before the answer goes out."""

    status: int
    body: str
    content_type: str = _TEXT
    seen: SignedCheckpoint | None = None  # None: nothing changes


def judge(
    asked: AddCheckpoint, log_keys: Iterable[PublicKey], last: Checkpoint | None, key: SigningKey, at: datetime
) -> WitnessAnswer:
    """The answer of the witness with `key`, which trusts `log_keys` for this origin and saw `last` of it.

    200 with the cosignature; 404 for an origin without keys; 403 without a true signature; 400 when the old size is
    above the new one; 409 with the size that was seen when the old size is another; 422 for a proof that is false.
    """
    keys = list(log_keys)
    if not keys:
        return WitnessAnswer(404, "no log of this origin is known here\n")
    signed = _signed_by(asked.note, keys)
    if signed is None:
        return WitnessAnswer(403, "the checkpoint bears no true signature by a key that is known for its log\n")
    new = signed.checkpoint
    if asked.old_size > new.size:
        return WitnessAnswer(400, "the old size is above that of the checkpoint\n")
    seen_size, seen_root = (last.size, last.root) if last is not None else (0, EMPTY_ROOT)
    if asked.old_size != seen_size or (new.size == seen_size and new.root != seen_root):
        return WitnessAnswer(409, f"{seen_size}\n", _SIZE)
    try:
        verify_consistency(seen_size, new.size, seen_root, new.root, asked.proof)
    except ProofRefused as wrong:
        return WitnessAnswer(422, f"{wrong}\n")
    line = cosign(signed, key, at)
    return WitnessAnswer(200, line + "\n", seen=signed.with_signatures([line]))


def _signed_by(note: SignedCheckpoint, keys: Iterable[PublicKey]) -> SignedCheckpoint | None:
    """The checkpoint with the log's signature alone, if one of the keys signed it."""
    for key in keys:
        try:
            return note.signed_by(key)
        except ProofRefused:
            continue
    return None
