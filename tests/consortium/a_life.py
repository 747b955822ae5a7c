"""The life of one application under a fake engine, which ends by kill -9 at a step: started by test_crash.py.

python a_life.py FOLDER STEP HEIGHT: FOLDER/chain.pickle holds the blocks.
"""

import os
import pickle
import signal
import sys
from pathlib import Path

from tests.consortium.fake_engine import FakeEngine, opened

from openceir.consortium import NodeFolder


def main():
    path, step, height = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

    def on_step(at_step, at_height):
        if (at_step, at_height) == (step, height):
            os.kill(os.getpid(), signal.SIGKILL)

    folder = NodeFolder(path)
    blocks = pickle.loads((path / "chain.pickle").read_bytes())
    engine = FakeEngine(folder)
    application = opened(folder, on_step, snapshot_every=2)
    engine.handshake(application)
    for time, txs in blocks:
        engine.decide(txs, application, time=time)


if __name__ == "__main__":
    main()
