"""`openceir lists` and `openceir register` as an operator and a regulator type them."""

import json
import subprocess
import sys

import pytest

from a_country import ALICES_PHONE, BOBS_PHONE, Storyland, noon
from openceir.statements import DeviceSet, DeviceStolen


def run(home, *words):
    command = [sys.executable, "-c", "from openceir.cli import main; main()", "--home", str(home), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    country = Storyland(tmp_path_factory.mktemp("country") / "home")
    for day, imei in (("2027-03-01", ALICES_PHONE), ("2027-03-02", BOBS_PHONE)):
        country.says("police", DeviceStolen(devices=DeviceSet.of(imei), stolen_at=noon(day), case_number="N"), day)
        country.makes_lists(day)
    country.register.ledger.close()
    return country.home


def test_an_operator_verifies_applies_and_acknowledges(home, tmp_path):
    folder = home / "lists" / "000002" / "northtel"
    delta, full = folder / "northtel_blocklist_000002_from_000001.csv", folder / "northtel_blocklist_000002.csv"
    key = home / "lists" / "lists.vkey"
    assert run(tmp_path, "lists", "verify", delta, "--key", key).returncode == 0
    old = home / "lists" / "000001" / "northtel" / "northtel_blocklist_000001.csv"
    done = run(tmp_path, "lists", "apply-delta", old, delta, "-o", tmp_path / "new", "--key", key)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "new.csv").read_bytes() == full.read_bytes()
    sha256 = json.loads(full.with_suffix(".json").read_bytes())["sha256"]
    held = tmp_path / "held.csv"
    held.write_text(f"operator,kind,sequence,sha256\nnorthtel,blocklist,2,{sha256}\n")
    assert run(home, "lists", "acknowledge", held).returncode == 0
    held.write_text(f"operator,kind,sequence,sha256\nnorthtel,blocklist,2,{'0' * 64}\n")
    drifted = run(home, "lists", "acknowledge", held)
    assert (drifted.returncode, "load the full list" in drifted.stdout) == (3, True)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("lists", "verify", "nothing.csv"), "list-not-a-list"),
        (("lists", "verify", "nothing.csv", "--key", "not a key"), "key-refused"),
        (("lists", "delta", "--base", 9, "--operator", "northtel"), "list-unknown-sequence"),
        (("lists", "make", "--operator", "nobody"), "list-refused"),
        (("lists", "make", "--by", "police", "--as-of", "2027-03-03"), "member-refused"),
        (("lists", "make", "--as-of", "yesterday-ish"), "usage"),
    ],
)
def test_bad_input_gets_one_sentence_a_code_and_status_2(home, words, code):
    done = run(home, *words, "--json")
    assert done.returncode == 2
    assert json.loads(done.stderr)["code"] == code


def test_a_broken_acknowledgement_is_refused_with_its_line(home, tmp_path):
    held = tmp_path / "held.csv"
    held.write_text("operator,kind,sequence,sha256\nnorthtel,blocklist,two,00\n")
    done = run(home, "lists", "acknowledge", held)
    assert (done.returncode, "line 2 of held.csv" in done.stderr) == (2, True)


def test_the_register_says_what_it_holds(home):
    held = json.loads(run(home, "register", "show", "--at", "2027-03-03", "--json").stdout)
    assert held["statements"] == 2
    assert held["devices"]["blocked"] == 2
    assert held["lists"] == {"northtel": 2, "southtel": 2}
