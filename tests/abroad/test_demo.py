"""The measured path, with a process for everything, over TLS and S13 on this machine."""

import json
import ssl
import subprocess
import sys
from contextlib import ExitStack

import httpx
import pytest

from openceir import clock
from openceir.abroad.certificates import Certificates
from openceir.abroad.country import Country, founded_by, wait_until
from openceir.abroad.theft import follow_theft
from openceir.eir.attributes import Status

PHONE, SECOND = "00100100000001", "00100100000035"


def a_stranger_is_not_let_in(country, certificates, folder):
    """The door's TLS: no certificate, or one of another authority, and nothing is answered."""
    others = Certificates(folder / "others", clock.now())
    stranger = ssl.create_default_context(cafile=str(certificates.authority))
    stranger.load_cert_chain(*map(str, others.of("stranger")))
    for context in (ssl.create_default_context(cafile=str(certificates.authority)), stranger):
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"{country.address}/checkpoint", verify=context, trust_env=False)


@pytest.mark.slow
def test_a_theft_stated_at_one_desk_is_blocked_by_the_networks_of_four_nations(tmp_path):
    certificates = Certificates(tmp_path / "certificates", clock.now())
    countries = {code: Country(tmp_path, code, f"{code} (made up)", certificates) for code in ("XA", "XB", "XC", "XD")}
    with ExitStack() as closing:
        for country in countries.values():
            closing.callback(country.close)
        for country in countries.values():
            closing.callback(country.begin_to_stop)
        founded_by(countries, "northern", quorum=3)
        for country in countries.values():
            country.open_door()
            country.serve_its_networks()
            country.follow()
        wait_until(
            lambda: all(country.network_says(PHONE) is Status.UNKNOWN for country in countries.values()),
            "the countries to be up",
            countries=countries,
        )
        theft = follow_theft(countries, "XA", PHONE)
        assert set(theft.received_s) == {"XB", "XC", "XD"}
        assert set(theft.listed_s) == set(theft.blocked_s) == set(countries)
        for code, blocked_s in theft.blocked_s.items():
            assert theft.logged_s <= theft.received_s.get(code, theft.logged_s) <= blocked_s
        answer = countries["XD"].register.check(PHONE, clock.now())
        assert (answer.status.name, answer.reasons[0].issuer) == ("BLOCKED", "xa-police")
        a_stranger_is_not_let_in(countries["XA"], certificates, tmp_path)
        # A member's door and follower are killed while others work; nothing waits for it, and it catches up.
        for name in ("door", "follow"):
            countries["XB"].kill(name)
        entry = countries["XA"].steals(SECOND)
        wait_until(lambda: countries["XC"].has_received(entry.leaf_hash), "the second theft", countries=countries)
        assert not countries["XB"].has_received(entry.leaf_hash)
        countries["XB"].open_door()
        countries["XB"].follow()
        wait_until(
            lambda: countries["XB"].network_says(SECOND) is Status.BLOCKED, "XB to catch up", countries=countries
        )
        for country in countries.values():
            country.register.verify_ledger()
        assert len({country.register.federation().root() for country in countries.values()}) == 1


@pytest.mark.slow
def test_the_demo_tells_what_happened_and_ends_well(tmp_path):
    command = [sys.executable, "-m", "openceir", "federation", "demo", "--json", "--keep", str(tmp_path / "demo")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert set(facts["theft"]["blocked_s"]) == {"XA", "XB", "XC"}
    assert set(facts["fork"]["caught_s"]) == {"XB", "XC"}
    [proof] = (tmp_path / "demo" / "xb" / "federation" / "forks").iterdir()
    verify = [sys.executable, "-m", "openceir", "federation", "verify-fork", str(proof)]
    assert subprocess.run(verify, capture_output=True, check=False).returncode == 0
