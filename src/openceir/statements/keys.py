"""Ed25519 keys and the one line of text that each is kept and handed over as.

    PRIVATE+KEY+<name>+<hash>+<base64(0x01 || 32-octet seed)>
    <name>+<hash>+<base64(0x01 || 32-octet public key)>

The hash is the first four octets of SHA-256(name || LF || 0x01 || public key), in hexadecimal, so a mistyped line or
a renamed key is noticed. Source: C2SP signed-note; the encodings are those of golang.org/x/mod/sumdb/note.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import nacl._sodium as _sodium  # type: ignore[import-not-found]  # made by cffi, without a stub
from nacl.bindings import crypto_sign as _crypto_sign
from nacl.bindings import crypto_sign_seed_keypair

from openceir.statements._cbor import write_canonical
from openceir.statements.errors import KeyRefused

__all__ = ["PublicKey", "SigningKey"]

_ED25519: Final = b"\x01"
_PRIVATE: Final = "PRIVATE+KEY+"
_SIGNATURE_OCTETS: Final = 64


@dataclass(frozen=True)
class PublicKey:
    """An Ed25519 public key and the name of who signs with it."""

    name: str
    octets: bytes

    def __post_init__(self) -> None:
        """Raises: KeyRefused for a name that a signed note cannot carry, or a key of another length."""
        if not self.name or "+" in self.name or any(c.isspace() or not c.isprintable() for c in self.name):
            raise KeyRefused(f"{self.name!r} cannot name a key: use printable characters, no space and no plus sign")
        if len(self.octets) != 32:
            raise KeyRefused(f"the key of {self.name} has {len(self.octets)} octets, an Ed25519 key has 32")

    @classmethod
    def parse(cls, text: str) -> "PublicKey":
        """The key in one line `<name>+<hash>+<base64>`; raises KeyRefused."""
        name, octets, key_hash = _split(text.strip(), "public")
        key = cls(name, octets)
        if key.note_hash.hex() != key_hash:
            raise KeyRefused(f"the public key of {name} does not match the hash beside it; copy the line again")
        return key

    def format(self) -> str:
        """The line that `parse` reads."""
        return f"{self.name}+{self.note_hash.hex()}+{base64.b64encode(_ED25519 + self.octets).decode()}"

    @cached_property
    def note_hash(self) -> bytes:
        """The four octets that lead a signature line of this key in a signed note."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.octets).digest()[:4]

    @cached_property
    def kid(self) -> bytes:
        """The key's COSE thumbprint: SHA-256 over {1: OKP, -1: Ed25519, -2: x}. Source: RFC 9679 §3."""
        return hashlib.sha256(write_canonical({1: 1, -1: 6, -2: self.octets})).digest()

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's over `message`; other spellings of a signature are false (RFC 8032 §5.1.7)."""
        if len(signature) != _SIGNATURE_OCTETS:
            return False
        signed = signature + message
        # No room is given for the message, which we have: PyNaCl's own wrapper would copy it out once more.
        return bool(
            _sodium.lib.crypto_sign_open(_sodium.ffi.NULL, _sodium.ffi.NULL, signed, len(signed), self.octets) == 0
        )


@dataclass(frozen=True)
class SigningKey:
    """An Ed25519 private key. It never shows itself in a repr, so no traceback or log can carry it."""

    name: str
    seed: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "SigningKey":
        """The key in one line `PRIVATE+KEY+<name>+<hash>+<base64>`; raises KeyRefused, which never shows the line."""
        if not text.startswith(_PRIVATE):
            raise KeyRefused("a private key begins with PRIVATE+KEY+; is this a public key or another file?")
        name, seed, key_hash = _split(text.strip().removeprefix(_PRIVATE), "private")
        key = cls(name, seed)
        if key.public.note_hash.hex() != key_hash:
            raise KeyRefused(f"the private key of {name} does not match the hash beside it; restore it from its copy")
        return key

    def format(self) -> str:
        """The secret line that `parse` reads."""
        return f"{_PRIVATE}{self.name}+{self.public.note_hash.hex()}+{base64.b64encode(_ED25519 + self.seed).decode()}"

    @cached_property
    def public(self) -> PublicKey:
        """The half that may be shown."""
        return PublicKey(self.name, self._pair[0])

    @cached_property
    def _pair(self) -> tuple[bytes, bytes]:
        if len(self.seed) != 32:
            raise KeyRefused(f"the private key of {self.name} has another length than the 32 octets of Ed25519")
        pair: tuple[bytes, bytes] = crypto_sign_seed_keypair(self.seed)
        return pair

    def sign(self, message: bytes) -> bytes:
        """The 64 octets of this key's signature over `message`."""
        signed: bytes = _crypto_sign(message, self._pair[1])
        return signed[:_SIGNATURE_OCTETS]


def _split(line: str, half: str) -> tuple[str, bytes, str]:
    """Name, key octets and hash of a key line."""
    try:
        name, key_hash, encoded = line.split("+", 2)
        octets = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as wrong:
        raise KeyRefused(f"a {half} key is one line of name, hash and base64 joined by plus signs") from wrong
    if octets[:1] != _ED25519:
        raise KeyRefused(f"the {half} key of {name[:60]!r} is not of type 1, Ed25519")
    return name, octets[1:], key_hash
