"""The proof that a log showed two histories: a file that anybody checks offline with the log's public key alone.

A log signs checkpoints: so many entries, this root over them. Two of them contradict each other when the larger tree
does not begin with the smaller one:

    older   m entries, root R        signed by the log
    newer   n entries, root S        signed by the log, n >= m
    prefix  root P, and a consistency proof from (m, P) to (n, S)

The proof shows that the tree of root S begins with P and with nothing else, as surely as SHA-256 stands. P is not R, so
the log signed two trees. With m = n no proof is needed: P is S. Who holds such a file needs nobody's word for it, and
a log cannot be accused falsely: nobody but its key signs for it.
"""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from openceir.errors import OpenceirError
from openceir.federation.errors import ProofOfForkRefused
from openceir.ledger import MerkleLog, SignedCheckpoint, verify_consistency
from openceir.statements import PublicKey

__all__ = ["ForkProof", "signed_by_any"]

_FORM: Final = "openceir-fork/1"
_FIELDS: Final = {"form", "log_keys", "older", "newer", "prefix_root", "proof"}
MOST_OCTETS: Final = 256 << 10


@dataclass(frozen=True, slots=True)
class ForkProof:
    """Two checkpoints of one log of which one denies the other."""

    log_keys: tuple[PublicKey, ...]  # one, or two when the log's key was changed in between
    older: SignedCheckpoint
    newer: SignedCheckpoint
    prefix_root: bytes  # of the first entries of the newer tree, as many as the older one has
    proof: tuple[bytes, ...]

    @classmethod
    def find(
        cls, log_keys: Iterable[PublicKey], note: SignedCheckpoint, held: SignedCheckpoint, tree: MerkleLog
    ) -> "ForkProof | None":
        """The proof that `note` denies what the log signed before; None when the two agree.

        `held` is a checkpoint of the log, and `tree` the tree under it, or a longer one. `note` must not be larger than
        `held`. Both must have been verified.
        """
        small, large = note.checkpoint, held.checkpoint
        prefix = tree.root(small.size)
        if prefix == small.root:
            return None
        proof = tree.consistency_proof(small.size, large.size)
        return cls(tuple(dict.fromkeys(log_keys)), note, held, prefix, tuple(proof))

    def format(self) -> str:
        """The text of a .fork file."""
        return json.dumps(
            {
                "form": _FORM,
                "log_keys": [key.format() for key in self.log_keys],
                "older": self.older.format(),
                "newer": self.newer.format(),
                "prefix_root": base64.b64encode(self.prefix_root).decode(),
                "proof": [base64.b64encode(node).decode() for node in self.proof],
            },
            ensure_ascii=False,
            indent=1,
        )

    @classmethod
    def parse(cls, text: str) -> "ForkProof":
        """The proof in a text, nothing verified yet; raises ProofOfForkRefused."""
        try:
            if len(text) > MOST_OCTETS:
                raise ProofOfForkRefused(f"a proof of a fork has at most {MOST_OCTETS} octets")
            said: Any = json.loads(text)
            if not isinstance(said, dict) or set(said) != _FIELDS or said["form"] != _FORM:
                raise ProofOfForkRefused(f"that is no proof of a fork: expected {_FORM} with its six fields")
            keys, proof = said["log_keys"], said["proof"]
            if not (isinstance(keys, list) and 1 <= len(keys) <= 2 and isinstance(proof, list) and len(proof) <= 64):
                raise ProofOfForkRefused("a proof of a fork has one or two keys and at most 64 hashes")
            return cls(
                tuple(PublicKey.parse(key) for key in keys),
                SignedCheckpoint.parse(said["older"]),
                SignedCheckpoint.parse(said["newer"]),
                base64.b64decode(said["prefix_root"], validate=True),
                tuple(base64.b64decode(node, validate=True) for node in proof),
            )
        except (OpenceirError, ValueError, TypeError, AttributeError, RecursionError) as wrong:
            if isinstance(wrong, ProofOfForkRefused):
                raise
            raise ProofOfForkRefused(f"that is no proof of a fork: {wrong}") from wrong

    def verify(self, trusted: Iterable[PublicKey] | None = None) -> None:
        """Raise ProofOfForkRefused unless this shows that the log signed two histories.

        `trusted` are the log's keys as the reader knows them; without, the keys in the file are shown and not judged.
        """
        if trusted is not None and not set(self.log_keys) <= set(trusted):
            raise ProofOfForkRefused("the proof names a key that is not the log's")
        older, newer = (self._signed(note) for note in (self.older, self.newer))
        small, large = older.checkpoint, newer.checkpoint
        if small.origin != large.origin:
            raise ProofOfForkRefused("the two checkpoints are of two logs")
        if not 0 < small.size <= large.size:
            raise ProofOfForkRefused("the older checkpoint must have entries, and not more of them than the newer one")
        try:
            verify_consistency(small.size, large.size, self.prefix_root, large.root, self.proof)
        except OpenceirError as wrong:
            raise ProofOfForkRefused(f"the newer tree is not shown to begin as stated: {wrong}") from wrong
        if self.prefix_root == small.root:
            raise ProofOfForkRefused("the newer tree begins with the older one: the log only grew")

    @property
    def name(self) -> str:
        """A file name that says which log and where."""
        origin = "".join(c if c.isascii() and (c.isalnum() or c in "-.") else "-" for c in self.older.checkpoint.origin)
        return f"{origin[:60]}-{self.older.checkpoint.size}-{self.newer.checkpoint.size}.fork"

    def _signed(self, note: SignedCheckpoint) -> SignedCheckpoint:
        signed = signed_by_any(note, self.log_keys)
        if signed is None:
            raise ProofOfForkRefused("one of the two checkpoints bears no true signature by the log")
        return signed


def signed_by_any(note: SignedCheckpoint, keys: Iterable[PublicKey]) -> SignedCheckpoint | None:
    """The checkpoint with the log's signature alone; None when none of the keys signed it."""
    for key in keys:
        try:
            return note.signed_by(key)
        except OpenceirError:
            continue
    return None
