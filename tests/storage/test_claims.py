"""The claims shelf: two copies of what was said, and one answer."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openceir.identity import NON_UNIQUE_KEYS, is_known_non_unique
from openceir.statements import (
    NO_DEVICES,
    DeviceBlocked,
    DeviceBound,
    DeviceClassified,
    DevicePaired,
    DevicePermitted,
    DeviceRecovered,
    DeviceRegistered,
    DeviceSet,
    DeviceStolen,
    DeviceTracked,
    Disputed,
    Pair,
    RangeAllocated,
    Role,
    Statement,
    Withdrawn,
)
from openceir.status import AcceptedStatement, AskedPair, Claim, ClaimKind, Status, fold
from openceir.status.columns import NO_DAY, days
from openceir.storage.claims import ClaimShelf
from openceir.storage.database import Database
from openceir.storage.files import StorageError
from openceir.storage.identifiers import IdentifierDictionary

DAY_ONE = datetime(2027, 3, 1, tzinfo=UTC)
OFFICES = {"regulator": Role.REGULATOR, "police": Role.POLICE, "northtel": Role.OPERATOR}
# ten phones with test TACs, and one number that is on many handsets
PHONES = [1_001_000_000_000 + n for n in range(10)]
SHARED = min(NON_UNIQUE_KEYS)


@contextmanager
def new_shelf(golden: dict[int, bytes] | None = None) -> Iterator[ClaimShelf]:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "register.sqlite")
        database.connection.execute("PRAGMA synchronous = OFF")  # nothing here is about power cuts
        digest = None if golden is None else (lambda device: golden.get(device, b"-" * 16))
        yield ClaimShelf(database, IdentifierDictionary(database), golden_digest=digest)
        database.close()


@pytest.fixture
def shelf() -> Iterator[ClaimShelf]:
    with new_shelf() as opened:
        yield opened


def entries(*said: tuple[str, Statement | None], first: int = 0) -> list[AcceptedStatement]:
    return [
        AcceptedStatement(
            index=index,
            leaf_hash=index.to_bytes(32),
            issuer=issuer,
            roles=frozenset({OFFICES[issuer]}),
            logged_at=DAY_ONE + timedelta(days=index),
            statement=statement,
        )
        for index, (issuer, statement) in enumerate(said, start=first)
    ]


def on(day: int) -> datetime:
    return DAY_ONE + timedelta(days=day)


device_sets = st.builds(
    lambda keys, ranges: DeviceSet.of(
        keys=keys, ranges=[(f"{PHONES[min(r)]:014d}", f"{PHONES[max(r)]:014d}") for r in ranges]
    ),
    st.sets(st.sampled_from([*PHONES, SHARED]), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=2),
)
moments = st.integers(0, 20).map(on)
dates = moments.map(datetime.date)
rules = st.sampled_from(["duplicate", "malformed"])
leaves = st.integers(0, 14).map(lambda index: index.to_bytes(32))
digests = st.sets(st.sampled_from([b"golden-of-phone-1", b"golden-of-phone-2"]), max_size=1).map(tuple)
statements = st.one_of(
    st.builds(DeviceStolen, devices=device_sets, stolen_at=moments, case_number=st.just("N-7")),
    st.builds(DeviceRecovered, devices=device_sets, recovered_at=moments, case_number=st.just("N-7")),
    st.builds(DeviceBlocked, devices=device_sets, blocked_at=moments, grounds=st.just("Order 1")),
    st.builds(DeviceTracked, devices=device_sets, tracked_at=moments, grounds=st.just("Order 2")),
    st.builds(DeviceRegistered, devices=device_sets, registered_on=dates),
    st.builds(RangeAllocated, devices=device_sets, brand=st.just("A"), model=st.just("1"), allocated_on=dates),
    st.builds(
        DevicePermitted,
        devices=device_sets,
        permitted_at=st.integers(0, 10).map(on),
        until=st.none() | st.integers(11, 20).map(on),
        grounds=st.just("Embassy"),
        keyed_digests=digests,
    ),
    st.builds(
        DeviceClassified,
        rule=rules,
        conditions=st.sampled_from(
            [
                ("c",),
                ("stolen_list",),
                ("barred", "c"),
                ("barred_tac",),
                ("monitoring",),
                ("c", "not_on_registration_list"),
            ]
        ),
        blocking=st.booleans(),
        marks_duplicate=st.booleans(),
        policy_digest=st.just(bytes(32)),
        as_of_on=dates,
        evidence_digest=st.just(bytes(32)),
        block_on=st.none() | dates,
        amnesty=st.booleans(),
        matched=device_sets,
        cleared=device_sets | st.just(NO_DEVICES),
    ),
    st.builds(
        Withdrawn, target=leaves, devices=device_sets | st.just(NO_DEVICES), withdrawn_at=moments, grounds=st.just("x")
    ),
    st.builds(
        Withdrawn,
        claim=st.sampled_from(["stolen", "blocked", "classified", "registered", "permitted"]),
        label=st.none() | rules,
        devices=device_sets,
        withdrawn_at=moments,
        grounds=st.just("x"),
    ),
    st.builds(
        Disputed,
        target=leaves,
        devices=device_sets | st.just(NO_DEVICES),
        filed_at=st.integers(0, 10).map(on),
        restores_at=st.integers(10, 15).map(on),
        grounds=st.just("x"),
    ),
)
histories = st.lists(st.tuples(st.sampled_from(sorted(OFFICES)), statements), min_size=1, max_size=15)
GOLDEN = {PHONES[1]: b"golden-of-phone-1", PHONES[2]: b"golden-of-phone-2"}


@settings(max_examples=250, deadline=None)
@given(histories, moments, st.none() | moments)
def test_a_country_and_one_device_are_answered_alike(history, at, known_at):
    """The columns of a whole country against the plain fold of each device, over any history."""
    with new_shelf(GOLDEN) as shelf:
        shelf.apply(entries(*history))
        asked = np.array([*PHONES, SHARED], dtype=np.int64)
        columns = shelf.statuses(at, devices=asked, known_at=known_at)
        claims = shelf.claims_of(columns.device.tolist())
        for place, device in enumerate(columns.device.tolist()):
            answer = fold(claims[device], at, is_known_non_unique=is_known_non_unique(device), known_at=known_at)
            assert tuple(Status)[columns.status[place]] is answer.status
            deciding = {(reason.kind, reason.label) for reason in answer.reasons if reason.decides}
            assert set(columns.names_in(int(columns.reasons[place]))) == deciding
            assert columns.block_on[place] == first_block(answer)
            ordered = any(reason.kind is ClaimKind.BLOCKED and reason.decides for reason in answer.reasons)
            assert columns.ordered[place] == (answer.status is Status.BLOCKED and ordered)


def first_block(answer) -> int:
    """The day on a list: since when the device is blocked, or from when it will be; from the reasons alone."""
    bites = [
        reason.block_on if reason.kind is ClaimKind.CLASSIFIED else reason.since.date()
        for reason in answer.reasons
        if reason.decides and not reason.disputed and (reason.kind is not ClaimKind.CLASSIFIED or will_block(reason))
    ]
    if answer.status is Status.BLOCKED:
        return days(min(bites))
    if answer.rule == "6.5":
        return min((days(day) for day in bites if day > answer.at.date()), default=NO_DAY)
    return NO_DAY


def will_block(reason) -> bool:
    return reason.block_on is not None and "watched, not blocked" not in reason.sentence


@settings(max_examples=60, deadline=None)
@given(histories, st.sampled_from([k for k in ClaimKind if k not in {ClaimKind.BOUND, ClaimKind.PAIRED}]), moments)
def test_the_current_claims_of_a_kind_are_those_that_an_answer_names(history, kind, at):
    with new_shelf(GOLDEN) as shelf:
        shelf.apply(entries(*history))
        asked = np.array([*PHONES, SHARED], dtype=np.int64)
        current = shelf.current(kind, at, devices=asked)
        named = {(device, current.said[row].index) for device, row in zip(current.device, current.row, strict=True)}
        claims = shelf.claims_of(asked.tolist())
        answers = {device: fold(claims[device], at) for device in asked.tolist()}
        assert named == {
            (device, reason.statement)
            for device, answer in answers.items()
            for reason in answer.reasons
            if reason.kind is kind
        }
        assert current.table().column("idx").to_pylist() == [current.said[row].index for row in current.row]


@settings(max_examples=60, deadline=None)
@given(histories, moments)
def test_a_piece_of_a_range_has_the_status_of_each_device_in_it_that_nobody_named(history, at):
    with new_shelf() as shelf:
        shelf.apply(entries(*history))
        lo, hi, statuses = shelf.range_statuses(at)
        assert np.array_equal(lo, statuses.device)
        named = set(shelf.columns().device.tolist())
        of_piece = list(zip(lo.tolist(), hi.tolist(), statuses.status.tolist(), strict=True))
        for device, claims in shelf.claims_of([phone for phone in PHONES if phone not in named]).items():
            expected = fold(claims, at).status
            found = [tuple(Status)[status] for first, last, status in of_piece if first <= device <= last]
            assert found == [expected] if found else not claims


@settings(max_examples=30, deadline=None)
@given(histories, st.data())
def test_applying_again_in_any_portions_gives_the_same_shelf(history, data):
    whole = entries(*history)
    with new_shelf() as at_once, new_shelf() as in_portions:
        at_once.apply(whole)
        cut = data.draw(st.integers(0, len(whole)))
        in_portions.apply(whole[:cut])
        in_portions.apply(whole[data.draw(st.integers(0, cut)) :])  # overlapping: what is there is passed over
        assert in_portions.applied_size == at_once.applied_size == len(whole)
        assert dump(in_portions) == dump(at_once)


def dump(shelf: ClaimShelf) -> list[tuple[object, ...]]:
    rows = shelf._database.connection
    return [*rows.execute("SELECT * FROM said ORDER BY id"), *rows.execute("SELECT * FROM claim")]


def test_a_gap_in_the_log_is_refused_and_nothing_is_kept(shelf):
    told = entries(*[("police", stolen(phone)) for phone in PHONES])
    with pytest.raises(StorageError, match="end at statement 1 of the log and were given statement 2"):
        shelf.apply([told[0], told[2]])
    assert (shelf.applied_size, shelf.claims_of(PHONES[:1])) == (0, {PHONES[0]: []})


def stolen(*phones: int) -> DeviceStolen:
    return DeviceStolen(devices=DeviceSet.of(keys=phones), stolen_at=DAY_ONE, case_number="N-7")


def kinds(claims: Sequence[Claim]) -> list[ClaimKind]:
    return [claim.said.kind for claim in claims]


def test_what_was_erased_is_forgotten_now_and_at_rebuild(shelf):
    registered = DeviceRegistered(devices=DeviceSet.of(keys=PHONES), registered_on=DAY_ONE.date())
    book = entries(("police", stolen(*PHONES)), ("regulator", registered))
    shelf.apply(book)
    shelf.forget(0)
    assert kinds(shelf.claims_of(PHONES[:1])[PHONES[0]]) == [ClaimKind.REGISTERED]
    remaining = dump(shelf)
    shelf.clear()
    shelf.apply(entries(("police", None), ("regulator", registered)))
    assert (dump(shelf), shelf.applied_size) == (remaining, 2)


def test_another_process_sees_what_was_applied(shelf):
    reader = Database(shelf._database.path)
    other = ClaimShelf(reader, IdentifierDictionary(reader))
    everything = DeviceSet.of(ranges=[(f"{PHONES[0]:014d}", f"{PHONES[9]:014d}")])
    assert other.claims_of(PHONES[:1]) == {PHONES[0]: []}
    shelf.apply(entries(("regulator", DeviceBlocked(devices=everything, blocked_at=DAY_ONE, grounds="Order 1"))))
    assert kinds(other.claims_of(PHONES[3:4])[PHONES[3]]) == [ClaimKind.BLOCKED]
    reader.close()


def test_ranges_inside_ranges_are_all_found(shelf):
    def block(lo: int, hi: int) -> DeviceBlocked:
        spans = DeviceSet.of(ranges=[(f"{PHONES[lo]:014d}", f"{PHONES[hi]:014d}")])
        return DeviceBlocked(devices=spans, blocked_at=DAY_ONE, grounds="Order 1")

    shelf.apply(entries(*[("regulator", block(*span)) for span in ((0, 9), (1, 2), (3, 8), (4, 4))]))
    assert [claim.said.index for claim in shelf.claims_of([PHONES[4]])[PHONES[4]]] == [3, 2, 0]
    assert [claim.said.index for claim in shelf.claims_of([PHONES[9]])[PHONES[9]]] == [0]


def test_pairs_keep_their_numbers_and_end_when_withdrawn(shelf):
    pairs = (Pair(f"{PHONES[0]:014d}", "001010000000001", "99912345"), Pair(f"{PHONES[0]:014d}", "001010000000002"))
    shelf.apply(entries(("regulator", DevicePaired(pairs=pairs, paired_at=DAY_ONE))))
    claims = shelf.claims_of(PHONES[:1])[PHONES[0]]
    assert {(claim.imsi, claim.msisdn) for claim in claims} == {
        (1001010000000001, 199912345),
        (1001010000000002, None),
    }
    device, imsi, msisdn = shelf.current_pairs(on(1))
    assert list(zip(device.tolist(), imsi.tolist(), msisdn.tolist(), strict=True)) == [
        (PHONES[0], 1001010000000001, 199912345),
        (PHONES[0], 1001010000000002, 0),
    ]
    asked = AskedPair(imsi=1001010000000002, watched_since=date(2027, 1, 1))
    assert fold(claims, on(1), pair=asked).for_pair
    shelf.apply(entries(("regulator", Withdrawn(target=bytes(32), withdrawn_at=on(3), grounds="x")), first=1))
    assert shelf.current_pairs(on(4))[0].size == 0
    assert not fold(shelf.claims_of(PHONES[:1])[PHONES[0]], on(4), pair=asked).for_pair


def test_identifiers_of_other_schemes_get_keys_and_bindings_lead_from_one_to_all(shelf):
    both = DeviceSet.of(keys=PHONES[:2], others=[("serial-number", "SN-1")])
    shelf.apply(entries(("regulator", DeviceBound(identifiers=both))))
    serial = shelf._identifiers.find_keys("serial-number", ["SN-1"])["SN-1"]
    [(said, members)] = shelf.bound_to([serial])[serial]
    assert (said.kind, sorted(members)) == (ClaimKind.BOUND, [*PHONES[:2], serial])


def test_a_golden_list_permits_a_device_by_its_digest_alone():
    with new_shelf(GOLDEN) as shelf:
        hidden = DevicePermitted(permitted_at=DAY_ONE, grounds="Embassy", keyed_digests=(GOLDEN[PHONES[1]],))
        shelf.apply(entries(("police", stolen(*PHONES)), ("regulator", hidden)))
        claims = shelf.claims_of(PHONES[:2])
        assert [fold(claims[phone], on(1)).status for phone in PHONES[:2]] == [Status.BLOCKED, Status.PERMITTED]


def test_a_device_with_a_very_long_history_is_answered_alike(shelf):
    """More rows than the array rounds take, so that the plain road is walked."""
    told: list[tuple[str, Statement]] = []
    for day in range(40):
        told.append(("police", DeviceStolen(devices=DeviceSet.of(keys=PHONES[:1]), stolen_at=on(day), case_number="N")))
        found = DeviceRecovered(devices=DeviceSet.of(keys=PHONES[:1]), recovered_at=on(day), case_number="N")
        told += [("police", found)] if day % 3 else []
    shelf.apply(entries(*told))
    for at in (on(5), on(6), on(38), on(50)):
        columns = shelf.statuses(at)
        answer = fold(shelf.claims_of(PHONES[:1])[PHONES[0]], at)
        assert [tuple(Status)[status] for status in columns.status] == [answer.status]


def test_one_statement_may_carry_a_hundred_thousand_imeis(shelf):
    many = np.arange(100_000, dtype=np.int64) * 7 + PHONES[0]
    registered = DeviceRegistered(devices=DeviceSet.of(keys=many), registered_on=date(2027, 3, 1))
    shelf.apply(
        entries(("regulator", registered), ("regulator", Withdrawn(target=bytes(32), withdrawn_at=on(3), grounds="x")))
    )
    assert shelf.statuses(on(2)).where(Status.PERMITTED).sum() == 100_000
    assert shelf.statuses(on(4)).where(Status.PERMITTED).sum() == 0
