"""`manifest.json`: what a backup holds, file by file; its own digest is what one writes down elsewhere."""

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from openceir.backup.errors import BackupRefused
from openceir.clock import parse_moment

__all__ = ["KeptFile", "Manifest"]

_FORMAT = "openceir backup 1"
_DIGEST_DIGITS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """One file of a backup. `path` is relative to the backup's folder; `mode` is what its original had."""

    path: str
    octets: int
    sha256: str
    mode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A backup as it says of itself. `log_octets` is how much of ledger/log counts; the rest was being written."""

    made_at: datetime
    log_size: int
    keys: tuple[str, ...]  # the home's key files, whether they are in the backup or not
    has_keys: bool
    has_dump: bool
    files: tuple[KeptFile, ...]

    def write(self) -> bytes:
        """The octets of manifest.json."""
        tree = {
            "format": _FORMAT,
            "made_at": self.made_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "log_size": self.log_size,
            "keys": list(self.keys),
            "has_keys": self.has_keys,
            "has_dump": self.has_dump,
            "files": [
                {"path": file.path, "octets": file.octets, "sha256": file.sha256, "mode": file.mode}
                for file in self.files
            ],
        }
        return (json.dumps(tree, ensure_ascii=False, indent=1) + "\n").encode()

    @property
    def digest(self) -> str:
        """SHA-256 of manifest.json: whoever has it written down knows a backup that was exchanged."""
        return sha256(self.write()).hexdigest()

    @classmethod
    def read(cls, octets: bytes) -> "Manifest":
        """The manifest in these octets.

        Raises: BackupRefused when they are none, or name a place outside of the backup.
        """
        try:
            tree = json.loads(octets)
        except (ValueError, RecursionError) as wrong:
            raise BackupRefused(f"manifest.json is no JSON ({wrong}); take another backup") from None
        if not isinstance(tree, dict) or tree.get("format") != _FORMAT:
            raise BackupRefused(f'manifest.json is not of the format "{_FORMAT}"; a newer openceir may have made it')
        try:
            made = cls(
                made_at=parse_moment(_of(tree, "made_at", str)),
                log_size=_of(tree, "log_size", int),
                keys=tuple(_text(name) for name in _of(tree, "keys", list)),
                has_keys=_of(tree, "has_keys", bool),
                has_dump=_of(tree, "has_dump", bool),
                files=tuple(_file(row) for row in _of(tree, "files", list)),
            )
        except (KeyError, ValueError, TypeError, OverflowError) as wrong:
            raise BackupRefused(f"manifest.json has a wrong value: {wrong}; take another backup") from None
        paths = [file.path for file in made.files]
        if len(set(paths)) != len(paths):
            raise BackupRefused("manifest.json names a file twice; take another backup")
        return made


def _of(tree: dict[str, Any], name: str, kind: type[Any]) -> Any:
    value: Any = tree[name]
    if type(value) is not kind or (kind is int and value < 0):
        raise ValueError(f"{name} is not as expected")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not _is_inside(value):
        raise ValueError("a name leads outside of the backup or is none")
    return value


def _file(row: Any) -> KeptFile:
    digest, mode = _of(row, "sha256", str), _of(row, "mode", int)
    if len(digest) != _DIGEST_DIGITS or set(digest) - set("0123456789abcdef") or mode & ~0o777:
        raise ValueError("a file's digest or mode is none")
    return KeptFile(path=_text(_of(row, "path", str)), octets=_of(row, "octets", int), sha256=digest, mode=mode)


def _is_inside(path: str) -> bool:
    """A relative path without steps back, so that restoring writes nothing elsewhere."""
    return "\0" not in path and "\\" not in path and all(part not in {"", ".", ".."} for part in path.split("/"))
