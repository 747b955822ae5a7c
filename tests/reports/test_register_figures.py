"""Figures of what stands in the register and what operators did with it, against values counted by hand."""

import pytest

from a_country import ALICE, ALICES_PHONE, BOB, BOBS_PHONE, MALLORY, SPARE_PHONE, Storyland, noon
from openceir.statements import (
    DeviceBlocked,
    DeviceBound,
    DeviceImported,
    DevicePaired,
    DeviceRecovered,
    DeviceRegistered,
    DeviceSet,
    DeviceStolen,
    DeviceTracked,
    Pair,
    Role,
    Withdrawn,
)
from openceir.storage.list_runs import Acknowledgement

TACS = """TAC|Manufacturer|Model_Name|Brand_Name|Bands|Allocation_Date|Device_Type|Operating System
00100100|Example|Handy One|Exa|GSM 900,WCDMA FDD Band 1,LTE FDD BAND 3|01-Jan-2020|Smartphone|Open OS
00100200|Example|Slate|Exa|LTE FDD BAND 3|01-Jan-2020|Tablet|
"""
SLATE, LEFT = "00100200000001", "00100100000009"


@pytest.fixture(scope="module")
def land(tmp_path_factory):
    country = Storyland(tmp_path_factory.mktemp("figures") / "home")
    country.register.new_key("customs", member="customs", roles=[Role.CUSTOMS], valid_from=noon("2026-01-01"))
    table = country.home / "tacs.txt"
    table.write_text(TACS)
    country.register.import_tac_table(table, at=noon("2026-09-01"))
    entered = DeviceRegistered(
        devices=DeviceSet.of([ALICES_PHONE, BOBS_PHONE]), registered_on=noon("2026-09-02").date()
    )
    country.says("regulator", entered, "2026-09-02")
    imported = DeviceImported(devices=DeviceSet.of(SLATE), consignment="C-1", imported_on=noon("2026-10-02").date())
    country.says("customs", imported, "2026-10-02")
    country.says("customs", DeviceBound(identifiers=DeviceSet.of([ALICES_PHONE, LEFT])), "2026-10-02")
    pairs = (Pair(ALICES_PHONE, ALICE[0], ALICE[1]), Pair(ALICES_PHONE, BOB[0], None), Pair(BOBS_PHONE, BOB[0], BOB[1]))
    country.says("regulator", DevicePaired(pairs=pairs, paired_at=noon("2026-10-03")), "2026-10-03")
    again = DevicePaired(pairs=(Pair(SPARE_PHONE, MALLORY[0], MALLORY[1]),), paired_at=noon("2026-10-04"))
    [entry] = country.says("regulator", again, "2026-10-04")
    undone = Withdrawn(target=entry.leaf_hash, withdrawn_at=noon("2026-10-05"), grounds="another's card")
    country.says("regulator", undone, "2026-10-05")
    country.sees("northtel", [("2026-10-20", ALICES_PHONE, ALICE), ("2026-10-21", BOBS_PHONE, BOB)], "2026-11-01")
    country.sees("southtel", [("2026-10-22", ALICES_PHONE, MALLORY)], "2026-11-01")
    stolen = DeviceStolen(devices=DeviceSet.of(ALICES_PHONE), case_number="N-7", stolen_at=noon("2026-10-10"))
    country.says("police", stolen, "2026-10-11")
    order = DeviceBlocked(devices=DeviceSet.of(SPARE_PHONE), blocked_at=noon("2026-10-11"), grounds="taken for a copy")
    country.says("regulator", order, "2026-10-11")
    run = country.makes_lists("2026-10-12").sequence
    shelf = country.register.list_runs
    shelf.received.fetched("northtel", "blocklist", run, "2026-10-12T14:00:00Z")
    shelf.received.fetched("northtel", "blocklist", run, "2026-10-13T14:00:00Z")  # the first time stands
    newest = shelf.newest("northtel", "blocklist")
    shelf.acknowledge([Acknowledgement("northtel", "blocklist", run, newest.sha256, "2026-10-12T16:00:00Z")])
    lifted = Withdrawn(
        claim="blocked", devices=DeviceSet.of(SPARE_PHONE), withdrawn_at=noon("2026-10-13"), grounds="no copy"
    )
    country.says("regulator", lifted, "2026-10-13")
    two = DeviceStolen(devices=DeviceSet.of([SLATE, LEFT]), case_number="N-8", stolen_at=noon("2026-10-14"))
    country.says("police", two, "2026-10-14")
    back = DeviceRecovered(devices=DeviceSet.of(SLATE), case_number="N-8", recovered_at=noon("2026-10-15"))
    country.says("police", back, "2026-10-15")
    country.says(
        "regulator",
        DeviceTracked(devices=DeviceSet.of(BOBS_PHONE), tracked_at=noon("2026-10-15"), grounds="watch"),
        "2026-10-15",
    )
    country.register.make_reports("2026-10", at=noon("2026-11-02"))
    return country


def told(land, name, operator=""):
    return land.register.reports.get("2026-10", operator).figure(name).rows


def test_what_stands_in_the_register_is_counted_by_how_it_came_there_and_what_it_may_do(land):
    assert told(land, "entered") == (("registered", 2), ("imported", 1))
    assert told(land, "entered_statuses") == (("imported", 1, 0, 0, 0), ("registered", 0, 1, 1, 0))
    assert told(land, "entered_in_month") == (("customs, imported", 1, 1),)
    assert told(land, "importers") == (("regulator", 2, None), ("customs", 1, 1))


def test_models_say_brand_kind_radio_and_system(land):
    assert told(land, "entered_brands") == (("Exa", 3),)
    assert told(land, "entered_models") == (
        ("Example Handy One", 2, 2, "Smartphone"),
        ("Example Slate", 1, 0, "Tablet"),
    )
    assert told(land, "entered_types") == (("Smartphone", 2), ("Tablet", 1))
    assert told(land, "entered_systems") == (("Open OS", 2), ("unknown", 1))
    assert told(land, "entered_radios") == (("2G", 2), ("3G", 2), ("4G", 3))
    assert told(land, "entered_radios_per_device") == (("2", 1),)
    assert told(land, "seen_brands", "northtel") == (("Exa", 2),)


def test_pairings_are_counted_that_hold_and_those_made_and_ended(land):
    assert told(land, "pairs") == ((2, 2, 3, 2, 2, 1),)
    assert told(land, "pairs_a_device") == (("1", 1), ("2", 1))
    assert {row[0]: row[1:] for row in told(land, "pairs_made") if any(row[1:])} == {
        "2026-10-03": (3, 0), "2026-10-04": (1, 0), "2026-10-05": (0, 1),
    }  # fmt: skip
    assert told(land, "paired_models") == (("Example Handy One", 2, 2, "Smartphone"),)
    assert told(land, "paired_brands") == (("Exa", 2),)
    assert told(land, "paired_radios")[0] == ("2G", 2)


def test_a_blocked_phone_that_is_seen_again_is_counted_by_network_by_reason_and_as_a_share(land):
    """Alice's phone is blocked from the 10th and seen at both networks; the one bound to it is blocked and not seen."""
    assert told(land, "blocked_seen_where") == (("northtel", 0, 1, 0), ("southtel", 0, 1, 0))
    assert told(land, "blocked_seen_why") == (("stolen", 1),)
    assert told(land, "blocked_share_seen") == ((2, 1, 50.0),)
    assert told(land, "blocked_share_seen", "southtel") == ((2, 1, 50.0),)


def test_a_report_takes_effect_when_an_operator_applied_a_list_that_holds_it(land):
    """Logged at noon of the 11th (stolen a day before), fetched 26 hours later, applied 28 hours later; two came after it."""
    [(reports, fetched, applied, applied_95, from_theft, missing)] = told(land, "report_to_effect", "northtel")
    assert (reports, fetched, applied, applied_95, missing) == (3, 26.0, 28.0, 28.0, 1)
    assert from_theft == pytest.approx((52 + 28) / 2)
    assert told(land, "report_to_effect", "southtel") == ()


def test_lists_are_counted_for_each_operator(land):
    rows = dict(told(land, "listed", "northtel"))
    assert rows["blocklist"] == 2
    assert dict(told(land, "listed"))["blocklist"] == 2


def test_recovered_and_taken_back_are_shares_of_what_was_reported_and_blocked(land):
    assert told(land, "recovery_rate") == ((3, 1, 33.3, 3, 1, 33.3),)
    rows = {row[0]: row[1:] for row in told(land, "false_blocks")}
    assert rows["blocked"] == (1, 1, 100.0, 48.0)
    assert rows["stolen"] == (3, 0, 0.0, None)
    by_day = {row[0]: row[1:] for row in told(land, "reported_a_day") if any(row[1:])}
    assert by_day == {"2026-10-11": (1, 0, 0), "2026-10-14": (2, 0, 0), "2026-10-15": (0, 0, 1)}


def test_what_was_withdrawn_by_its_hash_counts_with_the_devices_of_its_target(land):
    assert ("withdrawn", "paired", 1, 1) in told(land, "reversed")
