"""Keys and members on disk: private keys that only their owner can read, and members.toml."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from openceir.statements import KeyRefused, Members, PublicKey, SigningKey
from openceir.storage.files import StorageError, replace_file

if TYPE_CHECKING:
    from openceir.ledger.ordered_receipt import ChainTrust

__all__ = [
    "LogKeyFiles",
    "read_members",
    "read_public_key",
    "read_secret",
    "read_signing_key",
    "read_trust",
    "write_members",
    "write_signing_key",
]

_MOST_OCTETS = 4096


def read_secret(path: Path) -> bytes:
    """What a file of `keys/` holds.

    Raises: KeyRefused when it is absent, or readable by anyone but its owner.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode & 0o777
            octets = file.read(_MOST_OCTETS)
    except FileNotFoundError:
        raise KeyRefused(f"there is no key {path}; `openceir key new` makes one") from None
    except OSError as wrong:
        raise KeyRefused(f"the key {path} cannot be read: {wrong.strerror}") from wrong
    if mode & 0o077:
        raise KeyRefused(f"the key {path} can be read by others (mode {mode:04o}); chmod 600, and replace it if shared")
    return octets


def read_signing_key(path: Path) -> SigningKey:
    """The private key in `path`.

    Raises: KeyRefused when it is absent, no key, or readable by anyone but its owner.
    """
    octets = read_secret(path)
    try:
        return SigningKey.parse(octets.decode())
    except (UnicodeDecodeError, KeyRefused) as wrong:
        raise KeyRefused(f"{path} holds no private key: {wrong}") from None


def write_signing_key(path: Path, key: SigningKey) -> None:
    """Keep a new private key, mode 0600 from its first octet on; never over another one."""
    if path.exists():
        raise KeyRefused(f"there is a key {path} already; choose another name or move it away")
    replace_file(path, (key.format() + "\n").encode(), mode=0o600)


def read_public_key(text_or_path: str) -> PublicKey:
    """The public key that is given as its line, or as a file that holds the line; raises KeyRefused."""
    path = Path(text_or_path)
    try:
        if not path.is_file():
            return PublicKey.parse(text_or_path)
        return PublicKey.parse(path.read_bytes()[:_MOST_OCTETS].decode())
    except (OSError, UnicodeDecodeError, ValueError) as wrong:
        raise KeyRefused("that is neither a file nor a public key line of name+hash+base64") from wrong


def read_members(path: Path) -> Members:
    """The members that a members.toml names; none when there is no such file. Raises: MemberRefused."""
    try:
        return Members.parse(path.read_text(encoding="utf-8"), source=str(path))
    except FileNotFoundError:
        return Members()
    except (OSError, UnicodeDecodeError) as wrong:
        raise StorageError(f"{path} cannot be read; is it a text in UTF-8?") from wrong


def write_members(path: Path, members: Members) -> None:
    """Replace members.toml."""
    replace_file(path, members.format().encode())


def read_trust(path: Path) -> "ChainTrust":
    """Whom to believe in a consortium, from a file. Raises: ProofRefused, StorageError."""
    from openceir.ledger.ordered_receipt import ChainTrust

    try:
        return ChainTrust.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as wrong:
        raise StorageError(f"{path} cannot be read; is it a text in UTF-8?") from wrong


class LogKeyFiles:
    """A LogKey in two files: the private key among the register's keys, the public one beside the log."""

    def __init__(self, private: Path, public: Path, name: str | None = None) -> None:
        """`name` is that of a new key; without one it is made from the key, so that no two logs share an origin."""
        self._private_path = private
        self._public_path = public
        self._name = name
        self._private: SigningKey | None = None
        self._public: PublicKey | None = None

    def public(self) -> PublicKey:
        """The log's public key; raises KeyRefused when nothing was ever written."""
        if self._public is None:
            if not self._public_path.exists():
                raise KeyRefused(f"there is no {self._public_path}, so this log's checkpoint cannot be verified")
            self._public = read_public_key(str(self._public_path))
        return self._public

    def private(self) -> SigningKey:
        """The log's private key, made when neither half is there; raises KeyRefused when it is lost or another's."""
        if self._private is None:
            if not self._private_path.exists() and not self._public_path.exists():
                seed = os.urandom(32)
                key = SigningKey(self._name or "openceir/" + SigningKey("openceir", seed).public.kid.hex()[:16], seed)
                write_signing_key(self._private_path, key)
            key = read_signing_key(self._private_path)
            if not self._public_path.exists():
                replace_file(self._public_path, (key.public.format() + "\n").encode())
            if key.public != self.public():
                raise KeyRefused(
                    f"{self._private_path} is not the key of this log; put back the one that belongs to it"
                )
            self._private = key
        return self._private
