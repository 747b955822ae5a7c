"""Cosignatures: a witness says that it saw a log's checkpoint, when, and that the log had only grown until then.

The signed message is two lines before the checkpoint's own text, so that no cosignature is a signature of a log:

    cosignature/v1
    time 1679315147
    openceir/1a2b3c4d
    4711
    q83vEjRWeJC…=

The signature line holds the key's hash (type 4), the time as eight octets, and the Ed25519 signature.

Source: C2SP tlog-cosignature, "Ed25519 signed message"; its ML-DSA-44 form is not done.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Final

from openceir.ledger.checkpoint import SignedCheckpoint, from_base64, signature_line, split_signature
from openceir.ledger.errors import ProofRefused
from openceir.statements import KeyRefused, PublicKey, SigningKey

__all__ = ["WitnessKey", "cosign"]

_TYPE: Final = b"\x04"
_TIME_OCTETS: Final = 8
_LATEST: Final = 1 << 37  # seconds; what a datetime can hold, far under the document's 2^63


@dataclass(frozen=True)
class WitnessKey:
    """The public key of a witness and its name; as a line, `<name>+<hash>+<base64(0x04 || key)>`."""

    name: str
    octets: bytes

    @classmethod
    def of(cls, key: PublicKey) -> "WitnessKey":
        """An Ed25519 key in its use as a witness's."""
        return cls(key.name, key.octets)

    @classmethod
    def parse(cls, text: str) -> "WitnessKey":
        """The key in one line; raises KeyRefused."""
        name, _, rest = text.strip().partition("+")
        key_hash, _, encoded = rest.partition("+")
        octets = from_base64(encoded)
        if octets is None or octets[:1] != _TYPE or len(octets) != 33:
            raise KeyRefused("a witness's key is one line of name, hash and base64 of type 4, joined by plus signs")
        key = cls.of(PublicKey(name, octets[1:]))
        if key.note_hash.hex() != key_hash:
            raise KeyRefused(f"the key of witness {name} does not match the hash beside it; copy the line again")
        return key

    def format(self) -> str:
        """The line that `parse` reads."""
        return f"{self.name}+{self.note_hash.hex()}+{base64.b64encode(_TYPE + self.octets).decode()}"

    @cached_property
    def note_hash(self) -> bytes:
        """The four octets that lead a cosignature line of this key."""
        return hashlib.sha256(self.name.encode() + b"\n" + _TYPE + self.octets).digest()[:4]

    def find(self, signed: SignedCheckpoint) -> datetime | None:
        """When this witness cosigned the checkpoint; None when it did not, or what stands there is not its signature.

        A false line proves nothing against the witness: anybody can write one under its name.
        """
        for line in signed.signatures:
            name, octets = split_signature(line)
            if name != self.name or octets[:4] != self.note_hash or len(octets) != 4 + _TIME_OCTETS + 64:
                continue
            seconds = int.from_bytes(octets[4 : 4 + _TIME_OCTETS])
            message = _message(seconds, signed.text)
            if seconds < _LATEST and PublicKey(self.name, self.octets).has_signed(message, octets[4 + _TIME_OCTETS :]):
                return datetime.fromtimestamp(seconds, UTC)
        return None

    def verify(self, signed: SignedCheckpoint) -> datetime:
        """When this witness cosigned the checkpoint; raises ProofRefused when it did not."""
        at = self.find(signed)
        if at is None:
            raise ProofRefused(f"the checkpoint bears no true cosignature by {self.name}")
        return at


def cosign(signed: SignedCheckpoint, key: SigningKey, at: datetime) -> str:
    """The signature line by which the witness with this key says that it saw the checkpoint at `at`."""
    seconds = int(at.timestamp())
    signature = key.sign(_message(seconds, signed.text))
    octets = WitnessKey.of(key.public).note_hash + seconds.to_bytes(_TIME_OCTETS) + signature
    return signature_line(key.name, octets)


def _message(seconds: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()
