import re
import subprocess
import sys
from pathlib import Path

import pytest

DEATHS = 40


@pytest.mark.slow
def test_a_follower_killed_forty_times_loses_nothing_and_goes_on_where_it_was(tmp_path):
    """Fetched, covered and witnessed only ever grow; in the end the copy is the log, and every statement was received."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("dying_follower.py")), str(tmp_path), str(DEATHS), "20270301"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    deaths = re.findall(r"killed=(True|False) covered=(\d+) of (\d+) lost=(\d)", done.stdout)
    assert len(deaths) == DEATHS
    assert {lost for *_, lost in deaths} == {"0"}
    # The run must have bitten: most children died, and some before they had covered what there was.
    assert sum(killed == "True" for killed, *_ in deaths) > DEATHS * 0.5
    assert any(covered != size for _, covered, size, _ in deaths)
    end = re.search(r"end same=(True|False) held=(\d+) of (\d+) troubles=(.*)", done.stdout)
    assert end is not None
    assert (end[1], end[4]) == ("True", "{}")
    assert end[2] == end[3]
