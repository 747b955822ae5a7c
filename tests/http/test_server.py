"""A real granian server on the loopback, started as an operator would and ended by its process id."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from random import sample

import httpx
import pytest
from http_story import ALICES_PHONE

_CONNECTIONS_TRIED = 8  # each after twice the pause of the one before, from half a second: a minute at most


def free_port() -> int:
    """One below those that the system gives out by itself: nobody's connection takes it before our server does."""
    for port in sample(range(20_000, 32_000), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("a hundred ports of 127.0.0.1 are all taken")


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[httpx.Client]:
    port = free_port()
    command = [sys.executable, "-m", "openceir", "--home", str(home), "serve", "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=dict(os.environ))
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", timeout=60, transport=httpx.HTTPTransport(retries=_CONNECTIONS_TRIED)
        ) as client:
            assert client.get("/health").status_code == 200
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def test_a_server_started_by_the_command_answers(server):
    reply = server.get(f"/v1/identifiers/{ALICES_PHONE}", params={"at": "2027-03-02"})
    assert (reply.status_code, reply.json()["status"]) == (200, "blocked")
    assert reply.headers["content-type"] == "application/json"


def test_a_slash_in_an_identifier_survives_the_way(server):
    assert server.get("/v1/identifiers/10.1000%2Fabc").json()["identifier"]["canonical"] == "10.1000/abc"


def test_a_body_without_a_length_is_read_to_its_end(server):
    body = iter([b'{"identifier": ', f'"{ALICES_PHONE}", "at": "2027-03-02"}}'.encode()])
    reply = server.post("/v1/checks", content=body, headers={"Content-Type": "application/json"})
    assert reply.json()["status"] == "blocked"


def test_a_body_that_is_too_long_is_refused_with_or_without_a_length(server):
    for content in (b" " * 300_000, iter([b" " * 100_000] * 3)):
        reply = server.post("/v1/checks", content=content, headers={"Content-Type": "application/json"})
        assert (reply.status_code, reply.json()["code"]) == (413, "body-too-long")


def test_many_at_once_get_their_own_answers(server):
    phones = [f"0010010000{n:04d}" for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda phone: server.get(f"/v1/identifiers/{phone}"), phones))
    assert [reply.json()["identifier"]["canonical"] for reply in replies] == phones


def test_head_has_no_body_on_the_wire(server):
    reply = server.head("/health")
    assert (reply.status_code, reply.content, reply.headers["content-length"]) == (200, b"", "15")
