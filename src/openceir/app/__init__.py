"""The one place that picks shelves and joins rooms.

`Register` is what every door (cli, http, demo) opens. It is built in layers, one file a group of jobs, each of which
knows only those below: `book`, `answers`, `dock`, `laboratory`, `desk`, `bureau`, `private_questions`, `federated`,
`watching`, `joined`, `erasing`,
`meetings`, `chores`. A job is one method that calls rooms in order; what a room can do alone stays in the room. Shelves open
when first used, and what is slow to import (the engine, columns, files' readers) is imported by the job that needs it,
so that one answer costs what it needs.
"""

from pathlib import Path

from openceir.app.chores import Chores

__all__ = ["Register", "open_register"]


class Register(Chores):
    """One country's register in one home folder."""


def open_register(home: Path) -> Register:
    """The register in `home`; an empty or absent folder is a new register."""
    return Register(home)
