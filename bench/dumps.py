"""A dump sent in parts over HTTP to a running portal: what the server needs of memory and CPU, however large the dump."""

import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from socket import create_server

import httpx

from bench import Reading, Row, Scale, meter, read_apart
from openceir import clock

_PART = 8 << 20
_FIRST = 64 << 20  # a first dump warms up threads and caches: what the second adds to the peak is what its size costs


def _session(home: Path) -> dict[str, str]:
    """A home with an operator's engineer, signed in with a second factor; cookies by name."""
    from openceir.portal.prepare import prepare

    prepare(home)
    from allauth.account.internal.flows import login as flow
    from allauth.mfa.models import Authenticator
    from django.test import Client

    from openceir.portal.accounts.models import Appointment, User

    user = User.objects.create(username="ole")
    Appointment.objects.create(
        user=user, role="operator", office="northtel", since=clock.now() - timedelta(days=1), appointed_by="bench"
    )
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    session = client.session
    now = time.time()
    session[flow.AUTHENTICATION_METHODS_SESSION_KEY] = [
        {"method": "password", "at": now}, {"method": "mfa", "type": "totp", "at": now},
    ]  # fmt: skip
    session[flow._AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(user.pk)  # type: ignore[attr-defined]
    session.save()
    return {name: cookie.value for name, cookie in client.cookies.items()}


@contextmanager
def _served(home: Path) -> Iterator[tuple[int, str]]:
    """The portal as `openceir serve` starts it: its process and its address."""
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    asked = [sys.executable, "-m", "openceir", "--home", str(home), "serve", "--port", str(port)]
    process = subprocess.Popen(asked, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=8), timeout=60) as client:
            client.get(f"{address}/livez")
        yield process.pid, address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _send(client: httpx.Client, octets: int, day: int) -> None:
    """One dump of that size, part by part; it is refused when it is imported, which is none of what is measured here."""
    part = (b"20261001,00100100000001,001010000000001,999555000001,006\n" * (1 + _PART // 58))[:_PART]
    told = {"name": f"northtel_202610{day:02d}_202610{day:02d}.csv", "size": str(octets), "sha256": "0" * 64}
    begun = client.post("/operators/dumps/begin/", data=told).raise_for_status().json()
    at = 0
    while at < octets:
        sent = client.patch(begun["octets"], content=part[: octets - at], headers={"Upload-Offset": str(at)})
        assert sent.status_code == 204, sent.text
        at = int(sent.headers["Upload-Offset"])


def measure(work: Path, scale: Scale) -> list[Row]:
    """What a gigabyte costs a server that has taken a smaller dump before."""
    size = (1 << 30) if scale.name == "full" else (256 << 20)
    home = work / f"dumps-{secrets.token_hex(4)}"
    cookies, _ = read_apart(_session, home)
    with _served(home) as (process, address):
        token = secrets.token_hex(16)
        headers = {"X-CSRFToken": token, "Referer": address}
        with httpx.Client(
            base_url=address, cookies={**cookies, "csrftoken": token}, headers=headers, timeout=120
        ) as client:
            small, first = _metered(process, client, _FIRST, 1)
            large, second = _metered(process, client, size, 2)
    return [
        Row(
            name=f"a dump of {size >> 20:,} MB sent in parts of 8 MB: growth of the server's peak over one of {small >> 20} MB",
            target="<= 64", unit="MB", measured=second.peak_mb - first.peak_mb, cpu_seconds=second.cpu_seconds,
            peak_mb=second.peak_mb, note=f"{large / 1e6 / second.cpu_seconds:,.0f} MB a CPU-second; web and worker together",
        )
    ]  # fmt: skip


def _metered(process: int, client: httpx.Client, size: int, day: int) -> tuple[int, Reading]:
    with meter(process) as reading:
        _send(client, size, day)
    return size, reading
