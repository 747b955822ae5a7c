"""A partner brings citizens' matters: the same cases as on the pages, followed with reference and secret."""

import json

import pytest
from django.test import Client

from a_country import ALICES_PHONE, BOBS_PHONE
from openceir.identity import format_imei
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.cases.models import Case
from openceir.portal.citizens.appeals import decide_appeal
from openceir.portal.citizens.reports import confirm_recovery, verify_report
from openceir.statements import DeviceSet, DeviceStolen
from portal.a_document import a_picture

ALICES, BOBS = format_imei(ALICES_PHONE), format_imei(BOBS_PHONE)
REPORT = {"imeis": ALICES, "what": "theft", "mode": "block", "happened_on": "2027-02-20", "name": "Alice"}


@pytest.fixture
def insurer(country, program):
    return program("reports", "appeals", "registrations")


@pytest.fixture
def ann(actor_as):
    return actor_as("ann", PortalRole.POLICE_OFFICER)


def state_of(client, path, told):
    return client.get(f"/api/v1/{path}/{told['reference']}", headers={"Case-Secret": told["secret"]})


def test_a_report_goes_from_proof_to_block_and_back(country, insurer, ann, clock):
    opened = insurer.fill("reports", REPORT)
    told = opened.json()
    assert (opened.status_code, told["state"]) == (201, "unproven")
    proven = insurer.post(
        f"/api/v1/reports/{told['reference']}/documents", {"document": a_picture()},
        headers={"Case-Secret": told["secret"]},
    )  # fmt: skip
    assert (proven.status_code, proven.json()["state"]) == (201, "received")
    case = Case.objects.get()
    assert case.details["channel"] == "api"
    verify_report(ann, case)
    assert str(country.register.check(ALICES_PHONE, clock.at).status) == "blocked"
    shown = state_of(insurer, "reports", told).json()
    assert (shown["state"], [event["kind"] for event in shown["events"]][:2]) == ("blocked", ["opened", "evidence"])
    again = {"Case-Secret": told["secret"]}
    asked = insurer.post(f"/api/v1/reports/{told['reference']}/recover", headers=again)
    twice = insurer.post(f"/api/v1/reports/{told['reference']}/recover", headers=again)
    assert (asked.status_code, asked.json()["kind"]) == (202, "recovery")
    assert twice.json()["reference"] == asked.json()["reference"]
    confirm_recovery(ann, Case.objects.get(kind="recovery"))
    assert str(country.register.check(ALICES_PHONE, clock.at).status) != "blocked"
    late = insurer.post(f"/api/v1/reports/{told['reference']}/recover", headers=again)
    assert (late.status_code, late.json()["code"]) == (409, "illegal-move")


def test_what_the_api_opened_the_page_opens_with_the_same_two_words(country, insurer):
    told = insurer.fill("reports", REPORT).json()
    browser = Client()
    reply = browser.post("/case/", {"reference": told["reference"], "secret": told["secret"]})
    assert reply.status_code == 302
    assert told["reference"] in browser.get(reply.headers["Location"]).content.decode()


def test_wrong_fields_are_told_one_by_one_in_the_readers_language(country, insurer):
    wrong = {**REPORT, "imeis": "001001000000016", "happened_on": "2027-03-02", "what": "borrowed"}
    refused = insurer.fill("reports", wrong)
    assert (refused.status_code, refused.headers["Content-Type"]) == (422, "application/problem+json")
    assert refused.json()["code"] == "form-invalid"
    assert {one["field"] for one in refused.json()["errors"]} == {"imeis", "happened_on", "what"}
    french = insurer.fill("reports", wrong, **{"Accept-Language": "fr"})
    assert french.json()["errors"] != refused.json()["errors"]
    no_picture = insurer.fill("reports", {**REPORT, "proof": a_text()})
    assert [one["field"] for one in no_picture.json()["errors"]] == ["proof"]
    assert not Case.objects.exists()


def a_text():
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile("proof.pdf", b"no document at all")


def test_reference_and_secret_open_a_case_together_and_tell_not_which_was_wrong(country, insurer):
    told = insurer.fill("reports", REPORT).json()
    other = insurer.fill("reports", {**REPORT, "imeis": BOBS}).json()
    wrong = [
        state_of(insurer, "reports", {**told, "secret": other["secret"]}),
        state_of(insurer, "reports", {**told, "reference": "0000-0000-000"}),
        state_of(insurer, "appeals", told),
    ]
    assert {(one.status_code, one.content) for one in wrong} == {(404, wrong[0].content)}
    assert insurer.get(f"/api/v1/reports/{told['reference']}").status_code == 422  # no secret at all


def test_a_case_that_did_not_change_is_not_sent_again(country, insurer):
    told = insurer.fill("reports", REPORT).json()
    first = state_of(insurer, "reports", told)
    headers = {"Case-Secret": told["secret"], "If-None-Match": first.headers["ETag"]}
    same = insurer.get(f"/api/v1/reports/{told['reference']}", headers=headers)
    assert (same.status_code, same.content) == (304, b"")
    Case.objects.get().move("withdraw", actor="")
    assert insurer.get(f"/api/v1/reports/{told['reference']}", headers=headers).json()["state"] == "withdrawn"


def test_an_appeal_has_its_clock_and_its_decision(country, insurer, actor_as, clock):
    country.register.state(
        [DeviceStolen(devices=DeviceSet.of(BOBS_PHONE), stolen_at=clock.at, case_number="N-7")],
        by="police",
        at=clock.at,
    )
    country.register.ledger.hand_over()
    fields = {"imeis": BOBS, "grounds": "I bought it in a shop.", "name": "Bob"}
    assert insurer.fill("appeals", fields).status_code == 422  # a document is needed
    told = insurer.fill("appeals", {**fields, "proof": a_picture()}).json()
    assert state_of(insurer, "appeals", told).json()["due_at"] == "2027-03-04T12:00:00Z"
    again = insurer.fill("appeals", {**fields, "proof": a_picture()})
    assert (again.status_code, again.json()["code"]) == (409, "nothing-to-appeal")
    more = insurer.post(
        f"/api/v1/appeals/{told['reference']}/documents", {"document": a_picture("bill")},
        headers={"Case-Secret": told["secret"]},
    )  # fmt: skip
    assert len(more.json()["documents"]) == 2
    decide_appeal(actor_as("reg", PortalRole.REGULATOR), Case.objects.get(), grant=True, reasons="The bill is genuine.")
    shown = state_of(insurer, "appeals", told).json()
    assert (shown["state"], shown["due_at"]) == ("granted", None)
    assert "The bill is genuine." in json.dumps(shown["events"])


def test_a_registration_waits_for_customs(country, insurer):
    told = insurer.fill(
        "registrations", {"imeis": f"{ALICES}\n{BOBS}", "how": "travel", "duty_reference": "D-1", "name": "Alice"}
    ).json()
    case = Case.objects.get(kind="import")
    assert (case.office, sorted(one.device for one in case.devices.all())) == ("customs", [ALICES_PHONE, BOBS_PHONE])
    assert state_of(insurer, "registrations", told).json()["state"] == "received"


def test_no_number_reference_or_secret_reaches_the_log(country, insurer, capfd):
    import re

    told = insurer.fill("reports", REPORT).json()
    state_of(insurer, "reports", told)
    logged = capfd.readouterr()
    assert "/api/v1/reports/" in logged.err
    assert told["reference"] not in logged.err
    assert told["secret"] not in logged.err
    assert not re.search(r"\d{14,16}", logged.err + logged.out)
