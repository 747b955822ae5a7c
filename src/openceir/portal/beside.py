"""The worker process as `openceir serve` keeps it: started, started again should it die, ended with the server."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["worker_beside"]

_AGAIN_AFTER_S = 5.0
_STOPS_WITHIN_S = 30.0


@contextmanager
def worker_beside(home: Path) -> Iterator[None]:
    """While inside, a worker runs over `home`; it also ends when this process is killed."""
    stopping = threading.Event()
    # Started before the server forks its own processes: one that was forked while this starts would hold the pipe by
    # which Popen learns that its child runs, and it would wait for as long as the server does.
    running = [_start(home)]

    def keep() -> None:
        while True:
            status = running[0].wait()
            if stopping.is_set():
                return
            print(f"openceir: the worker ended with status {status} and is started again", file=sys.stderr)
            if stopping.wait(_AGAIN_AFTER_S):
                return
            running[0] = _start(home)
            if stopping.is_set():  # told to stop while it was being started
                running[0].terminate()

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stopping.set()
        running[0].terminate()
        try:
            running[0].wait(_STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            running[0].kill()
        keeper.join(_STOPS_WITHIN_S)


def _start(home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "openceir.portal", "worker", "--with-parent"],
        stdin=subprocess.PIPE,
        env={**os.environ, "OPENCEIR_HOME": str(home.absolute())},
        start_new_session=True,  # a Ctrl-C in the terminal is for the server, which then ends the worker
    )
