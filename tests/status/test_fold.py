"""The rules of docs/architecture.md §6, one sentence a test. Alice owns, Bob buys, Mallory clones."""

import itertools
from datetime import UTC, date, datetime

import pytest

from openceir.statements import (
    NO_DEVICES,
    DeviceBlocked,
    DeviceClassified,
    DeviceImported,
    DeviceLost,
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
    StockDeclared,
    TypeApproved,
    Withdrawn,
)
from openceir.status import AcceptedStatement, Answer, AskedPair, Claim, ClaimKind, Status, claims_of, fold

ALICES_PHONE = "00100100000001"
ALICE, MALLORY = "001010000000001", "001010000000066"
PHONE = DeviceSet.of(ALICES_PHONE)
OFFICES = {
    "regulator": {Role.REGULATOR},
    "police": {Role.POLICE},
    "northtel": {Role.OPERATOR},
    "court": {Role.COURT},
}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Book:
    """A log of one device, without signatures: what the ledger accepted."""

    def __init__(self) -> None:
        self.claims: list[Claim] = []
        self._next = itertools.count()

    def says(self, issuer: str, said: Statement, logged_at: str = "2027-03-01") -> bytes:
        index = next(self._next)
        leaf = index.to_bytes(32)
        entry = AcceptedStatement(
            index=index,
            leaf_hash=leaf,
            issuer=issuer,
            roles=frozenset(OFFICES[issuer]),
            logged_at=utc(logged_at),
            statement=said,
        )
        for spoken in claims_of(entry):
            if spoken.imsis.size:
                self.claims += [Claim(said=spoken.said, imsi=int(imsi)) for imsi in spoken.imsis]
            else:
                self.claims.append(Claim(said=spoken.said))
        return leaf

    def answer(self, at: str, **asked: object) -> Answer:
        return fold(self.claims, utc(at), **asked)  # type: ignore[arg-type]


@pytest.fixture
def book() -> Book:
    return Book()


def stolen(at: str = "2027-03-01") -> DeviceStolen:
    return DeviceStolen(devices=PHONE, case_number="N-7", stolen_at=utc(at))


def recovered(at: str) -> DeviceRecovered:
    return DeviceRecovered(devices=PHONE, case_number="N-7", recovered_at=utc(at))


def classified(rule: str = "duplicate", **changed: object) -> DeviceClassified:
    fields: dict[str, object] = {
        "rule": rule,
        "conditions": ("duplicate_threshold",),
        "blocking": False,
        "marks_duplicate": False,
        "policy_digest": bytes(32),
        "as_of_on": date(2027, 3, 2),
        "evidence_digest": bytes(32),
        "matched": PHONE,
    }
    return DeviceClassified(**{**fields, **changed})  # type: ignore[arg-type]


def registered() -> DeviceRegistered:
    return DeviceRegistered(devices=PHONE, registered_on=date(2027, 1, 1))


def paired(imsi: str = ALICE) -> DevicePaired:
    return DevicePaired(pairs=(Pair(ALICES_PHONE, imsi),), paired_at=utc("2027-03-01"))


def asked(imsi: str, first_seen_on: date | None = None, watched_since: date | None = date(2027, 1, 1)) -> AskedPair:
    return AskedPair(imsi=int("1" + imsi), first_seen_on=first_seen_on, watched_since=watched_since)


def test_a_found_phone_may_be_used_again(book):
    book.says("regulator", registered())
    book.says("police", stolen("2027-03-01"))
    book.says("police", recovered("2027-03-09"))
    assert book.answer("2027-03-05").status is Status.BLOCKED
    assert book.answer("2027-03-10").status is Status.PERMITTED


def test_nothing_said_is_unknown_in_both_modes_and_only_the_advice_differs(book):
    permissive, restrictive = (book.answer("2027-03-01", is_restrictive=mode) for mode in (False, True))
    assert permissive.status is restrictive.status is Status.UNKNOWN
    assert "Register it before you use it" in restrictive.next_steps[0]
    assert "Register it before" not in permissive.next_steps[0]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (RangeAllocated(devices=PHONE, brand="Acme", model="One", allocated_on=date(2027, 1, 1)), Status.PERMITTED),
        (TypeApproved(devices=PHONE, certificate_number="T1", approved_on=date(2027, 1, 1)), Status.PERMITTED),
        (StockDeclared(devices=PHONE, consignment="C1", declared_on=date(2027, 1, 1)), Status.UNKNOWN),
        (DeviceImported(devices=PHONE, consignment="C1", imported_on=date(2027, 1, 1)), Status.PERMITTED),
        (registered(), Status.PERMITTED),
        (stolen(), Status.BLOCKED),
        (DeviceLost(devices=PHONE, lost_at=utc("2027-03-01"), case_number="N-8"), Status.BLOCKED),
        (recovered("2027-03-01"), Status.UNKNOWN),
        (DeviceBlocked(devices=PHONE, blocked_at=utc("2027-03-01"), grounds="Order 1"), Status.BLOCKED),
        (DeviceTracked(devices=PHONE, tracked_at=utc("2027-03-01"), grounds="Order 2"), Status.TRACKED),
        (DevicePermitted(devices=PHONE, permitted_at=utc("2027-03-01"), grounds="Embassy"), Status.PERMITTED),
        (paired(), Status.UNKNOWN),
        (classified(), Status.TRACKED),
        (classified(blocking=True, block_on=date(2027, 3, 3)), Status.BLOCKED),
        (classified(blocking=True, block_on=date(2027, 3, 4)), Status.TRACKED),
        (classified(blocking=True, block_on=None), Status.TRACKED),
    ],
)  # fmt: skip
def test_each_kind_alone_has_the_effect_of_its_row_in_the_architecture(book, said, status):
    """docs/architecture.md §4, column "status effect", on 2027-03-03."""
    book.says("regulator", said)
    assert book.answer("2027-03-03").status is status


def test_a_block_begins_on_its_day_and_not_before(book):
    book.says("regulator", classified(blocking=True, block_on=date(2027, 4, 1)))
    assert book.answer("2027-03-31T23:59:59").status is Status.TRACKED
    assert "before 2027-04-01" in book.answer("2027-03-31").next_steps[0]
    assert book.answer("2027-04-01T00:00:00").status is Status.BLOCKED


def test_a_theft_reported_again_after_a_recovery_counts_again_whatever_day_it_names(book):
    book.says("police", stolen("2027-03-01"))
    book.says("police", recovered("2027-03-09"))
    book.says("police", stolen("2027-03-01"))
    assert book.answer("2027-03-20").status is Status.BLOCKED


def test_a_recovery_does_not_answer_a_theft_after_it(book):
    book.says("police", stolen("2027-03-10"))
    book.says("police", recovered("2027-03-09"))
    assert book.answer("2027-03-20").status is Status.BLOCKED


def test_a_stolen_number_on_several_phones_is_never_blocked_alone_but_the_pair_is(book):
    book.says("regulator", registered())
    book.says("police", stolen("2027-03-01"))
    book.says("regulator", classified(marks_duplicate=True, blocking=True, block_on=date(2027, 3, 2)))
    at = "2027-03-20"
    assert (book.answer(at).status, book.answer(at).rule) == (Status.TRACKED, "6.3")
    # Mallory came after the theft, Bob's other handset was there before it
    assert book.answer(at, pair=asked(MALLORY, date(2027, 3, 5))).status is Status.BLOCKED
    assert book.answer(at, pair=asked(ALICE, date(2027, 2, 1))).status is Status.TRACKED
    # never seen together: the pair would appear now
    assert book.answer(at, pair=asked(MALLORY)).status is Status.BLOCKED
    # nobody looked: a doubt is no accusation
    assert book.answer(at, pair=asked(MALLORY, watched_since=None)).status is Status.TRACKED
    book.says("regulator", paired(ALICE))
    assert book.answer(at, pair=asked(ALICE, date(2027, 3, 5))).status is Status.PERMITTED
    assert book.answer(at).status is Status.TRACKED


def test_a_report_of_theft_takes_nothing_from_an_order_on_a_shared_number(book):
    """The order named the device, whoever uses it: it blocked before the theft was reported, and does so after."""
    book.says("regulator", classified(marks_duplicate=True))
    order = book.says("court", DeviceBlocked(devices=PHONE, blocked_at=utc("2027-03-02"), grounds="Order 1"))
    at, pair = "2027-03-20", asked(ALICE, date(2027, 2, 1))
    assert book.answer(at).status is Status.BLOCKED
    book.says("police", stolen("2027-03-03"))
    book.says("regulator", paired(ALICE))
    for asked_for in (None, pair):
        assert (book.answer(at, pair=asked_for).status, book.answer(at).rule) == (Status.BLOCKED, "6.4")
    book.says("court", Withdrawn(target=order, withdrawn_at=utc("2027-03-04"), grounds="lifted"))
    assert (book.answer(at).status, book.answer(at).rule) == (Status.TRACKED, "6.3")
    assert book.answer(at, pair=pair).status is Status.PERMITTED


@pytest.mark.parametrize(
    ("watched_since", "status"),
    [(date(2027, 2, 28), Status.BLOCKED), (date(2027, 3, 1), Status.TRACKED), (date(2027, 3, 2), Status.TRACKED)],
)
def test_where_no_day_before_the_theft_is_kept_no_pair_can_be_told_to_be_new(book, watched_since, status):
    book.says("police", stolen("2027-03-01"))
    book.says("regulator", classified(marks_duplicate=True))
    for first_seen_on in (None, date(2027, 3, 4)):
        pair = asked(MALLORY, first_seen_on, watched_since)
        assert book.answer("2027-03-10", pair=pair).status is status


def test_a_theft_of_a_number_of_many_handsets_accuses_none_of_them(book):
    book.says("police", stolen("2027-03-01"))
    for first_seen_on in (None, date(2027, 2, 1), date(2027, 3, 4)):
        answer = book.answer("2027-03-10", pair=asked(MALLORY, first_seen_on), is_known_non_unique=True)
        assert (answer.status, answer.rule) == (Status.TRACKED, "6.1")
    book.says("regulator", paired(ALICE))
    assert book.answer("2027-03-10", pair=asked(ALICE), is_known_non_unique=True).status is Status.PERMITTED


def test_a_number_known_to_be_on_many_handsets_is_never_blocked(book):
    book.says("police", stolen())
    book.says("regulator", registered())
    answer = book.answer("2027-03-20", is_known_non_unique=True)
    assert (answer.status, answer.rule) == (Status.TRACKED, "6.1")


def test_an_exception_holds_over_blocks_until_its_day(book):
    book.says("regulator", classified(blocking=True, block_on=date(2027, 3, 1)))
    until = utc("2027-06-01")
    book.says("court", DevicePermitted(devices=PHONE, permitted_at=utc("2027-03-05"), until=until, grounds="Ruling 4"))
    assert [book.answer(at).status for at in ("2027-03-04", "2027-03-05", "2027-05-31T23:59:59", "2027-06-01")] == [
        Status.BLOCKED,
        Status.PERMITTED,
        Status.PERMITTED,
        Status.BLOCKED,
    ]


def test_a_pair_is_permitted_with_its_own_subscriber_only(book):
    book.says("police", stolen())
    book.says("regulator", paired(ALICE))
    ours, anothers = (book.answer("2027-03-20", pair=asked(imsi)) for imsi in (ALICE, MALLORY))
    assert (ours.status, ours.for_pair) == (Status.PERMITTED, True)
    assert (anothers.status, anothers.for_pair) == (Status.BLOCKED, False)


def test_nobody_is_told_that_a_device_is_blocked_which_is_not(book):
    book.says("regulator", classified(blocking=True, block_on=date(2027, 3, 2)))
    until = utc("2027-03-20")
    permission = DevicePermitted(devices=PHONE, permitted_at=utc("2027-03-03"), until=until, grounds="Embassy")
    book.says("regulator", permission)
    permitted, finding = (reason.sentence for reason in book.answer("2027-03-10").reasons)
    assert "would be blocked since 2027-03-02, were it not for what decides here." in finding
    assert permitted.endswith("until 2027-03-20T00:00:00Z.")
    [finding] = (reason.sentence for reason in book.answer("2027-03-20").reasons)
    assert finding.endswith("it is blocked since 2027-03-02.")


def test_a_theft_after_a_recovery_in_the_same_second_counts_in_the_order_of_the_log(book):
    book.says("police", recovered("2027-03-01"))
    book.says("police", stolen("2027-03-01"))
    assert book.answer("2027-03-01").status is Status.BLOCKED
    book.says("police", recovered("2027-03-01"))
    assert book.answer("2027-03-01").status is Status.UNKNOWN


def test_what_was_withdrawn_and_is_said_again_counts_again(book):
    said = book.says("police", stolen())
    book.says("police", Withdrawn(target=said, withdrawn_at=utc("2027-03-02"), grounds="error"))
    book.says("police", stolen())
    assert book.answer("2027-03-03").status is Status.BLOCKED


def test_a_theft_that_is_still_to_come_at_the_asked_instant_says_nothing_then(book):
    book.says("police", stolen("2027-03-09"))
    book.says("regulator", classified(conditions=("stolen_list",), blocking=True, block_on=date(2027, 3, 2)))
    before = book.answer("2027-03-08")
    assert before.status is Status.UNKNOWN
    assert [reason.decides for reason in before.reasons] == [False]
    assert book.answer("2027-03-09").status is Status.BLOCKED


def test_a_finding_cleared_and_made_again_blocks_from_its_new_day(book):
    book.says("regulator", classified(blocking=True, block_on=date(2027, 3, 10)))
    cleared = classified(matched=NO_DEVICES, cleared=PHONE, as_of_on=date(2027, 3, 5))
    book.says("regulator", cleared)
    book.says("regulator", classified(blocking=True, block_on=date(2027, 4, 8), as_of_on=date(2027, 3, 9)))
    assert [book.answer(at).status for at in ("2027-03-04", "2027-03-06", "2027-03-20", "2027-04-07", "2027-04-08")] == [
        Status.TRACKED, Status.UNKNOWN, Status.TRACKED, Status.TRACKED, Status.BLOCKED,
    ]  # fmt: skip


def test_the_last_second_before_a_day_is_the_day_before_in_utc(book):
    book.says("regulator", classified(blocking=True, block_on=date(2028, 2, 29), as_of_on=date(2028, 1, 31)))
    assert book.answer("2028-02-28T23:59:59").status is Status.TRACKED
    assert book.answer("2028-02-29T00:00:00").status is Status.BLOCKED


def test_a_pairing_lifts_no_order_unless_policy_says_so(book):
    order = book.says("court", DeviceBlocked(devices=PHONE, blocked_at=utc("2027-03-02"), grounds="Order 1"))
    book.says("northtel", paired(ALICE))
    assert book.answer("2027-03-10", pair=asked(ALICE)).status is Status.BLOCKED
    assert book.answer("2027-03-10", pair=asked(ALICE), pairs_lift_orders=True).status is Status.PERMITTED
    book.says("police", stolen("2027-03-03"))
    book.says("court", Withdrawn(target=order, withdrawn_at=utc("2027-03-04"), grounds="appeal"))
    assert book.answer("2027-03-10", pair=asked(ALICE)).status is Status.PERMITTED


@pytest.mark.parametrize(
    ("condition", "said", "ended_by"),
    [
        ("stolen_list", stolen("2027-03-01"), recovered("2027-03-09")),
        (
            "barred",
            DeviceBlocked(devices=PHONE, blocked_at=utc("2027-03-01"), grounds="Order 1"),
            Withdrawn(claim="blocked", devices=PHONE, withdrawn_at=utc("2027-03-09"), grounds="appeal"),
        ),
        (
            "monitoring",
            DeviceTracked(devices=PHONE, tracked_at=utc("2027-03-01"), grounds="Order 2"),
            Withdrawn(claim="tracked", devices=PHONE, withdrawn_at=utc("2027-03-09"), grounds="appeal"),
        ),
    ],
)
def test_a_finding_outlives_no_report_that_it_repeats(book, condition, said, ended_by):
    """A phone that the police state as recovered is not blocked until the next run of detection comes by."""
    book.says("regulator", registered())
    book.says("regulator", said)
    book.says("regulator", classified(conditions=(condition,), blocking=True, block_on=date(2027, 3, 2)))
    book.says("regulator", ended_by)
    assert book.answer("2027-03-08").status is Status.BLOCKED
    after = book.answer("2027-03-10")
    assert after.status is Status.PERMITTED
    [finding] = [reason for reason in after.reasons if reason.kind is ClaimKind.CLASSIFIED]
    assert "it counts for nothing" in finding.sentence
    assert not finding.decides


def test_who_registers_in_time_is_not_blocked_for_being_unregistered(book):
    conditions = ("not_on_registration_list", "not malformed")
    book.says("regulator", classified("unregistered", conditions=conditions, blocking=True, block_on=date(2027, 3, 20)))
    assert book.answer("2027-03-10").status is Status.TRACKED
    assert book.answer("2027-03-20").status is Status.BLOCKED
    book.says("regulator", DeviceRegistered(devices=PHONE, registered_on=date(2027, 3, 11)))
    assert book.answer("2027-03-10").status is Status.TRACKED
    assert book.answer("2027-03-20").status is Status.PERMITTED


def test_whom_a_device_is_paired_with_is_not_shown_to_others(book):
    book.says("regulator", paired(ALICE))
    assert [reason.kind for reason in book.answer("2027-03-20").reasons] == []
    assert [reason.kind for reason in book.answer("2027-03-20", pair=asked(MALLORY)).reasons] == []
    assert [reason.kind for reason in book.answer("2027-03-20", pair=asked(ALICE)).reasons] == [ClaimKind.PAIRED]


def test_a_newer_finding_of_the_same_rule_ends_the_older(book):
    book.says("regulator", classified(blocking=True, block_on=date(2027, 3, 10)))
    book.says("regulator", classified(blocking=True, block_on=date(2027, 5, 1), as_of_on=date(2027, 3, 9)))
    assert book.answer("2027-03-20").status is Status.TRACKED
    book.says("regulator", classified(matched=NO_DEVICES, cleared=PHONE, as_of_on=date(2027, 3, 15)))
    assert book.answer("2027-03-20").status is Status.UNKNOWN


def test_one_rule_does_not_clear_anothers_finding(book):
    book.says("regulator", classified("malformed"))
    book.says("regulator", classified("duplicate", matched=NO_DEVICES, cleared=PHONE))
    assert book.answer("2027-03-20").status is Status.TRACKED


def withdrawn(target: bytes, at: str = "2027-03-10", **more: object) -> Withdrawn:
    return Withdrawn(target=target, withdrawn_at=utc(at), grounds="mistake", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("issuer", "after"), [
    ("northtel", Status.BLOCKED), ("police", Status.UNKNOWN), ("regulator", Status.UNKNOWN), ("court", Status.UNKNOWN),
])  # fmt: skip
def test_only_the_issuer_the_regulator_or_a_court_takes_a_statement_back(book, issuer, after):
    leaf = book.says("police", stolen())
    book.says(issuer, withdrawn(leaf))
    assert book.answer("2027-03-05").status is Status.BLOCKED
    assert book.answer("2027-03-20").status is after


def test_a_withdrawn_recovery_never_answered_the_theft(book):
    book.says("police", stolen("2027-03-01"))
    leaf = book.says("police", recovered("2027-03-05"))
    book.says("police", withdrawn(leaf, "2027-03-10"))
    assert book.answer("2027-03-07").status is Status.UNKNOWN
    assert book.answer("2027-03-12").status is Status.BLOCKED


def test_a_withdrawn_withdrawal_lets_the_claim_stand_again(book):
    leaf = book.says("police", stolen())
    again = book.says("police", withdrawn(leaf, "2027-03-05"))
    book.says("regulator", withdrawn(again, "2027-03-10"))
    assert [book.answer(at).status for at in ("2027-03-04", "2027-03-07", "2027-03-11")] == [
        Status.BLOCKED,
        Status.UNKNOWN,
        Status.BLOCKED,
    ]


def test_a_withdrawal_by_name_ends_that_claim_and_that_label_only(book):
    book.says("regulator", classified("malformed"))
    book.says("regulator", classified("duplicate"))
    book.says(
        "regulator",
        Withdrawn(claim="classified", label="malformed", devices=PHONE, withdrawn_at=utc("2027-03-10"), grounds="x"),
    )
    assert [reason.label for reason in book.answer("2027-03-20").reasons] == ["duplicate"]


def test_an_undecided_dispute_suspends_the_block_when_its_time_has_run_out(book):
    leaf = book.says("police", stolen("2027-03-01"))
    book.says(
        "northtel",
        Disputed(target=leaf, filed_at=utc("2027-03-10"), restores_at=utc("2027-03-13"), grounds="sold by its owner"),
    )
    before, after = book.answer("2027-03-12"), book.answer("2027-03-13")
    assert (before.status, after.status, after.rule) == (Status.BLOCKED, Status.TRACKED, "6.4 disputed")
    assert any(reason.disputed for reason in after.reasons)


def test_a_second_block_that_nobody_disputes_goes_on(book):
    leaf = book.says("police", stolen("2027-03-01"))
    book.says("regulator", DeviceBlocked(devices=PHONE, blocked_at=utc("2027-03-01"), grounds="Order 1"))
    book.says("northtel", Disputed(target=leaf, filed_at=utc("2027-03-02"), restores_at=utc("2027-03-02"), grounds="x"))
    answer = book.answer("2027-03-20")
    assert answer.status is Status.BLOCKED
    assert [reason.kind for reason in answer.reasons if reason.decides] == [ClaimKind.BLOCKED]


def test_a_dismissed_dispute_lets_the_block_bite_again(book):
    leaf = book.says("police", stolen("2027-03-01"))
    dispute = book.says(
        "northtel", Disputed(target=leaf, filed_at=utc("2027-03-02"), restores_at=utc("2027-03-05"), grounds="x")
    )
    book.says("court", withdrawn(dispute, "2027-03-10"))
    assert book.answer("2027-03-09").status is Status.TRACKED
    assert book.answer("2027-03-10").status is Status.BLOCKED


def test_what_was_known_then_and_what_counts_in_law_are_two_questions(book):
    book.says("police", stolen("2027-03-01"), logged_at="2027-03-08")
    assert book.answer("2027-03-05").status is Status.BLOCKED
    assert book.answer("2027-03-05", known_at=utc("2027-03-05")).status is Status.UNKNOWN


def test_a_reason_says_who_since_when_and_where_its_proof_is(book):
    book.says("regulator", registered(), logged_at="2027-01-01")
    leaf = book.says("police", stolen("2027-03-01"), logged_at="2027-03-02")
    first, second = book.answer("2027-03-05").reasons
    assert (first.decides, first.issuer, first.statement, first.leaf_hash) == (True, "police", 1, leaf)
    assert first.sentence == "It is reported stolen on 2027-03-01, says police."
    assert first.receipt_path == "/v1/statements/1/receipt"
    assert (second.decides, second.kind) == (False, ClaimKind.REGISTERED)


def test_no_answer_promises_anything(book):
    book.says("regulator", registered())
    assert "safe" not in str(book.answer("2027-03-05").as_json()).lower()
