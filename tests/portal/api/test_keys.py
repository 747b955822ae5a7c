"""Keys for programs: who makes them, what each opens, and how it ends."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from openceir.portal.accounts.models import Act, Appointment, User
from openceir.portal.accounts.roles import GRANTS, PortalRole
from openceir.portal.api.keys import KeyRefused, make_key
from openceir.portal.api.models import ApiKey
from openceir.portal.api.operations import api
from openceir.portal.api.scopes import SCOPES, of_company, of_partner
from portal.api.conftest import Program

TEXT = re.compile(r"openceir_[A-Za-z0-9_-]{43}")


def made_by(client, **more):
    told = {"name": "till-2", "scopes": ["check"], "per_day": "50", "expires_on": "2027-06-30", **more}
    return client.post("/api/keys/", told)


def text_in(reply):
    return TEXT.search(reply.content.decode())[0]


def test_a_company_makes_a_key_sees_it_once_and_ends_it(country, client_of, clock):
    iva = client_of("iva", PortalRole.IMPORTER)
    text = text_in(made_by(iva, scopes=["check", "stock"]))
    key = ApiKey.objects.get()
    assert (key.office, key.role, key.scopes, key.per_day) == ("importer", "importer", ["check", "stock"], 50)
    assert text not in str(key.__dict__)
    page = iva.get("/api/keys/").content.decode()
    assert "till-2" in page
    assert text not in page
    program = Program(text)
    assert program.send("check", {"identifiers": ["001001000000015"]}).status_code == 200
    assert 'datetime="2027-03-01"' in iva.get("/api/keys/").content.decode()  # when it was used last
    assert iva.post(f"/api/keys/{key.pk}/end/").status_code == 302
    assert program.send("check", {"identifiers": ["001001000000015"]}).status_code == 401
    assert list(Act.objects.filter(verb__startswith="api.").values_list("verb", "subject")) == [
        ("api.make-key", f"key-{key.pk}"),
        ("api.revoke-key", f"key-{key.pk}"),
    ]


def test_the_regulator_gives_a_partner_a_key_and_a_neighbour_ends_nobody_elses(country, client_of, clock):
    reg = client_of("reg", PortalRole.REGULATOR)
    assert "Partner" in reg.get("/api/keys/").content.decode()
    text_in(made_by(reg, partner="insurer", scopes=["reports"]))
    key = ApiKey.objects.get()
    assert (key.office, key.role) == ("insurer", "")
    mia = client_of("mia", PortalRole.MARKETPLACE)
    assert mia.post(f"/api/keys/{key.pk}/end/").status_code == 404
    assert client_of("rob", PortalRole.REGULATOR_SUPERVISOR).post(f"/api/keys/{key.pk}/end/").status_code == 302
    key.refresh_from_db()
    assert key.revoked_by == "rob"


def test_a_form_that_asks_too_much_is_answered_in_its_field(country, client_of, clock):
    iva = client_of("iva", PortalRole.IMPORTER)
    for wrong, said in (
        ({"scopes": ["dumps"]}, "Select a valid choice"),
        ({"scopes": ["reports"]}, "Select a valid choice"),
        ({"per_day": "100000000"}, "At most 100000 a day"),
        ({"expires_on": "2027-02-01"}, "This day has passed"),
        ({"expires_on": "2029-02-01"}, "lasts a year at most"),
        ({"name": "Till 2"}, "small letters"),
    ):
        assert said in made_by(iva, **wrong).content.decode(), wrong
    assert not ApiKey.objects.exists()
    made_by(iva)
    assert "already" in made_by(iva).content.decode()


def test_who_acts_for_no_company_makes_no_keys(country, client_of, people):
    assert client_of("alice").get("/api/keys/").status_code == 403
    assert client_of("ann", PortalRole.POLICE_OFFICER).get("/api/keys/").status_code == 403
    assert Client().get("/api/keys/").status_code == 302


def test_a_key_ends_with_its_day_and_with_its_makers_appointment(country, program, clock):
    asks = {"identifiers": ["001001000000015"]}
    one, partner = program("check", of=PortalRole.IMPORTER), program("check")
    Appointment.objects.update(until=clock.at)
    assert one.send("check", asks).status_code == 401
    assert partner.send("check", asks).status_code == 200  # the office of the regulator gave it, not the person
    clock.at += timedelta(days=31)
    assert partner.send("check", asks).status_code == 401


def test_an_account_that_was_closed_opens_nothing_by_its_keys(country, program):
    one = program("check", of=PortalRole.IMPORTER)
    User.objects.update(is_active=False)
    assert one.send("check", {"identifiers": ["001001000000015"]}).status_code == 401


# -- the matrix of scopes ------------------------------------------------------------------------------------------------


def operations():
    """Method, path with something in place of its parts, and the scope that the operation needs."""
    for path, view in api._routers[0][1].path_operations.items():
        yield from _of("", path, view)
    for prefix, router in api._routers[1:]:
        for path, view in router.path_operations.items():
            yield from _of(prefix, path, view)


def _of(prefix, path, view):
    for operation in view.operations:
        for guard in operation.auth_callbacks or [None]:
            full = re.sub(r"\{[a-z_]+\}", "1", f"/api{prefix}/{path.lstrip('/')}")
            for method in operation.methods:
                yield method, full, getattr(guard, "scope", None)


NEEDING = [row for row in operations() if row[2]]


def test_every_scope_opens_something_and_what_is_open_to_everybody_is_known():
    assert {scope for _, _, scope in NEEDING} == set(SCOPES)
    open_to_all = {path for _, path, scope in operations() if scope is None}
    assert open_to_all == {
        "/api/v1/check/1", "/api/v1/stats", "/api/v1/stats.csv", "/api/v1/proofs/checkpoint",
        "/api/v1/proofs/receipts/1", "/api/v1/proofs/consistency",
    }  # fmt: skip


def test_the_description_names_the_scope_of_each_operation(country):
    told = Client().get("/api/openapi.json").json()["paths"]
    said = {
        scope
        for operations in told.values()
        for operation in operations.values()
        for asked in operation.get("security", [])
        for scope in asked["Key"]
    }
    assert said == set(SCOPES)


@pytest.mark.parametrize("scope", list(SCOPES))
def test_a_key_opens_what_its_scope_names_and_nothing_else(country, program, scope):
    holder = next(
        (role for role in PortalRole if SCOPES[scope].permission and role in GRANTS[SCOPES[scope].permission]),
        PortalRole.REGULATOR,
    )
    one = program(scope, of=holder)
    wrong = []
    for method, path, needed in NEEDING:
        reply = one.generic(method, path, b"{}", content_type="application/json")
        refused = reply.status_code == 403 and reply.json()["code"] == "scope-missing"
        if refused is (needed == scope):
            wrong.append((method, path, needed, reply.status_code))
        assert reply.status_code < 500, (method, path, reply.content)
    assert wrong == []


@pytest.mark.parametrize("role", list(PortalRole))
def test_a_role_gives_what_it_may_do_itself_and_nothing_else(country, actor_as, clock, role):
    """Role x scope, tried whole against the rules."""
    actor = actor_as("somebody", role)
    is_regulator = role in GRANTS["api.give-partners-keys"]
    for name, scope in SCOPES.items():
        if is_regulator:
            may_give = not scope.permission
        else:
            may_give = not scope.for_others and (not scope.permission or role in GRANTS[scope.permission])
        try:
            make_key(
                actor, name=f"k-{name}", scopes=[name], per_day=1, expires_at=clock.at + timedelta(days=1),
                partner="insurer" if is_regulator else "",
            )  # fmt: skip
        except KeyRefused:
            assert not may_give, name
        else:
            assert may_give, name
    assert {one.name for one in of_partner()} | {one.name for one in of_company("operator")} <= set(SCOPES)


def test_a_scope_without_its_permission_opens_nothing(country, program, clock):
    """The appointment stands and the role lost the permission: nothing is done in its name."""
    one = program("stock", of=PortalRole.IMPORTER)
    ApiKey.objects.update(scopes=["dumps", "lists"])
    for path in ("dumps/1", "lists/importer/full"):
        reply = one.get(f"/api/v1/{path}")
        assert (reply.status_code, reply.json()["code"]) == (403, "not-allowed"), path
