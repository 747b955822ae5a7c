"""What the portal's processes count while they answer: requests, how long they took, devices asked about.

Labels are routes (templates, never paths), methods, statuses and channels, so nobody and no device stands on the page
that shows them (`site/metrics.py`). Each process counts into a file of its own in the home's `portal/metrics/`, which
whichever process is asked adds up; without such a folder, as in tests, a process counts for itself.
"""

import os
from pathlib import Path

__all__ = ["count_in", "drop_dead", "folder_of"]

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus-client looks there when it is loaded


def folder_of(home: Path) -> Path:
    """Where the processes of a home count."""
    return home.absolute() / "portal" / "metrics"


def count_in(home: Path) -> None:
    """Let this process, and those that it starts, count in the home. Before `portal.counted` is loaded."""
    folder = folder_of(home)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ[_FOLDER] = str(folder)


def drop_dead(home: Path) -> None:
    """Forget what processes counted that are gone: with a new server, counting begins anew."""
    for path in folder_of(home).glob("*.db"):
        pid = path.stem.rpartition("_")[2]
        if not (pid.isdigit() and Path("/proc", pid).exists()):
            path.unlink(missing_ok=True)
