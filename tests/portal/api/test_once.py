"""A request with an Idempotency-Key is done once, whatever is cut, killed, or sent twice."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from a_country import ALICES_PHONE
from openceir.identity import format_imei
from openceir.portal.api.models import KeptAnswer
from openceir.portal.api.once import forget_old
from openceir.portal.cases.models import Case
from portal.a_document import a_picture

REPORT = {
    "imeis": format_imei(ALICES_PHONE), "what": "theft", "mode": "block", "happened_on": "2027-02-20", "name": "Alice",
    "email": "", "phone": "", "place": "",
}  # fmt: skip


@pytest.fixture
def insurer(country, program):
    return program("reports")


def report(client, key="k-1", **more):
    headers = {"Idempotency-Key": key} if key else {}
    return client.fill("reports", {**REPORT, **more}, **headers)


def test_the_same_request_is_one_case_and_one_answer_to_the_octet(insurer):
    first, again = report(insurer), report(insurer, key='"k-1"')
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Location"] == first.headers["Location"]
    assert Case.objects.count() == 1
    report(insurer, key="k-2")
    assert Case.objects.count() == 2


def test_without_a_key_each_request_counts(insurer):
    report(insurer, key="")
    report(insurer, key="")
    assert Case.objects.count() == 2


def test_documents_count_to_what_was_asked(insurer):
    first = report(insurer, proof=a_picture())
    again = report(insurer, proof=a_picture())  # another boundary, the same picture
    assert again.content == first.content
    other = report(insurer, proof=a_picture("box"))
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert Case.objects.count() == 1


def test_another_request_with_the_key_is_refused(insurer):
    report(insurer)
    other = report(insurer, what="loss")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert Case.objects.count() == 1


def test_two_callers_may_use_one_key(insurer, program):
    report(insurer)
    report(program("reports"))
    assert Case.objects.count() == 2


def test_while_the_first_is_at_it_the_second_waits_and_who_died_is_taken_over(insurer, clock):
    first = report(insurer)
    Case.objects.all().delete()
    KeptAnswer.objects.update(sealed=None)
    busy = report(insurer)
    assert (busy.status_code, busy.json()["code"], busy.headers["Retry-After"]) == (409, "request-in-flight", "1")
    assert not Case.objects.exists()
    clock.at += timedelta(seconds=61)
    done = report(insurer)
    assert done.status_code == 201
    assert done.content != first.content
    assert report(insurer).content == done.content
    assert Case.objects.count() == 1


def test_a_refusal_is_not_kept_and_the_corrected_request_may_bear_the_key(insurer):
    assert report(insurer, imeis="001001000000016").status_code == 422
    assert not KeptAnswer.objects.exists()
    assert report(insurer).status_code == 201


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "naïve"])
def test_what_is_no_key_is_refused(insurer, key):
    reply = insurer.fill("reports", REPORT, **{"Idempotency-Key": key})
    assert (reply.status_code, reply.json()["code"]) == (400, "idempotency-key-unreadable")


def test_who_has_the_database_reads_no_secret_and_answers_go_after_a_day(insurer, clock):
    told = report(insurer).json()
    kept = KeptAnswer.objects.get()
    everything = repr(kept.__dict__) + bytes(kept.sealed).decode("latin-1")
    assert told["secret"] not in everything
    assert "k-1" not in everything
    assert forget_old(clock.at + timedelta(hours=23)) == 0
    assert forget_old(clock.at + timedelta(hours=25)) == 1


PROGRAM = """
import os, signal, sys
from datetime import timedelta
from pathlib import Path
from openceir.portal.prepare import prepare
home = Path(sys.argv[1])
prepare(home)
from django.test import Client
from openceir.portal import moment
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.models import User
from openceir.portal.api import once
from openceir.portal.api.keys import make_key
from openceir.portal.api.models import KeptAnswer
from openceir.portal.cases.models import Case
kept = home / "key.txt"
if not kept.exists():
    user = User.objects.create(username="reg")
    actor = Actor(name="reg", role="regulator", office="regulator", signs_with="regulator", user=user)
    _, text = make_key(actor, name="n", scopes=["reports"], per_day=9, partner="insurer",
                       expires_at=moment.now() + timedelta(days=1))
    kept.write_text(text)
if sys.argv[2] == "die":
    close = once._Seal.close
    def dies(self, done):
        assert Case.objects.count() == 1, "the case is open already"
        os.kill(os.getpid(), signal.SIGKILL)
    once._Seal.close = dies
else:
    KeptAnswer.objects.update(claimed_at=moment.now() - timedelta(minutes=2))
asked = {"imeis": "001001000000015", "what": "theft", "mode": "block", "happened_on": "2026-02-20", "name": "Alice"}
client = Client(headers={"Authorization": "Bearer " + kept.read_text(), "Idempotency-Key": "k"}, HTTP_HOST="localhost")
said = [client.post("/api/v1/reports", asked).content for _ in range(2)]
print(said[0] == said[1], Case.objects.count(), KeptAnswer.objects.count())
"""


def test_a_killed_request_is_none_and_asked_again_it_is_one(tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENCEIR_", "DJANGO_"))}

    def run(how):
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, str(home), how],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )

    died = run("die")
    assert died.returncode == -9, died.stderr
    done = run("live")
    assert done.stdout.split() == ["True", "1", "1"], done.stderr


AT_ONCE = """
import sys, threading
from datetime import timedelta
from pathlib import Path
from openceir.portal.prepare import prepare
prepare(Path(sys.argv[1]))
from django.db import connection
from django.test import Client
from openceir.portal import moment
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.models import User
from openceir.portal.api.keys import make_key
from openceir.portal.cases.models import Case
from openceir.portal.register import let_go
user = User.objects.create(username="reg")
actor = Actor(name="reg", role="regulator", office="regulator", signs_with="regulator", user=user)
_, text = make_key(actor, name="n", scopes=["reports"], per_day=99, partner="insurer",
                   expires_at=moment.now() + timedelta(days=1))
asked = {"imeis": "001001000000015", "what": "theft", "mode": "block", "happened_on": "2026-02-20", "name": "Alice"}
said, start = [], threading.Barrier(6)
def ask():
    client = Client(headers={"Authorization": "Bearer " + text, "Idempotency-Key": "k"}, HTTP_HOST="localhost")
    start.wait()
    reply = client.post("/api/v1/reports", asked)
    said.append((reply.status_code, reply.content if reply.status_code == 201 else b""))
    let_go()
    connection.close()
threads = [threading.Thread(target=ask) for _ in range(6)]
[one.start() for one in threads]
[one.join() for one in threads]
print({status for status, _ in said} <= {201, 409}, len({body for status, body in said if status == 201}), Case.objects.count())
"""


def test_six_that_come_at_once_are_one_case_and_one_answer(tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENCEIR_", "DJANGO_"))}
    done = subprocess.run(
        [sys.executable, "-c", AT_ONCE, str(home)], capture_output=True, text=True, env=environment, check=False
    )
    assert done.stdout.split() == ["True", "1", "1"], done.stderr
