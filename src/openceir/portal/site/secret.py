"""The portal's one secret: it signs sessions and hides telephone numbers. A file of mode 0600, made at the first start."""

import secrets
from pathlib import Path

from openceir.storage.files import replace_file

__all__ = ["make_secret", "secret_key", "shared_secret"]

_NAME = "secret.key"
_SHORTEST = 16


def make_secret(folder: Path) -> None:
    """Make the secret unless it is there."""
    if not (folder / _NAME).exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(folder / _NAME, secrets.token_urlsafe(64).encode(), 0o600)


def secret_key(folder: Path) -> str:
    """The secret; where none was made yet, one that ends with this process and so opens nothing."""
    try:
        return (folder / _NAME).read_text("ascii")
    except FileNotFoundError:
        return secrets.token_urlsafe(64)


def shared_secret(home: Path, name: str) -> str:
    """What a program shows us, from the file that a setting names; empty when there is none, or one short enough to guess."""
    path = home / name
    text = path.read_text("utf-8").strip() if name and path.is_file() else ""
    return text if len(text) >= _SHORTEST else ""
