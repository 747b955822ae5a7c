"""The HTTP door: one device and a thousand, beside a bare WSGI function on granian that reads the same rows."""

import json
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np

from bench import Beside, Row, Scale, meter
from openceir import clock
from openceir.app import open_register
from openceir.identity import format_imei
from openceir.statements import DeviceClassified, DeviceRegistered, DeviceSet, DeviceStolen, Role

_DEVICES = 285_000
_STOLEN = 20_000
_CLASSIFIED = 30_000
_SINGLE_CALLS = 2_000
_BATCH_CALLS = 30
_MARCH = datetime(2026, 3, 1, tzinfo=UTC)


def measure(work: Path, scale: Scale) -> list[Row]:
    """Both sizes are those of the peer's nation, whatever the scale."""
    home = work / f"http-{_DEVICES}-{_STOLEN}-{_CLASSIFIED}-1"
    if not (home / "complete").exists():
        _fill(home)
    made_at = clock.now()
    token = open_register(home).tokens.make(
        f"bench-{os.getpid()}", "operator", at=made_at, expires_at=made_at.replace(year=made_at.year + 1)
    )
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    values = [format_imei(f"{key:014d}") for key in _devices()[:: _DEVICES // 1000][:1000].tolist()]
    batch = json.dumps({"identifiers": values})

    with _served([sys.executable, "-m", "openceir", "--home", str(home), "serve", "--port"]) as (pid, ask):
        ours, ours_cpu = _time(pid, [lambda v=v: ask("GET", f"/v1/identifiers/{v}") for v in values], _SINGLE_CALLS)
        many, many_cpu = _time(pid, [lambda: ask("POST", "/v1/checks:batch", batch, headers)], _BATCH_CALLS)
    os.environ["BARE_DATABASE"] = str(home / "register.sqlite")
    granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--blocking-threads", "1", "bench.http:bare"]
    with _served([*granian, "--port"]) as (pid, ask):
        bare, bare_cpu = _time(pid, [lambda v=v: ask("GET", f"/{v[:14]}") for v in values], _SINGLE_CALLS)
    size = f"{_DEVICES + _STOLEN + _CLASSIFIED:,} claims"
    return [
        Row(
            name=f"check of one device over HTTP, {size}: p50", target="<= 2", unit="ms", measured=ours,
            cpu_seconds=ours_cpu * _SINGLE_CALLS,
            beside=(Beside(what="bare WSGI + SQLite", measured=bare), Beside(what="DIRBS 16.0.0, in process", measured=38)),
        ),
        Row(
            name="the same: CPU of the server a request", unit="us", measured=ours_cpu * 1e6,
            cpu_seconds=ours_cpu * _SINGLE_CALLS, beside=(Beside(what="bare WSGI + SQLite", measured=bare_cpu * 1e6),),
        ),
        Row(
            name=f"check of 1,000 devices in one request, {size}: p50", target="<= 50", unit="ms", measured=many,
            cpu_seconds=many_cpu * _BATCH_CALLS,
            beside=(Beside(what="DIRBS 16.0.0, in process", measured=7700),),
            note=f"{many_cpu * 1e3:.0f} ms of CPU each",
        ),
    ]  # fmt: skip


def _devices() -> Any:
    return np.unique(np.random.default_rng(1).integers(10**12, 9 * 10**13, _DEVICES))


def _fill(home: Path) -> None:
    register = open_register(home)
    register.new_key("regulator", member="regulator", roles=[Role.REGULATOR], valid_from=_MARCH)
    chance, keys = np.random.default_rng(2), _devices()
    stolen = chance.choice(keys, _STOLEN, replace=False).tolist()
    said = [
        DeviceRegistered(devices=DeviceSet.of(keys=keys), registered_on=_MARCH.date()),
        DeviceClassified(
            rule="duplicate", conditions=("duplicate_threshold",), blocking=True, marks_duplicate=True,
            policy_digest=bytes(32), as_of_on=_MARCH.date(), evidence_digest=bytes(32), block_on=_MARCH.date(),
            matched=DeviceSet.of(keys=chance.choice(keys, _CLASSIFIED, replace=False)),
        ),
        *(DeviceStolen(devices=DeviceSet.of(keys=[key]), stolen_at=_MARCH, case_number="N-7") for key in stolen),
    ]  # fmt: skip
    register.state(said, by="regulator", at=_MARCH)
    (home / "complete").touch()


def bare(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """The least that could answer: one read of the same rows by device, and JSON."""
    global _connection
    if _connection is None:
        _connection = sqlite3.connect(os.environ["BARE_DATABASE"], check_same_thread=False)
    rows = _connection.execute("SELECT said FROM claim WHERE device = ?", (int(environ["PATH_INFO"][1:]),)).fetchall()
    body = json.dumps({"rows": rows}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


_connection: sqlite3.Connection | None = None


@contextmanager
def _served(command: list[str]) -> Iterator[tuple[int, Callable[..., bytes]]]:
    """A server on a free port, and a way to ask it over one connection that is kept."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([*command, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        _settle(process.pid)
        connection = HTTPConnection("127.0.0.1", port, timeout=60)

        def ask(method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None) -> bytes:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            octets = reply.read()
            if reply.status != 200:
                raise RuntimeError(f"{method} answered {reply.status}: {octets[:200]!r}")
            return octets

        yield process.pid, ask
    finally:
        process.terminate()
        process.wait(timeout=30)


def _settle(pid: int) -> None:
    """Wait for what starts beside the answers, such as the portal's worker: a request does not cost its imports."""
    for _ in range(60):
        with meter(pid) as reading:
            time.sleep(1.0)
        if reading.cpu_seconds < 0.05:
            return


def _time(pid: int, calls: list[Callable[[], bytes]], count: int) -> tuple[float, float]:
    """Median wall milliseconds of a call, and the server's CPU seconds for one."""
    for call in calls[:200]:
        call()  # files and caches are warm, as they are in service
    took = []
    with meter(pid) as reading:
        for number in range(count):
            began = time.perf_counter()
            calls[number % len(calls)]()
            took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took), reading.cpu_seconds / count
