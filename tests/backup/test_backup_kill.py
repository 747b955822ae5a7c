"""kill -9 in the middle of a backup and of a restore: all or nothing, and the next try ends well."""

import subprocess
import sys
from pathlib import Path


def test_killed_anywhere_a_backup_and_a_restore_are_whole_or_not_there(tmp_path):
    killer = Path(__file__).with_name("backup_killer.py")
    done = subprocess.run([sys.executable, str(killer), str(tmp_path), "16"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 32
    assert sum("ended=False" in line for line in lines) > 16, "hardly any child died: the deaths come too late"
