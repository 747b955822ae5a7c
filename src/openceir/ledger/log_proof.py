"""A proof in plain text that an entry stands in a log that witnesses watch: for readers that know C2SP, not COSE.

    c2sp.org/tlog-proof@v1
    index 73894
    gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=

    openceir/1a2b3c4d
    109482
    …

Source: C2SP tlog-proof. It says the same as a receipt (`ledger.receipt`), with the witnesses' word besides.
"""

import base64
from dataclasses import dataclass
from typing import Final

from openceir.ledger.checkpoint import SignedCheckpoint, from_base64
from openceir.ledger.errors import ProofRefused
from openceir.ledger.log_policy import LogPolicy
from openceir.ledger.merkle import MerkleLog, verify_inclusion

__all__ = ["LogProof"]

_FIRST_LINE: Final = "c2sp.org/tlog-proof@v1"
MOST_OCTETS: Final = 128 << 10


@dataclass(frozen=True, slots=True)
class LogProof:
    """An inclusion proof and the checkpoint that it leads to."""

    index: int
    path: tuple[bytes, ...]
    note: SignedCheckpoint
    extra: bytes = b""  # signed by nobody

    @classmethod
    def make(cls, tree: MerkleLog, index: int, note: SignedCheckpoint) -> "LogProof":
        """The proof for entry `index` under a checkpoint of the log of this tree."""
        return cls(index, tuple(tree.inclusion_proof(index, note.checkpoint.size)), note)

    def format(self) -> str:
        """The text of a .tlog-proof file."""
        extra = [f"extra {base64.b64encode(self.extra).decode()}"] if self.extra else []
        path = [base64.b64encode(node).decode() for node in self.path]
        return "\n".join([_FIRST_LINE, *extra, f"index {self.index}", *path, ""]) + "\n" + self.note.format()

    @classmethod
    def parse(cls, text: str) -> "LogProof":
        """The proof in a text, nothing verified yet; raises ProofRefused."""
        head, blank, note = text.partition("\n\n")
        lines = head.split("\n")
        if len(text) > MOST_OCTETS or not blank or lines.pop(0) != _FIRST_LINE or not lines:
            raise ProofRefused(f"a proof of a log begins with {_FIRST_LINE} and ends with a checkpoint")
        extra: bytes | None = b""
        if lines[0].startswith("extra "):
            extra = from_base64(lines.pop(0).removeprefix("extra "))
        index = lines.pop(0) if lines else ""
        number = index.removeprefix("index ")
        path = [from_base64(line) for line in lines]
        if extra is None or not index.startswith("index ") or not (number.isascii() and number.isdigit()):
            raise ProofRefused("a proof of a log states the index of the entry, in decimal")
        if len(number) > 19 or str(int(number)) != number or len(path) > 64 or any(node is None for node in path):
            raise ProofRefused("a proof of a log has at most 64 lines of base64 after an index without leading zeros")
        return cls(int(number), tuple(node for node in path if node), SignedCheckpoint.parse(note), extra)

    def verify(self, leaf_hash: bytes, policy: LogPolicy) -> None:
        """Raise ProofRefused unless the entry of this leaf hash stands in a log that the policy believes."""
        checkpoint = policy.verify(self.note)
        verify_inclusion(leaf_hash, self.index, checkpoint.size, self.path, checkpoint.root)
