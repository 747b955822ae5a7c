"""Several processes over one portal, on SQLite and on PostgreSQL: each thing is done once, and the act log stays one chain."""

import os
import subprocess
import sys

import pytest

from a_postgresql import a_postgresql, new_database

AT_ONCE, EACH = 3, 6
PREPARE = """
import sys
from pathlib import Path
from openceir.portal.prepare import prepare
prepare(Path(sys.argv[1]))
"""
BEGIN = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "openceir.portal.site.settings"
import django
django.setup()
from datetime import timedelta
from openceir.portal import moment
from openceir.portal.accounts.acts import clockwork
from openceir.portal.accounts.log import note, verify_acts
from openceir.portal.accounts.models import User
from openceir.portal.cases.models import Case, Notice
from openceir.portal.cases.wordings import Wording
from openceir.portal.cases.notices import notify
from openceir.portal.regulator.jobs import ask
from openceir.portal.regulator.models import Job
from pathlib import Path
from openceir.app import open_register
from openceir.statements import Role
from django_tasks_db.models import DBTaskResult
"""
SOW = """
book = open_register(Path(sys.argv[1]))
book.new_key("regulator", member="regulator", roles=[Role.REGULATOR], valid_from=moment.now() - timedelta(days=1))
reg = User.objects.create(username="reg")
note(clockwork("regulator"), "tests.act")
for number in range(int(sys.argv[2])):
    case, _ = Case.open("appeal", devices=[f"001001{number:08d}"], name="Alice")
    case.due("appeal-undecided", moment.now() - timedelta(hours=1))
    notify(case, Wording("word", "a word to you"))
    ask(Job(kind="figures", asked=f"2025-{number + 1:02d}", asked_by=reg))
"""
ACT = """
for number in range(int(sys.argv[2])):
    note(clockwork("regulator"), "tests.act", subject=f"{number}")
"""
REAP = """
appeals = Case.objects.filter(kind="appeal")
print(
    {case.events.filter(kind="restore").count() for case in appeals},
    {case.events.filter(kind="notice", text="a word to you").count() for case in appeals},
    Notice.objects.filter(sent_at=None, text="a word to you").count(),
    {(one.status, len(one.worker_ids)) for one in DBTaskResult.objects.all()} == {("SUCCESSFUL", 1)},
    Job.objects.filter(asked__startswith="2025").exclude(outcome=None).count(),
    verify_acts()[0],
    open_register(Path(sys.argv[1])).ledger.size,
)
"""

PRESS = """
import threading, uuid
from django.test import Client
told = {
    "once": str(uuid.uuid4()), "what": "theft", "imeis": "001001000000015", "happened_on": "2026-01-02",
    "mode": "block", "name": "Alice", "email": "", "phone": "", "place": "",
}
gate, seen = threading.Barrier(4), []
def press():
    browser = Client(HTTP_HOST="localhost")
    gate.wait()
    seen.append(browser.post("/report/", told).status_code)
presses = [threading.Thread(target=press) for _ in range(4)]
for one in presses: one.start()
for one in presses: one.join()
print(Case.objects.count(), *seen)
"""


@pytest.fixture(scope="module")
def server():
    with a_postgresql() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request, tmp_path):
    """A home, and the environment of a process that uses it."""
    home = tmp_path / "home"
    home.mkdir()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OPENCEIR_", "DJANGO_"))}
    if request.param == "postgresql":
        clean["OPENCEIR_PORTAL_DATABASE"] = new_database(
            request.getfixturevalue("server"), f"of_{request.function.__name__}"[:60]
        )
    return home, {**clean, "OPENCEIR_HOME": str(home)}


def start(where, *words):
    return subprocess.Popen(
        [sys.executable, *words], env=where[1], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def ended(process):
    said, trouble = process.communicate(timeout=300)
    assert process.returncode == 0, trouble
    return said, trouble


def program(where, text, before=BEGIN):
    return start(where, "-c", before + text, str(where[0]), str(EACH))


def test_what_several_workers_find_due_is_done_once(where):
    ended(program(where, SOW, PREPARE + BEGIN))
    workers = [start(where, "-m", "openceir.portal", "worker", "--once") for _ in range(AT_ONCE)]
    acts = [program(where, ACT) for _ in range(AT_ONCE)]
    for process in [*workers, *acts]:
        _, trouble = ended(process)
        assert "openceir: " not in trouble  # nothing failed to be tried again later
    said, _ = ended(program(where, REAP))
    assert (
        said.strip() == f"{{1}} {{1}} 0 True {EACH} {2 + EACH * AT_ONCE} 1"
    )  # of the acts, one told the ledger of the log, once


def test_a_button_pressed_four_times_at_once_opens_one_case(where):
    said, _ = ended(program(where, PRESS, PREPARE + BEGIN))
    assert said.split() == ["1", "302", "302", "302", "302"]
