"""The auditor believes nobody: receipts, checkpoints, acts and verdicts are computed again."""

import base64

import pytest

from a_country import ALICE, ALICES_PHONE, BOBS_PHONE, SHARED, noon
from openceir.portal.accounts.log import note
from openceir.portal.accounts.models import Act
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.register import register
from openceir.portal.regulator import jobs
from openceir.portal.regulator.models import Job
from openceir.statements import DeviceSet, DeviceStolen


def steal(country, imei, day):
    theft = DeviceStolen(devices=DeviceSet.of(imei), stolen_at=noon(day), case_number="N-7")
    return country.says("police", theft, day)[0]


def pasted(octets):
    return {"text": base64.encodebytes(octets).decode(), "log_key": ""}


def test_a_receipt_is_checked_by_anybody(country, anybody):
    entry = steal(country, ALICES_PHONE, "2027-02-01")
    octets = register().ledger.receipt(entry.index, at=noon("2027-02-02"))
    page = anybody.post("/auditor/proofs/receipt/", pasted(octets)).content.decode()
    assert "This statement stands in the log" in page
    assert "device-stolen/1" in page


@pytest.mark.parametrize("at", [5, 60, -3])
def test_a_receipt_with_one_octet_changed_proves_nothing(country, anybody, at):
    entry = steal(country, ALICES_PHONE, "2027-02-01")
    octets = bytearray(register().ledger.receipt(entry.index, at=noon("2027-02-02")))
    octets[at] ^= 1
    page = anybody.post("/auditor/proofs/receipt/", pasted(bytes(octets)))
    assert page.status_code == 200
    assert "stands in the log" not in page.content.decode()
    assert 'aria-invalid="true"' in page.content.decode()


@pytest.mark.parametrize(
    "told", [{"text": "", "log_key": ""}, {"text": "no base64!", "log_key": ""}, {"text": "AAAA", "log_key": "x"}]
)
def test_what_is_no_receipt_is_told_at_its_field(country, anybody, told):
    page = anybody.post("/auditor/proofs/receipt/", told)
    assert (page.status_code, "govuk-error-message" in page.content.decode()) == (200, True)


def test_a_checkpoint_kept_since_shows_that_nothing_was_removed(country, anybody):
    steal(country, ALICES_PHONE, "2027-02-01")
    kept = register().ledger.checkpoint().format()
    steal(country, BOBS_PHONE, "2027-02-02")
    told = {"earlier": kept.replace("\n", "\r\n"), "later": ""}
    page = anybody.post("/auditor/proofs/checkpoints/", told).content.decode()
    assert "Nothing was: the later log only adds" in page
    forged = kept.replace("\n1\n", "\n2\n", 1)
    refused = anybody.post("/auditor/proofs/checkpoints/", {"earlier": forged, "later": ""}).content.decode()
    assert "Nothing was" not in refused
    assert "govuk-error-message" in refused


def test_who_did_what_is_shown_and_the_showing_is_an_act_too(country, client_of, people):
    from tests.portal.accounts.test_acts import actor

    note(actor(people("ann", PortalRole.POLICE_OFFICER)), "police.read-case", subject="K7Q4", reason="N-7")
    otto = client_of("otto", PortalRole.AUDITOR)
    page = otto.get("/auditor/acts/?actor=ann&verb=police").content.decode()
    assert "K7Q4" in page
    assert "The log is whole" in page
    assert Act.objects.filter(verb="auditor.read-acts", actor="otto").exists()
    assert client_of("ann", PortalRole.POLICE_OFFICER).get("/auditor/acts/").status_code == 403


def test_readings_of_subscribers_are_shown_without_them(country, client_of):
    country.sees("northtel", [("2027-02-01", ALICES_PHONE, ALICE)], "2027-02-02")
    register().listing("found_with", "2027-02", at=noon("2027-03-01"), reader="ann", role="police", purpose="N-7")
    page = client_of("otto", PortalRole.AUDITOR).get("/auditor/acts/reads/").content.decode()
    assert "found_with 2027-02: N-7" in page
    assert ALICE[0] not in page


def test_a_run_judged_again_comes_out_the_same(country, client_of):
    country.change_policy(SHARED)
    country.sees("northtel", [("2027-02-01", ALICES_PHONE, ALICE)], "2027-02-02")
    run = register().detect(at=noon("2027-03-01"))
    otto = client_of("otto", PortalRole.AUDITOR)
    assert otto.post("/auditor/acts/replays/", {"run": run.number}).status_code == 302
    jobs.do.func(Job.objects.get().pk)
    assert "the same verdicts" in otto.get("/auditor/acts/replays/").content.decode()
    assert "govuk-error-message" in otto.post("/auditor/acts/replays/", {"run": 99}).content.decode()
