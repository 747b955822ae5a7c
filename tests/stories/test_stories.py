"""Stories over the whole register: Alice owns, Bob buys, Mallory clones. Invented laws, test numbers."""

from datetime import timedelta

import pyarrow.parquet as pq
import pytest

from a_country import ALICE, ALICES_PHONE, BOB, BOBS_PHONE, MALLORY, SHARED, Storyland, day, days_from, noon
from openceir.statements import (
    DeviceBlocked,
    DevicePaired,
    DevicePermitted,
    DeviceRecovered,
    DeviceRegistered,
    DeviceSet,
    DeviceStolen,
    Disputed,
    Pair,
    Withdrawn,
)


@pytest.fixture
def country(tmp_path):
    return Storyland(tmp_path / "home")


@pytest.fixture
def watchful(tmp_path):
    """A country with a rule against cloned numbers."""
    return Storyland(tmp_path / "home", SHARED)


def stolen(imei=ALICES_PHONE, on="2027-03-01"):
    return DeviceStolen(devices=DeviceSet.of(imei), stolen_at=noon(on), case_number="N-7")


def test_a_stolen_phone_is_blocked_and_a_found_one_may_be_used_again(country):
    register = DeviceRegistered(devices=DeviceSet.of(ALICES_PHONE), registered_on=day("2027-01-01"))
    country.says("regulator", register, "2027-01-01")
    country.says("police", stolen(), "2027-03-01")
    country.makes_lists("2027-03-01")
    assert country.status(ALICES_PHONE, "2027-03-05") == "blocked"
    assert country.rows("southtel", "blocklist") == [(ALICES_PHONE, "2027-03-01", "stolen")]
    found = DeviceRecovered(devices=DeviceSet.of(ALICES_PHONE), recovered_at=noon("2027-03-09"), case_number="N-7")
    country.says("police", found, "2027-03-09")
    run = country.makes_lists("2027-03-09")
    assert country.status(ALICES_PHONE, "2027-03-10") == "permitted"
    assert country.rows("southtel", "blocklist") == []
    assert country.changes("southtel", "blocklist", run) == [(ALICES_PHONE, "2027-03-01", "stolen", "unblocked")]


def test_of_a_stolen_and_cloned_number_the_new_pair_is_blocked_and_bobs_goes_on(watchful):
    """Bob bore the same number before the theft; Mallory came with it afterwards."""
    before = [(on, ALICES_PHONE, who) for on in days_from("2027-02-20", 5) for who in (ALICE, BOB)]
    watchful.sees("northtel", before, "2027-02-25")
    watchful.says("police", stolen(), "2027-03-01")
    watchful.sees("northtel", [(on, ALICES_PHONE, MALLORY) for on in days_from("2027-03-03", 3)], "2027-03-06")
    watchful.updates("2027-03-06")
    assert watchful.status(ALICES_PHONE, "2027-03-06") == "tracked"
    assert watchful.rows("northtel", "blocklist") == []
    assert watchful.rows("northtel", "pairblocks") == [(ALICES_PHONE, MALLORY[0], "2027-03-01", "cloned_imei|stolen")]
    assert watchful.status(ALICES_PHONE, "2027-03-06", imsi=MALLORY[0]) == "blocked"
    assert watchful.status(ALICES_PHONE, "2027-03-06", imsi=BOB[0]) == "tracked"


def test_alices_pair_works_on_a_number_that_is_blocked(country):
    country.says("regulator", DeviceBlocked(devices=DeviceSet.of(BOBS_PHONE), blocked_at=noon("2027-03-01"), grounds="clone"), "2027-03-01")  # fmt: skip
    pair = DevicePaired(pairs=(Pair(BOBS_PHONE, *ALICE),), paired_at=noon("2027-03-02"))
    country.change_policy("\n[lists]\nexceptions_with_barred = true\n")
    country.says("regulator", pair, "2027-03-02")
    country.makes_lists("2027-03-02")
    assert country.status(BOBS_PHONE, "2027-03-03") == "blocked"
    assert country.status(BOBS_PHONE, "2027-03-03", imsi=ALICE[0]) == "permitted"
    assert country.rows("northtel", "exceptions") == [(BOBS_PHONE, *ALICE)]
    assert country.rows("southtel", "exceptions") == []


def test_users_of_a_cloned_number_are_warned_then_it_is_blocked(watchful):
    seen = [(on, ALICES_PHONE, who) for on in days_from("2027-03-01", 3) for who in (ALICE, BOB)]
    watchful.sees("northtel", seen, "2027-03-04")
    watchful.updates("2027-03-04")
    [warned] = watchful.rows("northtel", "notifications")
    assert warned[:3] == (ALICES_PHONE, *ALICE)
    block_on = day(warned[3])
    assert watchful.rows("southtel", "notifications") == [(ALICES_PHONE, *BOB, warned[3], "cloned_imei", "false")]
    assert block_on > day("2027-03-04")
    assert watchful.status(ALICES_PHONE, (block_on - timedelta(days=1)).isoformat()) == "tracked"
    run = watchful.makes_lists(block_on.isoformat())
    assert watchful.status(ALICES_PHONE, block_on.isoformat()) == "blocked"
    assert watchful.rows("northtel", "blocklist") == [(ALICES_PHONE, warned[3], "cloned_imei")]
    assert watchful.rows("northtel", "notifications") == []
    assert [row[-1] for row in watchful.changes("northtel", "notifications", run)] == ["blacklisted"]


def test_in_an_amnesty_the_day_of_blocking_is_its_end_and_people_are_told(tmp_path):
    amnesty = SHARED + (
        '\n[detection.amnesty]\nevaluation_from = "2027-03-01"\nevaluation_until = "2027-03-10"\nuntil = "2027-06-30"\n'
    )
    country = Storyland(tmp_path / "home", amnesty)
    seen = [(on, ALICES_PHONE, who) for on in days_from("2027-03-01", 3) for who in (ALICE, BOB)]
    country.sees("northtel", seen, "2027-03-04")
    country.updates("2027-03-04")
    assert country.rows("northtel", "notifications") == []
    country.sees("northtel", [("2027-03-11", ALICES_PHONE, who) for who in (ALICE, BOB)], "2027-03-12")
    country.updates("2027-03-12")
    [told] = country.rows("northtel", "notifications")
    assert told[3:] == ("2027-06-30", "cloned_imei", "true")
    assert country.status(ALICES_PHONE, "2027-06-29") == "tracked"


def test_a_dispute_that_is_not_decided_in_time_restores_service(country):
    [entry] = country.says("police", stolen(), "2027-03-01")
    country.makes_lists("2027-03-02")
    dispute = Disputed(target=entry.leaf_hash, devices=DeviceSet.of(ALICES_PHONE), filed_at=noon("2027-03-03"), restores_at=noon("2027-03-06"), grounds="mine")  # fmt: skip
    country.says("regulator", dispute, "2027-03-03")
    assert country.status(ALICES_PHONE, "2027-03-05") == "blocked"
    assert country.status(ALICES_PHONE, "2027-03-07") == "tracked"
    run = country.makes_lists("2027-03-07")
    assert country.changes("northtel", "blocklist", run) == [(ALICES_PHONE, "2027-03-01", "stolen", "unblocked")]


def test_what_was_said_in_error_can_be_taken_back(country):
    [entry] = country.says("police", stolen(), "2027-03-01")
    country.makes_lists("2027-03-02")
    country.says("police", Withdrawn(target=entry.leaf_hash, withdrawn_at=noon("2027-03-03"), grounds="typing error"), "2027-03-03")  # fmt: skip
    country.makes_lists("2027-03-03")
    assert country.rows("northtel", "blocklist") == []
    assert country.status(ALICES_PHONE, "2027-03-02") == "blocked"  # then, it was
    assert country.status(ALICES_PHONE, "2027-03-04") == "unknown"


def test_a_barred_model_is_a_range_and_a_permitted_phone_in_it_works(country):
    barred = DeviceBlocked(
        devices=DeviceSet.of(ranges=[("00100100000000", "00100100999999")]), blocked_at=noon("2027-03-01"), grounds="recall"
    )  # fmt: skip
    country.says("regulator", barred, "2027-03-01")
    country.makes_lists("2027-03-01")
    assert country.rows("northtel", "blockranges") == [("00100100000000", "00100100999999", "2027-03-01", "blocked")]
    permit = DevicePermitted(devices=DeviceSet.of(ALICES_PHONE), permitted_at=noon("2027-03-02"), grounds="embassy")
    country.says("regulator", permit, "2027-03-02")
    country.makes_lists("2027-03-02")
    assert [row[:2] for row in country.rows("northtel", "blockranges")] == [
        ("00100100000000", "00100100000000"),
        ("00100100000002", "00100100999999"),
    ]
    assert country.status(ALICES_PHONE, "2027-03-02") == "permitted"


def test_an_erased_pairing_is_on_no_further_list_and_the_book_still_verifies(country):
    [entry] = country.says(
        "regulator", DevicePaired(pairs=(Pair(ALICES_PHONE, *ALICE),), paired_at=noon("2027-03-01")), "2027-03-01"
    )
    country.makes_lists("2027-03-01")
    assert country.rows("northtel", "exceptions") == [(ALICES_PHONE, *ALICE)]
    country.register.erase(entry.index, at=noon("2027-03-02"))
    country.makes_lists("2027-03-02")
    assert country.rows("northtel", "exceptions") == []
    assert country.register.verify_ledger() is not None


def octets_of(home):
    """Everything in the home, databases and Parquet columns as they can be read included."""
    held = b""
    for path in home.rglob("*"):
        if path.is_file():
            held += path.read_bytes()
            if path.suffix == ".parquet":
                held += repr(pq.read_table(path).to_pydict()).encode()
    return held


def test_no_subscriber_older_than_the_retention_stays_anywhere_in_the_home(watchful):
    """Six months by policy: Mallory was last seen in January, Alice and Bob in August."""
    old = [(on, ALICES_PHONE, MALLORY) for on in days_from("2027-01-10", 3)]
    new = [(on, ALICES_PHONE, who) for on in days_from("2027-08-01", 2) for who in (ALICE, BOB)]
    watchful.sees("northtel", [*old, *[(on, ALICES_PHONE, ALICE) for on in days_from("2027-01-10", 3)]], "2027-01-14")
    watchful.updates("2027-01-14")
    assert MALLORY[0] in {row[1] for row in watchful.rows("northtel", "notifications")}
    watchful.sees("northtel", new, "2027-08-04")
    watchful.updates("2027-08-04")
    for number in MALLORY:
        assert number.encode() in octets_of(watchful.home), "nothing to erase: the test would prove nothing"
    done = watchful.register.prune(on=day("2027-08-05"))
    assert done.sightings_files == 3
    assert done.months == ("2027-01",)
    held = octets_of(watchful.home)
    for number in MALLORY:
        assert number.encode() not in held
        assert b"1" + number.encode() not in held
        assert int(f"1{number}").to_bytes(8, "little") not in held
    assert ALICE[0].encode() in held
    before = watchful.rows("northtel", "blocklist")
    run = watchful.makes_lists("2027-08-05")
    assert before == [(ALICES_PHONE, before[0][1], "cloned_imei")]
    assert watchful.rows("northtel", "blocklist") == before
    assert watchful.changes("northtel", "blocklist", run) == []


def test_a_rehearsal_of_pruning_erases_nothing(watchful):
    watchful.sees("northtel", [("2027-01-10", ALICES_PHONE, MALLORY)], "2027-01-14")
    watchful.updates("2027-01-14")
    done = watchful.register.prune(on=day("2027-08-05"), is_rehearsal=True)
    assert (done.is_rehearsal, done.sightings_files) == (True, 1)
    assert len(watchful.register.lake.files()) == 1
