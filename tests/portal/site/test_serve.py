"""`openceir serve` from an empty folder: web and worker start, stop cleanly, and outlive each other's deaths."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from random import sample

import httpx

_WAITS_S = 90


def free_port():
    for port in sample(range(20_000, 32_000), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("a hundred ports of 127.0.0.1 are all taken")


def children_of(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(path.parent.name))
    return found


def worker_of(parent: int) -> int | None:
    for pid in children_of(parent):
        with suppress(OSError):
            if b"worker\0--with-parent" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
    return None


def wait_for(what):
    until = time.monotonic() + _WAITS_S
    while time.monotonic() < until:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def started(home: Path):
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENCEIR_", "DJANGO_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "openceir", "--home", str(home), "serve", "--port", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    return process, f"http://127.0.0.1:{port}"


def test_an_empty_folder_becomes_a_portal_with_a_worker_that_is_kept_alive_and_stops_with_it(tmp_path):
    process, address = started(tmp_path / "home")
    try:
        with httpx.Client(base_url=address, transport=httpx.HTTPTransport(retries=8), timeout=60) as client:
            assert client.get("/livez").status_code == 200
            wait_for(lambda: client.get("/readyz").status_code == 200)
            assert "Check a device" in client.get("/").text
            assert client.get("/v1/identifiers/001001000000015").json()["status"] == "unknown"
            wait_for(lambda: client.get("/api/v1/check/001001000000015").status_code == 200)  # compiled by the worker
            first = worker_of(process.pid)
            os.kill(first, signal.SIGKILL)
            again = wait_for(lambda: worker_of(process.pid) not in {None, first} and worker_of(process.pid))
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(_WAITS_S) in {0, -signal.SIGTERM}
    assert ended(again)
    for name in ("portal.sqlite", "portal/secret.key"):
        assert (tmp_path / "home" / name).stat().st_mode & 0o077 == 0


def test_a_server_that_is_killed_leaves_no_worker_and_a_portal_that_starts_again(tmp_path):
    home = tmp_path / "home"
    process, address = started(home)
    with httpx.Client(base_url=address, transport=httpx.HTTPTransport(retries=8), timeout=60) as client:
        wait_for(lambda: client.get("/readyz").status_code == 200)
        worker = worker_of(process.pid)
        workers = children_of(process.pid)
    process.kill()
    process.wait()
    for pid in workers:  # granian's own children end by themselves or are ended here, by their ids
        with suppress(OSError):
            if pid != worker:
                os.kill(pid, signal.SIGKILL)
    wait_for(lambda: ended(worker))
    with closing(sqlite3.connect(home / "portal.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    process, address = started(home)
    try:
        with httpx.Client(base_url=address, transport=httpx.HTTPTransport(retries=8), timeout=60) as client:
            wait_for(lambda: client.get("/readyz").status_code == 200)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_WAITS_S)
