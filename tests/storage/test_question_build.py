"""The bucket files are built from what is listed, survive a kill at any write, and a further day costs that day."""

import os
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from openceir.app import open_register
from openceir.identity import NON_UNIQUE_KEYS
from openceir.questions import (
    Bucket,
    Manifest,
    QuestionError,
    Word,
    bucket_number,
    bucket_path,
    range_word,
    read_ranges,
    subject_of_text,
    word_in,
)
from openceir.statements import (
    DeviceBlocked,
    DevicePermitted,
    DeviceRecovered,
    DeviceSet,
    DeviceStolen,
    DeviceTracked,
    Role,
)
from openceir.storage.question_outputs import OutputCache, evaluate_in_parallel
from openceir.storage.question_tree import ranges_name

MARCH = datetime(2027, 3, 1, tzinfo=UTC)
STOLEN, TRACKED, FREE = "00100100000001", "00100100000002", "00100100000003"
EID = "89034011560010000000000000000121"


def day(number: int) -> datetime:
    return MARCH + timedelta(days=number)


@pytest.fixture
def register(tmp_path):
    register = open_register(tmp_path / "home")
    for name, role in (("police", Role.POLICE), ("regulator", Role.REGULATOR)):
        register.new_key(name, member=name, roles=[role], valid_from=MARCH)
    register.new_question_key("2027")
    yield register
    register.ledger.close()


def steal(register, *imeis: str, at: datetime = MARCH, others=()) -> None:
    devices = DeviceSet.of(keys=[int(imei) for imei in imeis], others=others)
    register.state([DeviceStolen(devices=devices, stolen_at=at, case_number="N-7")], by="police", at=at)


def said_of(register, text: str) -> Word | None:
    """What an asker would be told: every file read from the disk and verified, as a stranger's host would serve it."""
    folder = register.home / "questions" / "public"
    manifest = Manifest.read((folder / "manifest.json").read_bytes(), register.question_signer())
    subject = subject_of_text(text)
    [output] = register.question_key("2027").evaluate([subject])
    for layer in reversed(manifest.layers):
        number = bucket_number(output, layer.prefix_bits)
        word = word_in(output, Bucket.read((folder / bucket_path(layer, number)).read_bytes(), layer, number))
        if word is not None:
            return word
    ranges = read_ranges((folder / ranges_name(manifest.ranges_sha256)).read_bytes(), manifest)
    return range_word(subject, ranges)


def test_what_is_blocked_or_tracked_is_listed_and_nothing_else(register):
    steal(register, STOLEN, others=[("eid", EID)])
    said = DeviceTracked(devices=DeviceSet.of(TRACKED), tracked_at=MARCH, grounds="Order 2")
    register.state([said], by="regulator", at=MARCH)
    built = register.build_questions(at=day(1))
    assert (built.entries, built.evaluated) == (3 + len(NON_UNIQUE_KEYS), 3 + len(NON_UNIQUE_KEYS))
    assert said_of(register, STOLEN) is Word.BLOCKED
    assert said_of(register, EID) is Word.BLOCKED
    assert said_of(register, TRACKED) is Word.TRACKED
    assert said_of(register, FREE) is None
    assert said_of(register, f"{min(NON_UNIQUE_KEYS):014d}") is Word.TRACKED, "everybody's number warns, as elsewhere"


def test_a_range_is_published_as_a_range_and_its_exceptions_as_entries(register):
    inside, permitted = "00100200000005", "00100200000006"
    said = [
        DeviceBlocked(devices=DeviceSet.of(ranges=[("00100200000000", "00100200999999")]), blocked_at=MARCH, grounds="x"),
        DevicePermitted(devices=DeviceSet.of(permitted), permitted_at=MARCH, grounds="court"),
    ]  # fmt: skip
    register.state(said, by="regulator", at=MARCH)
    assert register.build_questions(at=day(1)).ranges >= 1
    assert said_of(register, inside) is Word.BLOCKED
    assert said_of(register, permitted) is Word.EXEMPT
    assert said_of(register, "00100300000006") is None


def test_a_further_day_costs_that_day_and_a_recovered_device_drops_out(register):
    steal(register, STOLEN, TRACKED)
    first = register.build_questions(at=day(1))
    steal(register, FREE, at=day(1))
    second = register.build_questions(at=day(2), additions=True)
    assert (second.evaluated, second.layers) == (1, ("base", "additions"))
    assert second.entries == first.entries + 1
    assert said_of(register, FREE) is Word.BLOCKED
    said = DeviceRecovered(devices=DeviceSet.of(STOLEN), recovered_at=day(2), case_number="N-7")
    register.state([said], by="police", at=day(2))
    third = register.build_questions(at=day(3))
    assert (third.evaluated, third.layers) == (0, ("base",))
    assert said_of(register, STOLEN) is None
    known, _ = OutputCache(register.home / "questions" / "outputs" / "2027").load()
    assert int(STOLEN) not in known.tolist(), "the cache would still open the entry"


def test_an_addition_overrides_what_the_large_layer_says(register):
    said = DeviceTracked(devices=DeviceSet.of(TRACKED), tracked_at=MARCH, grounds="Order 2")
    register.state([said], by="regulator", at=MARCH)
    register.build_questions(at=day(1))
    assert said_of(register, TRACKED) is Word.TRACKED
    steal(register, TRACKED, at=day(1))
    assert register.build_questions(at=day(2), additions=True).evaluated == 0
    assert said_of(register, TRACKED) is Word.BLOCKED


def test_an_erased_statement_leaves_the_next_files(register):
    steal(register, STOLEN)
    steal(register, TRACKED)
    register.build_questions(at=day(1))
    register.erase(0, at=day(2))
    register.build_questions(at=day(2))
    assert said_of(register, STOLEN) is None
    assert said_of(register, TRACKED) is Word.BLOCKED
    known, _ = OutputCache(register.home / "questions" / "outputs" / "2027").load()
    assert int(STOLEN) not in known.tolist()


def test_the_files_before_stay_for_who_is_still_fetching_and_older_ones_go(register):
    trees = []
    for number in range(4):
        steal(register, f"0010010000010{number}")
        register.build_questions(at=day(number + 1))
        trees.append(register.question_tree.manifest().layers[0].tree)
    folder = register.home / "questions" / "public"
    assert [(folder / tree).exists() for tree in trees] == [False, False, True, True]


def test_the_manifest_names_the_book_it_was_built_from(register):
    register.build_questions(at=day(1))
    assert register.question_tree.manifest().checkpoint == ""
    steal(register, STOLEN)
    register.build_questions(at=day(1))
    manifest = register.question_tree.manifest()
    assert manifest.ledger_size == 1
    assert manifest.checkpoint == register.ledger.checkpoint().format()


def test_secrets_are_readable_by_their_owner_alone(register):
    steal(register, STOLEN)
    register.build_questions(at=day(1))
    register.question_key_document(MARCH.date())
    secret = [*(register.home / "keys").glob("questions*"), *(register.home / "questions" / "outputs").rglob("*.rows")]
    assert len(secret) == 5
    assert {path.stat().st_mode & 0o777 for path in secret} == {0o600}
    with pytest.raises(QuestionError, match="already"):
        register.new_question_key("2027")


def test_many_cores_give_what_one_gives(register, tmp_path):
    key = register.question_key("2027")
    devices = np.arange(10_100, dtype=np.int64)
    found = []
    for processes in (1, 2):
        cache = OutputCache(tmp_path / str(processes))
        evaluate_in_parallel(
            devices, lambda keys: [b"%014d" % each for each in keys], key, cache.add, processes=processes
        )
        found.append(cache.load()[1])
    assert np.array_equal(*found)
    assert found[0].tobytes()[:13] == key.evaluate([b"%014d" % 0])[0][:13]


def test_a_build_that_is_killed_at_any_write_leaves_the_old_files_or_the_new(tmp_path):
    """kill -9 at the n-th touch of the disk; after each the files verify, and a build then finishes with the right answer."""
    program = Path(__file__).with_name("question_builder.py")
    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path), "24", str(random.Random(7).randint(0, 999))],
        capture_output=True, text=True, timeout=300, check=False, env={**os.environ, "PYTHONPATH": str(program.parent)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    deaths = done.stdout.splitlines()
    assert len(deaths) == 24
    assert sum("killed=True" in line for line in deaths) > 12
    assert all("wrong=0" in line for line in deaths)
