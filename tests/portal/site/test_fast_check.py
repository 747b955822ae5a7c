"""The fast path says what the full answer says, and never what it said before the book moved on."""

import os
import random
from datetime import UTC, date, datetime, timedelta

import orjson
import pytest

from a_country import ALICES_PHONE, BOBS_PHONE
from openceir.identity import NON_UNIQUE_KEYS, luhn_check_digit
from openceir.portal.application import with_fast_check
from openceir.portal.device_check import full_check
from openceir.portal.fast_check import FastCheck, compile_index, is_worth_compiling
from openceir.statements import (
    DeviceBlocked,
    DeviceClassified,
    DevicePermitted,
    DeviceRecovered,
    DeviceRegistered,
    DeviceSet,
    DeviceStolen,
    DeviceTracked,
    Disputed,
    RangeAllocated,
    Role,
    Withdrawn,
)
from openceir.status import AcceptedStatement, StatusError

AT = datetime(2027, 3, 1, 12, tzinfo=UTC)


def full(register, value, at):
    try:
        said = full_check(register, value, at)
    except StatusError:
        return None
    return orjson.dumps(said) if said else None


def a_lively_book(country):
    """Every kind of claim, singly and in ranges, disputed, withdrawn and due on a day to come."""
    draw = random.Random(7)

    def some(count, tacs=("00100100", "00100101", "35999999")):
        return DeviceSet.of([f"{draw.choice(tacs)}{draw.randrange(3000):06d}" for _ in range(count)])

    book, before = country.register, AT - timedelta(days=40)

    def says(by, *said, days_ago=30):
        return book.state(said, by=by, at=AT - timedelta(days=days_ago))

    spans = [("00100100000000", "00100100001999"), ("00100101000000", "00100101999999")]
    says("regulator", RangeAllocated(devices=DeviceSet.of(ranges=spans), brand="A", model="B", allocated_on=before.date()), days_ago=39)  # fmt: skip
    says("regulator", DeviceRegistered(devices=some(800), registered_on=before.date(), attributes=b""))
    [thefts] = says("police", DeviceStolen(devices=some(700), stolen_at=before, case_number="N-1"))
    says("police", DeviceRecovered(devices=some(300), recovered_at=before + timedelta(days=1), case_number="N-1"))
    [blocks] = says("regulator", DeviceBlocked(devices=some(500), blocked_at=before, grounds="order"))
    says("regulator", DeviceBlocked(devices=DeviceSet.of(ranges=[("00100101002000", "00100101002500")]), blocked_at=before, grounds="order"))  # fmt: skip
    says("regulator", DeviceTracked(devices=some(300), tracked_at=before, grounds="watch"))
    says(
        "regulator", DevicePermitted(devices=some(200), permitted_at=before, until=AT + timedelta(days=2), grounds="x")
    )
    for rule, block_on, shared in (("cloned", date(2027, 3, 5), True), ("fake", date(2027, 2, 1), False)):
        says("regulator", DeviceClassified(
            rule=rule, conditions=("c",), blocking=True, marks_duplicate=shared, policy_digest=bytes(32),
            as_of_on=before.date(), evidence_digest=bytes(32), block_on=block_on, matched=some(400),
        ))  # fmt: skip
    says("regulator", Disputed(target=thefts.leaf_hash, devices=some(200), filed_at=before, restores_at=AT - timedelta(days=9), grounds="a"), days_ago=20)  # fmt: skip
    says("regulator", Withdrawn(target=blocks.leaf_hash, devices=some(200), withdrawn_at=before, grounds="b"), days_ago=20)  # fmt: skip
    book.ledger.hand_over()


def values(count):
    draw = random.Random(11)
    for _ in range(count):
        digits = f"{draw.choice(('00100100', '00100101', '35999999', '99000000'))}{draw.randrange(3100):06d}"
        match draw.randrange(20):
            case 0:
                yield digits
            case 1:
                yield digits + str(draw.randrange(10))
            case 2:
                yield draw.choice(("", "x", "35-209900-176148-1", digits + "01", "00100100000001\u0661", "0" * 15))
            case _:
                yield digits + luhn_check_digit(digits)
    for key in NON_UNIQUE_KEYS:
        yield f"{key:014d}"


def test_fast_path_and_full_answer_agree_on_a_hundred_thousand_values(country, tmp_path):
    a_lively_book(country)
    path = tmp_path / "checks.idx"
    compile_index(country.register, path, AT)
    fast = FastCheck(lambda: country.register, path)
    answered, wrong, seen = 0, [], {}
    for value in values(100_000):
        said = fast.answer(value, AT)
        if said is not None:
            answered += 1
            if value not in seen:
                seen[value] = full(country.register, value, AT)
            if said != seen[value]:
                wrong.append((value, said, seen[value]))
    assert wrong[:3] == []
    assert answered > 85_000
    verdicts = {orjson.loads(said)["verdict"] for said in seen.values()}
    assert verdicts == {"blocked", "watched", "not-registered", "no-restriction-known"}


@pytest.mark.parametrize("what", ["single", "range", "whole", "golden", "later", "erased"])
def test_no_answer_is_older_than_the_book(country, tmp_path, what):
    country.register.evidence_key  # noqa: B018 - golden digests need one
    [stolen] = country.says("police", DeviceStolen(devices=DeviceSet.of([BOBS_PHONE]), stolen_at=AT - timedelta(days=9), case_number="N"), "2027-02-27")  # fmt: skip
    country.says("regulator", DevicePermitted(devices=DeviceSet.of(["00100100000050"]), permitted_at=AT - timedelta(days=9), until=AT + timedelta(hours=1), grounds="x"), "2027-02-27")  # fmt: skip
    path = tmp_path / "checks.idx"
    compile_index(country.register, path, AT)
    fast, at = FastCheck(lambda: country.register, path), AT
    known = [ALICES_PHONE, BOBS_PHONE, "00100100000050", "00100100000051"]
    assert [fast.answer(imei, at) for imei in known] == [full(country.register, imei, at) for imei in known]
    match what:
        case "single":
            country.says("police", DeviceStolen(devices=DeviceSet.of([ALICES_PHONE]), stolen_at=AT, case_number="N"), "2027-03-01")  # fmt: skip
        case "range":
            country.says("regulator", DeviceBlocked(devices=DeviceSet.of(ranges=[("00100100000000", "00100100000099")]), blocked_at=AT, grounds="x"), "2027-03-01")  # fmt: skip
        case "whole":
            country.says("regulator", Withdrawn(target=stolen.leaf_hash, withdrawn_at=AT, grounds="x"), "2027-03-01")
        case "golden":
            digest = country.register._golden_digest()(int("00100100000051"))
            country.says("regulator", DevicePermitted(keyed_digests=(digest,), permitted_at=AT, grounds="x"), "2027-03-01")  # fmt: skip
        case "later":
            at = AT + timedelta(hours=1)
        case "erased":
            country.register.claims.forget(stolen.index)
    for imei in known:
        said = fast.answer(imei, at)
        assert said is None or said == full(country.register, imei, at)
    assert is_worth_compiling(country.register, path, at) == (what != "single")
    assert is_worth_compiling(country.register, path, at + timedelta(hours=1))
    compile_index(country.register, path, at)
    os.utime(path, ns=(1, 1))
    at += timedelta(seconds=2)
    again = [fast.answer(imei, at) for imei in known]
    assert again == [full(country.register, imei, at) for imei in known] or what == "golden"


def test_another_nations_word_counts_from_the_second_that_policy_says(country, tmp_path):
    """Nothing is said at that second, nor when the policy changes: the index itself must know."""
    register, treaty = country.register, country.register.home / "policy" / "8-treaty.toml"
    rule = '[[foreign]]\nname = "x"\nnations = ["XB"]\nclaims = ["stolen"]\ndelay_hours = 1\neffect = '
    treaty.write_text(rule + '"counts"\n')
    register.catch_up()
    said = DeviceStolen(devices=DeviceSet.of([ALICES_PHONE]), stolen_at=AT - timedelta(days=1), case_number="N")
    entry = AcceptedStatement(
        index=0, leaf_hash=bytes(32), issuer="xb-police", roles=frozenset({Role.POLICE}), logged_at=AT, statement=said,
        nation="XB",
    )  # fmt: skip
    register.claims.apply_abroad("xb", [entry])
    path = tmp_path / "checks.idx"

    def verdicts_at(at):
        compile_index(register, path, at)
        fast = FastCheck(lambda: register, path)
        assert fast.answer(ALICES_PHONE, at) == full(register, ALICES_PHONE, at)
        return fast, orjson.loads(fast.answer(ALICES_PHONE, at))["verdict"]

    fast, verdict = verdicts_at(AT)
    assert verdict != "blocked"
    an_hour_later = AT + timedelta(hours=1)
    assert fast.answer(ALICES_PHONE, an_hour_later) is None
    assert is_worth_compiling(register, path, an_hour_later)
    fast, verdict = verdicts_at(an_hour_later)
    assert verdict == "blocked"
    treaty.write_text(rule + '"shown"\n')
    register.catch_up()
    assert fast.answer(ALICES_PHONE, an_hour_later + timedelta(seconds=2)) is None
    assert is_worth_compiling(register, path, an_hour_later)


def test_a_torn_index_is_as_none(country, tmp_path):
    path = tmp_path / "checks.idx"
    compile_index(country.register, path, AT)
    path.write_bytes(path.read_bytes()[:-3])
    assert FastCheck(lambda: country.register, path).answer(ALICES_PHONE, AT) is None
    assert is_worth_compiling(country.register, path, AT)


def test_who_asks_about_a_reported_device_is_heard_by_its_officer(country):
    """The index could answer; the alert needs Django behind it."""
    book = country.register
    book.state([DeviceStolen(devices=DeviceSet.of([ALICES_PHONE]), stolen_at=AT, case_number="N")], by="police", at=AT)
    book.state(
        [DeviceBlocked(devices=DeviceSet.of([BOBS_PHONE]), blocked_at=AT, grounds="order")], by="regulator", at=AT
    )
    book.ledger.hand_over()
    home = book.home
    compile_index(book, home / "portal" / "checks.idx", AT + timedelta(days=1))
    handed_on = []

    def behind(environ, start_response):
        handed_on.append(environ["PATH_INFO"])
        return [b"by Django"]

    application = with_fast_check(home, book.settings, behind)

    def ask(device):
        value = device + luhn_check_digit(device)
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": f"/api/v1/check/{value}"}
        return b"".join(application(environ, lambda line, headers: None))

    assert ask(ALICES_PHONE) == b"by Django"
    assert orjson.loads(ask(BOBS_PHONE))["because"] == ["blocked"]
    assert len(handed_on) == 1
