"""The regulator's pages over a large register: the overview and a month with all its figures, from what is kept."""

import os
import sys
import time
from datetime import timedelta
from pathlib import Path

from bench import Row, Scale, meter, nation, read_apart
from bench.lists import AT, a_home
from openceir import clock
from openceir.app import open_register

_MONTH = f"{AT - timedelta(days=1):%Y-%m}"


def _count(home: Path) -> float:
    """Make the month's reports, as the worker does at night; their figures."""
    register = open_register(home)
    made = register.make_reports(_MONTH, at=AT)
    register.database.close()
    return sum(len(one.figures) for one in made)


def _pages(home: Path) -> dict[str, tuple[float, float, int]]:
    """Of each page: CPU milliseconds, milliseconds by the clock, octets."""
    from openceir.portal.prepare import prepare

    prepare(home)
    from django.test import Client

    from openceir.portal.accounts.models import Appointment, User
    from openceir.portal.regulator.desk_figures import make_desk_figures

    sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
    make_desk_figures(_MONTH)
    user, _ = User.objects.get_or_create(username="reg")
    since = clock.now() - timedelta(days=1)
    Appointment.objects.get_or_create(
        user=user, role="regulator", office="regulator", defaults={"since": since, "appointed_by": "bench"}
    )
    client = Client(headers={"Accept-Encoding": "identity"}, HTTP_HOST="localhost")
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    _second_factor(client, user)
    found = {}
    for name, path in (("overview", "/regulator/"), ("month", f"/regulator/figures/{_MONTH}/")):
        answer = client.get(path)
        assert answer.status_code == 200, answer.status_code
        began = time.perf_counter()
        with meter() as reading:
            for _ in range(20):
                client.get(path)
        took = (time.perf_counter() - began) / 20 * 1e3
        found[name] = (reading.cpu_seconds / 20 * 1e3, took, len(answer.content))
    return found


def _second_factor(client: "object", user: "object") -> None:
    """Set up and shown a moment ago, as whoever reads the page has done."""
    from allauth.account.internal.flows import login as flow
    from allauth.mfa.models import Authenticator

    Authenticator.objects.get_or_create(user=user, type=Authenticator.Type.TOTP, defaults={"data": {}})
    session = client.session  # type: ignore[attr-defined]
    session[flow.AUTHENTICATION_METHODS_SESSION_KEY] = [
        {"method": "password", "at": time.time()},
        {"method": "mfa", "type": "totp", "at": time.time()},
    ]
    session[flow._AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(user.pk)  # type: ignore[attr-defined]
    session.save()


def measure(work: Path, scale: Scale) -> list[Row]:
    """The two pages that a regulator opens in the morning, and what the night before cost."""
    country = nation.make(work, rows=scale.large)
    home = a_home(work, country)
    figures, counting = read_apart(_count, home)
    pages, reading = read_apart(_pages, home)
    (overview, wall, _), (month, month_wall, octets) = pages["overview"], pages["month"]
    what = f"of a register of {country.rows:,} sightings"
    return [
        Row(
            name=f"regulator's overview {what}", target="<= 300", unit="CPU ms/page", measured=overview,
            cpu_seconds=reading.cpu_seconds, peak_mb=reading.peak_mb, note=f"{wall:.0f} ms by the clock, from figures that are kept",
        ),
        Row(
            name=f"a month with all its figures {what}", target="<= 300", unit="CPU ms/page", measured=month,
            cpu_seconds=reading.cpu_seconds, peak_mb=reading.peak_mb, note=f"{month_wall:.0f} ms by the clock, {octets >> 10} kB",
        ),
        Row(
            name=f"a month's figures counted {what}", unit="CPU-s", measured=counting.cpu_seconds,
            cpu_seconds=counting.cpu_seconds, peak_mb=counting.peak_mb, note=f"{figures:.0f} figures, the country's and each operator's",
        ),
    ]  # fmt: skip
