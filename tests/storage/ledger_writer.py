"""A real writer that is killed two hundred times. Run as a script by test_ledger_kill.py; prints one line a death.

    python ledger_writer.py FOLDER ROUNDS SEED

The parent forks a child, which opens the register, appends one to three statements at a time and tells through a pipe
what was acknowledged. Half of the children kill themselves at the n-th write, fsync, cut or rename, a write cut at
half; the others are killed by the parent at a random moment. Then the parent opens the ledger as the next process
would, reads all of it again, and looks for every entry that was ever acknowledged.
"""

import contextlib
import os
import random
import shutil
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from openceir.app import open_register
from openceir.statements import DeviceSet, DeviceStolen, Role

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
APPENDS = 6
ROUNDS_A_HOME = 20


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at(count: int) -> None:
    """Kill this process at its `count`-th touch of the disk."""
    left = [count]
    pwrite, fsync, ftruncate, replace, write_bytes = os.pwrite, os.fsync, os.ftruncate, Path.replace, Path.write_bytes

    def touch() -> bool:
        left[0] -= 1
        return left[0] == 0

    def dying_pwrite(handle, octets, at):
        if touch():
            pwrite(handle, bytes(octets)[: len(octets) // 2], at)
            die()
        return pwrite(handle, octets, at)

    def dying_write_bytes(path, octets):
        if touch():
            write_bytes(path, octets[: len(octets) // 2])
            die()
        return write_bytes(path, octets)

    def before(call):
        def dying(*arguments):
            if touch():
                die()
            return call(*arguments)

        return dying

    os.pwrite, Path.write_bytes = dying_pwrite, dying_write_bytes
    os.fsync, os.ftruncate, Path.replace = before(fsync), before(ftruncate), before(replace)


def write(home: Path, pipe: int, first: int, dies_at: int | None) -> None:
    """The child's life: append, tell, append, tell."""
    if dies_at is not None:
        die_at(dies_at)
    register = open_register(home)
    number = first
    for turn in range(APPENDS):
        said = [
            DeviceStolen(devices=DeviceSet.of(keys=[number + n]), stolen_at=NOON, case_number="N-7")
            for n in range(turn % 3 + 1)
        ]
        number += len(said)
        for entry in register.state(said, by="police", at=NOON):
            os.write(pipe, b"%d %s\n" % (entry.index, entry.leaf_hash.hex().encode()))


def spin(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def main(folder: Path, rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    acknowledged: dict[int, str] = {}
    home = folder / "home"
    for death in range(rounds):
        if death % ROUNDS_A_HOME == 0:
            shutil.rmtree(home, ignore_errors=True)
            acknowledged = {}
            open_register(home).new_key("police", member="police", roles=[Role.POLICE], valid_from=NOON)
        dies_at = chance.randint(1, 45) if death % 2 else None
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            with contextlib.suppress(BaseException):
                write(home, writing, death * 100, dies_at)
            os._exit(0)
        os.close(writing)
        if dies_at is None:
            spin(chance.uniform(0, 0.045))
            os.kill(child, signal.SIGKILL)
        with os.fdopen(reading, "rb") as told:
            lines = told.read().split(b"\n")[:-1]
        _, status = os.waitpid(child, 0)
        for line in lines:
            index, leaf_hash = line.split()
            acknowledged[int(index)] = leaf_hash.decode()
        register = open_register(home)
        book = register.ledger
        found = {entry.index: entry.leaf_hash.hex() for entry in book.entries()}
        lost = [index for index, leaf_hash in acknowledged.items() if found.get(index) != leaf_hash]
        audit = register.verify_ledger() if book.size else None
        assert audit is None or audit.root == book.tree.root()
        book.close()
        print(
            f"{death} killed={os.WIFSIGNALED(status)} told={len(lines)} size={len(found)} lost={len(lost)}", flush=True
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
