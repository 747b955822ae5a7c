import re
import subprocess
import sys
from pathlib import Path

import pytest

DEATHS = 200


@pytest.mark.slow
def test_a_writer_killed_two_hundred_times_loses_nothing_that_it_acknowledged(tmp_path):
    """After each kill -9 the ledger opens, everything in it verifies, and every acknowledged entry is in its place."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("ledger_writer.py")), str(tmp_path), str(DEATHS), "20270301"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    deaths = re.findall(r"killed=(True|False) told=(\d+) size=(\d+) lost=(\d+)", done.stdout)
    assert len(deaths) == DEATHS
    assert sum(int(lost) for *_, lost in deaths) == 0
    # The run must have bitten: most children died, and they died at different places of their work.
    assert sum(killed == "True" for killed, *_ in deaths) > DEATHS * 0.6
    assert {int(told) for _, told, *_ in deaths} >= {0, 1, 3, 6}
