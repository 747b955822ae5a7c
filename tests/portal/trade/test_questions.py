"""An officer asks a company whether a copied device is its own; what it answers, with what shows it, enters the case."""

from datetime import timedelta

import pytest
from django.urls import reverse

from a_country import ALICES_PHONE
from openceir.portal.accounts.models import Alarm
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.cases.deadlines import keep_deadlines
from openceir.portal.cases.models import Case
from openceir.portal.citizens.reports import open_report, prove
from portal.a_document import a_picture
from portal.trade.a_company import TAC, a_key, accept, declare, sell, the_approved

ONE, TWO = f"{TAC}000101", f"{TAC}000102"
QUESTION = "Two phones show this number. Is one of them yours?"


@pytest.fixture
def ann(client_of):
    return client_of("ann", PortalRole.POLICE_OFFICER)


def asked(client, address="/trade/asked/new/", number=ONE, company="importer", question=QUESTION):
    return client.post(address, {"company": company, "numbers": number, "question": question})


def answer(client, case, word="ours", text="Delivered to a shop in Harbour.", **more):
    case.refresh_from_db()
    told = {"word": word, "text": text, "version": case.version, **more}
    return client.post(f"/trade/questions/{case.pk}/", told)


def the_question():
    return Case.objects.get(kind="clone-question")


def test_the_answer_to_a_question_from_a_case_enters_it_with_what_the_sealed_stock_holds(country, iva, reg, ann):
    the_approved(iva, reg)
    key = a_key(iva)
    declare(iva, key, f"imei,imei2,serial\n{ONE},{TWO},SER-9\n")
    accept(reg)
    sell(iva, key, ONE)
    report, _ = open_report(ONE, is_theft=True, channel="web", language="en", name="Alice Example")
    prove(report, a_picture())
    page = ann.get(f"/police/cases/{report.pk}/").content.decode()
    assert f"/trade/asked/about/{report.pk}/" in page
    form = ann.get(f"/trade/asked/about/{report.pk}/").content.decode()
    assert 'value="importer" selected' in form  # whose approved type it is
    assert asked(ann, f"/trade/asked/about/{report.pk}/").status_code == 302
    case = the_question()
    assert "asked about this device already" in asked(ann, f"/trade/asked/about/{report.pk}/").content.decode()
    told = iva.get(f"/trade/questions/{case.pk}/").content.decode()
    assert QUESTION in told
    assert "Alice" not in told  # the company learns the number and nothing of the person
    assert answer(iva, case, document=a_picture("delivery note"), key=key).status_code == 302
    for page in (
        ann.get(f"/trade/asked/{case.pk}/").content.decode(),
        iva.get(f"/trade/questions/{case.pk}/").content.decode(),
    ):
        assert "SER-9" in page
        assert "Yes: we made, imported or sold a device with this number" in page
    case_page = ann.get(f"/police/cases/{report.pk}/").content.decode()
    assert "Yes: we made, imported or sold a device with this number" in case_page
    assert "Delivered to a shop in Harbour." in case_page
    [document] = case.evidence.all()
    handed_out = ann.get(reverse("case_evidence", args=[document.pk]))
    assert handed_out.status_code == 200
    handed_out.close()


def test_a_number_that_the_stock_does_not_hold_is_said_so(country, iva, reg, ann):
    the_approved(iva, reg)
    key = a_key(iva)
    asked(ann, number=ALICES_PHONE)
    assert answer(iva, the_question(), "not-ours", key=key).status_code == 302
    assert "Nothing was declared under this number." in ann.get(f"/trade/asked/{the_question().pk}/").content.decode()


def test_a_question_that_is_not_answered_in_time_is_told_and_may_be_answered_late(country, iva, ann, clock):
    asked(ann)
    clock.at += timedelta(days=15)
    keep_deadlines(clock.at)
    case = the_question()
    assert case.state == "overdue"
    assert Alarm.objects.get(kind="question-unanswered").facts["company"] == "importer"
    assert answer(iva, case, "unknown").status_code == 302
    case.refresh_from_db()
    assert case.state == "answered"
    keep_deadlines(clock.at + timedelta(days=30))
    case.refresh_from_db()
    assert case.state == "answered"


def test_the_asker_asks_again_or_closes(country, iva, ann):
    asked(ann)
    answer(iva, the_question())
    case = the_question()
    told = {"decision": "again", "text": "", "version": case.version}
    assert "Write what you want to know" in ann.post(f"/trade/asked/{case.pk}/", told).content.decode()
    ann.post(f"/trade/asked/{case.pk}/", {**told, "text": "To which shop exactly?"})
    assert "To which shop exactly?" in iva.get(f"/trade/questions/{case.pk}/").content.decode()
    answer(iva, case, text="The one at the quay.")
    case.refresh_from_db()
    ann.post(f"/trade/asked/{case.pk}/", {"decision": "close", "text": "", "version": case.version})
    case.refresh_from_db()
    assert not case.is_open
    assert answer(iva, case).status_code == 200  # closed is closed
    assert "cannot be done any more" in answer(iva, case).content.decode()


def test_only_the_company_asked_answers_and_only_the_office_that_asked_reads(country, iva, ann, client_of):
    asked(ann)
    number = the_question().pk
    other = client_of("ian", PortalRole.IMPORTER, office="other")
    assert other.get(f"/trade/questions/{number}/").status_code == 403
    assert f"/trade/questions/{number}/" not in other.get("/trade/questions/").content.decode()
    cas = client_of("cas", PortalRole.CUSTOMS_OFFICER)
    assert cas.get(f"/trade/asked/{number}/").status_code == 403
    assert iva.get("/trade/asked/").status_code == 403
    report, _ = open_report(ONE, is_theft=True, channel="web", language="en")
    assert cas.get(f"/trade/asked/about/{report.pk}/").status_code == 403  # the police's case


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"number": "12"}, "not an IMEI"),
        ({"question": "Hm?"}, "at least 10"),
        ({"company": "nobody"}, "not one of the available choices"),
    ],
)
def test_what_is_wrong_with_a_question_stands_at_its_field(country, iva, ann, more, why):
    page = asked(ann, **more)
    assert page.status_code == 200
    assert why in page.content.decode()
    assert not Case.objects.exists()


def test_a_wrong_key_or_a_stale_page_answers_nothing(country, iva, reg, ann):
    asked(ann)
    case = the_question()
    assert "Nobody" in answer(iva, case, key="A" * 52).content.decode()
    stale = {"word": "ours", "text": "Delivered to a shop.", "version": case.version}
    answer(iva, case)
    assert iva.post(f"/trade/questions/{case.pk}/", stale).status_code == 200
    case.refresh_from_db()
    assert case.events.filter(kind="answer").count() == 1
