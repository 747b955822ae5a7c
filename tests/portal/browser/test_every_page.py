"""What holds of every page that anybody may open."""

import gzip

import httpx
import pytest

PAGES = [
    "/", "/account/login/", "/account/signup/", "/report/", "/register/", "/appeal/", "/case/", "/receipts/", "/figures/",
    *(f"/help/{name}/" for name in ("find", "buying", "stolen", "copied", "travel", "privacy", "accessibility")),
]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_accessible_narrow_and_asks_nobody_else(look, path):
    look(path)


@pytest.mark.parametrize("path", ["/mine/", "/account/", "/account/2fa/", "/account/password/change/"])
def test_a_page_of_ones_own_account_is_too(look, path):
    look(path, as_="alice")


def test_the_first_load_of_the_first_page_is_at_most_20_kb(browse, served):
    """Octets of the page and of everything it asks for, as they cross the network, packed."""
    page = browse("/")
    total = 0
    with httpx.Client(headers={"Accept-Encoding": "gzip"}) as client:
        for url in dict.fromkeys(page.asked):
            with client.stream("GET", url) as reply:
                total += len(b"".join(reply.iter_raw()))
    assert 5_000 < total <= 20_000


def test_style_sheets_are_handed_out_packed_and_as_they_were_built(served):
    for name in ("core", "core.rtl"):
        with httpx.stream(
            "GET", f"{served.address}/static/site/{name}.css", headers={"Accept-Encoding": "gzip"}
        ) as reply:
            packed = b"".join(reply.iter_raw())
        plain = httpx.get(f"{served.address}/static/site/{name}.css", headers={"Accept-Encoding": "identity"}).content
        assert gzip.decompress(packed) == plain


def test_a_check_works_with_and_without_javascript_and_its_verdict_is_accessible(browse, check_page):
    for javascript in (True, False):
        page = browse("/", javascript=javascript, width=320)
        page.fill("#id_identifiers", "001001000000023")
        page.click("form[enctype] button:not([type=button])")
        page.wait_for_selector(".app-verdict--blocked")
        assert "reported stolen" in page.inner_text("main")
        if javascript:
            check_page(page)


def test_an_error_leads_to_its_field(browse, check_page):
    page = browse("/report/", width=320)
    page.fill("#id_imeis", "123")
    page.click("main form button")
    page.click(".govuk-error-summary a[href='#id_imeis']")
    assert page.evaluate("document.activeElement.id") == "id_imeis"
    check_page(page)
    assert page.get_attribute("#id_imeis", "aria-describedby") == "id_imeis-hint id_imeis-error"


def test_a_case_is_opened_by_reference_and_secret_and_is_accessible(browse, served, check_page):
    reference, secret = served.known["report"]
    for language in ("en", "ar"):
        page = browse("/case/", language=language, width=320)
        page.fill("#id_reference", reference)
        page.fill("#id_secret", secret)
        page.click("main form button")
        page.wait_for_selector(".app-timeline")
        check_page(page)
