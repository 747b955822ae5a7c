"""The portal on a real PostgreSQL server: one setting, no other change. Its flows are the very tests that SQLite is held to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from a_postgresql import a_postgresql

ROOT = Path(__file__).parents[3]
HELD_ON_BOTH = [
    "tests/portal/accounts",
    "tests/portal/api",
    "--ignore=tests/portal/api/test_description.py",  # of requests and answers, whatever keeps the rows
    "tests/portal/cases",
    "tests/portal/citizens",
    "tests/portal/police",
    "tests/portal/customs",
    "tests/portal/trade",
    "tests/portal/operators",
    "tests/portal/regulator",
    "tests/portal/auditor",
    "tests/portal/stories",
    "tests/portal/channels/test_views.py",
]


@pytest.fixture
def postgresql():
    with a_postgresql() as url:
        yield url


def test_what_is_kept_in_postgresql_is_kept_as_in_sqlite(postgresql):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-rs", "-p", "no:cacheprovider", *HELD_ON_BOTH],
        cwd=ROOT, env={**os.environ, "OPENCEIR_TEST_POSTGRESQL": postgresql}, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    skipped = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED")]
    assert [line for line in skipped if "openceir[ocr]" not in line] == []


def test_a_password_in_the_setting_stops_the_start_and_another_database_is_refused(tmp_path):
    for url, word in (("postgresql://u:p@h/d", "holds a password"), ("mysql://u@h/d", "expected postgresql")):
        done = subprocess.run(
            [sys.executable, "-m", "openceir", "--home", str(tmp_path), "serve", "--port", "1"],
            env={**os.environ, "OPENCEIR_PORTAL_DATABASE": url}, text=True, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert word in done.stderr
        assert "Traceback" not in done.stderr
