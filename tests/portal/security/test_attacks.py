"""What somebody with bad intentions tries first, against the portal as it is configured. docs/security.md names these."""

import re

import pytest
from django.test import Client

from openceir.portal.accounts.models import User
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.site.middleware import RefusalsAsPages

PASSWORD = "a long enough sentence"
WRONG = "not that sentence at all"
PUBLIC = (
    "/",
    "/report/",
    "/register/",
    "/appeal/",
    "/case/",
    "/figures/",
    "/receipts/",
    "/account/login/",
    "/account/signup/",
)
FIFTEEN = re.compile(r"\d{14,16}")


@pytest.fixture
def accounts(country):
    for name in ("alice", "bob"):
        user = User(username=name)
        user.set_password(PASSWORD)
        user.save()


def signs_in(name, password=PASSWORD, address="192.0.2.1", client=None, **more):
    browser = client or Client(REMOTE_ADDR=address)
    return browser.post("/account/login/", {"login": name, "password": password, **more}, REMOTE_ADDR=address)


def is_in(reply):
    return reply.status_code == 302 and "login" not in reply.headers["Location"]


def test_guessing_one_persons_password_locks_that_name_at_that_address_and_no_neighbour(accounts):
    """Thousands share one address behind an operator's NAT."""
    for _ in range(9):
        signs_in("alice", WRONG)
    assert signs_in("alice").status_code == 429
    assert signs_in("ALICE").status_code == 429
    assert is_in(signs_in("bob"))
    assert is_in(signs_in("alice", address="192.0.2.2"))


def test_a_session_from_before_signing_in_is_worth_nothing_after(accounts):
    browser = Client()
    browser.get("/")
    session = browser.session
    session["planted"] = "by mallory"
    session.save()
    before = browser.session.session_key
    browser.cookies["sessionid"] = before
    assert is_in(signs_in("alice", client=browser))
    assert browser.cookies["sessionid"].value != before
    stolen = Client()
    stolen.cookies["sessionid"] = before
    assert stolen.get("/mine/").status_code == 302


def test_signing_out_ends_the_session_on_the_server(accounts):
    browser = Client()
    signs_in("alice", client=browser)
    kept = browser.cookies["sessionid"].value
    browser.post("/account/logout/")
    again = Client()
    again.cookies["sessionid"] = kept
    assert again.get("/mine/").status_code == 302


def test_whether_a_name_has_an_account_is_not_told(accounts):
    known, unknown = signs_in("alice", WRONG), signs_in("nobody", WRONG)
    assert known.status_code == unknown.status_code == 200
    token = re.compile(r'(csrfmiddlewaretoken" value|value)="[^"]*"')
    assert token.sub("", known.content.decode()) == token.sub("", unknown.content.decode())


@pytest.mark.parametrize(
    "path", ["/", "/report/", "/register/", "/appeal/", "/case/", "/language", "/account/login/", "/watch"]
)
def test_a_form_of_another_site_is_refused(country, path):
    stranger = Client(enforce_csrf_checks=True)
    stranger.get("/")
    assert stranger.post(path, {"identifiers": "001001000000015"}).status_code == 403


@pytest.mark.parametrize(
    "elsewhere", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)", "/\\elsewhere.example"]
)
def test_signing_in_leads_to_no_other_host(accounts, elsewhere):
    reply = signs_in("alice", next=elsewhere)
    assert reply.headers["Location"] == "/"


def test_a_foreign_host_name_is_not_answered(country):
    assert Client().get("/", HTTP_HOST="elsewhere.example").status_code == 400
    reply = Client().get("/mine/", HTTP_X_FORWARDED_HOST="elsewhere.example")
    assert "elsewhere" not in reply.headers["Location"]


@pytest.mark.parametrize("path", PUBLIC)
def test_each_page_allows_no_foreign_and_no_inline_code(anybody, path):
    reply = anybody.get(path)
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy.replace("wasm-unsafe-eval", "")
    assert "http" not in policy
    assert reply.headers["X-Frame-Options"] == "DENY"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Referrer-Policy"] == "same-origin"
    page = reply.content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=|[^>]*type=.application/json)|<style|\son\w+=|javascript:", page)


def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(accounts):
    browser = Client()
    browser.get("/account/login/")
    signs_in("alice", client=browser)
    for name in ("sessionid", "csrftoken"):
        assert browser.cookies[name]["httponly"], name
        assert browser.cookies[name]["samesite"] == "Lax", name


def test_a_password_that_is_short_common_or_ones_name_is_refused(country):
    for password in ("short", "password1234", "mallory-mallory"):
        Client().post("/account/signup/", {"username": "mallory-mallory", "password1": password, "password2": password})
        assert not User.objects.filter(username="mallory-mallory").exists()


def test_what_a_person_types_is_shown_as_text(anybody):
    page = anybody.post("/", {"identifiers": "<script>alert(1)</script>"}).content.decode()
    assert "<script>alert" not in page


def test_a_fault_of_ours_shows_and_logs_no_number(country, rf_request, capfd):
    """The message of an exception may hold anything: neither page nor log repeats it."""
    fault = ValueError("could not read 001001000000015 of 999555000001")
    try:
        raise fault
    except ValueError as raised:
        reply = RefusalsAsPages(lambda request: None).process_exception(rf_request, raised)
    logged = capfd.readouterr().err
    assert reply.status_code == 500
    assert "fault ValueError" in logged
    assert not FIFTEEN.search(logged + reply.content.decode())


@pytest.fixture
def rf_request(anybody):
    from django.contrib.auth.models import AnonymousUser
    from django.test import RequestFactory

    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    request.session = anybody.session
    return request


def test_no_number_of_a_device_reaches_the_log_of_the_web(country, anybody, client_of, capfd):
    """Typed, mistyped, in a query, in a path that is not there, in an upload's name, at the roadside."""
    number = "001001000000015"
    anybody.get(f"/?identifiers={number}")
    anybody.post("/", {"identifiers": f"{number} 001001000000016"})
    anybody.get(f"/nonesuch/{number}")
    anybody.post("/report/", {"identifiers": number, "what": "theft"})
    anybody.post(f"/case/{number}/", {})
    ann = client_of("ann", PortalRole.POLICE_OFFICER)
    ann.post("/police/roadside/", {"identifiers": number, "number": number})
    told = capfd.readouterr()
    assert "GET " in told.err
    assert not FIFTEEN.search(told.err + told.out)


def test_no_number_of_a_device_reaches_the_log_of_the_worker(country, clock, capfd):
    from datetime import timedelta

    from openceir.portal.cases import deadlines
    from openceir.portal.cases.models import Case

    case, _ = Case.open("theft", devices=["00100100000001"])

    @deadlines.on_deadline("a-test-that-fails")
    def fails(deadline):
        raise ValueError("cannot do it for 001001000000015")

    case.due("a-test-that-fails", clock.at)
    clock.at += timedelta(minutes=1)
    deadlines.keep_deadlines(clock.at)
    told = capfd.readouterr()
    assert not FIFTEEN.search(told.err + told.out)
