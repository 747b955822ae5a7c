"""What a citizen brings, from the first word to the statement that answers it."""

from datetime import timedelta

import pytest

from a_country import ALICES_PHONE, BOBS_PHONE
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.cases.deadlines import keep_deadlines
from openceir.portal.citizens.appeals import NothingToAppeal, decide_appeal, file_appeal
from openceir.portal.citizens.holdings import CannotPass, disown, hold, offer, take
from openceir.portal.citizens.imports import accept_import
from openceir.portal.citizens.models import Holding
from openceir.portal.citizens.reports import confirm_recovery, open_report, prove, request_recovery, verify_report
from portal.a_document import a_picture


@pytest.fixture
def ann(people):
    user = people("ann", PortalRole.POLICE_OFFICER)
    return Actor(name="ann", role="police-officer", office="police", signs_with="police", user=user)


@pytest.fixture
def reg(people):
    user = people("reg", PortalRole.REGULATOR)
    return Actor(name="reg", role="regulator", office="regulator", signs_with="regulator", user=user)


def status(country, clock, imei=ALICES_PHONE):
    return str(country.register.check(imei, clock.at).status)


def a_report(**more):
    case, _ = open_report(ALICES_PHONE, is_theft=True, channel="web", language="en", **more)
    prove(case, a_picture())
    return case


def test_a_report_blocks_nothing_before_proof_and_the_polices_word(country, clock, ann):
    case, _ = open_report(ALICES_PHONE, is_theft=True, channel="web", language="en")
    assert (case.state, status(country, clock)) == ("unproven", "unknown")
    prove(case, a_picture())
    assert (case.state, status(country, clock)) == ("received", "unknown")
    verify_report(ann, case)
    assert (case.state, status(country, clock)) == ("blocked", "blocked")


def test_whoever_holds_the_device_here_has_proved_it(country, people):
    alice = people("alice")
    hold(alice, ALICES_PHONE, how="imported")
    case, _ = open_report(ALICES_PHONE, is_theft=False, channel="web", language="en", person=alice)
    assert case.state == "received"


def test_ones_own_word_about_holding_it_is_no_proof(country, people):
    mallory = people("mallory")
    hold(mallory, ALICES_PHONE, how="declared")
    case, _ = open_report(ALICES_PHONE, is_theft=True, channel="web", language="en", person=mallory)
    assert case.state == "unproven"


def test_in_recovery_mode_the_phone_is_watched_until_it_is_back(country, clock, ann):
    case = a_report(mode="watch")
    verify_report(ann, case)
    assert status(country, clock) == "tracked"
    confirm_recovery(ann, case)
    assert (case.state, status(country, clock)) == ("recovered", "unknown")


def test_a_phone_that_is_back_works_again(country, clock, ann):
    case = a_report()
    verify_report(ann, case)
    request = request_recovery(case, text="found under the seat")
    clock.at += timedelta(hours=1)
    confirm_recovery(ann, request)
    assert (request.state, status(country, clock)) == ("confirmed", "unknown")


def test_an_appeal_that_nobody_decides_restores_service_after_72_hours(country, clock, ann):
    verify_report(ann, a_report())
    case, _ = file_appeal(ALICES_PHONE, grounds="it is mine", documents=[a_picture("bill")], language="en")
    clock.at += timedelta(hours=71, minutes=59)
    keep_deadlines(clock.at)
    assert (status(country, clock), case.state) == ("blocked", "received")
    clock.at += timedelta(minutes=1)
    keep_deadlines(clock.at)
    case.refresh_from_db()
    assert (status(country, clock), case.state) == ("tracked", "restored")


def test_an_appeal_that_is_granted_frees_this_device(country, clock, ann, reg):
    verify_report(ann, a_report())
    case, _ = file_appeal(ALICES_PHONE, grounds="it is mine", documents=[a_picture("bill")], language="en")
    clock.at += timedelta(hours=1)
    decide_appeal(reg, case, grant=True, reasons="the bill is older than the report")
    assert (status(country, clock), case.is_open) == ("unknown", False)


def test_an_appeal_that_is_rejected_leaves_the_block_for_ever(country, clock, ann, reg):
    verify_report(ann, a_report())
    case, _ = file_appeal(ALICES_PHONE, grounds="it is mine", documents=[a_picture("bill")], language="en")
    clock.at += timedelta(hours=1)
    decide_appeal(reg, case, grant=False, reasons="the bill is of another phone")
    clock.at += timedelta(hours=100)
    keep_deadlines(clock.at)
    assert status(country, clock) == "blocked"
    assert [event.text for event in case.events.filter(kind="reject")] == ["the bill is of another phone"]


def test_there_is_no_appeal_against_nothing_and_no_second_one(country, clock, ann):
    with pytest.raises(NothingToAppeal):
        file_appeal(BOBS_PHONE, grounds="x", documents=[], language="en")
    verify_report(ann, a_report())
    file_appeal(ALICES_PHONE, grounds="x", documents=[], language="en")
    with pytest.raises(NothingToAppeal, match="already"):
        file_appeal(ALICES_PHONE, grounds="x", documents=[], language="en")


def test_a_device_passes_to_the_new_owner_with_a_code(country, people):
    alice, bob = people("alice"), people("bob")
    case, _ = offer(alice, hold(alice, ALICES_PHONE, how="imported"))
    take(bob, case)
    assert [one.user for one in Holding.objects.filter(device=ALICES_PHONE, until=None)] == [bob]
    with pytest.raises(CannotPass):
        take(people("mallory"), case)


def test_a_blocked_device_changes_no_owner(country, clock, people, ann):
    alice = people("alice")
    holding = hold(alice, ALICES_PHONE, how="imported")
    verify_report(ann, a_report())
    with pytest.raises(CannotPass):
        offer(alice, holding)


def test_not_mine_takes_the_device_off_the_name_at_once(country, people):
    alice = people("alice")
    case = disown(alice, hold(alice, BOBS_PHONE, how="listed"))
    assert not Holding.objects.filter(user=alice, until=None).exists()
    assert case.kind == "not-mine"


def test_a_device_that_customs_accept_is_permitted_and_under_the_persons_name(country, clock, people):
    from openceir.portal.cases.models import Case

    alice = people("alice")
    user = people("cas", PortalRole.CUSTOMS_OFFICER)
    cas = Actor(name="cas", role="customs-officer", office="customs", signs_with="customs", user=user)
    case, _ = Case.open("import", devices=[ALICES_PHONE], person=alice, office="customs", details={})
    accept_import(cas, case)
    assert status(country, clock) == "permitted"
    assert Holding.objects.get(user=alice).how == "imported"
