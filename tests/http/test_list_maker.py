"""Lists that are made by themselves: when something changed them, whoever changed it, and not otherwise."""

import multiprocessing
import os
import signal
import threading
from datetime import timedelta
from time import monotonic, sleep

import pytest

from a_country import ALICES_PHONE, BOBS_PHONE, SPARE_PHONE, Storyland
from openceir import clock
from openceir.app import open_register
from openceir.http import list_maker
from openceir.http.list_maker import ListMaker, lists_made_beside
from openceir.lists import ListError
from openceir.statements import DeviceClassified, DeviceSet, DeviceStolen, Role
from openceir.status import AcceptedStatement
from openceir.storage import list_sources

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
    """The number of the last run when renewing made one."""
    maker.mark()
    before = open_register(maker.home).list_runs.last_sequence()
    maker.renew()
    maker.has_gathered()
    after = open_register(maker.home).list_runs.last_sequence()
    return after if after != before else None


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


def _blocked(register, sequence=None):
    runs = register.list_runs
    rows = runs.files_of(runs.newest("northtel", "blocklist", sequence)).rows.read_text().split()[1:]
    return [row.split(",")[0] for row in rows]


@pytest.fixture
def held_up(monkeypatch):
    """Gathering every row takes until it is let go; says when it began, and each time again."""
    began, let_go, gather = threading.Semaphore(0), threading.Event(), list_sources.gather_lists

    def slowly(*asked):
        found = gather(*asked)
        began.release()
        assert let_go.wait(_SLOWEST_S)
        return found

    yield began, let_go, lambda: monkeypatch.setattr(list_sources, "gather_lists", slowly)
    let_go.set()


def test_a_theft_goes_out_while_every_row_is_gathered(country, maker, held_up):
    """An erasure takes every row anew. The run that is overtaken is made again, and undoes nothing."""
    began, let_go, hold_up = held_up
    steals(country, BOBS_PHONE)
    steals(country, SPARE_PHONE)
    assert renewed(maker) == 1
    country.erase(country.ledger.size - 1, at=clock.now())
    hold_up()
    maker.mark()
    maker.renew()
    assert began.acquire(timeout=_SLOWEST_S)
    steals(country, ALICES_PHONE)
    maker.mark()
    maker.renew()
    assert country.list_runs.last_sequence() == 2
    assert _blocked(country) == [ALICES_PHONE[:14], BOBS_PHONE[:14], SPARE_PHONE[:14]]
    assert not maker.has_gathered(0)
    let_go.set()
    assert maker.has_gathered()
    assert [(event, facts["sequence"]) for event, facts in maker.said] == [
        ("lists made", 1), ("urgent lists made", 2), ("lists made", 3),
    ]  # fmt: skip
    assert _blocked(country) == [ALICES_PHONE[:14], BOBS_PHONE[:14]]
    newest = country.list_runs.newest("northtel", "blocklist")
    delta = country.list_runs.files_of(country.list_runs.delta_of(newest, 2)).rows.read_text().split()[1:]
    assert [(row.split(",")[0], row.rpartition(",")[2]) for row in delta] == [(SPARE_PHONE[:14], "unblocked")]
    assert renewed(maker) is None


def test_every_row_is_made_in_the_end_though_thefts_never_cease(country, monkeypatch):
    """Three times others are let in and overtake; then they wait."""
    today, gather, tries = clock.now().date(), list_sources.gather_lists, []
    steals(country, BOBS_PHONE)
    country.make_lists(on=today, at=clock.now())
    country.erase(country.ledger.size - 1, at=clock.now())
    another = open_register(country.home)

    def overtaken(*asked):
        tries.append(1)
        if len(tries) <= 3:
            steals(country, f"0010010000010{len(tries)}")
            assert another.renew_urgent_lists(on=today, at=clock.now()).sequence == 1 + len(tries)
        else:
            with pytest.raises(ListError, match="another process is making"), another.list_runs.alone():
                pass
        return gather(*asked)

    monkeypatch.setattr(list_sources, "gather_lists", overtaken)
    assert country.renew_lists(on=today, at=clock.now()).sequence == 5
    assert len(tries) == 4
    assert _blocked(country) == ["00100100000101", "00100100000102", "00100100000103"]


def test_what_failed_in_gathering_is_said_and_tried_again(country, maker, monkeypatch):
    def fails(*_):
        raise OSError("disk")

    monkeypatch.setattr(list_sources, "gather_lists", fails)
    maker.mark()
    maker.renew()
    with pytest.raises(OSError, match="disk"):
        maker.has_gathered()
    monkeypatch.undo()
    assert renewed(maker) == 1


def test_a_theft_told_from_abroad_costs_what_it_names(country, maker, monkeypatch):
    """Another nation's word came with a whole gathering of lists, each time one arrived."""
    (country.home / "policy" / "8-treaty.toml").write_text(
        '[[foreign]]\nname = "x"\nnations = ["XB"]\nclaims = ["stolen"]\neffect = "counts"\n'
    )
    steals(country, BOBS_PHONE)
    assert renewed(maker) == 1
    monkeypatch.setattr(list_sources, "gather_lists", None)
    at = clock.now() - timedelta(minutes=1)
    stolen = DeviceStolen(devices=DeviceSet.of(ALICES_PHONE), stolen_at=at - timedelta(days=1), case_number="N-7")
    country.claims.apply_abroad(
        "xb-regulator",
        [
            AcceptedStatement(
                index=0, leaf_hash=bytes(32), issuer="xb-police", roles=frozenset({Role.POLICE}), logged_at=at,
                statement=stolen, nation="XB",
            )
        ],
    )  # fmt: skip
    assert renewed(maker) == 2
    assert _blocked(country) == [ALICES_PHONE[:14], BOBS_PHONE[:14]]


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
