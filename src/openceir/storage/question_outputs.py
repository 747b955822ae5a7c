"""What every listed device's identifier evaluates to under an epoch's key, kept so that a further day costs that day.

One folder an epoch, part files of 21 octets a row (device key, and the thirteen octets of an output that buckets keep).
A part is written whole or not at all, so a build that was killed goes on where it stood. The rows tie devices to their
entries: they are as secret as the key, mode 0600, and what is listed no longer is taken out of them at the next build.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from openceir.progress import Progress, Silent
from openceir.questions import ROW, QuestionKey, rows_of
from openceir.storage.files import StorageError, fsync_folder, replace_file

__all__ = ["Base", "OutputCache", "changed_since", "evaluate_in_parallel"]

_STORED = np.dtype([("device", "<i8"), *((name, ROW[name]) for name in ROW.names or ())])
_BASE = np.dtype([("device", "<i8"), ("word", "u1")])
_PART_ROWS = 100_000  # some six seconds of one core: what a kill can cost
_CHUNK = 10_000
_WORTH_PROCESSES = 100_000  # below it, starting processes costs about what they save

Keys = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint8]
Base = tuple[Keys, Words]  # devices of a layer, ascending, and the word of each
Evaluate = Callable[[Sequence[bytes]], Sequence[bytes]]


class OutputCache:
    """The rows of one epoch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def sweep(self) -> None:
        """Remove what a killed writer left half written: it names devices. Only for who builds alone."""
        for left in self.folder.glob(".new-*"):
            left.unlink()

    def load(self) -> tuple[Keys, npt.NDArray[Any]]:
        """Devices, ascending and each once, and their rows. Raises: StorageError when a part is cut."""
        parts = [np.empty(0, dtype=_STORED)]
        for path in sorted(self.folder.glob("part-*.rows")):
            octets = path.read_bytes()
            if len(octets) % _STORED.itemsize:
                raise StorageError(f"{path} is cut; delete it, and the next build evaluates its devices again")
            parts.append(np.frombuffer(octets, dtype=_STORED))
        stored = np.concatenate(parts)
        devices, first = np.unique(stored["device"].astype(np.int64), return_index=True)
        rows = np.empty(len(first), dtype=ROW)
        for name in ROW.names or ():
            rows[name] = stored[name][first]
        return devices, rows

    def add(self, devices: Keys, rows: npt.NDArray[Any]) -> None:
        """Keep rows of devices that had none; durable on return."""
        self._write(self._next(), devices, rows)

    def keep_only(self, devices: Keys, rows: npt.NDArray[Any]) -> None:
        """Forget every device but these. A crash in between leaves both, and the next build forgets again."""
        old = sorted(self.folder.glob("part-*.rows"))
        self._write(self._next(), devices, rows)
        for path in old:
            path.unlink()
        if old:
            fsync_folder(self.folder)

    def base(self, tree: str) -> "Base | None":
        """What the large layer with this tree holds; None when another was written last."""
        path = self.folder / "base.rows"
        if not path.exists():
            return None
        name, _, octets = path.read_bytes().partition(b"\n")
        if name.decode() != tree or len(octets) % _BASE.itemsize:
            return None
        stored = np.frombuffer(octets, dtype=_BASE)
        return stored["device"].astype(np.int64), stored["word"]

    def keep_base(self, tree: str, devices: Keys, words: Words) -> None:
        """Remember what the large layer with this tree holds, for additions to it."""
        stored = np.empty(len(devices), dtype=_BASE)
        stored["device"], stored["word"] = devices, words
        replace_file(self.folder / "base.rows", tree.encode() + b"\n" + stored.tobytes(), mode=0o600)

    def _next(self) -> Path:
        numbers = [int(path.stem.partition("-")[2]) for path in self.folder.glob("part-*.rows")]
        return self.folder / f"part-{max(numbers, default=0) + 1:06d}.rows"

    def _write(self, path: Path, devices: Keys, rows: npt.NDArray[Any]) -> None:
        stored = np.empty(len(devices), dtype=_STORED)
        stored["device"] = devices
        for name in ROW.names or ():
            stored[name] = rows[name]
        replace_file(path, stored.tobytes(), mode=0o600)


def changed_since(base: Base, devices: Keys, words: Words) -> npt.NDArray[np.bool_]:
    """Which of these devices the layer lacks, or has with another word."""
    held, said = base
    if not held.size:
        return np.ones(len(devices), dtype=np.bool_)
    place = np.minimum(np.searchsorted(held, devices), held.size - 1)
    same: npt.NDArray[np.bool_] = (held[place] == devices) & (said[place] == words)
    return ~same


def evaluate_in_parallel(
    devices: Keys,
    subjects_of: Callable[[Sequence[int]], Sequence[bytes]],
    evaluate: Evaluate | QuestionKey,
    keep: Callable[[Keys, npt.NDArray[Any]], None],
    *,
    processes: int = 0,
    progress: Progress = Silent(),
) -> None:
    """Evaluate every device and hand the rows to `keep`, part by part.

    A key is used on `processes` cores (0: all, where that is worth it); anything else, such as asking the members of a group, one call after
    the other.
    """
    done = 0
    for start in range(0, len(devices), _PART_ROWS):
        part = devices[start : start + _PART_ROWS]
        chunks = [part[at : at + _CHUNK] for at in range(0, len(part), _CHUNK)]
        rows = []
        for found in _evaluated(
            map(subjects_of, (chunk.tolist() for chunk in chunks)), evaluate, len(devices), processes
        ):
            rows.append(found)
            done += len(found)
            progress("evaluated", done, len(devices))
        keep(part, np.concatenate(rows))


def _evaluated(
    chunks: Iterator[Sequence[bytes]], evaluate: Evaluate | QuestionKey, total: int, processes: int
) -> Iterator[npt.NDArray[Any]]:
    if not isinstance(evaluate, QuestionKey):
        yield from (rows_of(list(evaluate(chunk))) for chunk in chunks)
        return
    workers = processes or (os.cpu_count() or 1 if total >= _WORTH_PROCESSES else 1)
    if workers == 1:
        yield from (rows_of(evaluate.evaluate(chunk)) for chunk in chunks)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), _take_key, (evaluate.format(),)) as pool:
        yield from pool.map(_evaluate_chunk, chunks)


_own_key: QuestionKey | None = None


def _take_key(text: str) -> None:
    """In a worker: the key stays in its memory, it stands on no command line."""
    global _own_key
    _own_key = QuestionKey.parse(text)


def _evaluate_chunk(subjects: Sequence[bytes]) -> npt.NDArray[Any]:
    assert _own_key is not None
    return rows_of(_own_key.evaluate(subjects))
