"""Keys in a backup: sealed under a passphrase, or not at all.

    keys.sealed = "openceir keys 1\\n" salt[16] nonce[24] XSalsa20-Poly1305(argon2id(passphrase, salt), JSON {path: base64})

Argon2id with libsodium's "sensitive" limits of 2.5 s and 1 GiB would not run on a small server; "moderate" is used
(about a second and 256 MiB), and a passphrase shorter than sixteen characters is refused.
"""

import base64
import binascii
import json
import os
from collections.abc import Mapping

import nacl.exceptions
import nacl.pwhash.argon2id
import nacl.secret

from openceir.backup.errors import BackupRefused

__all__ = ["open_keys", "seal_keys"]

_MAGIC = b"openceir keys 1\n"
_SALT = nacl.pwhash.argon2id.SALTBYTES
_LEAST_CHARACTERS = 16


def seal_keys(keys: Mapping[str, bytes], passphrase: str) -> bytes:
    """The octets of keys.sealed. Raises: BackupRefused for a passphrase that is easily guessed."""
    if len(passphrase) < _LEAST_CHARACTERS:
        raise BackupRefused(
            f"the passphrase has {len(passphrase)} characters, expected {_LEAST_CHARACTERS} or more; "
            "four words drawn by lot are good"
        )
    salt = os.urandom(_SALT)
    plain = json.dumps({path: base64.b64encode(octets).decode() for path, octets in sorted(keys.items())}).encode()
    return _MAGIC + salt + bytes(_box(passphrase, salt).encrypt(plain))


def open_keys(sealed: bytes, passphrase: str) -> dict[str, bytes]:
    """The keys by their path. Raises: BackupRefused for a wrong passphrase, or octets that were altered."""
    if not sealed.startswith(_MAGIC) or len(sealed) < len(_MAGIC) + _SALT:
        raise BackupRefused("keys.sealed does not begin like sealed keys; take another backup")
    salt = sealed[len(_MAGIC) : len(_MAGIC) + _SALT]
    try:
        plain = _box(passphrase, salt).decrypt(sealed[len(_MAGIC) + _SALT :])
    except (nacl.exceptions.CryptoError, ValueError):
        raise BackupRefused("keys.sealed does not open: the passphrase is another, or the file was altered") from None
    try:
        return {path: base64.b64decode(text, validate=True) for path, text in json.loads(plain).items()}
    except (ValueError, AttributeError, TypeError, binascii.Error) as wrong:
        raise BackupRefused(f"keys.sealed holds no keys: {wrong}") from None


def _box(passphrase: str, salt: bytes) -> nacl.secret.SecretBox:
    key = nacl.pwhash.argon2id.kdf(
        nacl.secret.SecretBox.KEY_SIZE,
        passphrase.encode(),
        salt,
        opslimit=nacl.pwhash.argon2id.OPSLIMIT_MODERATE,
        memlimit=nacl.pwhash.argon2id.MEMLIMIT_MODERATE,
    )
    return nacl.secret.SecretBox(key)
