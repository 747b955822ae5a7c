import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from openceir.app import open_register
from openceir.cli._main import cli
from openceir.statements import DeviceBlocked, DeviceRecovered, DeviceSet, DeviceStolen, Role

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
ALICES_PHONE, BOBS_PHONE = "00100100000001", "00100100000002"
RANGE = ("00100200000000", "00100200999999")


@pytest.fixture
def home(tmp_path):
    register = open_register(tmp_path / "home")
    register.new_key("police", member="cc-police", roles=[Role.POLICE], valid_from=NOON)
    register.new_key("regulator", member="cc-regulator", roles=[Role.REGULATOR], valid_from=NOON)
    register.state(
        [DeviceStolen(devices=DeviceSet.of(ALICES_PHONE), stolen_at=NOON, case_number="N-1")], by="police", at=NOON
    )
    order = DeviceBlocked(devices=DeviceSet.of(ranges=[RANGE]), blocked_at=NOON, grounds="order 5")
    register.state([order], by="regulator", at=NOON)
    register.ledger.close()
    return tmp_path / "home"


def run(home, *words):
    return CliRunner().invoke(cli, ["--home", str(home), *words])


def asked(home, imei):
    file = home / f"{imei}.state"
    made = run(home, "absence", "prove", imei, "-o", str(file), "--at", "2027-03-02")
    assert made.exit_code == 0, made.output
    key = home / "ledger" / "log.vkey"
    shown = CliRunner().invoke(
        cli,
        [
            "absence",
            "verify",
            str(file),
            imei,
            "--log-key",
            str(key),
            "--members",
            str(home / "members.toml"),
            "--json",
        ],
    )
    return shown.exit_code, json.loads(shown.output) if shown.exit_code in {0, 4} else shown.output


def test_a_stranger_sees_who_is_reported_and_who_is_not(home):
    assert run(home, "absence", "commit", "--by", "regulator", "--at", "2027-03-01T13:00:00Z").exit_code == 0
    code, shown = asked(home, ALICES_PHONE)
    assert (code, [said["claim"] for said in shown["said"]]) == (4, ["stolen"])
    code, shown = asked(home, BOBS_PHONE)
    assert (code, shown["reported"], shown["entries"]) == (0, False, 2)
    code, shown = asked(home, "00100200123456")
    assert (code, [said["claim"] for said in shown["said"]]) == (4, ["blocked"])


def test_a_file_of_one_device_shows_nothing_of_another(home):
    run(home, "absence", "commit", "--by", "regulator", "--at", "2027-03-01T13:00:00Z")
    asked(home, BOBS_PHONE)
    key = str(home / "ledger" / "log.vkey")
    wrong = CliRunner().invoke(
        cli, ["absence", "verify", str(home / f"{BOBS_PHONE}.state"), ALICES_PHONE, "--log-key", key]
    )
    assert wrong.exit_code != 0
    assert "token" in str(wrong.exception)


def test_nothing_can_be_proved_before_a_commitment(home):
    made = run(home, "absence", "prove", BOBS_PHONE, "-o", str(home / "x"))
    assert "absence commit" in str(made.exception)


def test_what_was_recovered_or_erased_drops_out_at_the_next_commitment(home):
    register = open_register(home)
    register.commit_state(by="regulator", at=NOON + timedelta(hours=1))
    assert register.committed_states.held_of(int(ALICES_PHONE))
    recovered = DeviceRecovered(
        devices=DeviceSet.of(ALICES_PHONE), recovered_at=NOON + timedelta(hours=2), case_number="N-1"
    )
    register.state([recovered], by="police", at=NOON + timedelta(hours=2))
    entry = register.commit_state(by="regulator", at=NOON + timedelta(hours=3))
    assert not register.committed_states.held_of(int(ALICES_PHONE))
    register.erase(1, at=NOON + timedelta(hours=4))
    register.commit_state(by="regulator", at=NOON + timedelta(hours=5))
    register.ledger.close()
    assert asked(home, "00100200123456")[0] == 0
    assert entry.index == 4


def test_a_new_year_has_a_new_token_key_and_old_files_still_hold(home):
    run(home, "absence", "commit", "--by", "regulator", "--at", "2027-03-01T13:00:00Z")
    asked(home, ALICES_PHONE)
    first = open_register(home)
    key = first.committed_states.key_of(2027).public
    first.ledger.close()
    run(home, "absence", "commit", "--by", "regulator", "--at", "2028-01-01T00:00:00Z")
    second = open_register(home)
    assert second.committed_states.key_of(2028).public != key
    second.ledger.close()
    file, log_key = str(home / f"{ALICES_PHONE}.state"), str(home / "ledger" / "log.vkey")
    again = CliRunner().invoke(cli, ["absence", "verify", file, ALICES_PHONE, "--log-key", log_key])
    assert again.exit_code == 4
    assert asked(home, ALICES_PHONE)[0] == 4


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from openceir.app import open_register
from openceir.storage import committed_states
register = open_register(Path(sys.argv[1]))
def die(self, prepared, leaf_hash):
    if sys.argv[2] == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    with self._database.transaction() as rows:
        rows.execute("DELETE FROM state_entry")
        os.kill(os.getpid(), signal.SIGKILL)
committed_states.CommittedStates.keep = die
register.commit_state(by="regulator", at=datetime(2027, 3, 3, tzinfo=UTC))
"""


@pytest.mark.parametrize("moment", ["before", "within"])
def test_killed_after_the_statement_the_commitment_before_is_still_proved(home, moment):
    run(home, "absence", "commit", "--by", "regulator", "--at", "2027-03-01T13:00:00Z")
    child = subprocess.run([sys.executable, "-c", KILLED, str(home), moment], env=os.environ, timeout=120, check=False)
    assert child.returncode == -signal.SIGKILL
    code, shown = asked(home, ALICES_PHONE)
    assert (code, shown["as_of"]) == (4, "2027-03-01T13:00:00Z")
    assert run(home, "absence", "commit", "--by", "regulator", "--at", "2027-03-04").exit_code == 0
    assert asked(home, ALICES_PHONE)[1]["as_of"] == "2027-03-04T00:00:00Z"
    assert run(home, "ledger", "verify").exit_code == 0
