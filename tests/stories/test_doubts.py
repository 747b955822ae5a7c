"""Where the register cannot know, it accuses nobody: told by the lawyer of one who was cut off."""

import pytest

from a_country import ALICE, ALICES_PHONE, BOB, MALLORY, SHARED, Storyland, day, days_from, noon
from openceir.statements import DeviceRecovered, DeviceSet, DeviceStolen, Disputed, Role, StatementRefused, Withdrawn
from openceir.status import StatusError

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


@pytest.mark.parametrize("first", [Role.OPERATOR, Role.REGULATOR])
def test_a_past_answer_does_not_change_when_a_member_changes_its_office(tmp_path, first):
    """Who was an operator then took back only its own words, though it is the regulator now; and the other way round."""
    country = Storyland(tmp_path / "home")
    country.register.new_key("agency", member="agency", roles=[first], valid_from=noon("2027-01-01"))
    country.says("police", stolen(ALICES_PHONE, "2027-03-01"), "2027-03-01")
    back = Withdrawn(claim="stolen", devices=DeviceSet.of(ALICES_PHONE), withdrawn_at=noon("2027-03-02"), grounds="x")
    country.says("agency", back, "2027-03-02")
    then = country.status(ALICES_PHONE, "2027-03-10")
    assert then == ("blocked" if first is Role.OPERATOR else "unknown")
    if first is Role.OPERATOR:
        changed = country.register.members.with_roles("agency", [Role.REGULATOR], noon("2027-04-01"))
        country.register.change_members(changed)
    else:  # by hand, as members.toml says
        path = country.home / "members.toml"
        before = 'id = "agency"\nroles = ["regulator"]'
        text = path.read_text()
        assert before in text
        earlier = '\n[[member.earlier]]\nroles = ["regulator"]\nuntil = 2027-04-01T00:00:00Z\n'
        start = text.index(before)
        end = text.find("[[member]]", start) if "[[member]]" in text[start:] else len(text)
        changed = text[start:end].replace("regulator", "operator", 1) + earlier
        path.write_text(text[:start] + changed + text[end:])
    country.reopen()
    country.register.rebuild_claims()
    assert country.status(ALICES_PHONE, "2027-03-10") == then
    country.register.verify_ledger()


def test_an_operator_lifts_no_block_by_a_dispute_before_there_was_time_to_decide(tmp_path):
    country = Storyland(tmp_path / "home")
    country.register.new_key("northtel", member="northtel", roles=[Role.OPERATOR], valid_from=noon("2027-01-01"))
    [entry] = country.says("police", stolen(ALICES_PHONE, "2027-03-01"), "2027-03-01")

    def dispute(restores_on):
        # filed long ago, says the operator; the time to decide runs from when it stands in the book
        filed_at, restores_at = noon("2027-03-01"), noon(restores_on)
        return Disputed(target=entry.leaf_hash, filed_at=filed_at, restores_at=restores_at, grounds="customer 5")

    with pytest.raises(StatementRefused, match="less than 72 hours to decide"):
        country.says("northtel", dispute("2027-03-10"), "2027-03-10")
    country.says("northtel", dispute("2027-03-13"), "2027-03-10")
    assert country.status(ALICES_PHONE, "2027-03-12") == "blocked"
    assert country.status(ALICES_PHONE, "2027-03-13") == "tracked"
    country.says("regulator", dispute("2027-03-11"), "2027-03-11")
    assert country.status(ALICES_PHONE, "2027-03-12") == "tracked"


def test_erasing_a_recovery_does_not_make_the_phone_stolen_again(tmp_path):
    country = Storyland(tmp_path / "home")
    [theft] = country.says("police", stolen(ALICES_PHONE, "2027-03-01"), "2027-03-01")
    found = DeviceRecovered(devices=DeviceSet.of(ALICES_PHONE), recovered_at=noon("2027-03-02"), case_number="N-7")
    [recovery] = country.says("police", found, "2027-03-02")
    with pytest.raises(StatusError, match="without statement 1, 1 devices would be blocked"):
        country.register.erase(recovery.index, at=noon("2027-03-03"))
    assert country.status(ALICES_PHONE, "2027-03-03") == "unknown"
    country.register.erase(theft.index, at=noon("2027-03-03"))
    country.register.erase(recovery.index, at=noon("2027-03-03"))
    country.register.rebuild_claims()
    assert country.status(ALICES_PHONE, "2027-03-03") == "unknown"
