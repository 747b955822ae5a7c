"""A backup, or a restore, that is killed again and again. Run as a script by test_backup_kill.py; one line a death.

    python backup_killer.py FOLDER ROUNDS

While a child copies, the parent goes on signing; each child dies at its n-th touch of the disk. Then: either there is no
backup under that name, or it is whole; either there is no home, or it is one.
"""

import os
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from openceir.app import open_register
from openceir.backup import restore_backup, take_backup, verify_backup
from openceir.statements import DeviceSet, DeviceStolen, Role
from openceir.status import Status

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


def dies_at(count: int) -> None:
    """This process kills itself before its `count`-th fsync or rename."""
    left = [count]

    def before(call):
        def dying(*arguments, **named):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **named)

        return dying

    os.fsync, Path.rename = before(os.fsync), before(Path.rename)


def in_a_child(death: int, work) -> bool:
    """Whether the work ended before its death."""
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            dies_at(death)
            work()
            os._exit(0)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "it failed instead of dying"
    return not os.WIFSIGNALED(status)


def main(folder: Path, rounds: int) -> None:
    home, into = folder / "home", folder / "backups"
    register = open_register(home)
    register.new_key("police", member="police", roles=[Role.POLICE], valid_from=NOON)
    stated = 0
    for death in range(1, rounds + 1):
        at = NOON + timedelta(minutes=death)
        said = DeviceStolen(devices=DeviceSet.of(f"0010010000{death:04d}"), stolen_at=NOON, case_number="N-7")
        register.state([said], by="police", at=at)
        register.ledger.hand_over()
        stated += 1
        ended = in_a_child(death, lambda at=at: take_backup(home, into, at=at, environment={}))
        taken = sorted(into.glob("openceir-*"))
        assert not ended or taken, "it ended and there is nothing"
        for one in taken:
            verify_backup(one)
        print(f"take {death} ended={ended} backups={len(taken)}", flush=True)
    last = take_backup(home, into, at=NOON + timedelta(days=1), environment={}).folder
    assert not list(into.glob(".making-*")), "what was left of the dead is still there"
    for death in range(1, rounds + 1):
        again = folder / f"again{death}"
        ended = in_a_child(death, lambda again=again: restore_backup(last, again, environment={}))
        assert ended == again.exists() or not ended, "a home that is not whole"
        if not again.exists():
            restore_backup(last, again, environment={})
        found = open_register(again)
        assert found.ledger.size == stated == found.verify_ledger().statements
        assert found.check("00100100000001", NOON + timedelta(days=1)).status is Status.BLOCKED
        found.ledger.close()
        found.database.close()
        print(f"restore {death} ended={ended}", flush=True)


main(Path(sys.argv[1]), int(sys.argv[2]))
