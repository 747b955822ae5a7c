"""From the application for a type to the sale of a device whose number nobody could read before."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from a_country import MALLORY, noon
from openceir.portal.accounts.models import Alarm
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.cases.models import Case
from openceir.portal.register import register
from openceir.portal.trade.models import Batch, StockKey, Unit
from openceir.portal.trade.sealing import SealingKey, StockKeyRefused
from openceir.statements import DeviceSet, DeviceStolen
from portal.trade.a_company import (
    STEPS,
    TAC,
    a_key,
    accept,
    an_application,
    declare,
    review,
    sell,
    the_approved,
    verified,
)

ONE, TWO, THREE, FOUR = (f"{TAC}00010{n}" for n in range(1, 5))


def reasons_of(imei, clock):
    return {str(one.kind) for one in register().check(imei, clock.at).reasons}


def test_a_type_is_asked_about_answered_and_approved_by_a_statement(country, iva, reg, clock):
    an_application(iva)
    case = Case.objects.get(kind="type-approval")
    assert case.evidence.count() == 2
    assert "C-1" in reg.get(f"/trade/review/types/{case.pk}/").content.decode()
    review(reg, case, "ask", text="Which bands does it have?")
    assert "Which bands" in iva.get(f"/trade/types/{case.pk}/").content.decode()
    iva.post(f"/trade/types/{case.pk}/", {"text": "All of them."})
    half = review(reg, case, "approve", steps=STEPS[:3]).content.decode()
    assert "Not done yet" in half
    assert "must verify the standing of this company" in review(reg, case, "approve").content.decode()
    verified()
    assert review(reg, case, "approve").status_code == 302
    case.refresh_from_db()
    assert case.state == "approved"
    assert "approved" in reasons_of(ONE, clock)


def test_a_refused_type_says_why_and_states_nothing(country, iva, reg, clock):
    an_application(iva)
    case = Case.objects.get(kind="type-approval")
    review(reg, case, "reject", text="The report is of another device.")
    assert "another device" in iva.get(f"/trade/types/{case.pk}/").content.decode()
    assert "approved" not in reasons_of(ONE, clock)
    assert an_application(iva).status_code == 302  # it may be applied for again
    assert "already" in an_application(iva).content.decode()  # a double click


def test_two_reviewers_do_not_decide_past_each_other(country, iva, reg):
    an_application(iva)
    case = Case.objects.get(kind="type-approval")
    stale = {"decision": "reject", "steps": [], "text": "I do not like it.", "version": case.version}
    review(reg, case, "ask", text="Which bands does it have?")
    assert "Somebody else changed" in reg.post(f"/trade/review/types/{case.pk}/", stale).content.decode()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"tac": "1234"}, "eight digits"),
        ({"certificate_file": SimpleUploadedFile("c.pdf", b"MZ\x90 a program")}, "not a whole"),
        ({"audit_issuer": ""}, "required"),
        ({"certificate_expires_on": "2027-02-28"}, "It has ended"),
        ({"report_issued_on": "2027-03-02"}, "to come"),
        ({"certificate_issued_on": "2026-01-02", "certificate_expires_on": "2026-01-01"}, "ended"),
    ],
)
def test_what_is_wrong_with_an_application_stands_at_its_field(iva, more, why):
    page = an_application(iva, **more)
    assert page.status_code == 200
    assert why in page.content.decode()
    assert not Case.objects.exists()


def test_stock_is_unreadable_until_its_sale_registers_it(country, iva, reg, client_of, clock):
    the_approved(iva, reg)
    key = a_key(iva)
    assert declare(iva, key, f"imei,imei2,serial\n{ONE},{TWO},S1\n{THREE},,S3\n").status_code == 302
    for unit in Unit.objects.all():
        told = b"|".join([bytes(unit.sealed), unit.finder.encode(), (unit.second_finder or "").encode()])
        assert not any(imei.encode() in told for imei in (ONE, TWO, THREE, TAC))
    dora = client_of("dora", PortalRole.DEALER)
    assert "must verify the standing" in sell(dora, key, ONE)  # the dealer's own
    verified("dealer", PortalRole.DEALER)
    early = dora.post("/trade/sales/", {"numbers": ONE, "key": key}, follow=True)
    assert "has not accepted" in early.content.decode()
    assert f"{TAC}" in reg.get(f"/trade/review/stock/{Batch.objects.get().pk}/").content.decode()
    accept(reg)
    dora.post("/trade/sales/", {"numbers": TWO, "key": key.lower().replace("-", " ")})
    assert {"declared", "registered"} <= reasons_of(ONE, clock) & reasons_of(TWO, clock)  # all numbers of the device
    assert "registered" not in reasons_of(THREE, clock)
    again = dora.post("/trade/sales/", {"numbers": ONE, "key": key}, follow=True).content.decode()
    assert "sold already" in again
    assert "1" in iva.get("/trade/stock/").content.decode()
    assert key not in iva.get("/trade/stock/").content.decode()


def test_rows_that_are_no_new_device_are_set_aside_with_their_reason(country, iva, reg):
    theft = DeviceStolen(devices=DeviceSet.of(FOUR), stolen_at=noon("2027-02-01"), case_number="N-7")
    country.says("police", theft, "2027-02-01")
    register().ledger.hand_over()
    the_approved(iva, reg)
    key = a_key(iva)
    text = f"imei\n{ONE}\n{ONE}\nrubbish\n99999999000001\n{FOUR}\n"
    said = [str(one) for one in iva.get(declare(iva, key, text).url).context["messages"]]
    assert [line for line in said if line.startswith("Line")] == [
        f"Line {line} was set aside: {why}"
        for line, why in (
            (3, "the number stands in the file already"),
            (4, "rubbish is not an IMEI: it has 15 digits. Dial *#06# to see it."),
            (5, "its TAC is not approved for your company"),
            (6, "the number is on record already: registered, imported or reported"),
        )
    ]
    assert Batch.objects.get().declared == 1
    assert "in your stock already" in declare(iva, key, f"imei\n{ONE}\n", "S-2").content.decode()
    assert "declared already" in declare(iva, key, f"imei\n{TWO}\n").content.decode()


def test_a_device_that_was_reported_before_its_sale_is_not_registered_and_the_regulator_hears(country, iva, reg, clock):
    the_approved(iva, reg)
    key = a_key(iva)
    declare(iva, key, f"imei\n{ONE}\n")
    accept(reg)
    country.says(
        "police", DeviceStolen(devices=DeviceSet.of(ONE), stolen_at=noon("2027-02-01"), case_number="N-8"), "2027-02-02"
    )
    register().ledger.hand_over()
    assert "on record already" in sell(iva, key, ONE)
    assert "registered" not in reasons_of(ONE, clock)
    alarm = Alarm.objects.get(kind="stock-in-use")
    assert (alarm.office, alarm.facts["when"], alarm.facts["consignment"]) == ("regulator", "sale", "S-1")


def test_stock_that_a_network_saw_before_its_sale_raises_an_alarm_and_is_not_registered(
    country, iva, reg, client_of, clock
):
    the_approved(iva, reg)
    key = a_key(iva)
    declare(iva, key, f"imei,imei2\n{ONE},{TWO}\n{THREE},\n")
    accept(reg)
    country.sees("northtel", [("2027-02-27", TWO, MALLORY)], "2027-02-28")  # the second number of the first device
    register().measure(at=clock.at)
    checked = iva.post("/trade/stock/check/", {"key": key}).content.decode()
    assert "a network saw the number in use" in checked
    assert f"{TWO[:8]}" in checked
    alarm = Alarm.objects.get(kind="stock-in-use")
    assert alarm.facts == {
        "office": "importer", "when": "check", "devices": 1, "batch": Batch.objects.get().pk, "consignment": "S-1",
    }  # fmt: skip
    page = sell(iva, key, ONE, THREE)
    assert "a network saw the number in use" in page
    assert "1 device is registered now." in page
    assert "registered" not in reasons_of(ONE, clock)
    assert "registered" in reasons_of(THREE, clock)
    assert [one.facts["when"] for one in Alarm.objects.filter(kind="stock-in-use").order_by("pk")] == ["check", "sale"]
    sue = client_of("sue", PortalRole.REGULATOR_SUPERVISOR)
    assert "stock-in-use" in sue.get("/account/alarms/").content.decode()


def test_a_number_that_a_network_saw_already_is_not_taken_into_stock(country, iva, reg, clock):
    the_approved(iva, reg)
    country.sees("northtel", [("2027-02-27", ONE, MALLORY)], "2027-02-28")
    register().measure(at=clock.at)
    key = a_key(iva)
    declare(iva, key, f"imei\n{ONE}\n{TWO}\n")
    assert Batch.objects.get().declared == 1
    assert Alarm.objects.get(kind="stock-in-use").facts["when"] == "declaration"


def test_a_refused_batch_cannot_be_sold_and_says_why(country, iva, reg):
    the_approved(iva, reg)
    key = a_key(iva)
    declare(iva, key, f"imei\n{ONE}\n")
    assert "Write your reasons" in accept(reg, "refuse").content.decode()
    accept(reg, "refuse", "More than your licence allows.")
    assert "your licence" in iva.get("/trade/stock/").content.decode()
    assert "decided this already" in accept(reg).content.decode()
    assert "has not accepted" in iva.post("/trade/sales/", {"numbers": ONE, "key": key}, follow=True).content.decode()


def test_a_key_is_made_once_and_opens_one_companys_stock(country, iva, reg, client_of):
    the_approved(iva, reg)
    key = a_key(iva)
    assert iva.post("/trade/stock/key/").status_code == 409
    assert StockKey.objects.count() == 1
    mak = client_of("mak", PortalRole.MAKER)
    verified("maker", PortalRole.MAKER)
    assert "not your company" in declare(mak, key, f"imei\n{ONE}\n").content.decode()
    assert "not your company" in mak.post("/trade/sales/", {"numbers": ONE, "key": key}).content.decode()
    assert "not a stock key" in declare(iva, "rubbish", f"imei\n{ONE}\n").content.decode()
    assert "Nobody" in declare(iva, SealingKey.fresh().format(), f"imei\n{ONE}\n").content.decode()


def test_a_sealed_device_tells_nothing_by_its_length_and_is_not_opened_when_altered():
    key = SealingKey.fresh()
    short, long = key.seal({"imei": ONE}), key.seal({"imei": ONE, "imei2": TWO, "serial": "S" * 40})
    assert len(short) == len(long)
    assert SealingKey.parse(key.format()).open(long)["imei2"] == TWO
    with pytest.raises(StockKeyRefused):
        key.open(short[:-1] + bytes([short[-1] ^ 1]))
    with pytest.raises(StockKeyRefused):
        SealingKey.fresh().open(short)


ROLES = {
    "types/": {PortalRole.IMPORTER, PortalRole.MAKER},
    "stock/": {PortalRole.IMPORTER, PortalRole.MAKER},
    "sales/": {PortalRole.IMPORTER, PortalRole.MAKER, PortalRole.DEALER},
    "review/": {PortalRole.REGULATOR, PortalRole.REGULATOR_SUPERVISOR},
}


@pytest.mark.parametrize("path", ROLES)
def test_only_these_roles_open_it(client_of, path):
    opened = {role for role in PortalRole if client_of(f"p-{role}", role).get(f"/trade/{path}").status_code == 200}
    assert opened == ROLES[path]


def test_a_company_does_not_see_anothers_application(country, iva, client_of):
    an_application(iva)
    case = Case.objects.get(kind="type-approval")
    other = client_of("ian", PortalRole.IMPORTER, office="other")
    assert other.get(f"/trade/types/{case.pk}/").status_code == 403
    assert Alarm.objects.count() == 0
