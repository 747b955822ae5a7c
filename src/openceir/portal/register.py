"""The register, as the thread that serves a request has it open. The portal reaches it through here and nowhere else."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from django.conf import settings

from openceir.app import Register, open_register
from openceir.ledger import Entry, LedgerBusy
from openceir.statements import SignedStatement

__all__ = ["in_turn", "let_go", "register", "submit_in_turn"]

Outcome = TypeVar("Outcome")

_own = threading.local()
_WAITS_FOR_TURN_S = 20.0
_CATCH_UP_AFTER_S = 5.0  # a statement that a dying process logged but did not apply is unseen for at most this long


def register() -> Register:
    """The register of the home folder that the settings name; SQLite's connections belong to one thread each."""
    home: Path = settings.OPENCEIR_HOME
    opened: Register | None = getattr(_own, "register", None)
    if opened is None or opened.home != home:
        let_go()
        opened = _own.register = open_register(home)
        _own.caught_up_at = time.monotonic()
    elif time.monotonic() - _own.caught_up_at > _CATCH_UP_AFTER_S:
        opened.catch_up()
        _own.caught_up_at = time.monotonic()
    return opened


def let_go() -> None:
    """Close the register of this thread; the next call of `register` opens it again, with the policy as it is then."""
    opened: Register | None = getattr(_own, "register", None)
    if opened is not None:
        opened.ledger.close()
        opened.database.close()
        _own.register = None


def submit_in_turn(signed: Sequence[SignedStatement], *, at: datetime) -> list[Entry]:
    """Log statements as one block, in turn. Raises: as `in_turn`, and what else `Register.submit` raises."""
    return in_turn(lambda book: book.submit(signed, at=at))


def in_turn(write: Callable[[Register], Outcome]) -> Outcome:
    """What `write` gives: done when the threads and processes that write before are done; then the next may write.

    Raises: LedgerBusy when another process writes for longer than 20 s.
    """
    book = register()
    until = time.monotonic() + _WAITS_FOR_TURN_S
    while True:
        try:
            return write(book)
        except LedgerBusy:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        finally:
            book.ledger.hand_over()
