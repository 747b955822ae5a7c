"""Static files under names that hold a digest of their contents, so that browsers keep them for ever."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage

__all__ = ["HashedByContent"]


class HashedByContent(StaticFilesStorage):
    """Served from the package as they lie there: no collecting step, and a `?v=` that changes with the contents."""

    def url(self, name: str | None) -> str:
        """The address of a static file."""
        return _address_of(super().url, name) if name else super().url(name)


_ADDRESSES: dict[str, str] = {}


def _address_of(spell: Callable[[str], str], name: str) -> str:
    """Found out once a process: each page asks some times, and the files of a package do not change below it."""
    if name not in _ADDRESSES:
        found = finders.find(name)
        digest = hashlib.sha256(Path(found).read_bytes()).hexdigest()[:12] if found else "absent"
        _ADDRESSES[name] = f"{spell(name)}?v={digest}"
    return _ADDRESSES[name]
