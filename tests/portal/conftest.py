"""The portal of the small country: its register, a client for each role, and a clock that stands where the story is.

Django is set up once, on a database of the tests' own (SQLite in memory unless OPENCEIR_TEST_POSTGRESQL names a
server); each test runs in a transaction that is taken back. A test that needs several connections asks for
`real_database` instead.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from a_country import Storyland

_HOME = Path(tempfile.mkdtemp(prefix="openceir-portal-"))
os.environ["DJANGO_SETTINGS_MODULE"] = "openceir.portal.site.settings"
os.environ["OPENCEIR_HOME"] = str(_HOME)
if os.environ.get("OPENCEIR_TEST_POSTGRESQL"):
    os.environ["OPENCEIR_PORTAL_DATABASE"] = os.environ.pop("OPENCEIR_TEST_POSTGRESQL")

import django  # noqa: E402

django.setup()
os.environ.pop("OPENCEIR_HOME")  # other tests start servers of their own
os.environ.pop("OPENCEIR_PORTAL_DATABASE", None)

from django.db import connection, transaction  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402
from django.utils import translation  # noqa: E402

from openceir.portal import moment  # noqa: E402
from openceir.portal.accounts.models import Appointment, User  # noqa: E402
from openceir.portal.accounts.roles import PortalRole  # noqa: E402
from openceir.portal.citizens import pace  # noqa: E402
from openceir.portal.register import let_go  # noqa: E402
from openceir.portal.register import register as portal_register  # noqa: E402
from openceir.statements import Role  # noqa: E402

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)

OFFICE_OF = {
    PortalRole.POLICE_OFFICER: "police",
    PortalRole.POLICE_SUPERVISOR: "police",
    PortalRole.CUSTOMS_OFFICER: "customs",
    PortalRole.CUSTOMS_SUPERVISOR: "customs",
    PortalRole.IMPORTER: "importer",
    PortalRole.MAKER: "maker",
    PortalRole.DEALER: "dealer",
    PortalRole.OPERATOR: "northtel",
    PortalRole.MARKETPLACE: "marketplace",
    PortalRole.REGULATOR: "regulator",
    PortalRole.REGULATOR_SUPERVISOR: "regulator",
    PortalRole.AUDITOR: "auditor",
    PortalRole.ADMINISTRATOR: "regulator",
}


@pytest.fixture(scope="session")
def portal_database() -> Iterator[None]:
    setup_test_environment()
    connection.creation.create_test_db(verbosity=0)
    yield
    connection.creation.destroy_test_db("", verbosity=0)


@pytest.fixture
def database(portal_database: None) -> Iterator[None]:
    """The portal's database, as it was when the test ends."""
    # an answer that a test closes itself would end PostgreSQL's connection in the middle of the test's transaction
    connection.close_if_unusable_or_obsolete = lambda: None  # type: ignore[method-assign]
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    del connection.close_if_unusable_or_obsolete


@pytest.fixture(autouse=True)
def language_of_its_own() -> Iterator[None]:
    """A request leaves its language active in the thread; the next test begins without."""
    yield
    translation.deactivate()


class Clock:
    """What time it is in the story; moved by the test."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Noon of 1 March 2027, until the test moves it: `clock.at += timedelta(hours=72)`."""
    standing = Clock()
    moment.set_clock(standing)
    yield standing
    moment.set_clock()


class PortalCountry(Storyland):
    """Storyland whose register is the one that the portal has open: two would be two writers."""

    @property
    def register(self) -> Any:
        return portal_register()

    @register.setter
    def register(self, opened: Any) -> None:
        """The portal opens its own."""

    def reopen(self) -> None:
        let_go()


@pytest.fixture
def country(tmp_path: Path, database: None, clock: Clock) -> Iterator[Storyland]:
    """Storyland with its register (tests/a_country.py), open to the portal; every office has a key."""
    with override_settings(OPENCEIR_HOME=tmp_path / "home"):
        land = PortalCountry(tmp_path / "home")
        since = datetime(2026, 1, 1, tzinfo=UTC)
        for office, role in (
            ("customs", Role.CUSTOMS),
            ("importer", Role.IMPORTER),
            ("maker", Role.MAKER),
            ("northtel", Role.OPERATOR),
        ):
            land.register.new_key(office, member=office, roles=[role], valid_from=since)
        pace.forget()  # what other tests asked from this address in the same hour
        yield land
        let_go()


@pytest.fixture
def people(country: Storyland) -> Callable[..., User]:
    """`people("alice")` is a citizen; `people("ann", PortalRole.POLICE_OFFICER)` acts for the police."""

    def make(name: str, *roles: PortalRole, office: str = "") -> User:
        user, _ = User.objects.get_or_create(username=name, defaults={"full_name": name.title()})
        for role in roles:
            Appointment.objects.get_or_create(
                user=user,
                role=role,
                office=office or OFFICE_OF[role],
                defaults={"since": datetime(2026, 1, 1, tzinfo=UTC)},
            )
        return User.objects.get(pk=user.pk)

    return make


@pytest.fixture
def client_of(people: Callable[..., User]) -> Callable[..., Client]:
    """A browser without JavaScript in which somebody signed in with a second factor a moment ago.

    `client_of("ann", PortalRole.POLICE_OFFICER)`; `second_factor_s_ago=None`: with the password only.
    """

    def make(name: str, *roles: PortalRole, office: str = "", second_factor_s_ago: float | None = 1) -> Client:
        from allauth.account.internal.flows import login as flow
        from allauth.mfa.models import Authenticator

        user = people(name, *roles, office=office)
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        records: list[dict[str, Any]] = [{"method": "password", "at": time.time()}]
        if second_factor_s_ago is not None:
            Authenticator.objects.get_or_create(user=user, type=Authenticator.Type.TOTP, defaults={"data": {}})
            records.append({"method": "mfa", "type": "totp", "at": time.time() - second_factor_s_ago})
        session = client.session
        session[flow.AUTHENTICATION_METHODS_SESSION_KEY] = records
        session[flow._AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(user.pk)
        session.save()
        return client

    return make


@pytest.fixture
def anybody(country: Storyland) -> Client:
    """A browser without JavaScript and without an account."""
    return Client()
