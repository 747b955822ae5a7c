"""`python bench/_stolen_delta.py HOME FILE`: a stolen delta from its file to new signed lists, in a process of its own.

Run by path and importing nothing of `bench`, so that what it costs is what the register costs, interpreter and
imports included. Prints how many statements were signed.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from openceir.app import open_register

AT = datetime(2026, 11, 1, 5, tzinfo=UTC)


def main(home: Path, file: Path) -> None:
    """Read, sign, log, claim, list."""
    register = open_register(home)
    before = register.ledger.size
    register.import_list("stolen", file, delta=True, by="police", at=AT)
    register.make_lists(on=AT.date(), at=AT)
    print(register.ledger.size - before)
    register.ledger.close()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
