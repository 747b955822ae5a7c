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
