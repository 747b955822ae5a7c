"""The one place that picks shelves and joins rooms.

`Register` is what every door (cli, http, demo) opens. Each job of the register is one method here that calls
rooms in order; what a room can do alone stays in the room.
"""

from pathlib import Path

__all__ = ["Register", "open_register"]


class Register:
    """One country's register in one home folder. Shelves open when first used."""

    def __init__(self, home: Path) -> None:
        self.home = home


def open_register(home: Path) -> Register:
    """The register in `home`; an empty or absent folder is a new register."""
    return Register(home)
