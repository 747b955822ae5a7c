"""The operators' door's own server: who shows which certificate, and what a hostile peer cannot do."""

import os
import socket
import ssl
import subprocess
import sys
import threading
from datetime import timedelta

import httpx
import pytest

from eir.a_centre import ACentre, Certificates, ended, free_port, served
from openceir import clock
from openceir.http import tls_with_certificates
from openceir.http.tls_server import CERTIFICATE, TlsServer
from openceir.statements import Role

_SLOWEST_S = 60


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("tls") / "certificates")


@pytest.fixture(scope="module")
def centre(tmp_path_factory):
    made = ACentre(tmp_path_factory.mktemp("centre") / "home")
    made.makes_lists()
    return made


def echo(environ, start_response):
    """Says back what it was told; `length` in the query is how much it answers with."""
    body = environ["wsgi.input"].read()
    shown = environ[CERTIFICATE]
    said = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {sorted(shown.names)} {len(body)}".encode()
    said += b"x" * int(environ["QUERY_STRING"] or 0)
    forged = environ.get("HTTP_X_FORGED", "")
    start_response("200 OK", [("Content-Length", str(len(said))), ("X-Forged", forged)])
    return [b""] if environ["REQUEST_METHOD"] == "HEAD" else [said]


@pytest.fixture
def door(certificates):
    listener, stopped = socket.create_server(("127.0.0.1", 0)), threading.Event()
    tls = tls_with_certificates(*certificates.of("centre"), certificates.authority)
    serving = threading.Thread(target=TlsServer(echo, listener, tls, threads=3).serve, args=(stopped,))
    serving.start()
    yield listener.getsockname()[1]
    stopped.set()
    serving.join()


def client(certificates, port, name="northtel", **headers):
    transport = httpx.HTTPTransport(verify=certificates.context(name), retries=8)
    return httpx.Client(transport=transport, base_url=f"https://127.0.0.1:{port}", headers=headers, timeout=_SLOWEST_S)


def test_the_application_is_told_whose_certificate_was_shown(certificates, door):
    with client(certificates, door) as northtel, client(certificates, door, "southtel") as southtel:
        for _ in range(3):  # over one connection, which is kept
            assert northtel.get("/a").text == "GET /a ['localhost', 'northtel.example'] 0"
        assert southtel.post("/b", content=b"1234").text == "POST /b ['localhost', 'southtel.example'] 4"


def test_bodies_of_every_form_are_read_and_large_answers_come_whole(certificates, door):
    with client(certificates, door) as northtel:
        assert northtel.post("/", content=iter([b"a" * 70_000] * 3)).text.endswith(" 210000")
        assert northtel.post("/", content=b"b" * 300_000, headers={"Expect": "100-continue"}).text.endswith(" 300000")
        assert northtel.head("/?100").headers["Content-Length"] == str(
            100 + len("HEAD / ['localhost', 'northtel.example'] 0")
        )
        assert len(northtel.get("/?3000000").content) > 3_000_000


def test_a_header_with_an_underscore_is_not_taken_for_another(certificates, door):
    with client(certificates, door) as northtel:
        assert northtel.get("/", headers={"X_Forged": "yes"}).headers["X-Forged"] == ""
        assert northtel.get("/", headers={"X-Forged": "yes"}).headers["X-Forged"] == "yes"


@pytest.mark.parametrize(
    "octets",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"a" * 70_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
        b"\x00" * 5000,
    ],
)
def test_what_is_no_http_ends_its_own_connection_only(certificates, door, octets):
    with client(certificates, door) as northtel:
        assert northtel.get("/").status_code == 200
        for _ in range(4):  # more often than there are threads: none is lost
            with (
                socket.create_connection(("127.0.0.1", door), _SLOWEST_S) as raw,
                certificates.context("southtel").wrap_socket(raw, server_hostname="localhost") as link,
            ):
                link.sendall(octets)
                link.shutdown(socket.SHUT_WR)
                while _received(link):
                    pass
        assert northtel.get("/").status_code == 200


def _received(link):
    try:
        return link.recv(65536)
    except (ConnectionError, ssl.SSLError):
        return b""


def test_strangers_who_connect_and_say_nothing_hold_up_nobody_who_is_in(certificates, door):
    with client(certificates, door) as northtel:
        assert northtel.get("/").status_code == 200
        silent = [socket.create_connection(("127.0.0.1", door), _SLOWEST_S) for _ in range(100)]
        assert northtel.get("/").status_code == 200
        for each in silent:
            each.close()
    with client(certificates, door) as later:
        assert later.get("/").status_code == 200


def test_another_operators_certificate_opens_nothing(centre, certificates):
    """Northtel's token with southtel's certificate, which the same authority signed, is nobody's."""
    at, port = clock.now(), free_port()
    command = [sys.executable, "-m", "openceir", "--home", str(centre.home), "token", "new", "--role", "operator"]
    command += ["--operator", "northtel", "--name", "by-file", "--expires", str((at + timedelta(days=1)).date())]
    asked = subprocess.run(
        [*command, "--certificate", str(certificates.of("northtel")[0])], capture_output=True, text=True, check=True,
        env=dict(os.environ),
    )  # fmt: skip
    unbound = centre.register.tokens.make(
        "unbound", Role.OPERATOR, at=at, expires_at=at + timedelta(days=1), operator="northtel"
    )
    path = "/v1/operators/northtel/lists"

    def code(name, token):
        with client(certificates, port, name, Authorization=f"Bearer {token}") as some:
            answer = some.get(path)
            return answer.status_code, answer.json().get("code")

    with served(centre, certificates, port):
        for token in (centre.token(), asked.stdout.strip()):
            assert code("northtel", token) == (200, None)
            assert code("southtel", token) == (403, "not-your-certificate")
        assert code("northtel", unbound) == (403, "not-your-certificate")
        assert code("southtel", centre.token("southtel")) == (403, "not-your-lists")


def test_an_operators_token_without_a_certificate_is_not_made(centre):
    command = [sys.executable, "-m", "openceir", "--home", str(centre.home), "token", "new", "--role", "operator"]
    command += ["--operator", "northtel", "--name", "n", "--expires", "2099-01-01"]
    for more, says in (([], "go together"), (["--certificate", "no such.pem"], "no certificate in PEM")):
        done = subprocess.run([*command, *more], capture_output=True, text=True, check=False, env=dict(os.environ))
        assert (done.returncode, says in done.stderr) == (2, True)


def test_a_certificate_file_that_cannot_be_used_stops_the_start(centre, certificates, tmp_path):
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    command = [
        sys.executable,
        "-m",
        "openceir",
        "--home",
        str(centre.home),
        "serve",
        "--operators",
        "--tls-ca",
        str(wrong),
    ]
    command += ["--tls-cert", str(certificates.of("centre")[0]), "--tls-key", str(certificates.of("centre")[1])]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    try:
        _, said = process.communicate(timeout=_SLOWEST_S)
    finally:
        ended(process)
    assert (process.returncode, "cannot be used" in said) == (2, True)
