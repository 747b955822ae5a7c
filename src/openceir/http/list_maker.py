"""The process beside the operators' door that makes lists by itself, soon after something changed them.

Whoever logs a statement, be it a command, the HTTP door or a portal, need not know of lists: this process looks into the
book a few times a second, and at the day, the policy and the measures. When one of them moved it waits until it is
quiet for a moment (a list of thousands of devices is one block, a clerk's ten clicks are ten), then renews the lists.
A run that would change no row is not made. It is a process of its own since making holds up whoever waits for answers.

Sometimes every row must be gathered anew: after new sightings, a changed policy, an erasure. A thread does that, with the
register opened for itself, and what is said meanwhile goes out in urgent runs beside it: two never make lists at once, a
run that was overtaken is made again.
"""

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openceir.app import Register, open_register
from openceir.clock import now
from openceir.errors import OpenceirError

if TYPE_CHECKING:
    from openceir.storage.list_runs import ListRun

__all__ = ["ListMaker", "lists_made_beside"]

_LOOK_EVERY_S = 0.2
_QUIET_S = 0.3  # nothing came for so long: make them
_LONGEST_QUIET_S = 1.0  # but wait no longer than this, whatever still comes
_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0  # after a failure

Say = Callable[..., None]


class ListMaker:
    """Renews the lists of one register whenever they may have changed."""

    def __init__(self, home: Path, say: Say) -> None:
        self.home, self._say = home, say
        self._register: Register | None = None
        self._files: tuple[object, ...] = ()
        self._gathering: threading.Thread | None = None
        self._failed: OpenceirError | OSError | None = None

    def mark(self) -> tuple[object, ...]:
        """Changes when lists may: with the book, the day, the policy's files and the measures."""
        files = tuple(
            (path.name, found.st_ino, found.st_size, found.st_mtime_ns)
            for path in (*sorted(self._policy_folder.glob("*.toml")), self.home / "lake" / "measures" / "manifest.json")
            if (found := _stat(path)) is not None
        )
        if self._register is None or files != self._files:
            self.close()
            self._register, self._files = open_register(self.home), files
        self._register.catch_up()
        claims = self._register.claims
        return (*claims.state, claims.foreign.quorum, now().date(), files)

    @property
    def _policy_folder(self) -> Path:
        register = self._register or open_register(self.home)
        return self.home / register.settings.policy_folder

    def renew(self) -> None:
        """Make the lists that are due, or begin to; none when no row would change or there is no operator.

        On a new day what was said goes out first: what falls due with the day may be very many devices.
        """
        from openceir.lists import AllRowsDue

        register = self._register or open_register(self.home)
        at = now()
        if not register.policy.operators(at.date()):
            return
        is_behind = self._is_gathering or register.list_runs.true_on() not in {None, at.date()}
        if is_behind:
            self._made("urgent lists made", register.renew_urgent_lists, at)
        if self._is_gathering:
            return
        try:
            self._made("lists made", register.renew_changed_lists, at)
        except AllRowsDue:
            if not is_behind:
                self._made("urgent lists made", register.renew_urgent_lists, at)
            self._gathering = threading.Thread(target=self._gather, args=(at,), name="all lists", daemon=True)
            self._gathering.start()

    def _gather(self, at: datetime) -> None:
        register = open_register(self.home)
        try:
            self._made("lists made", register.renew_lists, at)
        except (OpenceirError, OSError) as wrong:
            self._failed = wrong
        finally:
            register.ledger.close()
            register.database.close()

    @property
    def _is_gathering(self) -> bool:
        return self._gathering is not None and self._gathering.is_alive()

    def has_gathered(self, wait_s: float | None = None) -> bool:
        """Whether a run of all rows has ended since this was asked, waiting for one that is under way.

        Raises: OpenceirError, OSError: what it failed with.
        """
        if self._gathering is None:
            return False
        self._gathering.join(wait_s)
        if self._gathering.is_alive():
            return False
        self._gathering = None
        if (wrong := self._failed) is not None:
            self._failed = None
            raise wrong
        return True

    def _made(self, event: str, make: "Callable[..., ListRun | None]", at: datetime) -> None:
        began = time.monotonic()
        run = make(on=at.date(), at=at)
        if run is not None:
            changes = sum(made.delta.rows for made in run.lists if made.delta)
            self._say(event, sequence=run.sequence, changes=changes, took_s=round(time.monotonic() - began, 2))

    def close(self) -> None:
        """Let the register go."""
        if self._register is not None:
            self._register.ledger.close()
            self._register.database.close()
            self._register = None

    def keep(self, is_wanted: Callable[[], bool]) -> None:
        """Look and renew for as long as wanted. What fails is said, and tried again after a pause."""
        made_at: tuple[object, ...] | None = None
        pause = _PAUSE_S
        while is_wanted():
            try:
                mark = self.mark()
                if self.has_gathered(0) or mark != made_at:
                    mark = self._when_quiet(mark, is_wanted)
                    self.renew()
                    made_at, pause = mark, _PAUSE_S
                time.sleep(_LOOK_EVERY_S)
            except (OpenceirError, OSError) as wrong:
                code = wrong.code if isinstance(wrong, OpenceirError) else type(wrong).__name__
                self._say("alarm", what="lists could not be made; it is tried again", code=code, why=str(wrong))
                self.close()
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_S)
        self.close()

    def _when_quiet(self, mark: tuple[object, ...], is_wanted: Callable[[], bool]) -> tuple[object, ...]:
        since = began = time.monotonic()
        while is_wanted() and time.monotonic() < min(since + _QUIET_S, began + _LONGEST_QUIET_S):
            time.sleep(_QUIET_S / 6)
            newer = self.mark()
            if newer != mark:
                mark, since = newer, time.monotonic()
        return mark


@contextmanager
def lists_made_beside(home: Path, log_format: str) -> Iterator[None]:
    """Make lists in a process beside this one for as long as the block lasts; one that died is started again."""
    stopped = threading.Event()
    processes = [_started(home, log_format)]

    def watch() -> None:
        while not stopped.wait(1.0):
            if not processes[-1].is_alive():
                _say_as(log_format)(
                    "alarm", what="the process that makes lists died; it is started again", exit=processes[-1].exitcode
                )
                processes[-1] = _started(home, log_format)

    watching = threading.Thread(target=watch, name="list maker", daemon=True)
    watching.start()
    try:
        yield
    finally:
        stopped.set()
        watching.join()
        processes[-1].terminate()
        processes[-1].join()


def _started(home: Path, log_format: str) -> SpawnProcess:
    process = get_context("spawn").Process(target=_made_apart, args=(home, log_format, os.getpid()), daemon=True)
    process.start()
    return process


def _made_apart(home: Path, log_format: str, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that serves; it ends this one
    ListMaker(home, _say_as(log_format)).keep(lambda: os.getppid() == parent)


def _say_as(log_format: str) -> Say:
    def say(event: str, **facts: Any) -> None:
        if log_format == "json":
            line = json.dumps({"event": event, **facts}, ensure_ascii=False)
        else:
            line = f"{event}: " + ", ".join(f"{name} {value}" for name, value in facts.items())
        print(line, file=sys.stderr, flush=True)

    return say


def _stat(path: Path) -> os.stat_result | None:
    with contextlib.suppress(FileNotFoundError):
        return path.stat()
    return None
