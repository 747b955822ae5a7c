"""`openceir device`, `token` and `config`, as a person at a terminal meets them."""

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openceir.app import open_register
from openceir.cli._main import cli
from openceir.statements import DeviceRegistered, DeviceSet, DeviceStolen, DeviceTracked, Role

STOLEN, REGISTERED, TRACKED = "001001000000015", "001001000000023", "001001000000031"  # with Luhn digits
MARCH = datetime(2027, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    register = open_register(folder)
    register.new_key("regulator", member="regulator", roles=[Role.REGULATOR], valid_from=MARCH)
    said = [
        DeviceStolen(devices=DeviceSet.of(STOLEN[:14]), stolen_at=MARCH, case_number="N-7"),
        DeviceRegistered(devices=DeviceSet.of(REGISTERED[:14]), registered_on=MARCH.date()),
        DeviceTracked(devices=DeviceSet.of(TRACKED[:14]), tracked_at=MARCH, grounds="Order 2"),
    ]
    register.state(said, by="regulator", at=MARCH)
    return folder


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--home", str(home), *arguments])


@pytest.mark.parametrize(
    ("value", "word", "status"),
    [(REGISTERED, "PERMITTED", 0), (STOLEN, "BLOCKED", 3), (TRACKED, "TRACKED", 4), ("001001000000049", "UNKNOWN", 5)],
)
def test_the_verdict_is_the_first_word_and_the_exit_status(home, value, word, status):
    result = run(home, "device", "check", value, "--at", "2027-03-02")
    assert (result.output.split()[0], result.exit_code) == (word, status)


def test_the_answer_says_why_what_next_and_where_the_proof_is(home):
    output = run(home, "device", "check", STOLEN, "--at", "2027-03-02").output
    for part in ("reported stolen on 2027-03-01", "What you can do", "police", "openceir receipt make 0"):
        assert part in output


def test_json_is_what_http_gives(home):
    result = run(home, "device", "check", STOLEN, "--at", "2027-03-02", "--json")
    assert json.loads(result.stdout) == open_register(home).check(STOLEN, MARCH.replace(day=2)).as_json()
    assert result.exit_code == 3


def test_a_typing_error_is_said_to_be_one_with_exit_status_2(home):
    """Through the whole command, since the sentence is its main's."""
    command = [sys.executable, "-m", "openceir", "--home", str(home), "device", "check", "001001000000013", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    said = json.loads(done.stderr)
    assert (done.returncode, said["code"], done.stdout) == (2, "identifier-probably-mistyped", "")
    assert "5 would fit" in said["detail"]


def test_a_file_of_identifiers_is_answered_line_by_line(home, tmp_path):
    file = tmp_path / "stock.txt"
    file.write_text(f"\ufeff{STOLEN}\r\n\r\n{REGISTERED}\r\nhello?\r\n", encoding="utf-8")
    result = run(home, "device", "check", "--batch", str(file), "--at", "2027-03-02")
    words = [line.split("\t")[1] for line in result.output.splitlines()]
    assert (words, result.exit_code) == (["blocked", "permitted", "identifier-not-recognised"], 2)


def test_history_tells_each_status_and_each_statement(home):
    result = run(home, "device", "history", STOLEN, "--json")
    told = json.loads(result.stdout)
    assert [period["status"] for period in told["periods"]] == ["unknown", "blocked"]
    assert [word["kind"] for word in told["statements"]] == ["stolen"]
    assert "from the start" in run(home, "device", "history", STOLEN).output


def test_who_read_is_told_and_the_telling_is_recorded(home):
    first = run(home, "device", "readers", STOLEN, "--purpose", "audit 1", "--json")
    second = run(home, "device", "readers", STOLEN, "--purpose", "audit 2", "--json")
    assert [len(json.loads(result.stdout)) for result in (first, second)] == [1, 2]


@pytest.mark.parametrize(
    "arguments",
    [
        ["device", "check"],
        ["device", "check", STOLEN, "--batch", __file__],
        ["device", "check", STOLEN, "--at", "tomorrow"],
        ["device", "readers", STOLEN],
        ["token", "new", "--role", "thief", "--name", "x", "--expires", "2099-01-01"],
        ["token", "new", "--role", "police", "--name", "Ünal", "--expires", "2099-01-01"],
        ["token", "new", "--role", "police", "--name", "x", "--expires", "2099-01-01", "--out", __file__],
    ],
)
def test_bad_usage_exits_2(home, arguments):
    assert run(home, *arguments).exit_code == 2


def test_a_token_is_shown_once_or_written_for_its_owner_only(home, tmp_path):
    file = tmp_path / "desk.token"
    new = ["token", "new", "--role", "police", "--expires", "2099-01-01", "--name"]
    shown = run(home, *new, "desk-1").stdout.strip()
    written = run(home, *new, "desk-2", "--out", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().strip() not in written.output
    listed = run(home, "token", "list", "--json").stdout
    assert shown not in listed
    assert {row["name"]: row["state"] for row in json.loads(listed)} == {"desk-1": "open", "desk-2": "open"}
    assert run(home, "token", "revoke", "desk-1").exit_code == 0
    assert "revoked" in run(home, "token", "list").output


def test_config_show_prints_value_and_origin(home, monkeypatch):
    for name in [name for name in os.environ if name.startswith("OPENCEIR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OPENCEIR_HTTP_PORT", "99")
    rows = json.loads(run(home, "config", "show", "--json").stdout)["settings"]
    assert {"name": "http_port", "value": 99, "origin": "OPENCEIR_HTTP_PORT"} in rows
    assert "OPENCEIR_HTTP_PORT" in run(home, "config", "show").output
