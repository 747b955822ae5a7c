"""The figures of a month against a slow twin: plain Python over the sightings that were fed in."""

from collections import defaultdict

import pytest

from a_country import ALICE, ALICES_PHONE, BOB, BOBS_PHONE, MALLORY, SPARE_PHONE, Storyland, noon
from openceir.reports import Drawing, ReportError, ReportUnknown, figures, listings
from openceir.statements import DeviceRecovered, DeviceSet, DeviceStolen, Withdrawn

NORTH = [
    ("2026-10-01", ALICES_PHONE, ALICE),
    ("2026-10-02", ALICES_PHONE, ALICE),
    ("2026-10-02", BOBS_PHONE, MALLORY),
    ("2026-10-05", BOBS_PHONE, ALICE),
    ("2026-10-20", ALICES_PHONE, MALLORY),
]
SOUTH = [("2026-10-03", BOBS_PHONE, BOB), ("2026-10-20", ALICES_PHONE, BOB), ("2026-10-09", SPARE_PHONE, BOB)]


@pytest.fixture(scope="module")
def land(tmp_path_factory):
    country = Storyland(tmp_path_factory.mktemp("reports") / "home")
    country.sees("northtel", [("2026-09-30", BOBS_PHONE, BOB)], "2026-10-01")
    country.sees("northtel", NORTH, "2026-11-01")
    country.sees("southtel", SOUTH, "2026-11-01")
    stolen = DeviceStolen(devices=DeviceSet.of(ALICES_PHONE), case_number="N-7", stolen_at=noon("2026-10-10"))
    country.says("police", stolen, "2026-10-12")
    country.makes_lists("2026-10-13")
    spare = DeviceStolen(devices=DeviceSet.of(SPARE_PHONE), case_number="N-8", stolen_at=noon("2026-10-11"))
    country.says("police", spare, "2026-10-14")
    back = DeviceRecovered(devices=DeviceSet.of(SPARE_PHONE), case_number="N-8", recovered_at=noon("2026-10-21"))
    country.says("police", back, "2026-10-21")
    country.register.make_reports("2026-10", at=noon("2026-11-02"))
    return country


def rows(land, name, operator=""):
    figure = land.register.reports.get("2026-10", operator).figure(name)
    return [dict(zip(figure.columns, row, strict=True)) for row in figure.rows]


def test_every_day_counts_what_was_seen_on_it(land):
    for operator, seen in {"northtel": NORTH, "southtel": SOUTH, "": NORTH + SOUTH}.items():
        devices, imsis = defaultdict(set), defaultdict(set)
        for day, device, (imsi, _) in seen:
            devices[day].add(device)
            imsis[day].add(imsi)
        twin = [(day, len(devices[day]), len(imsis[day])) for day in sorted(devices)]
        assert [(row["day"], row["devices"], row["imsis"]) for row in rows(land, "seen_a_day", operator)] == twin


def test_the_month_counts_distinct_values_of_it_alone(land):
    [country] = rows(land, "seen_in_month")
    every = NORTH + SOUTH
    assert country["devices"] == len({device for _, device, _ in every})
    assert country["triplets"] == len({(device, who) for _, device, who in every})
    assert country["imsis"] == len({imsi for _, _, (imsi, _) in every})


def test_cards_are_counted_per_device_and_devices_per_card(land):
    for operator, seen in {"northtel": NORTH, "southtel": SOUTH, "": NORTH + SOUTH}.items():
        cards, devices = defaultdict(set), defaultdict(set)
        for _, device, (imsi, _) in seen:
            cards[device].add(imsi)
            devices[imsi].add(device)
        for name, column, counted in (("cards_per_device", "cards", cards), ("devices_per_card", "devices", devices)):
            twin = defaultdict(int)
            for some in counted.values():
                twin[str(len(some))] += 1
            told = {row[column]: row["devices" if column == "cards" else "imsis"] for row in rows(land, name, operator)}
            assert told == twin, (name, operator)


def test_a_device_of_an_earlier_month_is_not_new(land):
    [country] = rows(land, "new_devices")
    assert (country["devices"], country["new_devices"]) == (3, 2)


def test_a_stolen_phone_seen_after_its_block_stands_against_the_network_that_served_it(land):
    """Blocked from 10 October; seen on the 20th at both networks, with others' cards."""
    for operator in ("northtel", "southtel", ""):
        assert rows(land, "blocked_still_seen", operator) == [
            {"what": "seen after the block", "within_a_week": 0, "within_a_month": 1, "later": 0}
        ]
    listing = land.register.listing(
        "stolen_still_seen", "2026-10", at=noon("2026-11-02"), reader="ann", role="police", purpose="N-7"
    )
    assert [(row[0], row[1], row[2]) for row in listing.rows] == [
        ("northtel", ALICES_PHONE, MALLORY[0]),
        ("southtel", ALICES_PHONE, BOB[0]),
    ]


def test_a_listing_is_recorded_with_who_read_and_why(land):
    before = len(list(land.register.read_audit.reads()))
    land.register.listing("found_with", "2026-10", at=noon("2026-11-02"), reader="ann", role="police", purpose="N-7")
    *_, last = land.register.read_audit.reads()
    assert len(list(land.register.read_audit.reads())) == before + 1
    assert (last.reader, last.role, last.purpose) == ("ann", "police", "found_with 2026-10: N-7")


def test_reports_wait_from_the_theft_to_the_register_and_from_there_to_the_lists(land):
    [stolen] = rows(land, "report_to_list")
    assert stolen["reports"] == 2
    assert stolen["to_register"] == pytest.approx((48 + 72) / 2)
    assert stolen["to_lists"] == pytest.approx(24.0)  # of the one that a run carried
    assert stolen["on_no_list"] == 1


def test_a_recovery_is_counted_from_the_latest_report(land):
    assert rows(land, "recovered") == [{"reported": 2, "recovered": 1, "median_days": 10.0}]


def test_statuses_are_those_of_the_end_of_the_month(land):
    told = {row["status"]: row["devices"] for row in rows(land, "compliance")}
    assert told == {"blocked": 1, "unknown": 2}


def test_a_block_taken_back_in_a_later_month_changes_that_month(tmp_path):
    country = Storyland(tmp_path / "home")
    country.sees("northtel", NORTH, "2026-11-01")
    devices = DeviceSet.of(ALICES_PHONE)
    country.says("police", DeviceStolen(devices=devices, case_number="N-7", stolen_at=noon("2026-10-10")), "2026-10-12")
    back = Withdrawn(claim="stolen", devices=devices, withdrawn_at=noon("2026-11-03"), grounds="wrong number")
    country.says("police", back, "2026-11-03")
    for month in ("2026-10", "2026-11"):
        country.register.make_reports(month, at=noon("2026-12-01"))
    found = country.register.reports
    assert found.get("2026-10").figure("reversed").rows == ()
    assert found.get("2026-11").figure("reversed").rows == (("withdrawn", "stolen", 1, 1),)
    assert ("blocked", 1) in found.get("2026-10").figure("compliance").rows


def test_a_month_without_sightings_and_one_to_come(land):
    reports = land.register.make_reports("2026-08", at=noon("2026-11-02"))
    assert [one.operator for one in reports] == [""]
    with pytest.raises(ReportError, match="has not begun"):
        land.register.make_reports("2027-01", at=noon("2026-11-02"))
    with pytest.raises(ReportError, match="no month"):
        land.register.make_reports("2026-13", at=noon("2026-11-02"))
    with pytest.raises(ReportUnknown, match="report make 2026-07"):
        land.register.reports.get("2026-07")


def test_every_question_says_what_it_counts():
    for question in (*figures(), *listings().values()):
        assert question.title, question.name
        assert len(question.counts) > 20, question.name
    assert all(question.drawing is Drawing.NONE for question in listings().values())
