"""The citizens' pages, as a browser without JavaScript meets them."""

import io
import random
import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from a_country import ALICES_PHONE, BOBS_PHONE
from openceir.identity import format_imei
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.cases.models import Case
from openceir.portal.cases.notices import send_due
from openceir.portal.citizens.holdings import hold
from openceir.portal.citizens.reports import verify_report
from openceir.portal.citizens.watching import tell_of_changes, warn_before_blocks
from openceir.scan import ocr_is_installed
from openceir.statements import DeviceClassified, DeviceRegistered, DeviceSet, DeviceStolen
from portal.a_document import a_picture

ALICES, BOBS = format_imei(ALICES_PHONE), format_imei(BOBS_PHONE)


def stolen(country, imei=BOBS_PHONE):
    said = DeviceStolen(devices=DeviceSet.of([imei]), stolen_at=country.register_day(), case_number="N-7")
    return country.says("police", said, "2027-02-28")


@pytest.fixture(autouse=True)
def _days(country):
    from a_country import noon

    type(country).register_day = lambda self: noon("2027-02-27")


def page(reply):
    return re.sub(r"\s+", " ", reply.content.decode())


def a_file(name="bill.png"):
    return SimpleUploadedFile(name, a_picture(name).getvalue())


def a_report(**more):
    return {
        "what": "theft", "imeis": ALICES, "mode": "block", "happened_on": "2027-02-27", "name": "Alice", "email": "",
        "phone": "", "place": "", "once": "6a3de6c4-3f5b-4a4c-9d5c-2f0b6f0f0f01", **more,
    }  # fmt: skip


def written(client, reply):
    """Reference and secret, as the page shows them once."""
    shown = client.get(reply.headers["Location"]).content.decode()
    return re.findall(r'class="app-code">([0-9A-Z-]+)<', shown)


def test_a_verdict_says_word_reason_who_and_what_to_do(country, anybody):
    stolen(country)
    text = page(anybody.post("/", {"identifiers": BOBS}))
    for part in (
        "Blocked",
        BOBS,
        "reported stolen on Feb. 27, 2027",
        "Said by police",
        "do not buy it",
        "Appeal",
        "receipt",
    ):
        assert part in text
    assert "12:00 UTC" in text


def test_an_office_that_flagged_a_device_is_named_with_its_contact(country, anybody):
    country.change_policy('[offices.police]\nname = "National Police"\ncontact = "Desk 7, 999 112"\n')
    stolen(country)
    text = page(anybody.post("/", {"identifiers": BOBS}))
    assert "Said by National Police." in text
    assert "Desk 7, 999 112" in text


def test_no_page_says_that_a_device_is_safe(country, anybody):
    said = DeviceRegistered(
        devices=DeviceSet.of([ALICES_PHONE]), registered_on=country.register_day().date(), attributes=b""
    )
    country.says("regulator", said, "2027-02-28")
    stolen(country)
    for number in (ALICES, BOBS, "35209900176148", "1"):
        text = page(anybody.post("/", {"identifiers": number})).lower()
        assert not re.search(r"\bsafe\b", text)
    assert "No restriction known" in page(anybody.post("/", {"identifiers": ALICES}))


@pytest.mark.parametrize(
    "typed", [f" {ALICES[:2]} {ALICES[2:8]} {ALICES[8:]}", f"{ALICES[:2]}-{ALICES[2:8]}-{ALICES[8:14]}-{ALICES[14]}",
              "".join(chr(0x660 + int(c)) for c in ALICES), "".join(chr(0xFF10 + int(c)) for c in ALICES), f"‎{ALICES}‏"],
)  # fmt: skip
def test_a_number_is_read_however_it_is_typed(country, anybody, typed):
    assert ALICES in page(anybody.post("/", {"identifiers": typed}))


def test_a_mistyped_number_gets_no_answer_about_a_stranger(country, anybody):
    wrong = ALICES[:14] + str((int(ALICES[14]) + 1) % 10)
    text = page(anybody.post("/", {"identifiers": wrong}))
    assert "One digit is wrong" in text
    assert "Download a signed receipt" not in text


def test_many_are_checked_at_once_from_a_file_and_come_back_as_csv(country, anybody):
    stolen(country)
    rows = f"imei;note\n{BOBS};x\n{ALICES};y\n=1+1;z\n".encode()
    reply = anybody.post("/", {"listed": SimpleUploadedFile("a.csv", rows), "as": "csv"})
    lines = reply.content.decode().splitlines()
    assert [line.split(",")[:2] for line in lines[1:3]] == [[BOBS, "blocked"], [ALICES, "not-registered"]]
    assert lines[3].startswith("'=1+1,invalid")


def test_more_than_a_thousand_are_refused_in_the_field(country, anybody):
    many = "\n".join(f"0010010000{n:04d}" for n in range(1001))
    text = page(anybody.post("/", {"identifiers": many}))
    assert "1001 numbers" in text
    assert 'aria-invalid="true"' in text


def test_a_photo_of_a_label_is_read_and_one_that_is_none_says_so(country, anybody):
    from scan.a_label import a_label, as_png, draw

    label = a_label(random.Random(1))
    text = page(anybody.post("/", {"photo": SimpleUploadedFile("l.png", as_png(draw(label)))}))
    assert [imei in text for imei in label.imeis] == [True, True]
    assert "Compare the numbers" in text
    assert "cannot be read" in page(anybody.post("/", {"photo": SimpleUploadedFile("l.png", b"<html>")}))


@pytest.mark.skipif(not ocr_is_installed(), reason="openceir[ocr] is not installed")
def test_printed_digits_on_a_photo_are_read_where_the_extra_is_installed(country, anybody):
    """No bars at all: what `*#06#` shows, photographed."""
    text = page(anybody.post("/", {"photo": SimpleUploadedFile("l.png", a_print("IMEI 001001000000015"))}))
    assert "001001000000015" in text


def test_without_the_extra_a_photo_of_print_alone_says_what_to_do(country, anybody, monkeypatch):
    from openceir.portal.citizens import labels

    monkeypatch.setattr(labels, "_print_reader", lambda: None)
    text = page(anybody.post("/", {"photo": SimpleUploadedFile("l.png", a_print("IMEI 001001000000015"))}))
    assert "No IMEI was found on the photo" in text


def a_print(text):
    """A PNG with one line of print."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("L", (900, 200), 255)
    ImageDraw.Draw(picture).text((40, 60), text, font=ImageFont.load_default(48), fill=0)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def test_a_receipt_is_signed_dated_and_shows_a_change(country, anybody):
    stolen(country)
    sealed = re.search(r'name="receipt" value="([^"]+)"', page(anybody.post("/", {"identifiers": BOBS}))).group(1)
    receipt = anybody.post("/receipts/new", {"receipt": sealed}).content.decode()
    assert f"imei {BOBS}\nverdict blocked\nbecause stolen\nat 2027-03-01T12:00:00Z\nstatements 1\n" in receipt
    assert "This register signed it" in page(anybody.post("/receipts/", {"receipt": receipt}))
    forged = receipt.replace("blocked", "no-restriction-known")
    assert "did not sign it" in page(anybody.post("/receipts/", {"receipt": forged}))
    assert anybody.post("/receipts/new", {"receipt": sealed[:-2]}).status_code == 400


def test_a_report_shows_its_secret_once_and_the_case_opens_with_both(country, anybody):
    from django.test import Client

    reply = anybody.post("/report/", {**a_report(), "proof": a_file()})
    reference, secret = written(anybody, reply)
    assert anybody.get(reply.headers["Location"]).status_code == 302
    other = Client()
    case = Case.objects.get()
    assert other.get(f"/case/{case.pk}/").status_code == 404
    opened = other.post("/case/", {"reference": reference, "secret": secret.lower()})
    text = page(other.get(opened.headers["Location"]))
    assert "received, waiting for the police" in text
    assert "Proof of ownership received" in text
    assert "bill.png" in text


@pytest.mark.parametrize("wrong", [("", "x"), ("ZZZZ-ZZZZ-ZZZ", "AAAA"), None])
def test_a_wrong_reference_or_secret_opens_nothing(country, anybody, wrong):
    case, _ = Case.open("theft", devices=[ALICES_PHONE])
    reference, secret = wrong or (case.reference, "0" * 16)
    reply = anybody.post("/case/", {"reference": reference, "secret": secret})
    assert (reply.status_code, "There is a problem" in page(reply)) == (200, True)


def test_the_same_form_twice_is_one_case(country, anybody):
    for _ in range(2):
        anybody.post("/report/", a_report())
    assert Case.objects.count() == 1


def test_what_is_wrong_with_a_form_is_said_in_its_field_and_nothing_is_lost(country, anybody):
    reply = anybody.post(
        "/report/", a_report(happened_on="2031-01-01", imeis="123", phone="call me", place="the market")
    )
    text = page(reply)
    for part in (
        "This day is still to come.",
        "123 is not an IMEI",
        "This is not a telephone number",
        'value="the market"',
    ):
        assert part in text
    assert text.count("govuk-error-message") == 3
    assert not Case.objects.exists()


@pytest.mark.parametrize("octets", [b"<html><script>", b"PK\x03\x04" + bytes(99), b"\x89PNG\r\n\x1a\n" + bytes(200)])
def test_a_file_that_is_no_whole_picture_is_refused_in_its_field(country, anybody, octets):
    reply = anybody.post("/report/", {**a_report(), "proof": SimpleUploadedFile("x.png", octets)})
    assert "not a whole JPEG or PNG" in page(reply)
    assert not Case.objects.exists()


def test_a_document_is_handed_out_as_what_it_is_and_may_do_nothing(country, anybody):
    anybody.post("/report/", {**a_report(), "proof": a_file('"><script>.html')})
    case = Case.objects.get()
    reply = anybody.get(f"/case/{case.pk}/document/{case.evidence.get().pk}")
    b"".join(reply.streaming_content)
    assert reply.headers["Content-Type"] == "image/png"
    assert reply.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in reply.headers["Content-Security-Policy"]


def test_the_owner_answers_documents_withdraws_and_asks_for_the_phone_back(country, anybody, people, clock):
    anybody.post("/report/", {**a_report(), "proof": a_file()})
    case = Case.objects.get()
    case.move("ask", actor="police", text="Which colour?")
    assert "Which colour?" in page(anybody.get(f"/case/{case.pk}/"))
    anybody.post(f"/case/{case.pk}/answer", {"text": "Blue"})
    anybody.post(f"/case/{case.pk}/document", {"document": a_file("box.png")})
    anybody.post(f"/case/{case.pk}/antitheft", {"antitheft": "locked"})
    case.refresh_from_db()
    assert (case.state, case.evidence.count(), case.details["antitheft"]) == ("received", 2, "locked")
    user = people("ann", PortalRole.POLICE_OFFICER)
    verify_report(Actor(name="ann", role="x", office="police", signs_with="police", user=user), case)
    for _ in range(2):
        anybody.post(f"/case/{case.pk}/recover")
    assert Case.objects.filter(kind="recovery").count() == 1
    reply = anybody.post(f"/case/{case.pk}/withdraw")
    assert reply.status_code == 409  # too late for that


def test_an_appeal_has_its_clock_on_the_page(country, anybody):
    stolen(country)
    said = {
        "imeis": BOBS,
        "grounds": "bought in a shop",
        "name": "Bob",
        "email": "",
        "phone": "",
        "once": a_report()["once"],
    }
    assert "govuk-error-message" in page(anybody.post("/appeal/", said))  # no proof
    reply = anybody.post("/appeal/", {**said, "proof": a_file()})
    written(anybody, reply)
    text = page(anybody.get(f"/case/{Case.objects.get().pk}/"))
    assert "the clock runs" in text
    assert "March 4, 2027" in text


def test_devices_under_ones_name_are_disowned_with_one_click_and_passed_on_with_a_code(country, client_of, people):
    alice, bob = client_of("alice"), client_of("bob")
    mine = hold(people("alice"), ALICES_PHONE, how="imported")
    strange = hold(people("alice"), BOBS_PHONE, how="listed")
    assert BOBS in page(alice.get("/mine/"))
    alice.post(f"/mine/{strange.pk}/not-mine")
    assert BOBS not in page(alice.get("/mine/")).split("My cases")[0]
    reference, secret = written(alice, alice.post(f"/mine/{mine.pk}/pass"))
    bob.post("/mine/take", {"take-reference": reference, "take-secret": secret})
    assert ALICES in page(bob.get("/mine/"))
    assert ALICES not in page(alice.get("/mine/")).split("My cases")[0]
    assert bob.post(f"/mine/{mine.pk}/pass").status_code == 404


def test_who_asked_is_told_when_the_verdict_changes(country, anybody, clock):
    anybody.post("/watch", {"identifier": BOBS, "email": "", "once": a_report()["once"]})
    case = Case.objects.get()
    assert tell_of_changes(clock.at) == 0
    stolen(country)
    assert (tell_of_changes(clock.at), tell_of_changes(clock.at)) == (1, 0)
    send_due(clock.at)
    assert "It is now: Blocked." in page(anybody.get(f"/case/{case.pk}/"))
    anybody.post(f"/case/{case.pk}/stop")
    assert not Case.objects.get().is_open


def test_whoever_has_a_device_is_warned_on_each_day_of_the_schedule_before_it_is_blocked(
    country, clock, people, client_of
):
    alice = people("alice")
    hold(alice, ALICES_PHONE, how="imported")
    block_on = clock.at.date() + timedelta(days=80)
    said = DeviceClassified(
        rule="cloned_imei", conditions=("duplicate",), blocking=True, marks_duplicate=False, policy_digest=bytes(32),
        as_of_on=country.register_day().date(), evidence_digest=bytes(32), block_on=block_on, matched=DeviceSet.of([ALICES_PHONE]),
    )  # fmt: skip
    country.says("regulator", said, "2027-02-28")
    start, told = clock.at, []
    for day in range(81):
        clock.at = start + timedelta(days=day)
        for _ in range(2):
            if warn_before_blocks(clock.at):
                told.append(80 - day)
    assert told == [75, 50, 25, 1]
    assert "will be blocked on May 20, 2027" in page(client_of("alice").get("/mine/"))


def test_figures_are_public_as_a_table_and_as_csv(country, anybody):
    stolen(country)
    assert "Devices blocked now" in page(anybody.get("/figures/"))
    assert "devices_stolen,1," in anybody.get("/figures/?as=csv").content.decode()


def test_no_fifteen_digits_stand_in_an_address_or_a_log_line(country, anybody, capfd):
    stolen(country)
    anybody.post("/", {"identifiers": BOBS})
    anybody.post("/report/", a_report())
    anybody.get(f"/nonesuch/{BOBS}")
    told = capfd.readouterr().err
    assert told
    assert not re.search(r"\d{14}", told)


def test_old_closed_cases_keep_no_name_and_no_document(country, anybody, clock):
    from openceir.portal.cases.evidence import erase_old, path_of

    anybody.post("/report/", {**a_report(), "proof": a_file()})
    case = Case.objects.get()
    path = path_of(case.evidence.get())
    anybody.post(f"/case/{case.pk}/withdraw")
    assert erase_old(clock.at + timedelta(days=700)) == 0
    assert erase_old(clock.at + timedelta(days=740)) == 1
    case.refresh_from_db()
    assert (case.name, case.evidence.count(), path.exists()) == ("", 0, False)


def test_a_check_is_told_to_who_cares_without_who_asked(country, anybody):
    from openceir.portal.cases.signals import device_checked

    heard = []

    def listen(sender, **told):
        heard.append({name: told[name] for name in ("devices", "channel")})

    device_checked.connect(listen)
    try:
        anybody.post("/", {"identifiers": f"{BOBS}\nxyz"})
    finally:
        device_checked.disconnect(listen)
    assert heard == [{"devices": [BOBS_PHONE], "channel": "web"}]
