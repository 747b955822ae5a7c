"""Sessions that end, and what becomes of a form that meets one: nothing is done, nothing typed is lost, nobody else sees it."""

import re
import time
from datetime import timedelta
from html import unescape

import pytest
from django.core import mail
from django.test import Client, override_settings

from openceir.portal.accounts.models import Act, Alarm, User
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.cases.models import Case

PASSWORD = "a long enough sentence"
CHIEF = PortalRole.REGULATOR_SUPERVISOR
TYPED = {
    "username": "bob",
    "role": "auditor",
    "office": "auditor",
    "until": "",
    "reason": "the law of 2027 & its annex",
}
FIELD = re.compile(r'<textarea name="([^"]+)" hidden aria-label="[^"]+">\n(.*?)</textarea>', re.DOTALL)


def fields(page):
    return {name: unescape(value) for name, value in FIELD.findall(page.content.decode())}


@pytest.fixture
def minutes(monkeypatch):
    """Let so many minutes pass for sessions."""
    passed = [0]

    def pass_by(count):
        passed[0] += count * 60

    monkeypatch.setattr("openceir.portal.accounts.second_factor.wall_clock", lambda: time.time() + passed[0])
    return pass_by


def test_an_officers_session_ends_after_the_policys_minutes_without_use(client_of, minutes):
    rob = client_of("rob", CHIEF)
    for _ in range(4):  # used again and again, it goes on
        assert rob.get("/account/people/").status_code == 200
        minutes(29)
    minutes(2)
    reply = rob.get("/account/people/")
    assert reply.headers["Location"] == "/account/login/?next=%2Faccount%2Fpeople%2F"
    assert "signed out after 30 minutes" in rob.get(reply.headers["Location"]).content.decode()


def test_a_citizens_session_does_not(client_of, minutes):
    alice = client_of("alice")
    assert alice.get("/mine/").status_code == 200
    minutes(300)
    assert alice.get("/mine/").status_code == 200


def test_a_form_that_meets_an_ended_session_is_offered_to_its_person_and_to_nobody_else(client_of, people, minutes):
    people("bob")
    rob = client_of("rob", CHIEF)
    assert rob.get("/account/people/appoint/").status_code == 200
    minutes(31)
    reply = rob.post("/account/people/appoint/", TYPED)
    assert reply.headers["Location"] == "/account/login/?next=%2Fkept"
    assert not Act.objects.filter(verb__endswith=":propose").exists()
    stranger = Client()
    stranger.cookies = rob.cookies
    stranger.force_login(
        User.objects.get(username="bob"), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    assert stranger.get("/kept").status_code == 404  # bob at the same browser


def test_what_was_kept_is_sent_on_with_one_press(client_of, people, clock, monkeypatch):
    people("bob")
    rob = client_of("rob", CHIEF)
    assert rob.get("/account/people/appoint/").status_code == 200
    later = time.time() + 1000  # the second factor is too old for an act, the session is not
    monkeypatch.setattr("openceir.portal.accounts.second_factor.wall_clock", lambda: later)
    reply = rob.post("/account/people/appoint/", TYPED)
    assert reply.headers["Location"] == "/account/2fa/reauthenticate/?next=%2Fkept"
    monkeypatch.undo()  # he showed it again
    page = rob.get("/kept")
    assert fields(page) == TYPED
    assert TYPED["reason"].replace("&", "&amp;") in page.content.decode()
    assert rob.post("/account/people/appoint/", fields(page)).headers["Location"] == "/account/approvals/"
    assert Act.objects.filter(verb__endswith=":propose").count() == 1


def test_what_was_kept_is_thrown_away_when_asked_and_by_itself(client_of, clock, monkeypatch):
    rob = client_of("rob", CHIEF)
    later = time.time() + 1000
    monkeypatch.setattr("openceir.portal.accounts.second_factor.wall_clock", lambda: later)
    rob.post("/account/people/appoint/", TYPED)
    assert rob.get("/kept").status_code == 200
    rob.post("/kept")
    assert rob.get("/kept").status_code == 404
    rob.post("/account/people/appoint/", TYPED)
    clock.at += timedelta(minutes=16)
    assert rob.get("/kept").status_code == 404


REPORT = {
    "identifiers": "001001000000015", "what": "stolen", "happened_on": "2027-02-27", "place": "Market <1>",
    "name": "Alice", "mode": "block",
}  # fmt: skip


def test_a_citizens_form_whose_cookies_are_lost_comes_back_as_it_was_typed(country):
    alice = Client(enforce_csrf_checks=True)
    reply = alice.post("/report/", {**REPORT, "password": "x"}, headers={"Origin": "http://testserver"})
    assert reply.status_code == 403
    assert fields(reply) == REPORT
    assert Case.objects.count() == 0


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", ""])
def test_what_another_site_filled_in_is_not_offered(country, origin):
    alice = Client(enforce_csrf_checks=True)
    reply = alice.post("/report/", REPORT, headers={"Origin": origin} if origin else {})
    assert (reply.status_code, fields(reply)) == (403, {})


@pytest.fixture
def alice(country):
    mail.outbox.clear()
    user = User(username="alice", email="alice@demo.example")
    user.set_password(PASSWORD)
    user.save()
    return user


def with_mail():
    from django.conf import settings

    told = {name: getattr(settings.OPENCEIR, name) for name in settings.OPENCEIR.__dataclass_fields__}
    return override_settings(OPENCEIR=type(settings.OPENCEIR)(**{**told, "portal_mail_from": "register@demo.example"}))


def test_who_forgot_the_password_comes_back_by_a_link_that_works_once(alice):
    with with_mail():
        lost = Client()
        old = Client()
        old.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
        assert lost.post("/account/password/reset/", {"email": "Alice@Demo.Example"}).status_code == 302
        [letter] = mail.outbox
        assert letter.to == ["alice@demo.example"]
        [link] = re.findall(r"http://testserver(/account/password/reset/key/\S+)", letter.body)
        form = lost.get(link, follow=True).redirect_chain[-1][0]
        new = {"password1": "another sentence, as long", "password2": "another sentence, as long"}
        assert lost.post(form, new).status_code == 302
        assert old.get("/mine/").status_code == 302  # a session from before is over
        assert "password1" not in Client().get(link, follow=True).content.decode()
        reply = Client().post("/account/login/", {"login": "alice", "password": new["password1"]})
        assert reply.status_code == 302


def test_ones_address_is_changed_by_who_shows_the_password_again(alice):
    browser = Client()
    browser.post("/account/login/", {"login": "alice", "password": PASSWORD})
    asked = browser.get("/account/email/address/").headers["Location"]
    assert asked.startswith("/account/reauthenticate/")
    assert browser.post(asked, {"password": PASSWORD}).headers["Location"] == "/account/email/address/"
    assert "alice@demo.example" in browser.get("/account/email/address/").content.decode()
    assert 'value="no address"' in browser.post("/account/email/address/", {"email": "no address"}).content.decode()
    assert browser.post("/account/email/address/", {"email": "New@Demo.Example"}).headers["Location"] == "/account/"
    alice.refresh_from_db()
    assert alice.email == "new@demo.example"


def test_a_forgotten_password_tells_nobody_who_has_an_account(alice):
    with with_mail():
        pages = []
        for address in ("alice@demo.example", "nobody@demo.example"):
            reply = Client().post("/account/password/reset/", {"email": address})
            pages.append((reply.status_code, reply.headers["Location"]))
        assert pages[0] == pages[1]
        assert [letter.to[0] for letter in mail.outbox] == ["alice@demo.example", "nobody@demo.example"]
        assert "/password/reset/key/" not in mail.outbox[1].body


def test_a_new_password_opens_no_office_without_the_second_factor(client_of, alice):
    client_of("alice", PortalRole.POLICE_OFFICER)  # appointed, with a second factor
    with with_mail():
        Client().post("/account/password/reset/", {"email": alice.email})
        [link] = re.findall(r"http://testserver(/account/password/reset/key/\S+)", mail.outbox[0].body)
        lost = Client()
        form = lost.get(link, follow=True).redirect_chain[-1][0]
        lost.post(form, {"password1": "another sentence, as long", "password2": "another sentence, as long"})
        reply = lost.post("/account/login/", {"login": "alice", "password": "another sentence, as long"})
        assert reply.headers["Location"].startswith("/account/2fa/authenticate/")
        assert lost.get("/police/").status_code == 302


def test_without_mail_the_page_says_so(country):
    page = Client().get("/account/password/reset/").content.decode()
    assert "sends no e-mail" in page
    assert Alarm.objects.count() == 0
