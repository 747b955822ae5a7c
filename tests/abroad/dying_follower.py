"""A follower that is killed many times while it fetches, judges and witnesses. Run as a script by test_follower_kill.py.

    python dying_follower.py FOLDER ROUNDS SEED

The parent lets XA log more, then forks a child that follows XA as XB. Half of the children kill themselves at their n-th
write, fsync, cut or rename, a write cut at half; the others are killed by the parent at a random moment. After each
death the parent opens everything as the next process would. It prints one line a death.
"""

import contextlib
import os
import random
import signal
import sys
from datetime import timedelta
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "storage")]

from ledger_writer import die_at, spin  # noqa: E402

from abroad.nations import Federation  # noqa: E402
from openceir import clock  # noqa: E402
from openceir.app import open_register  # noqa: E402
from openceir.federation import Mirror  # noqa: E402
from openceir.statements import DeviceSet, DeviceStolen  # noqa: E402
from openceir.storage.federation_shelf import FederationShelf  # noqa: E402
from openceir.storage.ledger_files import LedgerFiles  # noqa: E402


def log_more(federation, first: int, count: int) -> None:
    at = clock.now()
    said = [
        DeviceStolen(devices=DeviceSet.of(keys=[first + n]), stolen_at=at - timedelta(days=1), case_number="N-7")
        for n in range(count)
    ]
    federation["XA"].state(*said, at=at)
    federation["XA"].register.ledger.close()


def main(folder: Path, rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    federation = Federation(folder, codes=("XA", "XB"))
    origin = federation["XA"].register.own_member().keys[1].public.name
    home = federation["XB"].home
    covered = witnessed = first = 0
    for death in range(rounds):
        count = chance.choice((1, 3, 40, 300))
        log_more(federation, first, count)
        first += count
        dies_at = chance.randint(1, 10) if death % 2 else None
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                nation = federation["XB"]
                nation.register = open_register(home)
                federation.doors["xa-regulator"] = federation["XA"].door
                if dies_at is not None:
                    die_at(dies_at)
                federation.round("XB")
            os._exit(0)
        if dies_at is None:
            spin(chance.uniform(0.05, 0.5))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        # As the next process finds it: whole, and never behind what was covered or witnessed before.
        mirror = Mirror(LedgerFiles(home / "federation" / "logs" / "xa-regulator"))
        shelf = FederationShelf(home / "federation")
        note = shelf.witnessed(origin)
        lost = mirror.covered < covered or (note.checkpoint.size if note else 0) < witnessed
        covered, witnessed = mirror.covered, note.checkpoint.size if note else 0
        lost |= witnessed > mirror.covered or shelf.followed("xa-regulator").judged > mirror.covered
        mirror.close()
        shelf.close()
        print(f"{death} killed={os.WIFSIGNALED(status)} covered={covered} of {first} lost={int(lost)}", flush=True)
    federation["XB"].register = open_register(home)
    federation.doors["xa-regulator"] = federation["XA"].door
    done = federation.round("XB")
    mirror = federation["XB"].register.mirror("xa-regulator")
    same = mirror.tree.root() == federation["XA"].register.ledger.tree.root() and mirror.covered == first
    held = federation["XB"].register.federation_shelf.counts("xa-regulator")
    print(f"end same={same} held={held.get('held')} of {first} troubles={done.troubles}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
