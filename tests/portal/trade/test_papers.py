"""Certificates, reports and audits are data with days: shown, renewed, announced before they end, and counted when they do."""

from datetime import date, timedelta

from openceir.portal.accounts.models import Alarm
from openceir.portal.cases.models import Case
from openceir.portal.trade.models import Batch, Paper
from openceir.portal.trade.papers import look_for_ended
from portal.a_document import a_picture
from portal.trade.a_company import TAC, a_key, an_application, declare, review, the_approved, verified

RENEWED = {
    "kind": "certificate", "number": "C-2", "issuer": "Body 1", "issued_on": "2027-02-01", "expires_on": "2030-12-31",
    "standard": "EN 301 511",
}  # fmt: skip


def add(client, case, **more):
    return client.post(f"/trade/types/{case.pk}/papers/", {**RENEWED, "file": a_picture("renewed"), **more})


def test_what_was_entered_stands_as_data_with_its_document(country, iva, reg):
    an_application(iva)
    case = Case.objects.get(kind="type-approval")
    papers = {one.kind: one for one in case.papers.all()}
    assert papers["certificate"].expires_on == date(2028, 12, 31)
    assert (papers["report"].issuer, papers["report"].result) == ("Lab 7", "SAR 0.9 W/kg")
    assert (papers["audit"].standard, papers["audit"].document) == ("ISO 9001:2015", None)
    assert papers["certificate"].document.case == case
    page = reg.get(f"/trade/review/types/{case.pk}/").content.decode()
    assert "SAR 0.9 W/kg" in page
    assert "not looked at yet" in page
    verified()
    review(reg, case, "approve")
    assert not Paper.objects.filter(accepted_at=None).exists()


def test_a_type_whose_only_certificate_ended_during_the_review_is_not_approved(country, iva, reg, clock):
    verified()
    an_application(iva, certificate_expires_on="2027-03-05")
    case = Case.objects.get(kind="type-approval")
    clock.at += timedelta(days=5)
    assert "No conformity certificate" in review(reg, case, "approve").content.decode()
    add(iva, case)
    assert review(reg, case, "approve").status_code == 302


def test_a_certificate_that_ends_is_announced_and_stops_new_stock_until_the_renewed_one_is_looked_at(
    country, iva, reg, clock
):
    case = the_approved(iva, reg, certificate_expires_on="2027-04-30")
    key = a_key(iva)
    look_for_ended(clock.at)
    assert not case.notices.filter(text__contains="ends soon").exists()  # more than thirty days
    clock.at += timedelta(days=31)  # 1 April
    look_for_ended(clock.at)
    look_for_ended(clock.at)
    assert case.notices.filter(text__contains="ends soon").count() == 1
    clock.at += timedelta(days=30)  # 1 May
    look_for_ended(clock.at)
    look_for_ended(clock.at)
    assert Alarm.objects.get(kind="certificate-ended").facts["ended_on"] == "2027-04-30"
    refused = declare(iva, key, f"imei\n{TAC}000101\n").content.decode()
    assert "the certificate of its TAC has ended" in refused
    assert add(iva, case).status_code == 302
    assert "the certificate of its TAC has ended" in declare(iva, key, f"imei\n{TAC}000101\n").content.decode()
    assert str(case.pk) in reg.get("/trade/review/").content.decode()
    reg.post(f"/trade/review/types/{case.pk}/papers/")
    assert declare(iva, key, f"imei\n{TAC}000101\n").status_code == 302
    assert Batch.objects.get().declared == 1


def test_the_same_paper_twice_and_wrong_days_are_told_at_their_field(country, iva, reg):
    an_application(iva)
    case = Case.objects.get(kind="type-approval")
    add(iva, case)
    assert "stands here already" in str(add(iva, case).context["form"].errors["number"])
    for more, field in (
        ({"issued_on": "2027-04-01"}, "issued_on"),
        ({"expires_on": "2027-02-28"}, "expires_on"),
        ({"issued_on": "soon"}, "issued_on"),
        ({"file": None, "number": "C-3"}, "file"),
    ):
        told = {key: value for key, value in {"file": a_picture("y"), **more}.items() if value is not None}
        reply = iva.post(f"/trade/types/{case.pk}/papers/", {**RENEWED, **told})
        assert field in reply.context["form"].errors, more
    assert case.papers.count() == 4
