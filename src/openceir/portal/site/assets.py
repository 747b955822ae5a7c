"""Static files under names that hold a digest of their contents, so that browsers keep them for ever."""

import hashlib
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage

__all__ = ["HashedByContent"]


@cache
def _digest_of(name: str) -> str:
    found = finders.find(name)
    return hashlib.sha256(Path(found).read_bytes()).hexdigest()[:12] if found else "absent"


class HashedByContent(StaticFilesStorage):
    """Served from the package as they lie there: no collecting step, and a `?v=` that changes with the contents."""

    def url(self, name: str | None) -> str:
        """The address of a static file."""
        return f"{super().url(name)}?v={_digest_of(name)}" if name else super().url(name)
