"""What every page has: a language, a direction, headers, and refusals that say what to do."""

import pytest


@pytest.mark.parametrize(("code", "direction"), [("en", "ltr"), ("ar", "rtl"), ("hi", "ltr")])
def test_a_page_is_in_the_language_that_was_chosen(anybody, code, direction):
    anybody.post("/language", {"language": code, "next": "/"})
    page = anybody.get("/").content.decode()
    assert f'<html lang="{code}" dir="{direction}"' in page


def test_a_link_can_be_in_somebodys_language(anybody):
    assert 'lang="fr"' in anybody.get("/?language=fr").content.decode()
    assert 'lang="fr"' in anybody.get("/").content.decode()


def test_choosing_a_language_leads_to_no_other_host(anybody):
    for back in ("https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"):
        assert anybody.post("/language", {"language": "fr", "next": back}).headers["Location"] == "/"


def test_nothing_is_loaded_from_elsewhere_or_kept(anybody):
    headers = anybody.get("/").headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "no-store" in headers["Cache-Control"]
    assert headers["X-Frame-Options"] == "DENY"


def test_a_page_that_is_not_there_says_so(anybody):
    reply = anybody.get("/nonesuch")
    assert (reply.status_code, b"Page not found" in reply.content) == (404, True)


@pytest.mark.parametrize("path", ["/account/login/", "/account/signup/", "/livez", "/static/site/icon.svg"])
def test_what_anybody_may_open_opens(anybody, path):
    reply = anybody.get(path)
    reply.close()
    assert reply.status_code == 200


def test_readiness_names_what_is_not_ready(anybody):
    reply = anybody.get("/readyz")
    assert reply.status_code == 503
    assert reply.json()["checks"]["worker"].startswith("has not been heard of")
