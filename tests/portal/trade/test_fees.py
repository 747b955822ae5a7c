"""Fees and quotas are dated policy: shown with their law, fixed on the day, and nothing is decided before they are met."""

from datetime import timedelta
from decimal import Decimal

from openceir.portal.accounts.models import Act
from openceir.portal.cases.models import Case
from openceir.portal.trade.fees import quota_of
from openceir.portal.trade.keys import give_up_key
from openceir.portal.trade.models import Batch, Fee
from portal.a_document import a_picture
from portal.trade.a_company import (
    COMPANY,
    TAC,
    a_key,
    accept,
    actor,
    an_application,
    declare,
    review,
    the_approved,
    verified,
)

FEES = """
[trade.fees]
type_approval = { from."2027-01-01" = 250, from."2027-03-02" = 300, unit = "XTS", source = "Fees Order 2027, item 2" }
device = { from."2027-01-01" = 0.335, unit = "XTS", source = "Fees Order 2027, item 3" }
"""
QUOTA = """
[trade.quotas]
default = 100
importer = { from."2027-01-01" = 2, from."2028-01-01" = 3, source = "Licence 7, condition 4" }
"""


def pay(client, fee, receipt):
    return client.post(f"/trade/review/fees/{fee.pk}/", {"receipt": receipt})


def test_a_fee_is_shown_with_its_law_and_bars_the_decision_until_it_is_marked_as_paid(country, iva, reg, clock):
    country.change_policy(FEES)
    verified()
    form = iva.get("/trade/types/new/").content.decode()
    assert "250.00" in form
    assert "Fees Order 2027, item 2" in form
    an_application(iva)
    clock.at += timedelta(days=1)  # the fee is a higher one from today on: not for what was applied for before
    case = Case.objects.get(kind="type-approval")
    fee = Fee.objects.get()
    assert (fee.amount, fee.currency, fee.case) == (Decimal("250.00"), "XTS", case)
    assert "not marked as paid" in review(reg, case, "approve").content.decode()
    assert "Fees Order 2027, item 2" in reg.get("/trade/review/fees/").content.decode()
    assert pay(reg, fee, "B-1").status_code == 302
    assert "marked as paid already, with receipt B-1" in pay(reg, fee, "B-2").content.decode()
    assert Act.objects.filter(verb="trade.mark-paid", actor="reg").count() == 1
    assert review(reg, case, "approve").status_code == 302
    assert "B-1" in iva.get("/trade/fees/").content.decode()


def test_one_receipt_pays_one_fee(country, iva, reg):
    country.change_policy(FEES)
    an_application(iva)
    an_application(iva, tac="00100200")
    one, two = Fee.objects.order_by("pk")
    pay(reg, one, "B-1")
    assert "stands with another fee" in pay(reg, two, "B-1").content.decode()
    two.refresh_from_db()
    assert two.paid_on is None


def test_a_fee_of_many_devices_is_rounded_once(country, iva, reg):
    country.change_policy(FEES)
    verified()
    an_application(iva)
    case = Case.objects.get(kind="type-approval")
    pay(reg, Fee.objects.get(), "B-1")
    review(reg, case, "approve")
    key = a_key(iva)
    declare(iva, key, "imei\n" + "".join(f"{TAC}{n:06d}\n" for n in range(10)))
    fee = Fee.objects.get(item="device")
    assert (fee.quantity, fee.amount) == (10, Decimal("3.35"))
    assert "not marked as paid" in accept(reg).content.decode()
    assert "3.35" in iva.get("/trade/stock/").content.decode()
    pay(reg, fee, "B-2")
    assert accept(reg).status_code == 302


def test_where_policy_charges_nothing_nothing_is_owed(country, iva, reg):
    the_approved(iva, reg)
    assert not Fee.objects.exists()


def test_what_is_over_the_quota_is_refused_at_the_file_and_the_law_is_named(country, iva, reg, clock):
    country.change_policy(QUOTA)
    the_approved(iva, reg)
    key = a_key(iva)
    declare(iva, key, f"imei\n{TAC}000101\n")
    over = declare(iva, key, f"imei\n{TAC}000102\n{TAC}000103\n", "S-2")
    text = over.context["form"].errors["file"][0]
    assert "may declare 2 devices in 2027 (Licence 7, condition 4): 1 are declared, this file holds 2" in text
    assert Batch.objects.count() == 1
    assert declare(iva, key, f"imei\n{TAC}000102\n", "S-2").status_code == 302
    clock.at = clock.at.replace(year=2028)
    assert (quota_of("importer").limit, quota_of("importer").used) == (3, 0)
    assert quota_of("maker").limit == 100


def test_refused_stock_and_stock_whose_key_was_lost_leave_the_quota(country, iva, reg):
    country.change_policy(QUOTA)
    the_approved(iva, reg)
    key = a_key(iva)
    declare(iva, key, f"imei\n{TAC}000101\n")
    accept(reg, "refuse", "More than your licence allows.")
    assert quota_of("importer").left == 2
    declare(iva, key, f"imei\n{TAC}000102\n", "S-2")
    assert quota_of("importer").left == 1
    give_up_key(actor("iva", "importer", "importer"))
    assert quota_of("importer").left == 2


def test_a_fee_for_standing_is_charged_too(country, iva, reg):
    country.change_policy('[trade.fees]\nstanding = { from."2027-01-01" = 40, unit = "XTS", source = "Item 1" }\n')
    iva.post("/trade/standing/new/", {**COMPANY, "extract": a_picture("extract")})
    case = Case.objects.get(kind="standing")
    told = {"decision": "verify", "text": "We looked at all of it.", "version": case.version}
    assert "not marked as paid" in reg.post(f"/trade/review/companies/{case.pk}/", told).content.decode()
