"""What every door of this room does first: open the register, once a thread, and let the token in."""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from openceir.app import Register, open_register
from openceir.http.problems import Problem
from openceir.storage.tokens import Token

__all__ = ["admit", "register_by_thread"]

_CATCH_UP_AFTER_S = 5.0  # a statement that a dying process logged but did not apply is unseen for at most this long


def register_by_thread(home: Path) -> Callable[[], Register]:
    """The register in `home` as the calling thread has it open; SQLite's connections belong to one thread each."""
    own = threading.local()

    def register() -> Register:
        opened: Register | None = getattr(own, "register", None)
        if opened is None:
            opened = own.register = open_register(home)
            own.caught_up_at = time.monotonic()
        elif time.monotonic() - own.caught_up_at > _CATCH_UP_AFTER_S:
            opened.catch_up()
            own.caught_up_at = time.monotonic()
        return opened

    return register


def admit(register: Register, authorization: str, moment: datetime) -> Token:
    """Whose token this is. Raises: Problem 401; a wrong token is never treated as none."""
    scheme, _, text = authorization.partition(" ")
    token = register.tokens.find(text.strip(), at=moment) if scheme.lower() == "bearer" else None
    if token is None:
        raise Problem(
            401,
            "token-refused",
            "the access token is unknown, expired or revoked; ask for a new one",
            [("WWW-Authenticate", 'Bearer error="invalid_token"')],
        )
    return token
