"""What citizens of other countries complained of, one story each: here it ends well.

The cast is that of every story: Alice owns, Bob buys, Mallory clones. Citizens use their pages, as a browser without
JavaScript does; offices use the functions behind theirs.
"""

import re
from datetime import date, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from a_country import ALICE, ALICES_PHONE, BOBS_PHONE, MALLORY, SHARED, SPARE_PHONE, days_from
from openceir.http import make_application
from openceir.identity import format_imei
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.log import note, verify_acts
from openceir.portal.accounts.models import Act, Alarm
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.application import with_fast_check
from openceir.portal.cases.deadlines import keep_deadlines
from openceir.portal.cases.evidence import erase_old
from openceir.portal.cases.models import Case, Notice
from openceir.portal.cases.notices import open_channel, send_due
from openceir.portal.citizens.appeals import decide_appeal
from openceir.portal.citizens.holdings import hold
from openceir.portal.citizens.imports import accept_import
from openceir.portal.citizens.models import Holding
from openceir.portal.citizens.reports import confirm_recovery, verify_report
from openceir.portal.citizens.watching import warn_before_blocks
from openceir.portal.fast_check import INDEX_NAME, compile_index
from openceir.settings import Settings
from openceir.statements import (
    DeviceBound,
    DeviceClassified,
    DevicePaired,
    DeviceRegistered,
    DeviceSet,
    DeviceStolen,
    Pair,
)
from portal.a_document import a_picture

ONCE = iter(range(1, 10_000))


def spelt(imei):
    return format_imei(imei)


def page(reply):
    return re.sub(r"\s+", " ", reply.content.decode())


def a_bill(what="bill"):
    return SimpleUploadedFile(f"{what}.png", a_picture(what).getvalue())


def send(client, address, **fields):
    """Fill in a form; the reply, and the case that came of it."""
    once = f"00000000-0000-4000-8000-{next(ONCE):012d}"
    reply = client.post(address, {"name": "Somebody", "email": "", "phone": "", "once": once, **fields})
    assert reply.status_code == 302, re.findall(r"Error:</span> ([^<]+)<", page(reply))
    shown = client.get(reply.headers["Location"])
    return Case.objects.order_by("-pk")[0], re.findall(r'class="app-code">([0-9A-Z-]+)<', page(shown))


def report(client, *imeis, on="2027-03-01", **more):
    numbers = "\n".join(spelt(imei) for imei in imeis)
    fields = {"what": "theft", "mode": "block", "happened_on": on, "place": "", "proof": a_bill("box"), **more}
    return send(client, "/report/", imeis=numbers, **fields)


@pytest.fixture
def office(people):
    """Somebody who acts for an office."""

    def make(role, name="", key=""):
        member = {"police": "police", "customs": "customs", "regulator": "regulator"}[role.split("-")[0]]
        user = people(name or role.replace("-", ""), role)
        return Actor(name=user.username, role=role, office=member, signs_with=key or member, user=user)

    return make


def status(country, clock, imei, imsi=None):
    return str(country.register.check(imei, clock.at, imsi=imsi).status)


def classified(country, on, imei=ALICES_PHONE, *, block_on, amnesty=False, shared=False, rule="cloned_imei"):
    said = DeviceClassified(
        rule=rule, conditions=("duplicate_threshold",), blocking=True, marks_duplicate=shared, policy_digest=bytes(32),
        as_of_on=date.fromisoformat(on), evidence_digest=bytes(32), block_on=block_on, amnesty=amnesty,
        matched=DeviceSet.of([imei]),
    )  # fmt: skip
    return country.says("regulator", said, on)


def test_1_the_genuine_owner_of_a_cloned_number_keeps_her_phone(country, clock, anybody, office):
    """Turkey closed both phones in 30 days, and the owner had to prove with an invoice and lost her phone's freedom."""
    country.change_policy(SHARED)
    seen = [(day, ALICES_PHONE, ALICE) for day in days_from("2027-02-01", 25)]
    seen += [(day, ALICES_PHONE, MALLORY) for day in days_from("2027-02-10", 16)]
    country.sees("northtel", seen, "2027-02-28")
    country.updates("2027-02-28")
    clock.at += timedelta(days=60)
    assert status(country, clock, ALICES_PHONE) != "permitted"
    assert "appeal" in page(anybody.post("/", {"identifiers": spelt(ALICES_PHONE)}))
    case, _ = send(anybody, "/appeal/", imeis=spelt(ALICES_PHONE), grounds="my number was copied", proof=a_bill())
    decide_appeal(office(PortalRole.REGULATOR), case, grant=True, reasons="The bill is of this phone.")
    pair = Pair(ALICES_PHONE, ALICE[0], ALICE[1])
    country.register.state([DevicePaired(pairs=(pair,), paired_at=clock.at)], by="northtel", at=clock.at)
    assert status(country, clock, ALICES_PHONE, imsi=ALICE[0]) == "permitted"
    text = page(anybody.get(f"/case/{case.pk}/"))
    assert "Your appeal was granted" in text
    assert "The bill is of this phone." in text


def test_2_a_device_under_my_name_that_i_never_had_goes_with_one_click(country, clock, client_of, people):
    """Bangladesh showed people 47 to 53 phones under their names."""
    alice, browser = people("alice"), client_of("alice")
    devices = [f"0010010000{n:04d}" for n in range(47)]
    holdings = [hold(alice, device, how="listed") for device in devices]
    assert page(browser.get("/mine/")).count("Not mine") == 47
    browser.post(f"/mine/{holdings[0].pk}/not-mine")
    assert page(browser.get("/mine/")).count("Not mine") == 46
    assert status(country, clock, devices[0]) == "unknown"  # whoever has that phone in the hand is not punished for it


def test_3_who_used_my_name_to_register_a_phone_is_found(country, clock, anybody, client_of, people, office):
    """Pakistan's travellers found phones on their passports; an insider of Indonesia's register sold 191,965 entries."""
    alice = people("alice")
    case, _ = Case.open("import", devices=[BOBS_PHONE], person=alice, office="customs", details={})
    accept_import(office(PortalRole.CUSTOMS_OFFICER, "mallory"), case)
    browser = client_of("alice")
    browser.post(f"/mine/{Holding.objects.get().pk}/not-mine")
    complaint = Case.objects.get(kind="not-mine")
    assert Alarm.objects.get().facts == {"case": complaint.reference}
    [act] = Act.objects.filter(subject=case.reference)
    assert (act.actor, act.verb) == ("mallory", "customs.accept-import")
    verify_acts()


def test_4_a_visitor_is_not_cut_off_and_registers_without_a_passport(country, clock, office):
    """Nepal's first cut hit 804 phones of visitors."""
    visitor = Client(headers={"Accept-Language": "fr"})
    at_home = [(day, ALICES_PHONE, ALICE) for day in days_from("2027-02-01", 25)]
    country.sees("northtel", [*at_home, ("2027-02-25", SPARE_PHONE, ("208010000000001", "999555000009"))], "2027-03-01")
    country.updates("2027-03-01")
    assert status(country, clock, SPARE_PHONE) != "blocked"
    case, [reference, secret] = send(visitor, "/register/", imeis=spelt(SPARE_PHONE), how="visit", duty_reference="")
    assert case.language == "fr"
    accept_import(office(PortalRole.CUSTOMS_OFFICER), case)
    assert status(country, clock, SPARE_PHONE) == "permitted"
    elsewhere = Client()
    opened = elsewhere.post("/case/", {"reference": reference, "secret": secret})
    assert elsewhere.get(opened.headers["Location"]).status_code == 200


def test_5_no_notice_hangs_on_the_phone_that_is_gone(country, clock, anybody, people, client_of, office):
    """A message two days before the block, to the number in the stolen phone, is no notice."""
    case, _ = report(anybody, ALICES_PHONE)  # no telephone number was asked for
    verify_report(office(PortalRole.POLICE_OFFICER), case)
    send_due(clock.at)
    assert "Networks are told to block your phone" in page(anybody.get(f"/case/{case.pk}/"))

    gone = []
    open_channel("sms", lambda notice: gone.append(notice) or 1 / 0)  # the number is dead: nothing arrives
    try:
        bob = people("bob")
        bob.phone = "999555000002"
        bob.save()
        hold(bob, BOBS_PHONE, how="imported")
        classified(country, "2027-03-01", BOBS_PHONE, block_on=clock.at.date() + timedelta(days=74), rule="x")
        warn_before_blocks(clock.at)
        send_due(clock.at)
    finally:
        from openceir.portal.cases import notices

        del notices._CHANNELS["sms"]
    assert gone
    assert "will be blocked on" in page(client_of("bob").get("/mine/"))
    assert Notice.objects.get(channel="sms").failures == 1


def test_6_a_block_has_its_reason_in_writing_and_a_clock_that_runs_by_itself(country, clock, anybody, office):
    """Peru: a notice of two days, and an appeal in person with the device and the invoice."""
    classified(country, "2027-02-01", block_on=date(2027, 2, 20))
    text = page(anybody.post("/", {"identifiers": spelt(ALICES_PHONE)}))
    assert "Blocked" in text
    assert "matches the rule “cloned_imei”" in text
    assert "Said by regulator" in text
    case, _ = send(anybody, "/appeal/", imeis=spelt(ALICES_PHONE), grounds="it is mine", proof=a_bill())
    clock.at += timedelta(hours=72)
    keep_deadlines(clock.at)
    send_due(clock.at)
    assert status(country, clock, ALICES_PHONE) == "tracked"
    assert "not decided in time" in page(anybody.get(f"/case/{case.pk}/"))
    with pytest.raises(Exception, match="reasons in writing"):
        decide_appeal(office(PortalRole.REGULATOR), case, grant=False, reasons=" ")


def test_7_who_bought_in_good_faith_can_show_that_he_asked_before(country, clock, anybody, office):
    """The second-hand buyer is punished for a theft that was reported after he bought."""
    shown = page(anybody.post("/", {"identifiers": spelt(BOBS_PHONE)}))
    sealed = re.search(r'name="receipt" value="([^"]+)"', shown).group(1)
    receipt = anybody.post("/receipts/new", {"receipt": sealed}).content.decode()
    clock.at += timedelta(days=5)
    stolen = DeviceStolen(devices=DeviceSet.of([BOBS_PHONE]), stolen_at=clock.at, case_number="N-8")
    country.register.state([stolen], by="police", at=clock.at)
    assert status(country, clock, BOBS_PHONE) == "blocked"
    case, _ = send(
        anybody, "/appeal/", imeis=spelt(BOBS_PHONE), grounds="bought on 1 March, see receipt", proof=a_bill()
    )
    officer = Client()
    text = page(officer.post("/receipts/", {"receipt": receipt}))
    assert "This register signed it" in text
    assert "Not registered" in text
    assert "2027-03-01T12:00:00Z" in text
    decide_appeal(office(PortalRole.REGULATOR), case, grant=True, reasons="Checked and bought before the report.")
    assert status(country, clock, BOBS_PHONE) == "unknown"


def test_8_when_the_portal_is_away_devices_are_still_answered_for(country, clock):
    """Iran's and Bangladesh's portals went away, and with them sales and telephones."""
    stolen = DeviceStolen(devices=DeviceSet.of([BOBS_PHONE]), stolen_at=clock.at - timedelta(days=1), case_number="N-9")
    country.says("police", stolen, "2027-03-01")
    now = datetime.now(clock.at.tzinfo)
    compile_index(country.register, country.home / "portal" / INDEX_NAME, now)

    def away(environ, start_response):
        raise ConnectionError("the portal's database is away")

    register = make_application(country.home, Settings(), behind=with_fast_check(country.home, Settings(), away))
    for path in (f"/api/v1/check/{spelt(BOBS_PHONE)}", f"/v1/identifiers/{spelt(BOBS_PHONE)}"):
        said = []
        asked = {"REQUEST_METHOD": "GET", "PATH_INFO": path}
        body = b"".join(register(asked, lambda line, headers, said=said: said.append(line)))
        assert said == ["200 OK"]
        assert b'"status":"' in body or b'"verdict":"' in body
    country.makes_lists("2027-03-01")  # and networks get their lists
    assert [row[0] for row in country.rows("northtel", "blocklist")] == [BOBS_PHONE]


def test_9_nothing_is_blocked_for_money(country, clock, anybody, office):
    """A tax under the name of security: most of Pakistan's blocked phones were genuine and untaxed."""
    assert "registering here costs nothing" in page(anybody.get("/register/"))
    case, _ = send(anybody, "/register/", imeis=spelt(ALICES_PHONE), how="travel", duty_reference="")
    assert status(country, clock, ALICES_PHONE) == "unknown"
    clock.at += timedelta(days=365)
    keep_deadlines(clock.at)
    assert status(country, clock, ALICES_PHONE) == "unknown"  # an open question of duty never became a block
    accept_import(office(PortalRole.CUSTOMS_OFFICER), case)
    assert status(country, clock, ALICES_PHONE) == "permitted"


def test_10_who_i_am_stays_in_the_portal_and_every_look_at_it_is_on_record(country, clock, anybody, office, capfd):
    """A register that ties IMEI, identity card and telephone number is worth stealing."""
    secrets = ("Alice Aliceson", "alice@example.org", "999555000001", "the old market")
    case, _ = report(anybody, ALICES_PHONE, name=secrets[0], email=secrets[1], phone=f"+{secrets[2]}", place=secrets[3])
    ann = office(PortalRole.POLICE_OFFICER)
    note(ann, "police.read-case", subject=case.reference, reason="first look")
    verify_report(ann, case)
    portal_files = {"portal.sqlite", "portal"}
    for path in country.home.rglob("*"):
        if path.is_file() and path.relative_to(country.home).parts[0] not in portal_files:
            octets = path.read_bytes()
            assert [one for one in secrets if one.encode() in octets] == [], path
    told = "".join(capfd.readouterr())
    assert [one for one in (*secrets, ALICES_PHONE) if one in told] == []
    assert [(act.actor, act.verb) for act in Act.objects.filter(subject=case.reference)] == [
        ("policeofficer", "police.read-case"), ("policeofficer", "police.verify-report"),
    ]  # fmt: skip
    confirm_recovery(ann, case)
    erase_old(clock.at + timedelta(days=800))
    case.refresh_from_db()
    assert [one for one in secrets if one in str(vars(case))] == []


def test_11_both_halves_of_a_dual_sim_phone_are_blocked_and_freed_together(country, clock, anybody, office):
    """Half of a phone with two SIMs is blocked, and the other half is sold."""
    both = DeviceSet.of([ALICES_PHONE, SPARE_PHONE])
    country.says("maker", DeviceBound(identifiers=both), "2027-02-01")
    assert spelt(SPARE_PHONE) in page(anybody.post("/", {"identifiers": spelt(ALICES_PHONE)}))
    case, _ = report(anybody, ALICES_PHONE, SPARE_PHONE)
    ann = office(PortalRole.POLICE_OFFICER)
    verify_report(ann, case)
    assert [status(country, clock, imei) for imei in (ALICES_PHONE, SPARE_PHONE)] == ["blocked"] * 2
    anybody.post(f"/case/{case.pk}/recover")
    clock.at += timedelta(hours=1)
    confirm_recovery(ann, Case.objects.get(kind="recovery"))
    assert [status(country, clock, imei) for imei in (ALICES_PHONE, SPARE_PHONE)] == ["unknown"] * 2


def test_12_an_old_phone_has_an_amnesty_a_warning_and_a_way_to_stay(country, clock, people, client_of, office):
    """Phones that worked for years were cut on a day."""
    last_day = clock.at.date() + timedelta(days=100)
    hold(people("alice"), ALICES_PHONE, how="declared")
    classified(country, "2027-03-01", block_on=last_day, amnesty=True, rule="not_registered")
    browser = client_of("alice")
    assert "It works now and will be blocked on" in page(browser.get("/mine/"))
    clock.at += timedelta(days=25)
    assert warn_before_blocks(clock.at) == 1
    case, _ = send(browser, "/register/", imeis=spelt(ALICES_PHONE), how="old", duty_reference="")
    accept_import(office(PortalRole.CUSTOMS_OFFICER), case)
    registered = DeviceRegistered(devices=DeviceSet.of([ALICES_PHONE]), registered_on=clock.at.date(), attributes=b"")
    country.register.state([registered], by="regulator", at=clock.at)
    appeal, _ = send(browser, "/appeal/", imeis=spelt(ALICES_PHONE), grounds="registered now", proof=a_bill())
    decide_appeal(office(PortalRole.REGULATOR), appeal, grant=True, reasons="It is registered.")
    clock.at += timedelta(days=100)
    assert status(country, clock, ALICES_PHONE) == "permitted"
