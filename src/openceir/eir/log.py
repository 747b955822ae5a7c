"""What happened, one line of JSON an event, on standard error.

It stands by itself because processes that answer carry it by name: whatever its module imports, each of them loads.
"""

import json
import sys
from typing import Protocol

__all__ = ["Log", "log_to_stderr"]


class Log(Protocol):
    """Takes what happened: an event's name and facts about links, processes and lists, never about devices or subscribers."""

    def __call__(self, event: str, **facts: object) -> None:
        """Write one line."""
        ...


def log_to_stderr(event: str, **facts: object) -> None:
    """One line of JSON an event, in one write."""
    sys.stderr.write(json.dumps({"event": event, **facts}, ensure_ascii=False, default=str) + "\n")
    sys.stderr.flush()
