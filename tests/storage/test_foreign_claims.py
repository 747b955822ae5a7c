"""What other nations said, on one shelf with what was said here: whatever the order in which it came."""

import hashlib
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_claims import GOLDEN, PHONES, SHARED, device_sets, moments, new_shelf, on, statements

from openceir.identity import is_known_non_unique
from openceir.policy import PolicyError, load_policy
from openceir.statements import (
    Approved,
    DeviceCloned,
    DevicePermitted,
    DeviceRecovered,
    DeviceSet,
    DeviceStolen,
    Disputed,
    Role,
    TypeApproved,
    Withdrawn,
)
from openceir.status import AcceptedStatement, ForeignRules, Status, fold
from openceir.storage.claims import ClaimShelf
from openceir.storage.database import Database
from openceir.storage.identifiers import IdentifierDictionary

HOME = ""
LOGS = {HOME: "", "xb/log": "XB", "xc/log": "XC"}
VOTERS = {HOME: "xa-regulator", "xb/log": "xb-regulator", "xc/log": "xc-regulator"}
OFFICES = {"regulator": Role.REGULATOR, "police": Role.POLICE, "court": Role.COURT}
PHONE = PHONES[0]
DEVICES = DeviceSet.of(keys=[PHONE])

TREATY = [
    {
        "name": "police of XB", "nations": ["XB"], "roles": ["police"], "claims": ["stolen", "lost"], "effect": "counts",
        "delay_hours": 24, "begins_on": date(2027, 3, 3), "counts_for_days": 10, "source": "Treaty, article 4",
    },
    {"name": "types", "nations": ["*"], "claims": ["approved", "registered", "classified"], "effect": "counts"},
    {"name": "watched", "nations": ["*"], "claims": ["stolen", "lost", "blocked", "cloned"], "effect": "tracks"},
]  # fmt: skip
RULES = ForeignRules.of(TREATY, quorum=2)
DEFAULTS = ForeignRules.of(load_policy().tables("foreign"))


def leaf_of(log: str, index: int) -> bytes:
    return hashlib.sha256(f"{log}#{index}".encode()).digest()


def entry(log: str, index: int, issuer: str, said, day: int) -> AcceptedStatement:
    nation = LOGS[log]
    office = issuer if issuer in OFFICES else "regulator"
    return AcceptedStatement(
        index=index,
        leaf_hash=leaf_of(log, index),
        issuer=issuer if issuer not in OFFICES else f"{nation.lower() or 'xa'}-{issuer}",
        roles=frozenset({OFFICES[office]}),
        logged_at=on(day),
        statement=said,
        nation=nation,
        is_voter=issuer in VOTERS.values(),
    )


class World:
    """Three logs, written in the order of each, and handed to one register."""

    def __init__(self, shelf: ClaimShelf) -> None:
        self.shelf = shelf
        self.sizes = dict.fromkeys(LOGS, 0)

    def says(self, log: str, issuer: str, said, day: int = 0) -> bytes:
        index = self.sizes[log]
        self.sizes[log] += 1
        made = entry(log, index, issuer, said, day)
        if log == HOME:
            self.shelf.apply([made])
        else:
            self.shelf.apply_abroad(log, [made])
        return made.leaf_hash

    def answer(self, day: int, rules: ForeignRules = RULES):
        return fold(self.shelf.claims_of([PHONE])[PHONE], on(day), foreign=rules)


@pytest.fixture
def world():
    with new_shelf() as shelf:
        shelf.foreign = RULES
        yield World(shelf)


def stolen(day: int = 0) -> DeviceStolen:
    return DeviceStolen(devices=DEVICES, stolen_at=on(day), case_number="N-1")


def recovered(day: int) -> DeviceRecovered:
    return DeviceRecovered(devices=DEVICES, recovered_at=on(day), case_number="N-1")


def test_without_a_country_s_own_policy_a_report_from_abroad_is_watched_and_never_blocks(world):
    world.says("xb/log", "police", stolen())
    answer = world.answer(5, DEFAULTS)
    assert answer.status is Status.TRACKED
    assert 'watched here since 2027-03-01T00:00:00Z by policy rule "reports from abroad' in answer.reasons[0].sentence
    answer = world.answer(5, ForeignRules())
    assert answer.status is Status.UNKNOWN
    assert answer.reasons[0].sentence.endswith("no rule of this country's policy counts it, so it is only shown.")


def test_a_report_from_abroad_counts_by_the_dated_policy_and_says_so(world):
    world.says("xb/log", "police", stolen())
    assert [world.answer(day).status for day in (0, 1, 2, 9, 10)] == [
        Status.TRACKED, Status.TRACKED, Status.BLOCKED, Status.BLOCKED, Status.TRACKED,
    ]  # fmt: skip
    [reason] = world.answer(2).reasons
    assert reason.sentence == (
        "It is reported stolen on 2027-03-01, says xb-police (police of XB); counted here since 2027-03-03T00:00:00Z "
        'by policy rule "police of XB", Treaty, article 4.'
    )
    assert reason.as_json()["counted"] == {
        "effect": "counts", "since": "2027-03-03T00:00:00Z", "rule": "police of XB", "source": "Treaty, article 4",
    }  # fmt: skip
    assert reason.as_json()["statement"]["log"] == "xb/log"
    assert reason.as_json()["statement"]["receipt"] is None


def test_a_rule_for_police_does_not_count_another_office_s_word(world):
    world.says("xb/log", "regulator", stolen())
    assert world.answer(5).status is Status.TRACKED


def test_only_who_reported_it_takes_a_report_back_across_nations(world):
    world.says("xb/log", "police", stolen())
    world.says(HOME, "police", recovered(3), day=3)
    world.says("xc/log", "police", recovered(3), day=3)
    target = leaf_of("xb/log", 0)
    world.says("xc/log", "court", Withdrawn(target=target, withdrawn_at=on(3), grounds="x"), day=3)
    assert world.answer(5).status is Status.BLOCKED
    world.says("xb/log", "police", recovered(6), day=6)
    assert world.answer(7).status is Status.UNKNOWN


def test_a_court_abroad_is_followed_once_a_quorum_has_approved_its_order(world):
    target = world.says("xb/log", "police", stolen())
    order = world.says("xc/log", "court", Withdrawn(target=target, withdrawn_at=on(3), grounds="judgment 9"), day=3)
    world.says("xc/log", "xc-regulator", Approved(target=order), day=4)
    world.says("xc/log", "xc-regulator", Approved(target=order), day=5)
    assert world.answer(6).status is Status.BLOCKED, "one voter is one voice, however often"
    world.says(HOME, "xa-regulator", Approved(target=order), day=6)
    assert (world.answer(5).status, world.answer(6).status) == (Status.BLOCKED, Status.UNKNOWN)
    assert world.answer(6, replace(RULES, quorum=3)).status is Status.BLOCKED


def test_an_approval_by_a_member_without_a_vote_counts_for_nothing(world):
    target = world.says("xb/log", "police", stolen())
    order = world.says("xc/log", "court", Withdrawn(target=target, withdrawn_at=on(3), grounds="judgment 9"), day=3)
    for log in ("xb/log", "xc/log"):
        world.says(log, "police", Approved(target=order), day=4)
    assert world.answer(6).status is Status.BLOCKED


def test_a_national_exception_goes_before_any_report_from_abroad(world):
    world.says("xb/log", "police", stolen())
    world.says(HOME, "regulator", DevicePermitted(devices=DEVICES, permitted_at=on(3), grounds="judgment"), day=3)
    assert world.answer(5).status is Status.PERMITTED


def test_an_exception_of_another_nation_permits_nothing_here(world):
    world.says(HOME, "police", stolen())
    world.says("xb/log", "regulator", DevicePermitted(devices=DEVICES, permitted_at=on(1), grounds="favour"), day=1)
    assert world.answer(5).status is Status.BLOCKED
    with pytest.raises(PolicyError, match="never counts"):
        ForeignRules.of([{"name": "x", "nations": ["*"], "claims": ["permitted"], "effect": "counts"}])


def test_a_type_approved_abroad_permits_where_policy_recognises_it(world):
    world.says(
        "xc/log", "regulator", TypeApproved(devices=DEVICES, certificate_number="C-1", approved_on=date(2027, 3, 1))
    )
    assert world.answer(5).status is Status.PERMITTED
    assert world.answer(5, DEFAULTS).status is Status.UNKNOWN


def test_a_dispute_is_heard_here_when_filed_here_or_where_the_report_was_made(world):
    target = world.says("xb/log", "police", stolen())
    dispute = Disputed(target=target, filed_at=on(3), restores_at=on(5), grounds="receipt shown")
    world.says("xc/log", "regulator", dispute, day=3)
    assert world.answer(6).status is Status.BLOCKED
    world.says(HOME, "regulator", dispute, day=3)
    assert [world.answer(day).rule for day in (4, 6)] == ["6.4", "6.4 disputed"]


def test_the_clone_of_a_stolen_number_is_not_blocked_alone(world):
    world.says(HOME, "police", stolen())
    world.says(HOME, "regulator", DeviceCloned(devices=DEVICES, found_at=on(1), grounds="two countries"), day=1)
    assert (world.answer(0).rule, world.answer(2).rule) == ("6.4", "6.3")


def test_a_payload_that_was_withheld_counts_from_when_it_comes_as_if_it_had_never_been_missing(world):
    first = entry("xb/log", 0, "police", None, 0)
    assert world.shelf.apply_abroad("xb/log", [first]) == 0
    assert world.answer(5).status is Status.UNKNOWN
    assert world.shelf.apply_abroad("xb/log", [replace(first, statement=stolen())]) == 1
    assert world.shelf.apply_abroad("xb/log", [replace(first, statement=stolen())]) == 0
    assert world.answer(5).status is Status.BLOCKED
    world.shelf.forget(0, "xb/log")
    assert world.answer(5).status is Status.UNKNOWN


def test_the_history_of_a_device_turns_where_the_policy_makes_it_turn(world):
    from openceir.status import history_of

    world.says("xb/log", "police", stolen())
    history = history_of(world.shelf.claims_of([PHONE])[PHONE], foreign=RULES)
    assert [(period.since, period.answer.status) for period in history.periods] == [
        (None, Status.UNKNOWN), (on(0), Status.TRACKED), (on(2), Status.BLOCKED), (on(10), Status.TRACKED),
    ]  # fmt: skip
    assert history.words[0].sentence == "It is reported stolen on 2027-03-01, says xb-police (police of XB)."


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"nations": ["*"], "claims": ["stolen"], "effect": "counts"}, "name"),
        ({"name": "x", "nations": [], "claims": ["stolen"], "effect": "counts"}, "nations"),
        ({"name": "x", "nations": ["*"], "claims": ["theft"], "effect": "counts"}, "claim"),
        ({"name": "x", "nations": ["*"], "claims": ["stolen"], "effect": "blocks"}, "effect"),
        ({"name": "x", "nations": ["*"], "claims": ["stolen"], "effect": "counts", "delay": 3}, "delay"),
        ({"name": "x", "nations": ["*"], "claims": ["stolen"], "effect": "counts", "delay_hours": -1}, "delay_hours"),
        ({"name": "x", "nations": ["*"], "claims": ["stolen"], "effect": "counts", "begins_on": "soon"}, "begins_on"),
    ],
)
def test_a_policy_table_that_says_too_little_or_something_unknown_is_refused(table, why):
    with pytest.raises(PolicyError, match=why):
        ForeignRules.of([table])


# ------------------------------------------------------------------------------------------- whatever came first

targets = st.builds(leaf_of, st.sampled_from(sorted(LOGS)), st.integers(0, 5))
said = st.one_of(
    statements,
    st.builds(DeviceCloned, devices=device_sets, found_at=moments, grounds=st.just("x")),
    st.builds(Withdrawn, target=targets, withdrawn_at=moments, grounds=st.just("x")),
    st.builds(Withdrawn, target=targets, devices=device_sets, withdrawn_at=moments, grounds=st.just("x")),
    st.builds(
        Disputed, target=targets, filed_at=st.integers(0, 9).map(on), restores_at=st.integers(10, 15).map(on),
        grounds=st.just("x"),
    ),
    st.builds(Approved, target=targets),
)  # fmt: skip
histories = st.fixed_dictionaries(
    {
        log: st.lists(st.tuples(st.sampled_from([*sorted(OFFICES), VOTERS[log]]), said, st.integers(0, 3)), max_size=6)
        for log in LOGS
    }
)


def entries_of(histories) -> dict[str, list[AcceptedStatement]]:
    made = {}
    for log, history in histories.items():
        day, some = 0, []
        for index, (issuer, statement, days_later) in enumerate(history):
            day += days_later
            some.append(entry(log, index, issuer, statement, day))
        made[log] = some
    return made


def answers(shelf: ClaimShelf, at, known_at=None):
    claims = shelf.claims_of([*PHONES, SHARED])
    return {
        device: fold(
            some, at, is_known_non_unique=is_known_non_unique(device), known_at=known_at, foreign=shelf.foreign
        )
        for device, some in claims.items()
    }


@settings(max_examples=80, deadline=None)
@given(histories, moments, st.randoms(use_true_random=False))
def test_whatever_order_statements_arrive_in_the_answer_is_the_same(histories, at, dice):
    """Our own log keeps its order; others' entries come in any order, more than once, before or after ours."""
    logs = entries_of(histories)
    with new_shelf(GOLDEN) as one, new_shelf(GOLDEN) as other:
        one.foreign = other.foreign = RULES
        for log in ("xb/log", "xc/log"):
            one.apply_abroad(log, logs[log])
        one.apply(logs[HOME])
        arrivals = [(log, made) for log in ("xb/log", "xc/log") for made in logs[log]] * 2
        dice.shuffle(arrivals)
        cut = dice.randint(0, len(arrivals))
        for log, made in arrivals[:cut]:
            other.apply_abroad(log, [made])
        other.apply(logs[HOME])
        for log, made in arrivals[cut:]:
            other.apply_abroad(log, [made])
        assert answers(one, at) == answers(other, at)


@settings(max_examples=100, deadline=None)
@given(histories, moments, st.none() | moments, st.integers(0, 2))
def test_a_country_and_one_device_are_answered_alike_with_three_nations_speaking(histories, at, known_at, quorum):
    logs = entries_of(histories)
    with new_shelf(GOLDEN) as shelf:
        shelf.foreign = replace(RULES, quorum=quorum)
        shelf.apply(logs[HOME])
        for log in ("xb/log", "xc/log"):
            shelf.apply_abroad(log, logs[log])
        asked = np.array([*PHONES, SHARED], dtype=np.int64)
        columns = shelf.statuses(at, devices=asked, known_at=known_at)
        folded = answers(shelf, at, known_at)
        for place, device in enumerate(columns.device.tolist()):
            answer = folded[device]
            assert tuple(Status)[columns.status[place]] is answer.status
            deciding = {(reason.kind, reason.label) for reason in answer.reasons if reason.decides}
            assert set(columns.names_in(int(columns.reasons[place]))) == deciding


@settings(max_examples=80, deadline=None)
@given(histories, moments, st.integers(1, 12 * 86_400))
def test_until_the_next_turn_no_status_changes_though_three_nations_spoke(histories, at, seconds):
    logs, later = entries_of(histories), at + timedelta(seconds=seconds)
    with new_shelf() as shelf:
        shelf.foreign = RULES
        shelf.apply(logs[HOME])
        for log in ("xb/log", "xc/log"):
            shelf.apply_abroad(log, logs[log])
        turn = shelf.next_change_after(at)
        claims = [claim for some in shelf.claims_of([*PHONES, SHARED]).values() for claim in some]
        turns = {turn for claim in claims for turn in RULES.turning_points(claim.said)}
        assert all(turn is not None and turn <= other for other in turns if other > at.timestamp())
        if turn is None or later.timestamp() < turn:
            before, after = answers(shelf, at), answers(shelf, later)
            assert {key: said.status for key, said in before.items()} == {
                key: said.status for key, said in after.items()
            }


def test_a_shelf_of_an_older_form_is_made_anew(tmp_path):
    from openceir.storage.database import Database
    from openceir.storage.identifiers import IdentifierDictionary

    database = Database(tmp_path / "register.sqlite")
    database.define("CREATE TABLE said(id INTEGER PRIMARY KEY, kind TEXT NOT NULL) STRICT;")
    database.define(
        "CREATE TABLE claims_state(one INTEGER PRIMARY KEY, applied_size INTEGER, generation INTEGER) STRICT;"
    )
    with database.transaction() as rows:
        rows.execute("INSERT INTO claims_state VALUES (1, 9, 0)")
    shelf = ClaimShelf(database, IdentifierDictionary(database))
    assert shelf.applied_size == 0
    shelf.apply([entry(HOME, 0, "police", stolen(), 0)])
    assert shelf.statuses(on(1)).where(Status.BLOCKED).tolist() == [True]
    database.close()


def test_a_shelf_that_counted_no_arrivals_keeps_what_came_from_abroad(tmp_path):
    database = Database(tmp_path / "register.sqlite")
    shelf = ClaimShelf(database, IdentifierDictionary(database), foreign=RULES)
    shelf.apply([entry(HOME, 0, "police", stolen(), 0)])
    shelf.apply_abroad("xb/log", [entry("xb/log", 0, "police", stolen(), 1), entry("xb/log", 1, "police", stolen(), 1)])
    for older in (
        "DROP INDEX said_by_arrival",
        "UPDATE said SET arrival = 1",
        "ALTER TABLE said RENAME COLUMN arrival TO came_at_size",
        "ALTER TABLE claims_state DROP COLUMN arrived",
        "ALTER TABLE claims_state DROP COLUMN taken",
    ):
        database.connection.execute(older)
    shelf = ClaimShelf(database, IdentifierDictionary(database), foreign=RULES)
    assert shelf.mark == (1, 1, 0)
    assert len(shelf.claims_of([PHONE])[PHONE]) == 3
    shelf.apply_abroad("xb/log", [entry("xb/log", 2, "police", recovered(2), 2)])
    assert shelf.mark == (1, 2, 0)
    assert database.connection.execute("SELECT arrival FROM said ORDER BY id").fetchall() == [(0,), (1,), (1,), (2,)]
    database.close()


def test_a_recovery_reaches_abroad_only_by_a_quorum(world):
    world.says("xb/log", "police", stolen())
    back = world.says(HOME, "police", recovered(3), day=3)
    world.says("xb/log", "xb-regulator", Approved(target=back), day=4)
    assert world.answer(5).status is Status.BLOCKED
    world.says("xc/log", "xc-regulator", Approved(target=back), day=5)
    assert world.answer(5).status is Status.UNKNOWN
    assert world.answer(5).at - timedelta(days=5) == on(0)


def test_what_a_new_nation_said_of_a_range_is_read_though_nothing_was_read_before(tmp_path):
    """Lists are made by asking for ranges first: a shelf that had read nothing since knew nothing of the new log."""
    shelves = []
    for _ in range(2):  # one that writes, another process's that reads
        database = Database(tmp_path / "register.sqlite")
        shelves.append(ClaimShelf(database, IdentifierDictionary(database)))
    phone = f"{PHONE:014d}"
    stolen = DeviceStolen(devices=DeviceSet.of(ranges=[(phone, phone)]), stolen_at=on(1), case_number="N")
    shelves[0].apply_abroad("xb/log", [entry("xb/log", 0, "police", stolen, 1)])
    lo, _hi, _statuses = shelves[1].range_statuses(on(2))
    assert PHONE in lo.tolist()
