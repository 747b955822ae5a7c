"""Folders in which a run of lists is written before it is committed: `.stage-<number>-<random>` beside the runs.

A stage is locked for as long as its maker lives, so that whoever makes a run meanwhile can tell it from the rubbish of
a maker that was killed: the system lets go of a dead process's locks.
"""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

__all__ = ["Stage", "staged", "sweep"]

_PREFIX = ".stage-"


class Stage:
    """An empty folder for the run `sequence`, until it is closed or renamed into place."""

    def __init__(self, folder: Path, sequence: int) -> None:
        """Make it. The lock on making runs is held meanwhile: without it another's sweep could come in between."""
        self.sequence = sequence
        self.path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{sequence:06d}-", dir=folder))
        self.path.chmod(0o750)
        self.may_be_committed = False  # then its files are the run's: whoever opens the shelf next puts them in place
        self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        """Remove it, unless it may have been committed."""
        if not self.may_be_committed:
            shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def staged(folder: Path) -> set[str]:
    """The names of all stages."""
    return {path.name for path in folder.glob(f"{_PREFIX}*")}


def sweep(folder: Path) -> None:
    """Remove the stages of makers that died. What was committed has been put in place before."""
    for name in staged(folder):
        try:
            handle = os.open(folder / name, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # its maker removed it just now
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder / name)
        except (BlockingIOError, FileNotFoundError):
            continue  # its maker is at work, or was until now
        finally:
            os.close(handle)
