"""The drill with a real PostgreSQL server: a portal in use is backed up, its machine is lost, and another one goes on from there."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from a_postgresql import a_postgresql, new_database
from openceir.backup import BackupRefused, verify_backup

BEGIN = """
import sys
from pathlib import Path
from openceir.portal.prepare import prepare
prepare(Path(sys.argv[1]))
from openceir.app import open_register
from openceir.portal import moment
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.log import verify_acts
from openceir.portal.accounts.models import Act, User
from openceir.portal.cases.models import Case
from openceir.portal.citizens.reports import open_report, verify_report
from openceir.portal.register import register
from openceir.statements import Role

def report(number):
    case, secret = open_report(f"001001{number:08d}", is_theft=True, channel="web", language="en", name="Alice")
    case.move("prove", actor="")
    ann = User.objects.get_or_create(username="ann")[0]
    verify_report(Actor(name="ann", role="police-officer", office="police", signs_with="police", user=ann), case)
    return case.reference, secret
"""
FIRST = """
from datetime import timedelta
open_register(Path(sys.argv[1])).new_key("police", member="police", roles=[Role.POLICE], valid_from=moment.now() - timedelta(days=1))
print(*report(1))
"""
ON_AND_ON = """
for number in range(2, 10_000):
    report(number)
    print(number, flush=True)
"""
AFTER = """
book = register()
acts, _ = verify_acts()
stated = {leaf for act in Act.objects.all() for leaf in act.statements}
logged = {book.ledger.entry(n).leaf_hash.hex() for n in range(book.ledger.size)}
print(acts, len(logged), stated <= logged, str(book.check("00100100000001", moment.now()).status))
print(Case.find(*sys.argv[2:4]).state)
report(20_000)  # and it goes on
print(book.verify_ledger().statements)
"""


@pytest.fixture(scope="module")
def server():
    with a_postgresql() as url:
        yield url


def environment(database):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OPENCEIR_", "DJANGO_"))}
    return {**clean, "OPENCEIR_PORTAL_DATABASE": database}


def run(database, *words):
    done = subprocess.run(
        [sys.executable, *words], env=environment(database), text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_portal_in_use_is_backed_up_and_another_machine_goes_on_from_there(server, tmp_path):
    first, second = new_database(server, "first"), new_database(server, "second")
    home, words = tmp_path / "home", tmp_path / "words"
    home.mkdir()
    words.write_text("correct horse battery staple")
    words.chmod(0o600)
    reference, secret = run(first, "-c", BEGIN + FIRST, str(home)).split()
    officers = subprocess.Popen(
        [sys.executable, "-c", BEGIN + ON_AND_ON, str(home)], env=environment(first), text=True, stdout=subprocess.PIPE
    )
    try:
        for _ in range(3):
            assert officers.stdout.readline()
        command = ["-m", "openceir", "--home", str(home), "backup", "take", str(tmp_path / "backups"), "--json"]
        told = json.loads(run(first, *command, "--passphrase-file", str(words)))
        assert officers.stdout.readline(), "the officers were stopped, and not only held up"
    finally:
        officers.kill()
        officers.communicate()
    shutil.rmtree(home)  # the machine is lost
    again = tmp_path / "again"
    command = ["-m", "openceir", "--home", str(again), "backup", "restore", told["folder"], "--json"]
    restored = json.loads(run(second, *command, "--digest", told["digest"], "--passphrase-file", str(words)))
    said = run(second, "-c", BEGIN + AFTER, str(again), reference, secret).split()
    acts, logged, fits, verdict, state, statements = said
    assert (fits, verdict, state) == ("True", "blocked", "blocked")
    assert int(acts) == int(logged) == restored["statements"] > 1
    assert int(statements) == restored["statements"] + 1


def test_a_dump_that_was_altered_is_found_and_one_is_never_put_over_a_portal(server, tmp_path):
    database = new_database(server, "third")
    home = tmp_path / "home"
    home.mkdir()
    run(database, "-c", BEGIN + FIRST, str(home))
    told = json.loads(
        run(database, "-m", "openceir", "--home", str(home), "backup", "take", str(tmp_path / "b"), "--json")
    )
    restore = [sys.executable, "-m", "openceir", "--home", str(tmp_path / "new"), "backup", "restore", told["folder"]]
    done = subprocess.run(restore, env=environment(database), text=True, capture_output=True, check=False)
    assert done.returncode == 1
    assert "pg_restore ended with" in done.stderr
    assert not (tmp_path / "new").exists()
    dump = next((tmp_path / "b").rglob("portal.dump"))
    dump.write_bytes(dump.read_bytes()[:-1] + b"?")
    with pytest.raises(BackupRefused, match=r"portal\.dump"):
        verify_backup(dump.parent)
