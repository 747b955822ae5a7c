"""The role x action matrix: read off the rules (GRANTS) and the addresses, and tried whole."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from openceir.portal.accounts.roles import GRANTS, PortalRole

# Everybody's doors; every address of the other apps stands behind a guard.
PUBLIC_APPS = {"citizens", "channels", "site"}
PUBLIC_PAGES = {
    "proofs", "proof_receipt", "proof_checkpoints", "account_reset_password", "openid_connect_login", "openid_connect_callback",
}  # fmt: skip
FILLED = {"int": 999_999, "str": "nothing", "slug": "nothing", "path": "nothing", "uuid": "0" * 32}


def addresses(patterns: list[Any] | None = None, before: str = "/") -> Iterator[tuple[str, URLPattern]]:
    """Every address of the portal with something in the place of its arguments, and its pattern."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        text = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from addresses(one.url_patterns, text)
            continue
        for name in one.pattern.converters:
            kind = next(kind for kind in (*FILLED, "") if f"<{kind}:{name}>" in text or not kind)
            text = text.replace(f"<{kind}:{name}>" if kind else f"<{name}>", str(FILLED[kind or "str"]))
        yield text, one


def app_of(pattern: URLPattern) -> str:
    parts = pattern.callback.__module__.split(".")
    return parts[2] if parts[:2] == ["openceir", "portal"] else ""


GUARDED = [
    (address, pattern.name)
    for address, pattern in addresses()
    if app_of(pattern) and app_of(pattern) not in PUBLIC_APPS and pattern.name not in PUBLIC_PAGES
]
PERMITTED = {address: p.callback.permission for address, p in addresses() if hasattr(p.callback, "permission")}


def tried(client, address):
    """GET, or the first other method that the address takes."""
    for method in (client.get, client.post, client.patch):
        reply = method(address)
        reply.close()
        if reply.status_code != 405:
            break
    return reply


def test_the_matrix_has_something_in_it():
    assert len(PERMITTED) > 25
    assert len(GRANTS) > 20
    assert set(PERMITTED.values()) <= GRANTS.keys()


@pytest.mark.parametrize("role", list(PortalRole))
def test_a_role_opens_what_the_rules_grant_it_and_nothing_else(country, client_of, role):
    somebody = client_of(f"a-{role}", role)
    wrong = []
    for address, permission in PERMITTED.items():
        reply = tried(somebody, address)
        if (reply.status_code == 403) is (role in GRANTS[permission]):
            wrong.append((address, permission, reply.status_code))
    assert wrong == []


def test_a_citizen_and_a_stranger_open_none_of_it(country, client_of, anybody):
    alice = client_of("alice")
    for address, name in GUARDED:
        reply = tried(anybody, address)
        assert (reply.status_code, reply.headers.get("Location", "")[:15]) == (302, "/account/login/"), name
        assert tried(alice, address).status_code in {403, 200, 302} - ({200} if address in PERMITTED else set()), name
    for address in PERMITTED:
        assert tried(alice, address).status_code == 403, address


@pytest.mark.parametrize("role", [PortalRole.POLICE_OFFICER, PortalRole.REGULATOR_SUPERVISOR, PortalRole.AUDITOR])
def test_a_password_alone_opens_no_office(country, client_of, role):
    somebody = client_of("someone", role, second_factor_s_ago=None)
    for address, permission in PERMITTED.items():
        if role in GRANTS[permission]:
            reply = tried(somebody, address)
            assert reply.status_code == 302, address
            assert reply.headers["Location"].startswith("/account/2fa/"), address


def test_an_appointment_that_ended_opens_nothing(country, client_of, clock):
    from openceir.portal.accounts.models import Appointment

    ann = client_of("ann", PortalRole.POLICE_OFFICER)
    assert ann.get("/police/").status_code == 200
    Appointment.objects.filter(user__username="ann").update(until=clock.at)
    assert ann.get("/police/").status_code == 403
