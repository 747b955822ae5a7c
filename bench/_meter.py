"""CPU seconds and peak memory of a process tree.

CPU seconds (user and system, of this process and all that it started) and not wall time: the machine is shared.
Linux only: the tree is read from /proc.
"""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True)
class Reading:
    """What a piece of work cost. Filled in when the `with` block ends."""

    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    peak_mb: float = 0.0


def _tree(root: int) -> list[int]:
    found, at = [root], 0
    while at < len(found):
        for listing in Path(f"/proc/{found[at]}/task").glob("*/children"):
            try:
                found += [int(pid) for pid in listing.read_text().split()]
            except OSError:
                continue  # the process ended while we looked
        at += 1
    return found


def _cpu_seconds(root: int) -> float:
    """User and system time of the tree; of children that ended, through their parent's account of them."""
    ticks = 0
    for pid in _tree(root):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(int(field) for field in fields[11:15])  # utime stime cutime cstime
    return ticks / _TICKS


def _resident_mb(root: int) -> float:
    pages = 0
    for pid in _tree(root):
        try:
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            continue
    return pages * _PAGE / 1e6


@contextmanager
def meter(root: int | None = None) -> Iterator[Reading]:
    """Measure the block: CPU, wall and peak memory of this process tree, or of the tree under `root`.

    Memory that the process held before the block counts too: for a peak that means something use `read_apart`.
    """
    root = os.getpid() if root is None else root
    reading = Reading()
    done = threading.Event()

    def watch() -> None:
        while True:
            reading.peak_mb = max(reading.peak_mb, _resident_mb(root))
            if done.wait(0.05):
                return

    watcher = threading.Thread(target=watch, daemon=True)
    cpu, wall = _cpu_seconds(root), time.perf_counter()
    watcher.start()
    try:
        yield reading
    finally:
        reading.cpu_seconds = _cpu_seconds(root) - cpu
        reading.wall_seconds = time.perf_counter() - wall
        done.set()
        watcher.join()


def _child(answers: Any, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    with meter() as reading:
        answer = work(*arguments)
    answers.send((answer, reading))


def read_apart(work: Callable[..., Any], *arguments: Any) -> tuple[Any, Reading]:
    """Run `work(*arguments)` in a fresh Python process: its answer, and what it cost.

    `work` is a module-level function; the answer must pickle. Start-up of Python and imports of the
    module that holds `work` do not count; what `work` itself imports does.
    """
    fresh = multiprocessing.get_context("spawn")
    answers, sender = fresh.Pipe(duplex=False)
    process = fresh.Process(target=_child, args=(sender, work, arguments))
    process.start()
    sender.close()
    try:
        answer, reading = answers.recv()
    except EOFError:
        process.join()
        raise RuntimeError(f"{work.__name__} ended with status {process.exitcode} and no answer") from None
    process.join()
    return answer, reading
