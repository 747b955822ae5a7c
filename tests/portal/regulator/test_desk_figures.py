"""Figures of the offices, trends and the overview, counted by hand."""

from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from django.utils import translation

from a_country import ALICE, ALICES_PHONE, BOB, BOBS_PHONE, SPARE_PHONE, noon
from openceir.policy import PolicyError, policy_from_text
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.cases.areas import areas_of
from openceir.portal.cases.signals import tell_checked
from openceir.portal.citizens.appeals import decide_appeal, file_appeal
from openceir.portal.citizens.reports import confirm_recovery, open_report, reject_report, verify_report
from openceir.portal.register import register
from openceir.portal.regulator import checks, jobs
from openceir.portal.regulator.chores import let_figures_be_made
from openceir.portal.regulator.desk_figures import desk_figures, make_desk_figures
from openceir.portal.regulator.models import CheckCount, Job
from openceir.statements import DeviceBlocked, DeviceSet

AREAS = """
[areas.harbour]
name = "Harbour"
population = 200000
row = 1
column = 1

[areas.hill]
name = "Hill"
population = 50000
row = 1
column = 2
"""


@pytest.fixture
def ann(country, people):
    from openceir.portal.accounts.acts import Actor

    return Actor(
        name="ann",
        role="police-officer",
        office="police",
        signs_with="police",
        user=people("ann", PortalRole.POLICE_OFFICER),
    )


def reported(device, clock, *, area="", hours=0, is_theft=True, channel="web", mode="block"):
    """A report whose proof came `hours` after it."""
    case, _ = open_report(device, is_theft=is_theft, channel=channel, language="en", area=area, mode=mode)
    clock.at += timedelta(hours=hours)
    case.move("prove", actor="")
    return case


def rows(name, month="2027-03"):
    figure = next(one for one in desk_figures(month) if one.name == name)
    return [dict(zip(figure.columns, row, strict=True)) for row in figure.rows]


def test_cases_are_counted_by_kind_channel_mode_and_outcome(country, ann, clock):
    for device, told in (
        (ALICES_PHONE, {}),
        (BOBS_PHONE, {"mode": "watch"}),
        (SPARE_PHONE, {"is_theft": False, "channel": "ussd"}),
    ):
        case = reported(device, clock, **told)
        if device == SPARE_PHONE:
            reject_report(ann, case, reasons="not enough to go on")
        else:
            verify_report(ann, case)
        if device == BOBS_PHONE:
            confirm_recovery(ann, case)
    reported("00100100000008", clock)
    make_desk_figures("2027-03")
    assert rows("incident_types") == [
        {"what": "theft", "verified": 2, "not_accepted": 0, "waiting": 1},
        {"what": "loss", "verified": 0, "not_accepted": 1, "waiting": 0},
    ]
    assert rows("reports_received") == [{"day": "2027-03-01", "thefts": 3, "losses": 1}]
    assert rows("reports_by_channel") == [{"channel": "web", "reports": 3}, {"channel": "ussd", "reports": 1}]
    assert rows("recovered_by_mode") == [
        {"mode": "block", "verified": 1, "recovered": 0, "per_cent": 0.0},
        {"mode": "watch", "verified": 1, "recovered": 1, "per_cent": 100.0},
    ]
    assert {(row["kind"], row["state"]): row["cases"] for row in rows("case_states")} == {
        ("theft", "blocked"): 1, ("theft", "recovered"): 1, ("theft", "received"): 1, ("loss", "rejected"): 1,
    }  # fmt: skip


def test_a_case_waits_from_its_proof_to_the_decision_and_not_while_the_person_is_asked(country, ann, clock):
    """Proof after 10 hours; asked after 5, answered 100 hours later, decided 7 after that: 12 hours, of 48 allowed."""
    quick = reported(ALICES_PHONE, clock, hours=10)
    clock.at += timedelta(hours=5)
    quick.move("ask", actor="police", text="Which colour?")
    clock.at += timedelta(hours=100)
    quick.move("answer", actor="", text="blue")
    clock.at += timedelta(hours=7)
    verify_report(ann, quick)
    slow = reported(BOBS_PHONE, clock)
    clock.at += timedelta(hours=60)
    verify_report(ann, slow)
    reported(SPARE_PHONE, clock)
    clock.at += timedelta(hours=49)
    make_desk_figures("2027-03")
    [row] = [one for one in rows("waiting_times") if one["kind"] == "theft"]
    assert (row["office"], row["allowed_hours"], row["decided"], row["in_time"], row["overdue"]) == (
        "police",
        48.0,
        2,
        1,
        1,
    )
    assert row["median_hours"] == pytest.approx((12 + 60) / 2)
    assert row["hours_95"] == pytest.approx(12 + 0.95 * 48, abs=0.05)


def test_an_appeals_outcome_and_the_clocks_are_counted(country, people, clock):
    from openceir.portal.accounts.acts import Actor

    rita = Actor(
        name="rita",
        role="regulator",
        office="regulator",
        signs_with="regulator",
        user=people("rita", PortalRole.REGULATOR),
    )
    for device in (ALICES_PHONE, BOBS_PHONE):
        blocked = DeviceBlocked(devices=DeviceSet.of(device), blocked_at=noon("2027-02-01"), grounds="taken for a copy")
        country.says("regulator", blocked, "2027-02-01")
    country.register.ledger.hand_over()
    first, _ = file_appeal(ALICES_PHONE, grounds="It is mine.", documents=[], language="en")
    second, _ = file_appeal(BOBS_PHONE, grounds="It is mine.", documents=[], language="en")
    clock.at += timedelta(hours=10)
    decide_appeal(rita, first, grant=True, reasons="The papers are good.", seen_version=first.version)
    clock.at += timedelta(hours=10)
    decide_appeal(rita, second, grant=False, reasons="The papers are forged.", seen_version=second.version)
    make_desk_figures("2027-03")
    assert rows("appeals") == [
        {
            "filed": 2,
            "granted": 1,
            "rejected": 1,
            "restored_by_the_clock": 0,
            "per_cent_granted": 50.0,
            "hours_to_decision": 15.0,
        }
    ]


def test_areas_are_counted_of_a_hundred_thousand_people_and_drawn_as_a_map(country, ann, clock, client_of):
    (country.home / "policy" / "30-areas.toml").write_text(AREAS)
    page = client_of("alice").get("/report/").content.decode()
    assert "Harbour" in page
    for device, area in (
        (ALICES_PHONE, "harbour"),
        (BOBS_PHONE, "hill"),
        (SPARE_PHONE, "hill"),
        ("00100100000008", ""),
    ):
        reported(device, clock, area=area)
    register().make_reports("2027-03", at=clock.at)
    make_desk_figures("2027-03")
    found = {row["area"]: row for row in rows("reports_by_area")}
    assert (found["harbour"]["per_100000"], found["hill"]["per_100000"]) == (0.5, 4.0)
    assert (found["not said"]["reports"], found["not said"]["per_100000"]) == (1, None)
    shown = client_of("rita", PortalRole.REGULATOR).get("/regulator/").content.decode()
    drawing = shown[shown.index('id="reports_by_area"') :]
    drawing = drawing[drawing.index("<svg") : drawing.index("</svg>") + 6]
    squares = list(ET.fromstring(drawing).iter("{http://www.w3.org/2000/svg}rect"))
    assert [float(one.get("fill-opacity")) for one in squares] == [pytest.approx(0.2, abs=0.01), 1.0]


def test_without_areas_nobody_is_asked_for_one_and_a_bad_area_is_refused(country, client_of):
    assert "In which area?" not in client_of("alice").get("/report/").content.decode()
    for wrong in ("population = 0", "population = 5\nrow = 0", "population = 5\noutline = [[1]]", 'population = "5"'):
        with pytest.raises(PolicyError, match="area hill"):
            areas_of(policy_from_text(("areas", f"[areas.hill]\n{wrong}\n")))


def test_checks_are_counted_by_channel_and_language_and_name_nothing(country, clock):
    checks.write_counts()
    CheckCount.objects.all().delete()
    with translation.override("ar"):
        tell_checked([ALICES_PHONE, BOBS_PHONE], "sms")
    with translation.override("en"):
        tell_checked([ALICES_PHONE], "web")
        checks.write_counts()
        tell_checked([ALICES_PHONE], "web")
        checks.write_counts()
    make_desk_figures("2027-03")
    assert rows("checks") == [
        {"channel": "sms", "language": "ar", "devices": 2}, {"channel": "web", "language": "en", "devices": 2},
    ]  # fmt: skip
    assert rows("checks_a_day") == [{"day": "2027-03-01", "devices": 4}]


def test_months_become_lines_and_the_newest_one_the_overview(country, client_of, clock):
    country.sees("northtel", [("2027-01-05", ALICES_PHONE, ALICE)], "2027-02-01")
    country.sees("northtel", [("2027-02-05", ALICES_PHONE, ALICE), ("2027-02-06", BOBS_PHONE, BOB)], "2027-03-01")
    rita = client_of("rita", PortalRole.REGULATOR)
    assert "No month was counted yet" in rita.get("/regulator/").content.decode()
    for month in ("2027-01", "2027-02"):
        register().make_reports(month, at=clock.at)
        make_desk_figures(month)
    told = rita.get("/regulator/figures/2027-02/seen_trend.csv").content.decode()
    assert told == "month,devices,imsis,msisdns\r\n2027-01,1,1,1\r\n2027-02,2,2,2\r\n"
    page = rita.get("/regulator/figures/2027-02/trends/").content.decode()
    assert page.count("<svg") >= 3
    overview = rita.get("/regulator/").content.decode()
    assert "2027-02" in overview
    seen = overview[overview.index("Device identities seen") :]
    assert '<bdi dir="ltr">2</bdi>' in seen[:200]
    assert 'id="incident_types"' in rita.get("/regulator/figures/2027-02/").content.decode()
    assert rita.get("/regulator/figures/2027-02/trends/?operator=northtel").status_code == 200
    assert rita.get("/regulator/figures/2027-02/no_such.csv").status_code == 404


def test_the_worker_counts_a_running_month_daily_and_an_ended_one_once_more(country, clock):
    let_figures_be_made(clock.at)
    [first] = Job.objects.all()
    assert (first.asked, first.asked_by) == ("2027-03", None)
    let_figures_be_made(clock.at)
    assert Job.objects.count() == 1
    jobs.do.func(first.pk)
    clock.at += timedelta(hours=23)
    let_figures_be_made(clock.at)
    assert Job.objects.count() == 1
    clock.at += timedelta(hours=2)
    let_figures_be_made(clock.at)
    assert Job.objects.count() == 2
    clock.at = noon("2027-04-01")
    for _ in range(2):
        let_figures_be_made(clock.at)
        for job in Job.objects.filter(done_at=None):
            jobs.do.func(job.pk)
    assert sorted(Job.objects.values_list("asked", flat=True)) == ["2027-03", "2027-03", "2027-04"]
