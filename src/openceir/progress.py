"""What long work says about itself while it runs: a door decides whether that is a bar or a log line."""

from typing import Protocol

__all__ = ["Progress", "Silent"]


class Progress(Protocol):
    """Called by long work at its own pace; must be cheap and must not raise."""

    def __call__(self, what: str, done: int, total: int | None = None) -> None:
        """Say that `done` of `total` units of `what` are finished; `total` None means not known yet."""


class Silent:
    """Progress for callers that do not want to hear of it."""

    def __call__(self, what: str, done: int, total: int | None = None) -> None:
        """Say nothing."""
