"""Every form that stands on a page of its own: what cannot be taken comes back as it was typed, with an error, and nothing happened."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.test import override_settings
from tests.portal.security.test_matrix import PERMITTED

from openceir.portal.accounts.roles import PortalRole

TYPED = "what <Ann> typed & more"
OPEN = ["/report/", "/register/", "/appeal/", "/case/", "/account/signup/", "/account/password/reset/"]
TEXTS = {"text", "email", "tel", "search", "textarea"}


class Forms(HTMLParser):
    """The forms of a page's main part: address, method, and each field's name with its kind."""

    def __init__(self, page):
        super().__init__()
        self.found, self._is_main = [], False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        if tag == "main":
            self._is_main = True
        elif tag == "form" and self._is_main:
            self.found.append((told.get("action") or "", told.get("method", "get"), {}))
        elif self.found and told.get("name") and tag in {"input", "textarea", "select"}:
            kind = told.get("type", "text") if tag == "input" else tag
            self.found[-1][2].setdefault(told["name"], (kind, told.get("value", "")))

    def handle_endtag(self, tag):
        self._is_main = self._is_main and tag != "main"


def try_forms(browser, address):
    """Fill in every post form of a page with text that fits nothing; how many came back with it. Asserts that none lost it."""
    page = browser.get(address)
    assert page.status_code < 500, address
    if page.status_code != 200 or "html" not in page.headers["Content-Type"] or page.streaming:
        page.close()
        return 0
    kept = 0
    for action, method, fields in Forms(page.content.decode()).found:
        texts = [name for name, (kind, _) in fields.items() if kind in TEXTS and name != "csrfmiddlewaretoken"]
        if method != "post" or not texts:
            continue
        told = {name: value for name, (kind, value) in fields.items() if kind == "hidden"}
        reply = browser.post(action or address, {**told, **dict.fromkeys(texts, TYPED)})
        assert reply.status_code < 500, action
        if reply.status_code != 200:  # it was taken: there are forms to which any text is a text
            continue
        said = reply.content.decode()
        assert "govuk-error-message" in said, (address, action)
        for name in texts:
            assert f'name="{name}"' in said, (address, name)
        assert said.count("what &lt;Ann&gt; typed &amp; more") >= len(texts), (address, texts)
        kept += 1
    return kept


def test_a_citizens_form_comes_back_as_it_was_typed(country, anybody):
    with override_settings(OPENCEIR=replace(settings.OPENCEIR, portal_mail_from="register@demo.example")):
        assert [address for address in OPEN if try_forms(anybody, address) == 0] == []


def test_a_form_of_ones_own_account_too(country, client_of):
    alice = client_of("alice")
    assert try_forms(alice, "/mine/") == 2  # one to add a device, one to take one over


@pytest.mark.parametrize("role", [PortalRole.REGULATOR_SUPERVISOR, PortalRole.POLICE_OFFICER, PortalRole.CUSTOMS_OFFICER, PortalRole.IMPORTER, PortalRole.MAKER, PortalRole.OPERATOR, PortalRole.AUDITOR])  # fmt: skip
def test_an_officers_form_too(country, client_of, role):
    somebody = client_of(f"a-{role}", role)
    kept = {address: try_forms(somebody, address) for address in PERMITTED if "999999" not in address}
    assert sum(kept.values()) >= 1
