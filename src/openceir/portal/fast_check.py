"""The device check that stands before Django: one look into a compiled index, and never an old answer.

Theory. The worker compiles the status of every device into an index file (`eir/index.py`), which says the state of
the book it is of and until when it holds: the next instant at which anything that was said begins, ends or bites.
The book moves on, so for each request the shelf of claims is asked for its state, which costs one row; when it has
moved, the devices that the new statements name are read once. A question is left to the full answer when

    the index is of another generation of the claims, or of another policy               then all of them
    its time has run out: policy makes another nation's word count from an instant on, too   then all of them
    a new statement speaks of ranges, of a whole other statement, or by digests          then all of them
    a new statement names the device
    the device is on no list while golden lists exist, which name devices by digests
    the value is not 14 digits, or 15 with a check digit that fits

and an index that is absent, torn or of another home is as none at all.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from openceir.app import Register
from openceir.eir.attributes import MAX_REASONS, attribute, entry_of
from openceir.eir.attributes import Status as ListedStatus
from openceir.eir.errors import IndexRefused
from openceir.eir.index import Contents, Index, Ranges, build, open_index
from openceir.identity import NON_UNIQUE_KEYS, luhn_check_digit
from openceir.portal.device_check import because_of, checked
from openceir.status import Status, StatusColumns

__all__ = ["INDEX_NAME", "PREFIX", "FastCheck", "compile_index", "is_worth_compiling", "source_of"]

INDEX_NAME = "checks.idx"
PREFIX = "/api/v1/check/"
_ASK_THE_BOOK = MAX_REASONS - 1  # the reason class of devices whose reasons are too many kinds to be told apart
_MOST_TOUCHED = 100_000
_FOR_EVER = 253402300799  # the last second of the year 9999
_LISTED = {
    Status.UNKNOWN: ListedStatus.UNKNOWN,
    Status.PERMITTED: ListedStatus.PERMITTED,
    Status.TRACKED: ListedStatus.TRACKED,
    Status.BLOCKED: ListedStatus.BLOCKED,
}
_SAID = {listed: status for status, listed in _LISTED.items()}
State = tuple[int, int]  # statements applied, generation


@dataclass(frozen=True, slots=True)
class _Opened:
    """An index and what was said since: `touched` is None when everything must be asked of the book."""

    index: Index
    stamp: tuple[int, int]  # of the file
    until: float  # seconds since 1970
    rules: str
    state: State  # of the claims that `touched` was read at
    touched: frozenset[int] | None
    asks_for_absent: bool


class FastCheck:
    """Answers from the index of one home; each thread has its own."""

    def __init__(self, register: Callable[[], Register], path: Path) -> None:
        self._register = register
        self._path = path
        self._opened: _Opened | None = None
        self._looked_at = 0.0

    def answer(self, value: str, now: datetime) -> bytes | None:
        """The JSON about a value; None: ask the full answer."""
        if not (value.isascii() and value.isdigit()):
            return None
        if len(value) == 15:
            if luhn_check_digit(value[:14]) != value[14]:
                return None
        elif len(value) != 14:
            return None
        opened = self._current(now)
        if opened is None or opened.touched is None:
            return None
        device = int(value[:14])
        if device in opened.touched:
            return None
        octet = opened.index.entry(device)
        if not octet:
            octet = opened.index.range_attribute(device)
            if not octet and opened.asks_for_absent:
                return None
        found = entry_of(octet)
        if found.reason == _ASK_THE_BOOK:
            return None
        because = opened.index.reasons[found.reason].split() if octet else ()
        return orjson.dumps(checked(value[:14], _SAID[found.status], because, now, opened.state[0]))

    def _current(self, now: datetime) -> _Opened | None:
        seconds = now.timestamp()
        opened = self._opened
        if opened is None or seconds >= self._looked_at + 1:
            self._looked_at = seconds
            opened = self._opened = self._look(opened)
        if opened is None or seconds >= opened.until:
            return None
        state = self._register().claims.state
        if state != opened.state:
            opened = self._opened = self._caught_up(opened, state)
        return opened

    def _look(self, opened: _Opened | None) -> _Opened | None:
        """The index in place, opened anew when another one stands there."""
        rules = _rules_of(self._register())
        try:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_ino)
            if opened is not None and (opened.stamp, opened.rules) == (stamp, rules):
                return opened
            index = open_index(self._path, accept_unsigned=True)
            generation, until, golden, made_by = index.source.split()
        except (OSError, IndexRefused, ValueError):
            return None
        if made_by != rules:
            return None
        state = (index.sequence, int(generation))
        return _Opened(index, stamp, float(until), rules, state, frozenset(), asks_for_absent=golden == "golden")

    def _caught_up(self, opened: _Opened, state: State) -> _Opened:
        known = (opened.index.sequence, int(opened.index.source.split()[0]))
        touched = None
        if state[1] == known[1] and state[0] >= known[0]:
            touched = self._register().claims.devices_said_since(known[0], most=_MOST_TOUCHED)
        return replace(opened, state=state, touched=touched)


def source_of(register: Register, until: int | None, *, has_golden: bool) -> str:
    """What an index says of its making: generation of the claims, until when it holds, golden lists, rules."""
    generation = register.claims.state[1]
    golden = "golden" if has_golden else "named"
    return f"{generation} {until if until is not None else _FOR_EVER} {golden} {_rules_of(register)}"


def _rules_of(register: Register) -> str:
    """Changes with the policy, and with the quorum whose approvals reach across nations."""
    return f"{register.policy.digest.hex()[:16]}-{register.claims.foreign.quorum}"


def is_worth_compiling(register: Register, path: Path, now: datetime, *, after_s: float = 600) -> bool:
    """Whether a new index is due: there is none, its time has run out, or the book moved on a while ago."""
    try:
        index = open_index(path, accept_unsigned=True)
        generation, until, _golden, made_by = index.source.split()
    except (OSError, IndexRefused, ValueError):
        return True
    if made_by != _rules_of(register):
        return True
    state = register.claims.state
    if state == (index.sequence, int(generation)):
        return now.timestamp() >= float(until)
    age_s = (now - datetime.fromisoformat(index.issued_at)).total_seconds()
    if state[1] != int(generation):
        return True
    touched = register.claims.devices_said_since(index.sequence, most=_MOST_TOUCHED // 10)
    return touched is None or age_s >= after_s or now.timestamp() >= float(until)


def compile_index(register: Register, path: Path, now: datetime) -> int:
    """Write the index of the book as it is now; how many devices stand in it by themselves."""
    claims = register.claims
    size, _ = claims.state
    source = source_of(register, claims.next_change_after(now), has_golden=claims.has_golden)
    singles = claims.statuses(now, devices=np.array(sorted(NON_UNIQUE_KEYS), dtype=np.int64))
    low, high, pieces = claims.range_statuses(now)
    classes = _Classes()
    contents = Contents(
        device=singles.device[singles.device < 10**14],
        attribute=classes.octets_of(singles)[singles.device < 10**14],
        ranges=Ranges(low, high, classes.octets_of(pieces)),
        reasons=tuple(classes.names),
    )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    build(
        path,
        contents,
        sequence=size,
        issued_at=now,
        source=source,
    )
    return len(contents.device)


class _Classes:
    """Sets of reasons as small numbers, in the order in which they are met; the last stands for all that are too many."""

    def __init__(self) -> None:
        self.names: list[str] = ["-"]  # class 0 with nothing said is the octet of a device that is not listed

    def octets_of(self, columns: StatusColumns) -> Any:
        """One octet a row: its status and the class of its reasons."""
        statuses = tuple(Status)
        keys = np.stack([columns.status.astype(np.uint64), columns.reasons], axis=1)
        distinct, place = np.unique(keys, axis=0, return_inverse=True)
        octets = np.array(
            [
                attribute(
                    _LISTED[statuses[int(status)]],
                    self._class_of(" ".join(because_of(columns.names_in(int(bits))))),
                )
                for status, bits in distinct.tolist()
            ],
            dtype=np.uint8,
        )
        return octets[place.reshape(-1)] if len(octets) else np.empty(0, np.uint8)

    def _class_of(self, because: str) -> int:
        if because not in self.names and len(self.names) < _ASK_THE_BOOK:
            self.names.append(because)
        return self.names.index(because) if because in self.names else _ASK_THE_BOOK
