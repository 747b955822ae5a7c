"""The page of waiting times: what waits too long now, and for whom."""

from datetime import timedelta

from a_country import ALICES_PHONE, BOBS_PHONE
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.cases.references import format_code
from openceir.portal.citizens.reports import open_report


def page_now(client_of):
    """As somebody sees it who signs in now: a session ends while hours pass."""
    return client_of("rita", PortalRole.REGULATOR).get("/regulator/waiting/").content.decode()


def test_a_case_is_late_after_the_hours_of_its_kind_counted_from_its_proof(country, client_of, clock):
    late, _ = open_report(ALICES_PHONE, is_theft=True, channel="web", language="en")
    unproven, _ = open_report(BOBS_PHONE, is_theft=True, channel="web", language="en")
    clock.at += timedelta(hours=100)
    late.move("prove", actor="")
    clock.at += timedelta(hours=47)
    assert format_code(late.reference) not in page_now(client_of)
    clock.at += timedelta(hours=2)
    page = page_now(client_of)
    assert format_code(late.reference) in page
    assert format_code(unproven.reference) not in page  # it waits for its owner


def test_a_countrys_own_hours_count_and_an_answer_starts_the_clock_anew(country, client_of, clock):
    country.change_policy("[portal.decided_within_hours]\ntheft = 5\n")
    case, _ = open_report(ALICES_PHONE, is_theft=True, channel="web", language="en")
    case.move("prove", actor="")
    clock.at += timedelta(hours=6)
    assert format_code(case.reference) in page_now(client_of)
    case.move("ask", actor="police", text="Which colour?")
    assert format_code(case.reference) not in page_now(client_of)
    case.move("answer", actor="", text="blue")
    assert format_code(case.reference) not in page_now(client_of)
    clock.at += timedelta(hours=6)
    assert format_code(case.reference) in page_now(client_of)


def test_others_see_nothing(client_of):
    assert client_of("ann", PortalRole.POLICE_OFFICER).get("/regulator/waiting/").status_code == 403
