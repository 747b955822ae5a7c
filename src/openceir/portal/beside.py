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
    running: list[subprocess.Popen[bytes]] = []

    def keep() -> None:
        while not stopping.is_set():
            process = subprocess.Popen(
                [sys.executable, "-m", "openceir.portal", "worker", "--with-parent"],
                stdin=subprocess.PIPE,
                env={**os.environ, "OPENCEIR_HOME": str(home.absolute())},
                start_new_session=True,  # a Ctrl-C in the terminal is for the server, which then ends the worker
            )
            running[:] = [process]
            if stopping.is_set():  # told to stop while it was being started
                process.terminate()
            status = process.wait()
            if not stopping.is_set():
                print(f"openceir: the worker ended with status {status} and is started again", file=sys.stderr)
                stopping.wait(_AGAIN_AFTER_S)

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stopping.set()
        for process in running:
            process.terminate()
            try:
                process.wait(_STOPS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
        keeper.join(_STOPS_WITHIN_S)
