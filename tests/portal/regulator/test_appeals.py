"""An appeal is decided in writing, by somebody who saw its last version; or the clock restores service."""

from datetime import timedelta

from a_country import ALICES_PHONE, noon
from openceir.portal.accounts.models import Act
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.cases.deadlines import keep_deadlines
from openceir.portal.cases.models import Case
from openceir.portal.citizens.appeals import file_appeal
from openceir.portal.register import register
from openceir.statements import DeviceBlocked, DeviceSet

WHY = "The papers show that the phone is hers."


def an_appeal(country):
    blocked = DeviceBlocked(
        devices=DeviceSet.of(ALICES_PHONE), blocked_at=noon("2027-02-01"), grounds="taken for a copy"
    )
    country.says("regulator", blocked, "2027-02-01")
    case, _ = file_appeal(ALICES_PHONE, grounds="It is mine.", documents=[], language="en")
    return case


def status(at):
    return str(register().check(ALICES_PHONE, at).status)


def test_a_granted_appeal_lifts_the_block_and_gives_reasons(country, client_of, clock):
    case = an_appeal(country)
    rita = client_of("rita", PortalRole.REGULATOR)
    page = rita.get(f"/regulator/appeals/{case.pk}/").content.decode()
    assert "It is mine." in page
    assert "taken for a copy" in page
    told = {"decision": "grant", "reasons": WHY, "version": case.version}
    assert rita.post(f"/regulator/appeals/{case.pk}/", told).status_code == 302
    assert status(clock.at + timedelta(hours=1)) == "unknown"
    case.refresh_from_db()
    assert case.state == "granted"
    assert case.events.get(kind="grant").text == WHY
    assert Act.objects.filter(verb="regulator.read-appeal", subject=case.reference).exists()


def test_a_rejected_appeal_leaves_the_block(country, client_of, clock):
    case = an_appeal(country)
    told = {"decision": "reject", "reasons": "The seller's papers are forged.", "version": case.version}
    client_of("rita", PortalRole.REGULATOR).post(f"/regulator/appeals/{case.pk}/", told)
    assert status(clock.at + timedelta(hours=100)) == "blocked"


def test_a_decision_without_reasons_or_on_an_old_version_is_refused(country, client_of):
    case = an_appeal(country)
    rita = client_of("rita", PortalRole.REGULATOR)
    page = rita.post(f"/regulator/appeals/{case.pk}/", {"decision": "grant", "reasons": "", "version": case.version})
    assert 'aria-invalid="true"' in page.content.decode()
    stale = rita.post(f"/regulator/appeals/{case.pk}/", {"decision": "grant", "reasons": WHY, "version": 99})
    assert "Somebody else changed this case" in stale.content.decode()
    assert Case.objects.get(pk=case.pk).is_open


def test_undecided_the_clock_restores_service_and_the_queue_says_overdue(country, client_of, clock):
    an_appeal(country)
    rita = client_of("rita", PortalRole.REGULATOR, second_factor_s_ago=1)
    clock.at += timedelta(hours=72, minutes=1)
    assert status(clock.at) == "tracked"
    assert "overdue" in rita.get("/regulator/appeals/").content.decode()
    keep_deadlines(clock.at)
    assert "not decided in time" in rita.get("/regulator/appeals/").content.decode()
