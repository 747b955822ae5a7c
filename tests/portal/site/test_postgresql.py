"""The same tests over a real PostgreSQL server: one setting, no other change."""

import getpass
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BIN = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda path: int(path.parent.name))
HELD_ON_BOTH = [
    "tests/portal/accounts/test_acts.py",
    "tests/portal/cases/test_cases.py",
    "tests/portal/citizens/test_matters.py",
]


@pytest.fixture
def postgresql() -> Iterator[str]:
    """A server of this test's own on a socket in a folder; the setting that names it."""
    if BIN is None:
        pytest.skip("there is no PostgreSQL; scripts/install-browser.sh installs it")
    as_other = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []  # a server refuses to run as root
    if as_other and shutil.which("runuser") is None:
        pytest.skip("PostgreSQL does not run as root, and there is no runuser to run it as somebody else")
    user = "postgres" if as_other else getpass.getuser()
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    if as_other:
        shutil.chown(folder, "postgres")
    data = folder / "data"

    def run(*words: str) -> None:
        subprocess.run([*as_other, *words], check=True, cwd=folder, stdout=subprocess.DEVNULL)

    run(str(BIN / "initdb"), "--pgdata", str(data), "--auth", "trust", "--encoding", "UTF8", "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    run(str(BIN / "pg_ctl"), "--pgdata", str(data), "--wait", "--timeout", "120", "-o", options, "-l", str(folder / "log"), "start")  # fmt: skip
    try:
        yield f"postgresql://{user}@/postgres?host={folder}"
    finally:
        run(str(BIN / "pg_ctl"), "--pgdata", str(data), "--wait", "--mode", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def test_what_is_kept_in_postgresql_is_kept_as_in_sqlite(postgresql):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *HELD_ON_BOTH],
        cwd=ROOT, env={**os.environ, "OPENCEIR_TEST_POSTGRESQL": postgresql}, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert "skipped" not in done.stdout.splitlines()[-1]


def test_a_password_in_the_setting_stops_the_start_and_another_database_is_refused(tmp_path):
    for url, word in (("postgresql://u:p@h/d", "holds a password"), ("mysql://u@h/d", "expected postgresql")):
        done = subprocess.run(
            [sys.executable, "-m", "openceir", "--home", str(tmp_path), "serve", "--port", "1"],
            env={**os.environ, "OPENCEIR_PORTAL_DATABASE": url}, text=True, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert word in done.stderr
        assert "Traceback" not in done.stderr
