"""The doors for gateways: who may knock, what they are told, and that nothing is done twice or written down."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product
from urllib.parse import quote

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from a_country import Storyland, noon
from openceir.identity import format_imei
from openceir.portal.cases.flow import FLOWS
from openceir.portal.cases.models import Case
from openceir.portal.cases.signals import device_checked
from openceir.portal.channels import views
from openceir.portal.channels.desk import forget_old
from openceir.portal.channels.models import AnsweredMessage, AskedInHour
from openceir.portal.channels.question import LANGUAGES
from openceir.statements import DeviceSet, DeviceStolen
from openceir.wire.gsm_text import USSD, fits, in_gsm_alphabet

ALICE = "00100100000001"
FULL = format_imei(ALICE)
NUMBER = "+15550100077"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def gateway(country: Storyland) -> Iterator[Client]:
    """A gateway at a listed address."""
    with override_settings(OPENCEIR=replace(settings.OPENCEIR, channels_gateways="127.0.0.0/8 ::1")):
        yield Client()


def sms(gateway: Client, text: str, message_id: str = "m1", number: str = NUMBER) -> str:
    """One message as Kannel sends it."""
    response = gateway.get("/sms/kannel", {"from": number, "to": "8484", "text": text, "id": message_id})
    assert response.status_code == 200, response.content
    return response.content.decode()


def ussd(gateway: Client, text: str, session: str = "s1", number: str = NUMBER) -> str:
    """One step as an aggregator sends it."""
    form = {"sessionId": session, "serviceCode": "*8484#", "phoneNumber": number, "text": text}
    response = gateway.post(
        "/ussd", "&".join(f"{name}={quote(value)}" for name, value in form.items()), content_type=FORM
    )
    assert response.status_code == 200, response.content
    return response.content.decode()


def steal(country: Storyland, imei: str) -> None:
    """The police state that a phone was stolen."""
    theft = DeviceStolen(devices=DeviceSet.of(imei), stolen_at=noon("2027-02-01"), case_number="N-7")
    country.says("police", theft, "2027-02-02")


def test_the_same_phone_is_answered_by_sms_in_six_languages(gateway: Client, country: Storyland):
    assert sms(gateway, FULL) == "NOT REGISTERED: nothing is on record. Ask the seller for papers and register it. N0"
    steal(country, ALICE)
    words = {"en": "BLOCKED", "fr": "BLOQU", "ar": "محظور", "es": "BLOQUEADO", "pt": "BLOQUEADO", "hi": "ब्लॉक"}
    for language, word in words.items():
        answer = sms(gateway, f"{language} {FULL}", f"in {language}")
        assert answer.startswith(word)
        assert answer.endswith("S0")


def test_whoever_listens_hears_once_of_each_device_that_was_asked_about(gateway: Client):
    """The police are alerted when a stolen phone is checked before it is bought; by which sender nobody is told."""
    heard: list[tuple[list[str], str]] = []

    def hear(sender: object, devices: list[str], channel: str, **_: object) -> None:
        heard.append((devices, channel))

    device_checked.connect(hear)
    try:
        sms(gateway, f"{FULL}, 123456")
        sms(gateway, f"{FULL}, 123456")
        ussd(gateway, FULL)
    finally:
        device_checked.disconnect(hear)
    assert heard == [([ALICE], "sms"), ([ALICE], "ussd")]


def test_a_message_is_answered_once_whatever_happened_since(gateway: Client, country: Storyland):
    """A gateway that lost our answer asks again: the sender must not read two answers that differ."""
    first = sms(gateway, FULL)
    steal(country, ALICE)
    assert sms(gateway, FULL) == first
    assert sms(gateway, FULL, "m2").startswith("BLOCKED")
    assert AnsweredMessage.objects.count() == 2


def test_two_gateways_may_use_the_same_ids(gateway: Client, country: Storyland):
    sms(gateway, FULL)
    steal(country, ALICE)
    other = gateway.get("/sms/kannel", {"from": NUMBER, "text": FULL, "id": "m1"}, REMOTE_ADDR="::1")
    assert other.content.decode().startswith("BLOCKED")


def test_a_number_that_asks_too_often_is_told_when_to_ask_again(gateway: Client, clock):
    for count in range(30):
        assert "NOT REGISTERED" in sms(gateway, FULL, f"m{count}")
    assert "Ask again in an hour" in sms(gateway, FULL, "one too many")
    assert "NOT REGISTERED" in sms(gateway, FULL, "somebody else", number="+15550100078")
    clock.at += timedelta(hours=1)
    assert "NOT REGISTERED" in sms(gateway, FULL, "later")


def test_a_message_without_a_number_is_answered_with_how_to_ask(gateway: Client):
    assert "*#06#" in sms(gateway, "hello?")
    assert sms(gateway, FULL[:14] + str((int(FULL[14]) + 1) % 10 or 1), "m2").startswith("INVALID")
    two = sms(gateway, f"{FULL}, 123 {format_imei('00100100000002')}", "m3")
    assert two.splitlines() == ["1: NOT REGISTERED", "2: NOT REGISTERED"]


def test_kannel_may_post_a_form_or_the_bare_text(gateway: Client):
    posted = gateway.post("/sms/kannel", f"from=%2B15550100077&text=AR+{FULL}&id=f1", content_type=FORM)
    assert posted.content.decode().startswith("غير مسجل")
    assert posted["X-Kannel-Coding"] == "2"
    bare = gateway.generic(
        "POST",
        "/sms/kannel",
        f"فحص {FULL}".encode("utf-16-be"),
        content_type="text/plain; charset=UTF-16BE",
        headers={"X-Kannel-From": NUMBER, "X-Kannel-To": "8484", "X-Kannel-ID": "b1"},
    )
    assert bare.content.decode().startswith("غير مسجل")


def test_a_message_in_ucs2_is_read_by_the_charset_that_its_gateway_names(gateway: Client):
    text = f"فحص {FULL}".encode("utf-16-be")
    query = "from=%2B15550100077&id=u1&charset=UTF-16BE&text=" + "".join(f"%{octet:02x}" for octet in text)
    assert gateway.get(f"/sms/kannel?{query}").content.decode().startswith("غير مسجل")


@pytest.mark.parametrize("missing", ["from", "id"])
def test_a_message_without_sender_or_id_is_refused(gateway: Client, missing: str):
    query = {"from": NUMBER, "text": FULL, "id": "m1"}
    del query[missing]
    response = gateway.get("/sms/kannel", query)
    assert response.status_code == 400
    assert missing in response.content.decode()


# ------------------------------------------------------------------------------------------------------------ who may ask


def test_a_gateway_that_is_not_listed_is_refused(country: Storyland):
    for path, method in (("/sms/kannel", "get"), ("/sms/kannel", "post"), ("/ussd", "post")):
        assert getattr(Client(), method)(path, {"from": NUMBER, "text": FULL, "id": "1"}).status_code == 403


def test_an_address_counts_for_nothing_behind_a_proxy(gateway: Client):
    """Else whoever reaches the proxy could ask in the gateway's name."""
    for header in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"):
        query = {"from": NUMBER, "text": FULL, "id": "m1"}
        assert gateway.get("/sms/kannel", query, headers={header: "192.0.2.1"}).status_code == 403


def test_the_secret_opens_from_anywhere_and_a_short_or_wrong_one_never(country: Storyland):
    (country.home / "gateway.secret").write_text("correct horse battery\n")
    (country.home / "short.secret").write_text("short")
    query = {"from": NUMBER, "text": FULL, "id": "m1"}

    def status(name: str, shown: str) -> int:
        with override_settings(OPENCEIR=replace(settings.OPENCEIR, channels_secret_file=name)):
            headers = {"X-Openceir-Secret": shown, "X-Forwarded-For": "192.0.2.1"}
            return Client().get("/sms/kannel", query, headers=headers).status_code

    assert status("gateway.secret", "correct horse battery") == 200
    assert status("gateway.secret", "correct horse batterz") == 403
    assert status("gateway.secret", "") == 403
    assert status("gateway.secret", "\u00e9" * 20) == 403
    assert status("short.secret", "short") == 403
    assert status("absent.secret", "") == 403


# ------------------------------------------------------------------------------------------------------------ USSD


def test_a_check_by_ussd_ends_the_session_with_the_verdict(gateway: Client, country: Storyland):
    assert ussd(gateway, "").startswith("CON 1 Check a phone")
    assert ussd(gateway, "1").startswith("CON ")
    assert ussd(gateway, f"1*{FULL}").startswith("END NOT REGISTERED")
    assert ussd(gateway, FULL, "s2").startswith("END NOT REGISTERED")
    steal(country, ALICE)
    assert ussd(gateway, FULL, "s3").startswith("END BLOCKED")


def test_a_report_by_ussd_opens_one_case_that_blocks_nothing_until_there_is_proof(gateway: Client, country: Storyland):
    first = ussd(gateway, f"2*2*{FULL}*1")
    assert ussd(gateway, f"2*2*{FULL}*1") == first, "a gateway that asks again must not open a second case"
    case = Case.objects.get()
    assert (case.kind, case.state, case.details["channel"]) == ("theft", "unproven", "ussd")
    assert [each.device for each in case.devices.all()] == [ALICE]
    assert country.register.ledger.size == 0
    reference, secret = (line.split()[-1] for line in first.splitlines()[:2])
    told = ussd(gateway, f"3*{reference}*{secret}", "s2")
    assert told == "END Your case: waiting for your proof of ownership"
    assert "No case opens" in ussd(gateway, f"3*{reference}*{secret[:-1]}", "s3")


def test_the_secret_of_a_case_is_sealed_where_it_waits_for_the_gateway_to_ask_again(gateway: Client):
    answer = ussd(gateway, f"2*1*{FULL}*1")
    secret = answer.splitlines()[1].split()[-1]
    [kept] = AnsweredMessage.objects.all()
    assert secret.encode() not in bytes(kept.sealed)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_every_case_can_say_of_itself_fits_a_screen(language: str):
    for kind, flow in FLOWS.items():
        for state in flow.states.values():
            with override(language):
                text = in_gsm_alphabet(_("Your case: %(state)s") % {"state": state})
            assert fits(text, USSD), (kind, text)


@pytest.mark.parametrize("language", range(1, 7))
def test_the_end_of_a_report_fits_a_screen(gateway: Client, language: int):
    for session, kind in product(("a", "b"), "12"):
        said = ussd(gateway, f"4*{language}*2*{kind}*{FULL}*1", f"{session}{kind}")
        assert fits(said.removeprefix("END "), USSD), said


# ------------------------------------------------------------------------------------------------------------ privacy


def test_neither_number_nor_imei_is_kept_or_logged(gateway: Client, capfd: pytest.CaptureFixture[str]):
    sms(gateway, f"CHECK {FULL}")
    ussd(gateway, FULL)
    gateway.get("/sms/kannel", {"text": FULL, "id": "m1"})
    Client().get("/sms/kannel", {"from": NUMBER, "text": FULL, "id": "m1"})
    rows = [*AnsweredMessage.objects.values_list(), *AskedInHour.objects.values_list()]
    kept = b"".join(bytes(each) for row in rows for each in row if isinstance(each, bytes | memoryview))
    printed = "".join(capfd.readouterr())
    assert "/sms/kannel 200" in printed
    for told in (ALICE, FULL, NUMBER, NUMBER[1:], "15550100077"):
        assert told not in printed
        assert told.encode() not in kept


def test_a_fault_of_ours_is_a_503_that_names_nothing_in_the_log(
    gateway: Client, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    def breaks(**_asked: str) -> str:
        raise RuntimeError(f"fault with {FULL} of {NUMBER}")

    monkeypatch.setattr(views, "answer_sms", breaks)
    response = gateway.get("/sms/kannel", {"from": NUMBER, "text": FULL, "id": "m1"})
    assert (response.status_code, "minutes" in response.content.decode()) == (503, True)
    printed = "".join(capfd.readouterr())
    assert "fault RuntimeError at test_views.py" in printed
    assert FULL not in printed + response.content.decode()


def test_what_is_a_day_old_is_forgotten(gateway: Client, clock):
    sms(gateway, FULL)
    clock.at += timedelta(hours=23)
    assert forget_old() == 0
    clock.at += timedelta(hours=2)
    assert forget_old() == 2
    assert not AnsweredMessage.objects.exists()
    assert not AskedInHour.objects.exists()
