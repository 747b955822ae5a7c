"""Lists that are made by themselves: when something changed them, whoever changed it, and not otherwise."""

import multiprocessing
import os
import signal
from datetime import timedelta
from time import monotonic, sleep

import pytest

from a_country import ALICES_PHONE, BOBS_PHONE, Storyland
from openceir import clock
from openceir.http import list_maker
from openceir.http.list_maker import ListMaker, lists_made_beside
from openceir.statements import DeviceClassified, DeviceSet, DeviceStolen

_SLOWEST_S = 60


@pytest.fixture
def country(tmp_path):
    return Storyland(tmp_path / "home").register


@pytest.fixture
def maker(country):
    said = []
    made = ListMaker(country.home, lambda event, **facts: said.append((event, facts)))
    made.said = said
    yield made
    made.close()


def steals(register, *phones):
    at = clock.now()
    stolen = DeviceStolen(devices=DeviceSet.of(phones), stolen_at=at - timedelta(days=1), case_number="N-7")
    register.state([stolen], by="police", at=at)


def renewed(maker):
    maker.mark()
    return maker.renew()


def test_a_run_is_made_when_a_row_changes_and_only_then(country, maker):
    assert renewed(maker) == 1
    assert renewed(maker) is None
    before = maker.mark()
    steals(country, ALICES_PHONE)  # by another opening of the register than the maker has
    assert maker.mark() != before
    assert renewed(maker) == 2
    steals(country, ALICES_PHONE)  # blocked already: no list would say anything else
    assert maker.mark() != before
    assert renewed(maker) is None
    assert country.list_runs.last_sequence() == 2
    assert [event for event, _ in maker.said] == ["lists made", "lists made"]
    assert maker.said[1][1]["changes"] == 2  # one row for each of two operators


def test_what_was_said_after_an_unchanged_look_is_not_lost(country, maker):
    """The last run stands for the book as far as it was looked at, and no further."""
    assert renewed(maker) == 1
    steals(country, ALICES_PHONE)
    assert renewed(maker) == 2
    steals(country, ALICES_PHONE)
    assert renewed(maker) is None
    steals(country, BOBS_PHONE)
    assert renewed(maker) == 3
    assert country.list_runs.newest("northtel", "blocklist").rows == 2


def test_a_day_on_which_a_block_begins_makes_a_run(country, maker, monkeypatch):
    at = clock.now()
    found = DeviceClassified(
        rule="cloned_imei", conditions=("c",), blocking=True, marks_duplicate=False, policy_digest=bytes(32),
        as_of_on=at.date(), evidence_digest=bytes(32), block_on=at.date() + timedelta(days=2), amnesty=False,
        matched=DeviceSet.of([ALICES_PHONE]),
    )  # fmt: skip
    country.state([found], by="regulator", at=at)
    assert renewed(maker) == 1
    mark = maker.mark()
    monkeypatch.setattr(list_maker, "now", lambda: at + timedelta(days=1))
    assert maker.mark() != mark
    assert renewed(maker) is None
    monkeypatch.setattr(list_maker, "now", lambda: at + timedelta(days=2))
    assert renewed(maker) == 2
    assert country.list_runs.newest("northtel", "blocklist").rows == 1


def test_on_a_day_when_very_many_fall_due_a_theft_goes_out_before_them(country, maker, monkeypatch):
    """Two devices are very many here: all rows are made anew, and the theft of the day has left before."""
    at = clock.now()
    due = [f"0010010000{n:04d}" for n in range(700, 703)]
    found = DeviceClassified(
        rule="cloned_imei", conditions=("c",), blocking=True, marks_duplicate=False, policy_digest=bytes(32),
        as_of_on=at.date(), evidence_digest=bytes(32), block_on=at.date() + timedelta(days=1), amnesty=False,
        matched=DeviceSet.of(due),
    )  # fmt: skip
    country.state([found], by="regulator", at=at)
    assert renewed(maker) == 1
    monkeypatch.setattr("openceir.storage.list_sources._MOST_TOUCHED", 2)
    monkeypatch.setattr(list_maker, "now", lambda: at + timedelta(days=1))
    steals(country, ALICES_PHONE)
    assert renewed(maker) == 3
    assert [(event, facts["sequence"]) for event, facts in maker.said] == [
        ("lists made", 1), ("urgent lists made", 2), ("lists made", 3),
    ]  # fmt: skip
    blocked = []
    for sequence in (2, 3):
        newest = country.list_runs.newest("northtel", "blocklist", sequence)
        rows = country.list_runs.files_of(newest).rows.read_text().split()[1:]
        blocked.append([row.split(",")[0] for row in rows])
    assert blocked[0] == [ALICES_PHONE[:14]]
    assert blocked[1] == sorted([ALICES_PHONE[:14], *due])
    assert renewed(maker) is None


def test_a_new_day_with_nothing_said_makes_one_run(country, maker, monkeypatch):
    steals(country, ALICES_PHONE)
    assert renewed(maker) == 1
    monkeypatch.setattr(list_maker, "now", lambda: clock.now() + timedelta(days=1))
    assert renewed(maker) is None
    steals(country, BOBS_PHONE)
    assert renewed(maker) == 2
    assert [event for event, _ in maker.said] == ["lists made", "lists made"]


def test_a_change_of_policy_makes_a_run(country, maker):
    steals(country, ALICES_PHONE)
    assert renewed(maker) == 1
    mark = maker.mark()
    (country.home / "policy" / "9-later.toml").write_text("[lists]\ncheck_digit = true\n")
    assert maker.mark() != mark
    assert renewed(maker) == 2


def test_a_country_without_operators_gets_no_lists(tmp_path):
    maker = ListMaker(tmp_path / "empty", lambda event, **facts: None)
    try:
        assert renewed(maker) is None
        assert not (tmp_path / "empty" / "lists").exists()
    finally:
        maker.close()


def test_a_failure_is_said_and_tried_again(country, monkeypatch):
    said, tries = [], []

    def renew(self):
        tries.append(1)
        if len(tries) == 1:
            raise OSError("disk")

    monkeypatch.setattr(ListMaker, "renew", renew)
    monkeypatch.setattr(list_maker, "_PAUSE_S", 0.01)
    maker = ListMaker(country.home, lambda event, **facts: said.append((event, facts["code"])))
    maker.keep(lambda: len(tries) < 2)
    assert said == [("alarm", "OSError")]


def _until(true):
    deadline = monotonic() + _SLOWEST_S
    while not true():
        assert monotonic() < deadline
        sleep(0.1)


def test_the_process_makes_lists_and_is_started_again_when_it_dies(country):
    steals(country, ALICES_PHONE)
    before = {process.pid for process in multiprocessing.active_children()}
    with lists_made_beside(country.home, "json"):
        _until(lambda: country.list_runs.last_sequence() == 1)
        [process] = [each for each in multiprocessing.active_children() if each.pid not in before]
        os.kill(process.pid, signal.SIGKILL)
        steals(country, BOBS_PHONE)
        _until(lambda: country.list_runs.last_sequence() == 2)
    _until(lambda: {process.pid for process in multiprocessing.active_children()} <= before)
