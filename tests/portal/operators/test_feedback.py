"""What operators say back: outcomes of notices, contested blocks; and the audits that are filed about them."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from a_country import ALICES_PHONE, BOBS_PHONE, noon
from openceir.eir.attributes import Status
from openceir.eir.audit import Drift, Found, write_audit
from openceir.identity import format_imei
from openceir.portal.accounts.models import Act
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.cases.deadlines import keep_deadlines
from openceir.portal.cases.models import Case
from openceir.portal.operators.models import EirAudit, NoticeOutcome
from openceir.portal.register import register
from openceir.statements import DeviceBlocked, DeviceSet, SigningKey
from openceir.storage.key_files import read_signing_key

STRANGER = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"  # of Go's own tests
WHY = "The subscriber bought it in our own shop; the bill is there."


@pytest.fixture
def ole(country, client_of):
    blocked = DeviceBlocked(
        devices=DeviceSet.of(ALICES_PHONE), blocked_at=noon("2027-02-01"), grounds="taken for a copy"
    )
    country.says("regulator", blocked, "2027-02-01")
    country.register.ledger.hand_over()
    return client_of("ole", PortalRole.OPERATOR)


def status(at):
    return str(register().check(ALICES_PHONE, at).status)


def test_an_operator_contests_a_block_in_its_own_name_and_the_regulator_decides(ole, client_of, clock):
    assert ole.post("/operators/contests/", {"imei": format_imei(ALICES_PHONE), "grounds": WHY}).status_code == 302
    case = Case.objects.get(kind="appeal")
    [index] = case.details["disputes"]
    register().catch_up()
    assert register().ledger.entry(index).header.issuer == "northtel"
    assert ("appeals.file", "ole") in Act.objects.values_list("verb", "actor")
    rita = client_of("rita", PortalRole.REGULATOR)
    page = rita.get(f"/regulator/appeals/{case.pk}/").content.decode()
    assert WHY in page
    assert "northtel" in page
    told = {"decision": "grant", "reasons": "The bill is good.", "version": case.version}
    rita.post(f"/regulator/appeals/{case.pk}/", told)
    assert status(clock.at + timedelta(hours=1)) == "unknown"
    assert "The bill is good." in ole.get("/operators/contests/").content.decode()


def test_undecided_a_contested_block_is_lifted_by_the_clock(ole, clock):
    ole.post("/operators/contests/", {"imei": format_imei(ALICES_PHONE), "grounds": WHY})
    clock.at += timedelta(hours=72, minutes=1)
    keep_deadlines(clock.at)
    assert status(clock.at) == "tracked"


def test_what_is_not_blocked_or_contested_already_is_told_in_its_field(ole):
    page = ole.post("/operators/contests/", {"imei": format_imei(BOBS_PHONE), "grounds": WHY}).content.decode()
    assert "Nothing restricts this device" in page
    for _ in range(2):
        page = ole.post("/operators/contests/", {"imei": format_imei(ALICES_PHONE), "grounds": WHY})
    assert "running already" in page.content.decode()
    assert Case.objects.filter(kind="appeal").count() == 1


def test_an_operator_sees_only_what_it_contests_itself(ole, client_of):
    ole.post("/operators/contests/", {"imei": format_imei(ALICES_PHONE), "grounds": WHY})
    eve = client_of("eve", PortalRole.OPERATOR, office="southtel")
    assert WHY not in eve.get("/operators/contests/").content.decode()


def test_an_outcome_is_recorded_with_its_device_and_without_a_subscriber(ole):
    assert ole.post("/operators/outcomes/", {"imei": "12345", "outcome": "papers"}).status_code == 200
    told = {"imei": format_imei(ALICES_PHONE), "outcome": "papers", "remark": "bill of a shop"}
    assert ole.post("/operators/outcomes/", told).status_code == 302
    kept = NoticeOutcome.objects.get()
    assert (kept.operator, kept.device, kept.outcome) == ("northtel", ALICES_PHONE, "papers")
    act = Act.objects.get(verb="operators.notice-outcome")
    assert ALICES_PHONE not in act.subject
    assert "bill of a shop" in ole.get("/operators/outcomes/").content.decode()


def a_report(country, tmp_path, key):
    found = Found(method="probing", target="s13", asked=10, ordered_sequence=7, held_sequence=6)
    found.differs(Drift.MISSING_BLOCK, ALICES_PHONE, Status.BLOCKED, Status.UNKNOWN, is_pair=False)
    path = tmp_path / "audit.json"
    write_audit(path, operator="northtel", ordered={}, found=[found], made_at=noon("2027-02-28"), key=key)
    return path.read_bytes()


def send(client, octets):
    return client.post("/operators/audits/", {"file": SimpleUploadedFile("audit.json", octets)})


def test_an_audit_is_filed_once_and_its_operator_sees_counts_and_no_device(country, ole, client_of, tmp_path):
    octets = a_report(country, tmp_path, read_signing_key(Path(country.home / "keys" / "regulator.key")))
    otto = client_of("otto", PortalRole.AUDITOR)
    for _ in range(2):
        assert send(otto, octets).status_code == 302
    kept = EirAudit.objects.get()
    assert (kept.operator, kept.auditor, kept.agrees) == ("northtel", "regulator", False)
    assert ALICES_PHONE in otto.get("/operators/audits/").content.decode()
    page = ole.get("/operators/audits/").content.decode()
    assert "differs" in page
    assert ALICES_PHONE not in page
    assert (
        "No audit was filed"
        in client_of("eve", PortalRole.OPERATOR, office="southtel").get("/operators/audits/").content.decode()
    )
    assert send(ole, octets).status_code == 403


def test_an_altered_report_one_of_a_stranger_and_one_that_is_none_are_refused(country, client_of, tmp_path):
    otto = client_of("otto", PortalRole.AUDITOR)
    octets = a_report(country, tmp_path, read_signing_key(Path(country.home / "keys" / "regulator.key")))
    changed = json.loads(octets)
    changed["audit"]["operator"] = "southtel"
    strange = a_report(country, tmp_path, SigningKey.parse(STRANGER))
    for wrong, sentence in (
        (json.dumps(changed).encode(), "altered"), (strange, "no member"), (b"{}", "no report"), (b"\xff\x00", "no report"),
        (b"[" * 100_000, "no report"),
    ):  # fmt: skip
        assert sentence in send(otto, wrong).content.decode(), wrong[:20]
    assert not EirAudit.objects.exists()
