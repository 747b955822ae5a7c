"""The API for programs: typed, counted, and refusing in one language."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client

from a_country import ALICES_PHONE, BOBS_PHONE
from openceir.identity import format_imei
from openceir.portal.device_check import full_check
from openceir.statements import DeviceSet, DeviceStolen

ROOT = Path(__file__).parents[3]
ALICES, BOBS = format_imei(ALICES_PHONE), format_imei(BOBS_PHONE)


@pytest.fixture
def partner(country, clock):
    """A program with a token; Alice's phone is stolen."""
    country.register.state(
        [DeviceStolen(devices=DeviceSet.of(ALICES_PHONE), stolen_at=clock.at, case_number="N-7")],
        by="police",
        at=clock.at,
    )
    country.register.ledger.hand_over()
    text = country.register.tokens.make("partner", "operator", at=clock.at, expires_at=clock.at + timedelta(days=1))
    return Client(headers={"Authorization": f"Bearer {text}"})


def send(client, path, body):
    return client.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json")


def lines(reply):
    return [json.loads(line) for line in b"".join(reply.streaming_content).decode().splitlines()]


def test_one_device_is_answered_to_anybody_as_the_full_answer_says(country, partner, clock):
    reply = Client().get(f"/api/v1/check/{ALICES}")
    assert reply.json() == full_check(country.register, ALICES, clock.at)
    assert reply.json()["verdict"] == "blocked"
    refused = Client().get("/api/v1/check/001001000000016")
    assert (refused.status_code, refused.headers["Content-Type"]) == (400, "application/problem+json")
    assert Client().get("/api/v1/check/89049032000001000000012345678901").status_code in {400, 404}


def test_a_thousand_are_answered_in_their_order_and_each_wrong_one_by_itself(country, partner):
    asked = [ALICES, BOBS, "001001000000016", *[BOBS] * 997]
    reply = send(partner, "check", {"identifiers": asked})
    assert reply.headers["Content-Type"] == "application/x-ndjson"
    said = lines(reply)
    assert [one["value"] for one in said] == asked
    assert [said[0]["verdict"], said[1]["verdict"], "code" in said[2]] == ["blocked", "not-registered", True]
    assert send(partner, "check", {"identifiers": [BOBS] * 1001}).status_code == 422


def test_the_answers_say_what_is_left_of_the_day_and_past_it_nothing_is_asked(country, partner, clock, monkeypatch):
    monkeypatch.setitem(country.register.__dict__, "settings", _with_limit(country.register.settings, 3))
    first = send(partner, "check", {"identifiers": [BOBS, BOBS]})
    assert first.headers["RateLimit"] == f'"day";r=1;t={12 * 3600}'
    assert first.headers["RateLimit-Policy"] == '"day";q=3;w=86400'
    lines(first)
    over = send(partner, "check", {"identifiers": [BOBS, BOBS]})
    assert (over.status_code, over.json()["code"], over.headers["Retry-After"]) == (429, "day-used-up", str(12 * 3600))
    last = send(partner, "check", {"identifiers": [BOBS]})
    assert last.headers["RateLimit"].startswith('"day";r=0;')
    lines(last)


def _with_limit(settings, limit):
    from dataclasses import replace

    return replace(settings, portal_api_per_day=limit)


@pytest.mark.parametrize("path", ["check", "listings:screen", "scan"])
def test_without_a_valid_token_nothing_is_told(country, partner, clock, path):
    refused = send(Client(), path, {})
    assert (refused.status_code, refused.json()["code"]) == (401, "token-required")
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    clock.at += timedelta(days=2)
    assert send(partner, path, {}).status_code == 401


def test_a_listing_is_told_its_findings_strongest_first_and_never_that_it_is_safe(country, partner):
    text = f"Nearly new. IMEI {ALICES[:6]} {ALICES[6:]}, the other one is IMEI {BOBS}"
    reply = send(partner, "listings:screen", {"listings": [{"id": "a", "text": text}, {"id": "b", "text": "A phone"}]})
    [first, second] = reply.json()
    assert [(one["level"], one["kind"]) for one in first["findings"]] == [(1, "reported"), (4, "unregistered")]
    evidence = first["findings"][0]["evidence"]
    assert f"\n{text}"[slice(*evidence["span"])] == evidence["shown"]
    assert [one["kind"] for one in second["findings"]] == ["hint"]
    assert "remove" in second["findings"][0]["next_step"]
    assert "safe" not in reply.content.decode()


def test_what_is_no_picture_is_refused_with_a_reason(country, partner):
    reply = partner.post("/api/v1/scan", b"no picture", content_type="image/png")
    assert (reply.status_code, reply.headers["Content-Type"]) == (400, "application/problem+json")
    assert reply.json()["detail"]


def test_no_number_reaches_the_log(country, partner, capfd):
    import re

    lines(send(partner, "check", {"identifiers": [ALICES]}))
    send(partner, "listings:screen", {"listings": [{"id": "a", "text": f"IMEI {ALICES}"}]})
    partner.get(f"/api/v1/check/{ALICES}")
    told = capfd.readouterr()
    assert "POST " in told.err
    assert not re.search(r"\d{14,16}", told.out + told.err)


def test_the_description_is_the_one_in_the_documents(country):
    """Renew it with scripts/renew-api-page.sh."""
    said = Client().get("/api/openapi.json").json()
    assert said["openapi"].startswith("3.1")
    assert json.loads((ROOT / "docs" / "reference" / "api.json").read_text(encoding="utf-8")) == said
