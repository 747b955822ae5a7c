"""What is done again and again beside the web server. An app names it once, in a module that its `ready` imports:

    @every(seconds=60, name="appeals.restore")
    def restore(now: datetime) -> None: ...

Long work that a page starts is a task of django-tasks (`@task()` and `.enqueue()`); the same process does both.
"""

import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

__all__ = ["every", "run_due"]

Turn = Callable[[datetime], object]


@dataclass(slots=True)
class _Chore:
    turn: Turn
    seconds: float
    due: float = 0.0  # by the monotonic clock


_CHORES: dict[str, _Chore] = {}


def every(*, seconds: float, name: str) -> Callable[[Turn], Turn]:
    """Let a function be called every so many seconds, the first time at the start."""

    def register(turn: Turn) -> Turn:
        _CHORES[name] = _Chore(turn, seconds)
        return turn

    return register


def run_due(now: datetime, *, all_of_them: bool = False) -> None:
    """Do what is due. A chore that fails is told on stderr, without what its error says, and the others go on."""
    for name, chore in _CHORES.items():
        if all_of_them or time.monotonic() >= chore.due:
            try:
                chore.turn(now)
            except Exception as fault:
                where = traceback.extract_tb(fault.__traceback__)[-1]
                print(f"openceir: {name}: {type(fault).__name__} at {where.name}:{where.lineno}", file=sys.stderr)
            chore.due = time.monotonic() + chore.seconds
