"""A company is verified with documents until a day, suspended and restored; without it nothing is declared or sold."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from openceir.portal.accounts.models import Act
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.cases.deadlines import keep_deadlines
from openceir.portal.cases.models import Case
from openceir.portal.trade.models import Batch
from openceir.portal.trade.standing import StandingNeeded, need_standing, standing_of
from portal.a_document import a_picture
from portal.trade.a_company import COMPANY, TAC, a_key, accept, declare, sell, the_approved

ONE, TWO = f"{TAC}000101", f"{TAC}000102"


def apply(client, **more):
    return client.post("/trade/standing/new/", {**COMPANY, "extract": a_picture("extract"), **more})


def decide(client, case, decision, text="We looked at all of it."):
    case.refresh_from_db()
    told = {"decision": decision, "text": text, "version": case.version}
    return client.post(f"/trade/review/companies/{case.pk}/", told)


def stands(office="importer"):
    try:
        need_standing(office)
    except StandingNeeded:
        return False
    return True


def test_a_company_is_asked_answers_and_is_verified_until_a_day(country, iva, reg, clock):
    assert "was not verified yet" in iva.get("/trade/standing/").content.decode()
    licence = {"licence_number": "L-1", "licence_issuer": "Ministry", "licence_issued_on": "2026-01-01"}
    assert apply(iva, **licence).status_code == 302
    case = standing_of("importer")
    assert "applied already" in apply(iva).content.decode()
    page = reg.get(f"/trade/review/companies/{case.pk}/").content.decode()
    assert "Example Imports Ltd" in page
    assert "L-1" in page
    assert Act.objects.filter(verb="trade.read-application", subject=case.reference, actor="reg").exists()
    decide(reg, case, "ask", "Who owns the company?")
    assert "Who owns the company?" in iva.get("/trade/standing/").content.decode()
    assert iva.post("/trade/standing/answer/", {"text": "Alice does."}).status_code == 302
    assert not stands()
    assert decide(reg, case, "verify").status_code == 302
    assert stands()
    case.refresh_from_db()
    assert case.details["valid_until"] == "2029-03-01"  # 24 months from 1 March 2027
    assert case.papers.get().accepted_at is not None


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"legal_name": ""}, "required"),
        ({"extract": SimpleUploadedFile("e.pdf", b"MZ a program")}, "not a whole"),
        ({"licence_number": "L-1"}, "leave the whole paper out"),
        (
            {
                "licence_number": "L-1",
                "licence_issuer": "M",
                "licence_issued_on": "2026-01-01",
                "licence_expires_on": "2027-02-28",
            },
            "It has ended",
        ),
    ],
)
def test_what_is_wrong_with_an_application_stands_at_its_field(country, iva, more, why):
    page = apply(iva, **more)
    assert page.status_code == 200
    assert why in page.content.decode()
    assert not Case.objects.exists()


def test_a_suspended_company_declares_and_sells_nothing_until_it_is_restored(country, iva, reg):
    the_approved(iva, reg)
    key = a_key(iva)
    declare(iva, key, f"imei\n{ONE}\n")
    accept(reg)
    case = standing_of("importer")
    decide(reg, case, "suspend", "Sold what it had not declared.")
    assert "is suspended" in declare(iva, key, f"imei\n{TWO}\n", "S-2").content.decode()
    assert "is suspended" in sell(iva, key, ONE)
    assert "Sold what it had not declared." in iva.get("/trade/standing/").content.decode()
    assert Batch.objects.count() == 1
    decide(reg, case, "restore", "It paid the fine.")
    assert "1 device is registered now." in sell(iva, key, ONE)


def test_a_standing_is_announced_and_ends_by_the_clock(country, iva, reg, clock):
    apply(iva)
    case = standing_of("importer")
    decide(reg, case, "verify")
    clock.at += timedelta(days=731 - 30)  # 2029-01-30
    keep_deadlines(clock.at)
    assert case.notices.filter(text__contains="ends soon").count() == 1
    assert stands()
    clock.at += timedelta(days=29)  # its last day
    keep_deadlines(clock.at)
    assert stands()
    clock.at += timedelta(days=2)
    assert not stands()  # even before the worker has looked
    keep_deadlines(clock.at)
    case.refresh_from_db()
    assert (case.state, case.is_open) == ("expired", False)
    assert "has ended" in iva.get("/trade/standing/").content.decode()


def test_a_newer_standing_takes_the_place_of_the_one_that_runs(country, iva, reg, clock):
    apply(iva)
    old = standing_of("importer")
    decide(reg, old, "verify")
    clock.at += timedelta(days=600)
    apply(iva)
    assert standing_of("importer") == old
    assert "A newer application waits" in iva.get("/trade/standing/").content.decode()
    new = Case.objects.get(kind="standing", state="received")
    decide(reg, new, "verify")
    old.refresh_from_db()
    assert (old.state, standing_of("importer")) == ("replaced", new)


def test_a_company_that_is_not_verified_reads_why_and_two_reviewers_do_not_pass_each_other(country, iva, reg):
    apply(iva)
    case = standing_of("importer")
    stale = {"decision": "verify", "text": "We looked at all of it.", "version": case.version}
    decide(reg, case, "reject", "The extract is of another company.")
    assert "another company" in iva.get("/trade/standing/").content.decode()
    assert reg.post(f"/trade/review/companies/{case.pk}/", stale).status_code == 200
    assert not stands()
    assert apply(iva).status_code == 302  # it may apply again


def test_a_company_sees_its_own_standing_only(country, iva, client_of):
    apply(iva)
    other = client_of("ian", PortalRole.IMPORTER, office="other").get("/trade/standing/").content.decode()
    assert "Example Imports" not in other
