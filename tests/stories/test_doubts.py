"""Where the register cannot know, it accuses nobody: told by the lawyer of one who was cut off."""

import pytest

from a_country import ALICE, ALICES_PHONE, BOB, MALLORY, SHARED, Storyland, day, days_from, noon
from openceir.statements import DeviceSet, DeviceStolen

ZEROS = "00000000000000"


@pytest.fixture
def watchful(tmp_path):
    return Storyland(tmp_path / "home", SHARED)


def stolen(imei, on):
    return DeviceStolen(devices=DeviceSet.of(imei), stolen_at=noon(on), case_number="N-7")


def blocked_pairs(country):
    return [row[:2] for name in ("northtel", "southtel") for row in country.rows(name, "pairblocks")]


def test_after_pruning_the_owner_is_not_called_new_neither_by_list_nor_by_answer(watchful):
    before = [(on, ALICES_PHONE, who) for on in days_from("2027-02-20", 5) for who in (ALICE, BOB)]
    watchful.sees("northtel", before, "2027-02-25")
    watchful.says("police", stolen(ALICES_PHONE, "2027-03-01"), "2027-03-01")
    later = [(on, ALICES_PHONE, who) for on in days_from("2027-09-03", 3) for who in (ALICE, BOB)]
    watchful.sees("northtel", later, "2027-09-06")
    watchful.updates("2027-09-06")
    watchful.register.prune(on=day("2027-10-01"))
    watchful.makes_lists("2027-10-01")
    assert blocked_pairs(watchful) == []
    for who in (ALICE, MALLORY):
        assert watchful.status(ALICES_PHONE, "2027-10-01", imsi=who[0]) == "tracked"


def test_a_network_that_delivers_only_since_the_theft_makes_no_customer_of_it_new(watchful):
    """The owner is a customer of the network that joined late: his first known day is its first day."""
    watchful.sees("northtel", [(on, ALICES_PHONE, ALICE) for on in days_from("2027-02-20", 5)], "2027-02-25")
    watchful.says("police", stolen(ALICES_PHONE, "2027-03-01"), "2027-03-01")
    watchful.sees("southtel", [(on, ALICES_PHONE, BOB) for on in days_from("2027-03-05", 3)], "2027-03-08")
    watchful.sees("northtel", [(on, ALICES_PHONE, MALLORY) for on in days_from("2027-03-05", 3)], "2027-03-08")
    watchful.updates("2027-03-08")
    assert blocked_pairs(watchful) == [(ALICES_PHONE, MALLORY[0])]
    assert watchful.status(ALICES_PHONE, "2027-03-08", imsi=BOB[0]) == "tracked"
    assert watchful.status(ALICES_PHONE, "2027-03-08", imsi=MALLORY[0]) == "blocked"


def test_a_theft_report_about_all_zeros_blocks_no_stranger(watchful):
    watchful.sees("northtel", [(on, ZEROS, ALICE) for on in days_from("2027-02-20", 5)], "2027-02-25")
    watchful.says("police", stolen(ZEROS, "2027-03-01"), "2027-03-01")
    watchful.sees(
        "southtel", [(on, ZEROS, who) for on in days_from("2027-03-05", 3) for who in (BOB, MALLORY)], "2027-03-08"
    )
    watchful.updates("2027-03-08")
    assert blocked_pairs(watchful) == []
    assert [watchful.status(ZEROS, "2027-03-08", imsi=who[0]) for who in (ALICE, BOB, MALLORY)] == ["tracked"] * 3


def test_lists_of_a_past_day_know_nothing_of_sightings_after_it(watchful):
    watchful.sees(
        "northtel", [(on, ALICES_PHONE, who) for on in days_from("2027-02-20", 5) for who in (ALICE, BOB)], "2027-02-25"
    )
    watchful.says("police", stolen(ALICES_PHONE, "2027-03-01"), "2027-03-01")
    watchful.updates("2027-03-02")
    watchful.sees("northtel", [(on, ALICES_PHONE, MALLORY) for on in days_from("2027-03-05", 3)], "2027-03-08")
    watchful.updates("2027-03-08")
    assert blocked_pairs(watchful) == [(ALICES_PHONE, MALLORY[0])]
    watchful.makes_lists("2027-03-04")
    assert blocked_pairs(watchful) == []
