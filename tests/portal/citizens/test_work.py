"""Proof of work: asked beyond the free rate alone, checked by another implementation, spent once."""

import base64
import hashlib
import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import altcha
import pytest
from django.test import Client, override_settings
from hypothesis import given
from hypothesis import strategies as st

from a_country import ALICES_PHONE
from openceir.identity import format_imei
from openceir.portal.cases.models import Case
from openceir.portal.citizens import pace, work
from openceir.portal.citizens.models import SpentWork
from openceir.portal.citizens.solution import WorkRefused, read_solution
from openceir.portal.citizens.work import LARGEST_NUMBER, forget_spent, new_challenge, spend

NUMBER = format_imei(ALICES_PHONE)
REPORT = {
    "imeis": NUMBER, "what": "theft", "mode": "block", "happened_on": "2027-02-20", "name": "Alice",
    "once": "00000000-0000-4000-8000-000000000001",
}  # fmt: skip


def sent(challenge, number, **other):
    told = {name: challenge[name] for name in ("algorithm", "challenge", "salt", "signature")}
    return base64.b64encode(json.dumps({**told, "number": number, **other}).encode()).decode()


def solved(challenge):
    """By ALTCHA's own library."""
    found = altcha.solve_challenge_v1(
        challenge["challenge"], challenge["salt"], "SHA-256", max_number=challenge["maxnumber"]
    )
    return sent(challenge, found.number)


def our_key():
    import hmac

    from django.conf import settings

    return hmac.digest(settings.SECRET_KEY.encode(), b"proof of work", hashlib.sha256)


def test_altchas_own_library_solves_what_we_ask_and_we_take_what_it_asks(country, clock):
    challenge = new_challenge(clock.at)
    text = solved(challenge)
    assert altcha.verify_solution_v1(text, our_key(), check_expires=False) == (True, None)
    spend(text, clock.at)
    theirs = altcha.create_challenge_v1(
        max_number=LARGEST_NUMBER, hmac_key=our_key(), expires=clock.at + timedelta(minutes=30), salt_length=12
    )
    told = {"algorithm": theirs.algorithm, "challenge": theirs.challenge, "salt": theirs.salt,
            "signature": theirs.signature, "maxnumber": LARGEST_NUMBER}  # fmt: skip
    spend(solved(told), clock.at)


def an_easy(clock, monkeypatch):
    monkeypatch.setattr(work, "LARGEST_NUMBER", 500)
    return new_challenge(clock.at)


def test_it_is_spent_once_and_forgotten_when_it_could_not_be_spent_again(country, clock, monkeypatch):
    text = solved(an_easy(clock, monkeypatch))
    spend(text, clock.at)
    with pytest.raises(WorkRefused, match="spent already"):
        spend(text, clock.at)
    assert forget_spent(clock.at + timedelta(minutes=59)) == 0
    assert forget_spent(clock.at + timedelta(minutes=61)) == 1
    with pytest.raises(WorkRefused, match="too long ago"):
        spend(text, clock.at + timedelta(minutes=61))


def test_what_was_altered_or_not_asked_by_us_is_refused(country, clock, monkeypatch):
    challenge = an_easy(clock, monkeypatch)
    number = json.loads(base64.b64decode(solved(challenge)))["number"]
    other = hashlib.sha256(b"mine").hexdigest()
    later = challenge["salt"].replace("expires=1", "expires=2")
    for text in (
        sent(challenge, (number + 1) % 500),
        sent({**challenge, "signature": other}, number),
        sent({**challenge, "challenge": other}, number),
        sent({**challenge, "salt": later}, number),
        sent(challenge, number, algorithm="SHA-1"),
        sent(challenge, str(number)),
        sent(challenge, -number - 1),
        sent(challenge, True),
        "",
        "not base64",
        base64.b64encode(b"[" * 700).decode(),
    ):
        with pytest.raises(WorkRefused):
            spend(text, clock.at)
    assert not SpentWork.objects.exists()


def test_digits_cannot_be_moved_from_the_number_into_the_time(country, clock, monkeypatch):
    """The digest is of both in a row: without an end of the salt, `…expires=18000000001` and `23` are `…expires=1800000000` and `123`."""
    challenge = an_easy(clock, monkeypatch)
    assert challenge["salt"].endswith("&")
    for moved in (challenge["salt"] + "1", challenge["salt"][:-1]):
        with pytest.raises(WorkRefused):
            read_solution(sent({**challenge, "salt": moved}, 1))


@given(st.binary(max_size=300))
def test_any_octets_are_a_solution_or_refused(octets):
    for text in (octets.decode("latin-1"), base64.b64encode(octets).decode()):
        with suppress(WorkRefused):
            read_solution(text)


# -- the free rate -------------------------------------------------------------------------------------------------------


@pytest.fixture
def five_an_hour(country, monkeypatch):
    from django.conf import settings

    monkeypatch.setattr(work, "LARGEST_NUMBER", 500)
    with override_settings(OPENCEIR=replace(settings.OPENCEIR, portal_free_per_hour=5)):
        yield


def check(client=None, numbers=NUMBER, **more):
    return (client or Client()).post("/", {"identifiers": numbers, **more})


def challenge_in(reply):
    from html import unescape

    page = reply.content.decode()
    assert 'data-work="' in page
    return json.loads(unescape(page.split('data-work="')[1].split('"')[0]))


def test_the_first_check_is_never_held_up_however_long(five_an_hour):
    many = "\n".join(f"0010010000{n:04d}" for n in range(50))
    assert check(numbers=many).status_code == 200
    assert check().status_code == 429


def test_beyond_the_free_rate_work_is_asked_and_what_was_typed_stays(five_an_hour):
    for _ in range(5):
        reply = check()
        assert reply.status_code == 200
    assert 'data-work="' in reply.content.decode()  # so that it is done while the next number is typed
    held = check()
    assert (held.status_code, held.headers["Retry-After"]) == (429, "3600")
    page = held.content.decode()
    assert NUMBER in page
    assert "please wait 60 minutes" in page  # for those without scripts
    text = solved(challenge_in(held))
    assert check(altcha=text).status_code == 200
    assert check(altcha=text).status_code == 429  # spent


def test_a_neighbour_a_signed_in_person_and_the_next_hour_are_free(five_an_hour, client_of, clock):
    for _ in range(5):
        check()
    assert check().status_code == 429
    assert check(Client(REMOTE_ADDR="192.0.2.9")).status_code == 200
    assert check(client_of("alice")).status_code == 200
    clock.at += timedelta(hours=1)
    assert check().status_code == 200


def test_a_network_of_version_six_is_one_asker(five_an_hour):
    for host in range(5):
        check(Client(REMOTE_ADDR=f"2001:db8::{host + 1}"))
    assert check(Client(REMOTE_ADDR="2001:db8::ffff")).status_code == 429
    assert check(Client(REMOTE_ADDR="2001:db8:0:1::1")).status_code == 200


def test_reports_are_held_to_the_same_rate_and_open_no_case_before(five_an_hour):
    for _ in range(5):
        check()
    held = Client().post("/report/", REPORT)
    assert held.status_code == 429
    assert not Case.objects.exists()
    assert 'value="Alice"' in held.content.decode()
    done = Client().post("/report/", {**REPORT, "altcha": solved(challenge_in(held))})
    assert (done.status_code, Case.objects.count()) == (302, 1)
    for path in ("/report/", "/register/", "/appeal/"):
        assert 'data-work="' in Client().get(path).content.decode()


def test_nothing_of_who_asked_is_kept(five_an_hour):
    check(Client(REMOTE_ADDR="192.0.2.77"))
    kept = repr(vars(pace._hour))
    assert "192.0.2.77" not in kept
    assert b"192.0.2.77".hex() not in kept
