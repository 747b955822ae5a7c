"""The process beside an EIR that keeps its list true: waits at the centre, takes what is new, tells what is held.

It is a process of its own because everything here is slow beside an answer to a network. It and the doors share one
file, the index, which is replaced whole; when the centre is away, or this process dies, the doors serve on from it.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from pathlib import Path

from openceir.eir.centre import Announced, Centre, CentreRefused, tls_to_centre
from openceir.eir.desk import Log
from openceir.eir.held import Fetched, Held
from openceir.eir.seen import SeenPairs
from openceir.eir.source import TAKEN
from openceir.errors import OpenceirError
from openceir.lists import ListError
from openceir.statements import PublicKey

__all__ = ["CentreOptions", "Follower", "Round", "follow", "followed"]

_WAIT_S = 25
_LONGEST_PAUSE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreOptions:
    """Where the centre is and who we are there."""

    address: str
    operator: str
    trust: PublicKey
    token_file: Path
    folder: Path
    certificate: Path | None = None
    key: Path | None = None
    authorities: Path | None = None
    records: Path | None = None
    send_every_s: float = 300.0

    def open(self) -> Centre:
        """The way to the centre. Raises: CentreRefused when token or certificates cannot be read."""
        try:
            token = self.token_file.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError) as wrong:
            raise CentreRefused(f"the token {self.token_file} cannot be read: {wrong}") from None
        tls = tls_to_centre(self.certificate, self.key, self.authorities)
        return Centre.at(self.address, token, self.operator, self.trust, tls)


@dataclass(frozen=True, slots=True)
class Round:
    """What came of one look at the centre: kinds taken by delta, taken whole, and what had to be taken whole and why."""

    by_delta: tuple[str, ...]
    whole: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether anything was taken."""
        return bool(self.by_delta or self.whole)


class Follower:
    """Keeps what is held equal to what the centre announces."""

    def __init__(self, held: Held, centre: Centre) -> None:
        self.held, self.centre = held, centre

    def take(self, announced: tuple[Announced, ...], now: datetime) -> Round:
        """Take what is newer, or other than it should be: by a delta where one fits, else whole.

        Raises: CentreAway, CentreRefused, ListError; what was held before is still held then.
        """
        notes: list[str] = []
        self.held.lost &= {each.kind for each in announced}  # what the centre has no more cannot be fetched anew
        fetched = [found for each in announced if (found := self._fetched(each, notes)) is not None]
        try:
            if fetched:
                self.held.take(fetched, now)
        except ListError as wrong:
            notes.append(f"{wrong}; taken whole")
            fetched = [self._whole(each.header.kind) for each in fetched]
            self.held.take(fetched, now)
        kinds = [(each.header.kind, each.header.is_delta) for each in fetched]
        return Round(
            tuple(kind for kind, is_delta in kinds if is_delta),
            tuple(kind for kind, is_delta in kinds if not is_delta),
            tuple(notes),
        )

    def _fetched(self, newest: Announced, notes: list[str]) -> Fetched | None:
        held = self.held.headers.get(newest.kind)
        if newest.kind not in TAKEN or (
            held is not None and (held.sequence, held.sha256) == (newest.sequence, newest.sha256)
        ):
            return None
        if held is not None and newest.sequence < held.sequence:
            notes.append(
                f"the centre has {newest.kind} number {newest.sequence}, older than the {held.sequence} held here; "
                "it is not taken: was the centre restored from an old copy?"
            )
            return None
        if held is not None and newest.sequence > held.sequence:
            try:
                return Fetched(*self.centre.fetch(newest.kind, held.sequence, self.held.incoming))
            except (CentreRefused, ListError) as wrong:
                notes.append(f"no delta of the {newest.kind} from {held.sequence} ({wrong}); taken whole")
        elif held is not None:
            notes.append(f"the {newest.kind} held is not number {newest.sequence} as the centre has it; taken whole")
        return self._whole(newest.kind)

    def _whole(self, kind: str) -> Fetched:
        return Fetched(*self.centre.fetch(kind, None, self.held.incoming))

    def acknowledge(self) -> None:
        """Say what is held, as it was verified."""
        if self.held.headers:
            self.centre.acknowledge(self.held.headers.values())

    def sequence(self) -> int:
        """The number after which to wait; the least of the lists, so that none is left behind."""
        return min((header.sequence for header in self.held.headers.values()), default=0)


@contextmanager
def followed(options: CentreOptions, clock: Callable[[], datetime], log: Log) -> Iterator[Path]:
    """Follow the centre in a process beside this one, as long as the block lasts; yields the index once there is one.

    A process that died is started again.
    """
    stopped = threading.Event()
    processes = [_started(options, clock, log)]

    def watch() -> None:
        while not stopped.wait(1.0):
            if not processes[-1].is_alive():
                log(
                    "alarm",
                    what="the process that follows the centre died; it is started again",
                    exit=processes[-1].exitcode,
                )
                processes[-1] = _started(options, clock, log)

    watching = threading.Thread(target=watch, name="centre", daemon=True)
    watching.start()
    try:
        index = options.folder / "served.idx"
        if not index.exists():
            log("waiting for the first lists of the centre")
            while not index.exists():
                time.sleep(0.2)
        yield index
    finally:
        stopped.set()
        watching.join()
        processes[-1].terminate()
        processes[-1].join()


def _started(options: CentreOptions, clock: Callable[[], datetime], log: Log) -> SpawnProcess:
    process = get_context("spawn").Process(target=_followed_apart, args=(options, clock, log, os.getpid()), daemon=True)
    process.start()
    return process


def _followed_apart(options: CentreOptions, clock: Callable[[], datetime], log: Log, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that serves; it ends this one
    follow(options, clock, log, parent)


def follow(options: CentreOptions, clock: Callable[[], datetime], log: Log, parent: int) -> None:
    """Follow the centre until the process `parent` is gone; a centre that is away or a full disk does not end it."""
    held = Held(options.folder, options.trust)
    seen = SeenPairs(options.folder / "seen.sqlite") if options.records is not None else None
    held.recover(clock())
    for note in held.notes:
        log("alarm", what=note)
    centre = options.open()
    follower, pauses = Follower(held, centre), _pauses()
    trouble, told, send_at = "", False, time.monotonic() + options.send_every_s
    while os.getppid() == parent:
        try:
            if held.keep_index_of(clock()):
                log("index made for the day", sequence=follower.sequence())
            until_send_s = max(0, int(send_at - time.monotonic()) + 1) if seen is not None else _WAIT_S
            announced, pause = centre.wait(follower.sequence(), min(_WAIT_S, until_send_s) if told else 0)
            done = follower.take(announced, clock())
            for note in done.notes:
                log("alarm", what=note)
            if done.changed:
                told = False
                log("lists taken", by_delta=done.by_delta, whole=done.whole, sequence=follower.sequence())
            if not told:
                follower.acknowledge()
                told = True
            if seen is not None and options.records is not None and time.monotonic() >= send_at:
                _send(centre, seen, options.records, clock(), log)
                send_at = time.monotonic() + options.send_every_s
            if trouble:
                log("centre is back")
            trouble, pauses = "", _pauses()
            # A list that the centre announces and that is not taken must not make this a busy loop.
            time.sleep(max(pause, 1.0 if done.notes else 0.0))
        except (OpenceirError, OSError) as wrong:
            code = wrong.code if isinstance(wrong, OpenceirError) else type(wrong).__name__
            if trouble != code:  # once, not with every try
                log(
                    "alarm",
                    what="the centre cannot be followed; the last good list serves on",
                    code=code,
                    why=str(wrong),
                )
            trouble = code
            time.sleep(next(pauses))


def _pauses() -> Iterator[float]:
    """Half a second, then longer and longer; with a random part, so that a country's EIRs do not come back at once."""
    pause = 0.5
    while True:
        yield pause * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        pause = min(pause * 2, _LONGEST_PAUSE_S)


def _send(centre: Centre, seen: SeenPairs, records: Path, now: datetime, log: Log) -> None:
    """Send the new pairs. A batch that the centre refuses for what stands in it is left, or it would stop all others."""
    for file in sorted(records.parent.glob(f"{records.name}*")):
        seen.collect(file)
    for batch in seen.batches():
        try:
            centre.send_sightings(batch.octets, batch.since, batch.until)
            log("pairs sent", rows=batch.rows)
        except CentreRefused as wrong:
            log("alarm", what="the centre refused a batch of pairs; it is left out", why=str(wrong), rows=batch.rows)
        seen.sent(batch.number, now.date())
