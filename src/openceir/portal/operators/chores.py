"""What the worker does for operators."""

import sys
import threading
import traceback
from datetime import datetime
from pathlib import Path

from django.db import connection

from openceir.portal.clockwork import every
from openceir.portal.operators.dumps import DumpRefused, drop_old, import_dump
from openceir.portal.operators.models import Dump
from openceir.portal.register import let_go

__all__ = ["import_arrived"]

_importing = threading.Lock()


@every(seconds=2, name="operators.import")
def _import(now: datetime) -> None:
    """Start a thread when dumps wait: deadlines and notices do not wait for an import of minutes."""
    if Dump.objects.filter(state=Dump.State.ARRIVED).exists() and not _importing.locked():
        threading.Thread(target=_beside, name="dumps").start()


@every(seconds=3600, name="operators.drop-old")
def _drop(now: datetime) -> None:
    drop_old(now)


def _beside() -> None:
    with _importing:
        try:
            import_arrived()
        except Exception as fault:  # told without what its error says; the dump waits for the next turn
            frame = traceback.extract_tb(fault.__traceback__)[-1]
            where = f"{Path(frame.filename).name}:{frame.lineno}"
            print(f"openceir: operators.import: {type(fault).__name__} at {where}", file=sys.stderr)
        finally:
            let_go()
            connection.close()


def import_arrived() -> int:
    """Import what has arrived, the oldest first; how many dumps that were."""
    done = 0
    for dump in Dump.objects.filter(state=Dump.State.ARRIVED).order_by("touched_at", "pk"):
        try:
            import_dump(dump)
        except DumpRefused:  # another worker has it
            continue
        done += 1
    return done
