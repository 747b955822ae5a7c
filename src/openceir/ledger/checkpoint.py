"""The head of the log, signed: how many entries, and the root over them.

    openceir/1a2b3c4d
    4711
    q83vEjRWeJC…=

    — openceir/1a2b3c4d Az3gr…

Source: C2SP tlog-checkpoint and signed-note. Lines of other signers (witnesses) are kept and passed over.
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from openceir.ledger.errors import ProofRefused
from openceir.statements import PublicKey, SigningKey

__all__ = ["Checkpoint", "SignedCheckpoint", "from_base64", "signature_line", "split_signature"]

_DASH: Final = "\u2014 "
MOST_OCTETS: Final = 64 << 10
MOST_SIGNATURES: Final = 100


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Which log, how many entries, and their root; extension lines are signed with it and mean nothing to us."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def format(self) -> str:
        """The text that is signed."""
        root = base64.b64encode(self.root).decode()
        return "".join(f"{line}\n" for line in (self.origin, str(self.size), root, *self.extensions))

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """The checkpoint that a note's text states; raises ProofRefused."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
            raise ProofRefused("a checkpoint has three lines or more: origin, number of entries, root in base64")
        origin, size, root, *extensions = lines[:-1]
        if not (size.isascii() and size.isdigit()) or (size[0] == "0" and size != "0") or len(size) > 19:
            raise ProofRefused("the second line of a checkpoint is a decimal number of entries, without leading zeros")
        octets = from_base64(root)
        if octets is None or len(octets) != 32:
            raise ProofRefused("the third line of a checkpoint is a root of 32 octets in base64")
        return cls(origin, int(size), octets, tuple(extensions))

    def sign(self, key: SigningKey) -> "SignedCheckpoint":
        """The checkpoint with the signature line of `key`."""
        text = self.format()
        signed = key.public.note_hash + key.sign(text.encode())
        return SignedCheckpoint(self, text, (signature_line(key.name, signed),))


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint as published: its text, and the lines of those who signed it."""

    checkpoint: Checkpoint
    text: str
    signatures: tuple[str, ...]

    def format(self) -> str:
        """The signed note."""
        return self.text + "\n" + "".join(f"{line}\n" for line in self.signatures)

    @classmethod
    def parse(cls, note: str) -> "SignedCheckpoint":
        """The checkpoint in a signed note, its signatures not yet checked; raises ProofRefused."""
        # Half a surrogate pair, which a JSON escape can bring, has no UTF-8 that could have been signed.
        if len(note) > MOST_OCTETS or any((c < " " and c != "\n") or "\ud800" <= c <= "\udfff" for c in note):
            raise ProofRefused("a checkpoint is at most 64 KiB of UTF-8 text without control characters")
        text, blank, rest = note.rpartition("\n\n")
        lines = rest.split("\n")
        if not blank or lines.pop() or not 1 <= len(lines) <= MOST_SIGNATURES:
            raise ProofRefused("a checkpoint ends with a blank line and one line a signature; was it cut?")
        for line in lines:
            split_signature(line)
        return cls(Checkpoint.parse(text + "\n"), text + "\n", tuple(lines))

    def verify(self, key: PublicKey) -> Checkpoint:
        """The checkpoint, if `key` signed it and it is of the log that the key names; raises ProofRefused otherwise."""
        return self.signed_by(key).checkpoint

    def signed_by(self, key: PublicKey) -> "SignedCheckpoint":
        """The checkpoint with the signature line of `key` alone, the log's own; raises ProofRefused as `verify` does."""
        if self.checkpoint.origin != key.name:
            raise ProofRefused(f"the checkpoint is of the log {self.checkpoint.origin}, the key is of {key.name}")
        for line in self.signatures:
            name, octets = split_signature(line)
            if name == key.name and octets[:4] == key.note_hash:
                if key.has_signed(self.text.encode(), octets[4:]):
                    return replace(self, signatures=(line,))
                raise ProofRefused(f"the signature by {name} is false; the checkpoint was changed or never was signed")
        raise ProofRefused(f"the checkpoint bears no signature by {key.name}")

    def with_signatures(self, lines: Iterable[str]) -> "SignedCheckpoint":
        """The same checkpoint with these lines besides, each once."""
        return replace(self, signatures=tuple(dict.fromkeys([*self.signatures, *lines])))


def signature_line(name: str, octets: bytes) -> str:
    """A line of a signed note: who signed, and the first four octets of the key's hash before the signature."""
    return f"{_DASH}{name} {base64.b64encode(octets).decode()}"


def split_signature(line: str) -> tuple[str, bytes]:
    """Name and octets of a signature line; raises ProofRefused."""
    name, gap, encoded = line.removeprefix(_DASH).partition(" ")
    octets = from_base64(encoded)
    if not line.startswith(_DASH) or not name or not gap or octets is None or len(octets) < 5:
        raise ProofRefused("a signature line of a checkpoint is an em dash, a name and base64")
    return name, octets


def from_base64(text: str) -> bytes | None:
    """The octets, or None unless `text` is their one standard spelling."""
    try:
        octets = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
    return octets if base64.b64encode(octets).decode() == text else None
