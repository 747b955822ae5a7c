"""A report's way through the police: read on record, decided by one or two, blocked on the lists, found, returned."""

from datetime import timedelta

import pytest
from tests.portal.a_document import a_picture

from a_country import ALICE, ALICES_PHONE, BOBS_PHONE, MALLORY, noon
from openceir.portal.accounts.models import Act, Proposal
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.cases.models import Case
from openceir.portal.citizens.reports import open_report, prove, request_recovery
from openceir.portal.police.hits import look_for_seen
from openceir.portal.police.models import Hit
from openceir.portal.register import register

TWO = "[portal.two_persons]\nverify_report = true\n"


def a_report(devices=(ALICES_PHONE,), mode="block", proven=True):
    case, _ = open_report(*devices, is_theft=True, channel="web", language="en", mode=mode, name="Alice Example")
    if proven:
        prove(case, a_picture())
    return case


def status(imei, at):
    return str(register().check(imei, at).status)


def decide(client, case, decision, text=""):
    case.refresh_from_db()
    told = {"decision": decision, "text": text, "version": case.version}
    return client.post(f"/police/cases/{case.pk}/", told)


def test_an_officer_verifies_and_every_network_is_told(country, client_of, clock):
    case = a_report()
    ann = client_of("ann", PortalRole.POLICE_OFFICER)
    assert case.reference in ann.get("/police/cases.csv").content.decode()
    page = ann.get(f"/police/cases/{case.pk}/").content.decode()
    assert "Alice Example" in page
    assert Act.objects.filter(verb="police.read-case", subject=case.reference, actor="ann").exists()
    assert decide(ann, case, "verify").status_code == 302
    assert status(ALICES_PHONE, clock.at + timedelta(minutes=1)) == "blocked"
    register().make_lists(on=(clock.at + timedelta(days=1)).date(), at=clock.at)
    assert country.rows("northtel", "blocklist")[0][0] == ALICES_PHONE


def test_where_policy_asks_for_two_one_officer_blocks_nobody(country, client_of, clock):
    country.change_policy(TWO)
    case = a_report()
    ann, bea = client_of("ann", PortalRole.POLICE_OFFICER), client_of("bea", PortalRole.POLICE_OFFICER)
    assert decide(ann, case, "verify").url == "/account/approvals/"
    assert status(ALICES_PHONE, clock.at + timedelta(minutes=1)) == "unknown"
    again = decide(ann, case, "verify")
    assert "waits for a second person already" in again.content.decode()
    proposal = Proposal.objects.get()
    word = {"decision": "approve", "because": "saw the invoice"}
    assert ann.post(f"/account/approvals/{proposal.pk}/", word).status_code == 403
    assert bea.post(f"/account/approvals/{proposal.pk}/", word).status_code == 302
    assert status(ALICES_PHONE, clock.at + timedelta(minutes=1)) == "blocked"


def test_a_question_and_a_refusal_need_words_for_the_person(country, client_of):
    case = a_report()
    ann = client_of("ann", PortalRole.POLICE_OFFICER)
    for decision in ("ask", "reject"):
        page = decide(ann, case, decision, "no")
        assert (page.status_code, "Write your question" in page.content.decode()) == (200, True)
    decide(ann, case, "ask", "Where did you buy the phone?")
    case.refresh_from_db()
    assert case.state == "asked"
    assert case.events.get(kind="ask").text == "Where did you buy the phone?"


def test_who_decides_on_a_case_that_changed_meanwhile_is_told(country, client_of):
    case = a_report()
    ann = client_of("ann", PortalRole.POLICE_OFFICER)
    page = ann.post(f"/police/cases/{case.pk}/", {"decision": "verify", "text": "", "version": case.version - 1})
    assert "Somebody else changed this case" in page.content.decode()
    assert Case.objects.get(pk=case.pk).state == "received"


def test_an_officer_of_another_office_sees_nothing(country, client_of):
    case = a_report()
    for role, office in ((PortalRole.CUSTOMS_OFFICER, ""), (PortalRole.POLICE_OFFICER, "police-elsewhere")):
        stranger = client_of(f"x-{role}-{office}", role, office=office)
        assert stranger.get(f"/police/cases/{case.pk}/").status_code == 403, role
    assert (
        "Alice Example"
        not in client_of("y", PortalRole.POLICE_OFFICER, office="elsewhere").get("/police/").content.decode()
    )


@pytest.mark.parametrize("seconds", [None, 3600])
def test_without_a_fresh_second_factor_no_case_opens(country, client_of, seconds):
    case = a_report()
    ann = client_of("ann", PortalRole.POLICE_OFFICER, second_factor_s_ago=seconds)
    assert ann.get(f"/police/cases/{case.pk}/").status_code == 302
    assert not Act.objects.filter(verb="police.read-case").exists()


def test_a_case_is_taken_noted_and_found_overdue(country, client_of, clock):
    case = a_report()
    ann = client_of("ann", PortalRole.POLICE_OFFICER)
    ann.post(f"/police/cases/{case.pk}/take/")
    ann.post(f"/police/cases/{case.pk}/note/", {"note": "called the shop"})
    assert not case.events.get(text="called the shop").is_public
    clock.at += timedelta(hours=25)
    fresh = a_report((BOBS_PHONE,))
    marked = '<strong class="govuk-tag govuk-tag--red">overdue</strong>'
    assert marked in ann.get("/police/?whose=mine").content.decode()
    assert marked not in client_of("bea", PortalRole.POLICE_OFFICER).get("/police/?whose=mine").content.decode()
    late = ann.get("/police/?state=overdue").content.decode()
    assert (f"/police/cases/{case.pk}/" in late, f"/police/cases/{fresh.pk}/" in late) == (True, False)


def test_an_owner_who_has_it_back_is_served_again(country, client_of, clock):
    case = a_report()
    ann = client_of("ann", PortalRole.POLICE_OFFICER)
    decide(ann, case, "verify")
    clock.at += timedelta(days=1)
    request = request_recovery(case, text="found it")
    assert decide(ann, request, "confirm").status_code == 302
    assert status(ALICES_PHONE, clock.at + timedelta(minutes=1)) == "unknown"


def test_a_check_and_a_sighting_of_a_reported_phone_alert_its_officer(country, client_of, clock):
    case = a_report()
    ann = client_of("ann", PortalRole.POLICE_OFFICER)
    decide(ann, case, "verify")
    told = {"numbers": ALICES_PHONE + "9", "purpose": "traffic stop"}
    ann.post("/police/roadside/", {**told, "numbers": ALICES_PHONE})
    ann.post("/police/roadside/", {**told, "numbers": ALICES_PHONE})
    assert Hit.objects.filter(case=case, kind="checked", source="police").count() == 1
    clock.at += timedelta(days=3)
    country.sees("northtel", [("2027-02-20", ALICES_PHONE, ALICE), ("2027-03-03", ALICES_PHONE, MALLORY)], "2027-03-04")
    register().measure(at=noon("2027-03-04"))
    for _ in range(2):
        look_for_seen(clock.at)
    [seen] = Hit.objects.filter(case=case, kind="seen")
    assert (seen.source, seen.on.isoformat()) == ("northtel", "2027-03-03")
    page = ann.get("/police/hits/").content.decode()
    assert "seen by the network northtel" in page
    assert MALLORY[0] not in page


def test_whoever_asks_on_the_web_alerts_the_officer_and_stays_unknown(country, client_of, anybody):
    case = a_report()
    decide(client_of("ann", PortalRole.POLICE_OFFICER), case, "verify")
    anybody.post("/", {"identifiers": f"{ALICES_PHONE}9\n{BOBS_PHONE}\nnothing"})
    anybody.post("/", {"identifiers": f"{ALICES_PHONE}"})
    [hit] = Hit.objects.all()
    assert (hit.case, hit.kind, hit.source) == (case, "checked", "web")


def test_at_the_roadside_a_phone_shows_its_report_and_each_check_is_on_record(country, client_of):
    case = a_report()
    ann = client_of("ann", PortalRole.POLICE_OFFICER)
    decide(ann, case, "verify")
    page = ann.post(
        "/police/roadside/", {"numbers": f"{ALICES_PHONE}\nnonsense", "purpose": "traffic stop"}
    ).content.decode()
    assert "No network of this country serves this device." in page
    assert str(case) in page.replace("</bdi>", "").replace('<bdi dir="ltr" class="app-code">', "")
    act = Act.objects.get(verb="police.check-roadside")
    assert ALICES_PHONE not in act.subject
    assert act.reason == "traffic stop"


def test_an_officer_reads_the_register_in_his_language(country, client_of):
    case = a_report()
    ann = client_of("ann", PortalRole.POLICE_OFFICER)
    ann.cookies["language"] = "fr"
    page = ann.get(f"/police/cases/{case.pk}/").content.decode()
    assert "Non enregistré" in page
    assert "Nobody has stated" not in page
    assert 'class="govuk-radios__input"' in page


def test_a_seized_phone_returns_to_its_owner_and_keeps_working_with_his_card(country, client_of, clock):
    case = a_report()
    ann = client_of("ann", PortalRole.POLICE_OFFICER)
    decide(ann, case, "verify")
    clock.at += timedelta(days=1)
    seized = ann.post("/police/seize/", {"numbers": ALICES_PHONE, "grounds": "found with Mallory", "bearer": "Mallory"})
    assert (
        "with the police already"
        in ann.post("/police/seize/", {"numbers": ALICES_PHONE, "grounds": "again", "bearer": ""}).content.decode()
    )
    kept = Case.objects.get(kind="seizure")
    assert ann.get(seized.url).status_code == 200
    clock.at += timedelta(days=1)
    told = {"decision": "return", "text": "to Alice, invoice 17", "imsi": ALICE[0], "version": kept.version}
    assert ann.post(seized.url, told).status_code == 302
    kept.refresh_from_db()
    assert kept.state == "returned"
    assert status(ALICES_PHONE, clock.at + timedelta(minutes=1)) == "unknown"
    paired = register().check(ALICES_PHONE, clock.at + timedelta(minutes=1), imsi=ALICE[0])
    assert str(paired.status) == "permitted"
    assert Case.objects.get(pk=case.pk).state == "recovered"


def test_the_bearers_name_enters_no_ledger(country, client_of):
    ann = client_of("ann", PortalRole.POLICE_OFFICER)
    ann.post("/police/seize/", {"numbers": BOBS_PHONE, "grounds": "found", "bearer": "Mallory Example"})
    for path in country.home.rglob("ledger/*"):
        assert path.is_dir() or b"Mallory" not in path.read_bytes()


def test_the_page_says_when_and_how_protected_in_words_of_the_reader(country, client_of):
    case = a_report()
    Case.objects.filter(pk=case.pk).update(
        details={**case.details, "happened_at": "2027-02-27T18:30:00+00:00", "antitheft": "locked"}
    )
    ann = client_of("ann", PortalRole.POLICE_OFFICER)
    page = ann.get(f"/police/cases/{case.pk}/").content.decode()
    assert "18:30 UTC" in page
    assert ">2027-02-27T18:30" not in page  # only where machines read it
    assert "I locked it from afar" in page
    french = ann.get(f"/police/cases/{case.pk}/", headers={"accept-language": "fr"}).content.decode()
    assert "I locked it from afar" not in french
    assert "27 février 2027" in french


def test_a_watched_phone_is_blocked_after_all_and_comes_back_whole(country, client_of, anybody, clock):
    """The watch ends with the block: a phone that came back is neither blocked nor watched."""
    alice = client_of("alice")
    case, _ = open_report(
        ALICES_PHONE, is_theft=True, channel="web", language="en", mode="watch", person=alice_of(alice)
    )
    prove(case, a_picture())
    ann = client_of("ann", PortalRole.POLICE_OFFICER)
    decide(ann, case, "verify")
    assert status(ALICES_PHONE, clock.at + timedelta(minutes=1)) == "tracked"
    clock.at += timedelta(hours=1)
    assert "Block it after all" in alice.get(f"/case/{case.pk}/").content.decode()
    assert anybody.post(f"/case/{case.pk}/insist").status_code == 404
    alice.post(f"/case/{case.pk}/insist")
    case.refresh_from_db()
    assert (case.state, case.details["mode"]) == ("insisted", "block")
    assert status(ALICES_PHONE, clock.at + timedelta(minutes=1)) == "tracked"  # until the police have decided
    assert case.reference in ann.get("/police/cases.csv").content.decode()
    decide(ann, case, "verify")
    assert status(ALICES_PHONE, clock.at + timedelta(minutes=1)) == "blocked"
    clock.at += timedelta(hours=1)
    decide(ann, request_recovery(case, text="found it"), "confirm")
    assert status(ALICES_PHONE, clock.at + timedelta(minutes=1)) == "unknown"


def alice_of(client):
    from openceir.portal.accounts.models import User

    return User.objects.get(pk=client.session["_auth_user_id"])


def test_a_case_is_found_by_its_reference_or_a_number_and_the_search_is_on_record(country, client_of):
    case, other = a_report(), a_report((BOBS_PHONE,))
    ann = client_of("ann", PortalRole.POLICE_OFFICER)
    link = f"/police/cases/{case.pk}/"
    for sought in (str(case), ALICES_PHONE):
        page = ann.post("/police/find/", {"sought": sought, "purpose": "he asks at the counter"}).content.decode()
        assert (link in page, f"/police/cases/{other.pk}/" in page) == (True, False)
    acts = Act.objects.filter(verb="police.find-case", actor="ann")
    assert acts.count() == 2
    assert not any(ALICES_PHONE in one.subject for one in acts)
    wrong = ann.post("/police/find/", {"sought": "12", "purpose": "he asks"}).content.decode()
    assert "neither a whole reference nor an IMEI" in wrong
    elsewhere = client_of("eve", PortalRole.POLICE_OFFICER, office="harbour-police")
    assert link not in elsewhere.post("/police/find/", {"sought": str(case), "purpose": "curious"}).content.decode()


def test_a_seized_phone_is_kept_by_order_of_a_court(country, client_of, clock):
    ann = client_of("ann", PortalRole.POLICE_OFFICER)
    ann.post("/police/seize/", {"numbers": BOBS_PHONE, "grounds": "found in a market", "bearer": ""})
    kept = Case.objects.get(kind="seizure")
    told = {"decision": "keep", "text": "Court of Harbour, order 7", "imsi": "", "version": kept.version}
    ann.post(f"/police/seizures/{kept.pk}/", told)
    kept.refresh_from_db()
    assert (kept.state, kept.is_open) == ("kept", False)
    assert Act.objects.filter(verb="police.keep-seized", reason="Court of Harbour, order 7").exists()
    assert ann.post(f"/police/seizures/{kept.pk}/", {**told, "version": kept.version}).status_code == 200
