"""One node as `openceir consortium node` runs it, with faults of our choosing: started by the tests as its own process.

python a_node.py FOLDER ENGINE [--die STEP@HEIGHT] [--lie-at HEIGHT] [--full-at HEIGHT] [--clock-off SECONDS]

CLOCK_JUMP_FILE, when it is set, names a file with the seconds by which this node's clock is off, read each time it is asked.
"""

import argparse
import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from openceir import clock
from openceir.consortium import Application, NodeFolder, run_node
from openceir.errors import OpenceirError
from openceir.storage.ordered_log import OrderedLog


class Liar(Application):
    """An application that computes another state than everybody else from a height on."""

    lies_at = 0

    def _finalize_block(self, asked, answer):
        super()._finalize_block(asked, answer)
        if asked.height >= self.lies_at:
            answer.app_hash = bytes(32)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("engine", type=Path)
    parser.add_argument("--die", default="")
    parser.add_argument("--lie-at", type=int, default=0)
    parser.add_argument("--full-at", type=int, default=0)
    parser.add_argument("--clock-off", type=int, default=0)
    parser.add_argument("--snapshot-every", type=int, default=4)
    asked = parser.parse_args()
    step, _, height = asked.die.partition("@")

    def on_step(at_step, at_height):
        if asked.die and at_step == step and at_height >= int(height):
            print(f"died at {at_step} of {at_height}", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        if asked.full_at and at_step == "applied" and at_height >= asked.full_at:
            made[0].log._database.connection.execute("PRAGMA max_page_count = 1")  # SQLite itself then says: disk full

    made = []

    def off():
        jump = os.environ.get("CLOCK_JUMP_FILE")
        return timedelta(seconds=int(Path(jump).read_text()) if jump else asked.clock_off)

    def opened(folder):
        kind = Liar if asked.lie_at else Application
        application = kind(
            OrderedLog(folder.book), folder.chain_id, lambda: clock.now() + off(), moved=folder.moved,
            snapshot_every=asked.snapshot_every, on_step=on_step,
        )  # fmt: skip
        application.lies_at = asked.lie_at
        made.append(application)
        return application

    try:
        asyncio.run(run_node(NodeFolder(asked.folder), asked.engine, opened, ready=lambda: print("ready", flush=True)))
    except OpenceirError as wrong:
        print(f"stopped: {wrong}", flush=True)
        sys.exit(3)


if __name__ == "__main__":
    main()
