"""A home that kills itself at its n-th step while it states something and follows the book: python dying_home.py HOME OTHER N.

Prints "whole" when it lived to the end.
"""

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from tests.consortium.homes import Home

from openceir import clock
from openceir.consortium import NodeClient
from openceir.statements import DeviceSet, DeviceStolen
from openceir.storage import files, ordered_log
from openceir.storage.claims import ClaimShelf
from openceir.storage.federation_shelf import FederationShelf


def main():
    home, other, steps = Path(sys.argv[1]), Path(sys.argv[2]), [int(sys.argv[3])]

    def dying(owner, name):
        inner = getattr(owner, name)

        def step(*given, **more):
            for place in ("before", "after"):
                steps[0] -= 1
                if steps[0] == 0:
                    print(f"dies {place} {name}", flush=True)
                    os.kill(os.getpid(), signal.SIGKILL)
                if place == "before":
                    done = inner(*given, **more)
            return done

        setattr(owner, name, step)

    for owner, names in (
        (NodeClient, ("hand_over",)),
        (files.Path, ("replace", "unlink")),
        (ordered_log.OrderedLog, ("put_entries", "put_block", "put_head")),
        (FederationShelf, ("note_times", "note_judged", "keep", "note_landed")),
        (ClaimShelf, ("apply_abroad",)),
    ):
        for name in names:
            dying(owner, name)
    opened = Home(home)
    at = clock.now()
    said = DeviceStolen(
        devices=DeviceSet.of(keys=[int(sys.argv[4])]), stolen_at=at - timedelta(days=1), case_number="N-9"
    )
    opened.register.state([said], by=opened.member, at=at)
    opened.round(other)
    print("whole", flush=True)


if __name__ == "__main__":
    main()
