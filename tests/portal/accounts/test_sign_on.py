"""Signing in by an identity provider: a real one, which insists on state, nonce and PKCE, and then two that lie."""

import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.conf import settings
from django.test import Client, override_settings

from openceir.portal.accounts.models import User
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.site.identity import forms_may_lead_to, providers_of
from openceir.settings import Settings, SettingsError

pytestmark = pytest.mark.skipif(
    not find_spec("oidc_provider_mock") or not find_spec("jwt"), reason="pip install -e '.[test]' brings the provider"
)
PROVIDER = Path(__file__).with_name("an_identity_provider.py")
BUTTON = "/account/office/sign-in/"


@pytest.fixture
def vouched(request, country, tmp_path):
    """The portal with this identity provider in its settings; its address."""
    (tmp_path / "oidc.secret").write_text("a secret of ours and of the provider's\n")
    (tmp_path / "oidc.secret").chmod(0o600)
    process = subprocess.Popen(
        [sys.executable, str(PROVIDER), *getattr(request, "param", ())],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{int(process.stdout.readline())}"
        told = replace(settings.OPENCEIR, portal_oidc_issuer=address, portal_oidc_client_id="register")
        told = replace(told, portal_oidc_secret_file="oidc.secret")
        with override_settings(OPENCEIR=told, SOCIALACCOUNT_PROVIDERS=providers_of(told, tmp_path)):
            yield address
    finally:
        process.kill()
        process.communicate()


def goes_there(browser):
    """Press the button; the address that the browser is sent to."""
    assert browser.get(BUTTON).status_code == 200  # a page with a button: a link alone signs nobody in
    return browser.post(BUTTON).headers["Location"]


def is_sent_back(there, sub="officer-7"):
    """Sign in at the provider; the path that it sends the browser back to."""
    reply = httpx.post(there, data={"sub": sub}, timeout=60)
    assert reply.status_code in {302, 303}, reply.text
    back = urlsplit(reply.headers["Location"])
    return f"{back.path}?{back.query}"


def signs_in(browser):
    return browser.get(is_sent_back(goes_there(browser)))


def test_who_is_vouched_for_gets_an_account_and_no_office(vouched):
    ann = Client()
    assert "your office&#x27;s sign-in" in ann.get("/account/login/").content.decode()
    assert signs_in(ann).status_code == 302
    user = User.objects.get()
    assert (user.username, user.full_name, user.email, user.has_usable_password()) == (
        "ann",
        "Ann O. Fficer",
        "",
        False,
    )
    assert ann.get("/mine/").status_code == 200
    assert ann.get("/police/").status_code == 403
    assert signs_in(Client()).status_code == 302
    assert User.objects.count() == 1  # the same person again


def test_a_name_that_is_taken_is_given_to_nobody_else(vouched, people):
    people("ann", PortalRole.POLICE_OFFICER)
    other = Client()
    assert signs_in(other).status_code == 302
    assert sorted(User.objects.values_list("username", flat=True))[0] == "ann"
    assert User.objects.count() == 2
    assert other.get("/police/").status_code == 403


def test_an_officer_shows_the_second_factor_that_is_kept_here(vouched, people, client_of):
    signs_in(Client())
    client_of("ann", PortalRole.POLICE_OFFICER)  # appointed, with a second factor
    ann = Client()
    assert signs_in(ann).headers["Location"].startswith("/account/2fa/authenticate/")
    assert ann.get("/police/").headers["Location"].startswith("/account/login/")


def test_the_request_carries_state_nonce_and_pkce_and_none_of_them_twice(vouched):
    first, second = (parse_qs(urlsplit(goes_there(Client())).query) for _ in range(2))
    assert first["code_challenge_method"] == ["S256"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 16
        assert first[name] != second[name], name
    assert first["redirect_uri"] == ["http://testserver/account/office/sign-in/back/"]


def refused(browser, back):
    reply = browser.get(back)
    assert reply.status_code == 401
    assert "could not be signed in" in reply.content.decode()
    assert User.objects.count() == 0


def test_an_answer_in_another_browser_or_a_second_time_signs_nobody_in(vouched):
    ann, mallory = Client(), Client()
    back = is_sent_back(goes_there(ann))
    goes_there(mallory)
    refused(mallory, back)
    refused(ann, back.replace("state=", "state=x"))
    assert ann.get(back).status_code == 302
    User.objects.all().delete()
    refused(ann, back)


@pytest.mark.parametrize("vouched", [("nonce",), ("key",)], indirect=True, ids=["nonce", "key"])
def test_a_token_of_another_request_or_by_another_key_signs_nobody_in(vouched):
    ann = Client()
    refused(ann, is_sent_back(goes_there(ann)))


def test_a_refusal_at_the_provider_is_a_page(vouched):
    ann = Client()
    reply = httpx.post(goes_there(ann), data={"action": "deny"}, timeout=60)
    back = urlsplit(reply.headers["Location"])
    refused(ann, f"{back.path}?{back.query}")


def test_without_the_setting_there_is_no_such_door(country):
    assert Client().get(BUTTON).status_code == 404
    assert "/account/office/" not in Client().get("/account/login/").content.decode()


def test_a_provider_that_others_could_read_along_stops_the_start(tmp_path):
    told = Settings(portal_oidc_issuer="http://id.example", portal_oidc_client_id="register")
    with pytest.raises(SettingsError, match="expected https"):
        providers_of(told, tmp_path)
    with pytest.raises(SettingsError, match="client_id"):
        providers_of(Settings(portal_oidc_issuer="https://id.example"), tmp_path)
    assert forms_may_lead_to(Settings(portal_oidc_issuer="https://id.example/realms/x")) == ["https://id.example"]
