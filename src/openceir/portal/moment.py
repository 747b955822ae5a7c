"""What time it is for the portal: the register's clock, unless a test tells a story of other days."""

from collections.abc import Callable
from datetime import date, datetime

from openceir import clock

__all__ = ["now", "set_clock", "today"]

_ask: Callable[[], datetime] = clock.now


def now() -> datetime:
    """The present instant, UTC, whole seconds."""
    return _ask()


def today() -> date:
    """The present calendar day, UTC."""
    return now().date()


def set_clock(ask: Callable[[], datetime] = clock.now) -> None:
    """Let `ask` say what time it is; without an argument, the clock again."""
    global _ask
    _ask = ask
