"""`openceir ask` and `openceir questions`, as a person at a terminal meets them."""

import csv
import io
import json

import pytest
from click.testing import CliRunner

from asking.a_register import FREE, STOLEN, TRACKED, new_register, served
from openceir.app import open_register
from openceir.cli._main import cli
from openceir.questions import NoAnswer


def run(home, *arguments):
    return CliRunner().invoke(cli, ["--home", str(home), *map(str, arguments)])


@pytest.fixture(scope="module")
def register(tmp_path_factory):
    home = tmp_path_factory.mktemp("register")
    new_register(home).ledger.close()
    made = run(home, "questions", "new-key", "2026")
    assert made.exit_code == 0, made.output
    built = run(home, "questions", "build", "--json")
    assert built.exit_code == 0, built.output
    (home / "openceir.toml").write_text("[questions]\ntokens_per_day = 1000\n")
    with served(home) as place:
        place.built = json.loads(built.stdout)
        yield place


@pytest.mark.parametrize(
    ("imei", "word", "status"), [(STOLEN, "BLOCKED", 3), (TRACKED, "TRACKED", 4), (FREE, "NOT-LISTED", 0)]
)
def test_the_word_stands_first_and_the_exit_status_says_it_too(register, tmp_path, imei, word, status):
    asked = run(tmp_path, "ask", imei, "--register", register.url, "--signer", register.built["signer"])
    assert asked.exit_code == status, asked.output
    assert asked.stdout.splitlines()[0] == word
    assert "note:" not in asked.stderr
    as_json = run(tmp_path, "ask", imei, "--register", register.url, "--json")
    assert json.loads(as_json.stdout)["word"] == word.lower()
    assert "pin it with --signer" in as_json.stderr
    assert list(tmp_path.iterdir()) == [], "asking needs no register and leaves nothing behind"


def test_no_answer_is_an_error_of_its_own(register, tmp_path):
    asked = run(tmp_path, "ask", STOLEN, "--register", "http://127.0.0.1:9")
    assert isinstance(asked.exception, NoAnswer)
    assert (asked.exception.code, asked.exception.exit_status) == ("no-answer", 6)


def test_a_file_is_answered_row_by_row(register, tmp_path):
    stock = tmp_path / "stock.csv"
    stock.write_text(f"shelf,imei\nA,{STOLEN}\nB,hello\nC,{FREE}\n")
    asked = run(tmp_path, "ask", "--file", stock, "--register", register.url)
    assert asked.exit_code == 2, "one row is no identifier"
    rows = list(csv.reader(io.StringIO(asked.stdout)))
    assert [row[:2] for row in rows] == [
        ["identifier", "word"], [STOLEN, "blocked"], ["hello", "not-askable"], [FREE, "not-listed"],
    ]  # fmt: skip
    bare = tmp_path / "bare.csv"
    bare.write_text(f"{STOLEN}\n{TRACKED}\n")
    asked = run(tmp_path, "ask", "--file", bare, "--register", register.url, "--json")
    assert [row["word"] for row in json.loads(asked.stdout)] == ["blocked", "tracked"]


def test_what_stands_is_shown(register):
    run(register.home, "questions", "quota", "dealer", "500")
    shown = json.loads(run(register.home, "questions", "show", "--json").stdout)
    assert shown["group"]["threshold"] == 1
    assert shown["made_at"] < shown["stale_at"]
    assert "epoch 2026: 1 of 1 answer" in run(register.home, "questions", "show").stdout


def test_three_members_make_a_key_that_none_of_them_holds(tmp_path):
    homes = [tmp_path / f"member-{index}" for index in (1, 2, 3)]
    shown = [tmp_path / f"{index}.json" for index in (1, 2, 3)]
    for index, (home, path) in enumerate(zip(homes, shown, strict=True), start=1):
        begun = run(home, "questions", "share", "begin", "2027", "--threshold", 2, "--index", index, "--out", path)
        assert begun.exit_code == 0, begun.output
    for home in homes:
        assert run(home, "questions", "share", "deal", *shown, "--out", tmp_path / "deals").exit_code == 0
    finished = []
    for index, home in enumerate(homes, start=1):
        deals = [part for path in (tmp_path / "deals").glob(f"*-to-{index}.json") for part in ("--deal", path)]
        done = run(home, "questions", "share", "finish", *shown, *deals, "--json")
        assert done.exit_code == 0, done.output
        finished.append(done.stdout)
    assert len(set(finished)) == 1, "group and transcript are the same for all"
    keys = {open_register(home).question_key("2027").scalar for home in homes}
    assert len(keys) == 3
    for home in homes:
        assert {path.stat().st_mode & 0o777 for path in (home / "keys").iterdir()} == {0o600}
        assert not list((home / "keys").glob("*.making"))
