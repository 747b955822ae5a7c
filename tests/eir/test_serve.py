"""`openceir eir` as an operator runs it: a process, its signals, its pages, TLS, and lists that change under it."""

import asyncio
import json
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest
from click.testing import CliRunner

from openceir.cli._main import cli
from openceir.eir import Contents, Overlay, build, folded, open_index
from openceir.eir.changes import changes_beside, write_changes
from wire import an_mme as mme

from .conftest import BLOCKED, SIGNER
from .running import LONGEST_S, Client
from .test_source import PHONE, write_list

WHITELISTED, BLACKLISTED = 0, 1


class Process:
    """A served EIR; `wait_for` reads its log until an event comes."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process, self.log = process, []

    def wait_for(self, event: str, **facts: object) -> dict:
        for line in self.process.stderr:
            assert line.startswith("{"), line + self.process.stderr.read()
            self.log.append(json.loads(line))
            if self.log[-1]["event"] == event and facts.items() <= self.log[-1].items():
                return self.log[-1]
        raise AssertionError(f"the process ended before {event}: {self.log}")


@contextmanager
def served(home: Path, *options: str) -> Iterator[Process]:
    command = [
        sys.executable, "-c", "from openceir.cli import main; main()", "--home", str(home), "eir", "serve",
        "--host", mme.EIR, "--realm", mme.EIR_REALM, "--port", "0", "--pages", "127.0.0.1:0", *options,
    ]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield Process(process)
    finally:
        process.terminate()
        process.stderr.read()
        assert process.wait(LONGEST_S) == 0
        process.stderr.close()


def ask(port: int, tls: ssl.SSLContext | None = None, **of_ecr) -> int | None:
    async def once() -> int | None:
        client = await Client.connect(port, tls=tls)
        try:
            return await client.ask(**of_ecr)
        finally:
            await client.close()

    return asyncio.run(once())


def test_changes_beside_an_index_are_answered_at_once_by_every_door_until_another_index_has_them(tmp_path: Path):
    path, first = (
        tmp_path / "list.idx",
        Contents(device=np.array([int(PHONE)]), attribute=np.array([BLOCKED], np.uint8)),
    )

    def lay(contents: Contents, sequence: int) -> None:
        build(path, contents, sequence=sequence, issued_at=datetime(2027, 3, 1, tzinfo=UTC), source="a test")

    lay(first, 1)
    other = int(PHONE) + 1
    with served(tmp_path / "home", "--list", str(path), "--accept-unsigned", "--n5g", "127.0.0.1:0") as eir:
        port = eir.wait_for("listening", transport="tcp")["port"]
        of_5g = eir.wait_for("listening", interface="n5g")["port"]
        eir.wait_for("listening", transport="http")

        def answers_of_5g() -> list[str | None]:
            return [status_over_n5g(of_5g, device) for device in (int(PHONE), other)]

        assert answers_of_5g() == ["BLACKLISTED", None]
        index = open_index(path, accept_unsigned=True)
        write_changes(index, {other: BLOCKED, int(PHONE): 0}, 2)
        assert eir.wait_for("changes in use", sequence=2)["devices"] == 2
        assert [ask(port, imei=f"{each:014}", imsi=None) for each in (int(PHONE), other)] == [None, BLACKLISTED]
        wait_until(lambda: answers_of_5g() == [None, "BLACKLISTED"])
        changes_beside(path).write_bytes(b"torn")
        eir.wait_for("alarm", code="eir-index-refused")
        assert ask(port, imei=f"{other:014}", imsi=None) == BLACKLISTED
        lay(folded(index, Overlay()), 3)  # over this one those changes say nothing
        eir.wait_for("list swapped", sequence=3)
        assert [ask(port, imei=f"{each:014}", imsi=None) for each in (int(PHONE), other)] == [BLACKLISTED, None]
        wait_until(lambda: answers_of_5g() == ["BLACKLISTED", None])


def wait_until(is_so: Callable[[], bool]) -> None:
    by = monotonic() + LONGEST_S
    while not is_so():
        assert monotonic() < by
        sleep(0.05)


def status_over_n5g(port: int, device: int) -> str | None:
    link = HTTPConnection("127.0.0.1", port, timeout=LONGEST_S)
    try:
        link.request("GET", f"/n5g-eir-eic/v1/equipment-status?pei=imei-{device:014}0")
        answer = link.getresponse()
        said = json.loads(answer.read())
        return said["status"] if answer.status == 200 else None
    finally:
        link.close()


def test_a_signed_list_is_served_and_its_successor_swapped_in(tmp_path: Path):
    listed = write_list(tmp_path, "blocklist", (PHONE, "2020-01-01", "stolen"), key=SIGNER)
    records = tmp_path / "records"
    with served(
        tmp_path / "home", "--list", str(listed), "--trust", SIGNER.public.format(), "--records", str(records)
    ) as eir:
        assert eir.wait_for("list in use")["devices"] == 1
        port = eir.wait_for("listening", transport="tcp")["port"]
        pages = eir.wait_for("listening", transport="http")["port"]
        assert ask(port, imsi=None) == BLACKLISTED

        def get(path: str) -> tuple[int, str]:
            link = HTTPConnection("127.0.0.1", pages)
            link.request("GET", path)
            answer = link.getresponse()
            text = answer.read().decode()
            link.close()
            return answer.status, text

        metrics = get("/metrics")[1]
        assert 'openceir_eir_checks_total{interface="s13",outcome="blocked"} 1\n' in metrics
        assert "openceir_eir_list_sequence 9\n" in metrics
        assert [get(path)[0] for path in ("/healthz", "/readyz", "/other")] == [200, 200, 404]

        altered = listed.with_suffix(".csv")
        sound = altered.read_bytes()
        altered.write_bytes(sound + b"00100100000002,2020-01-01,x\r\n")
        alarm = eir.wait_for("alarm")
        assert alarm["code"].startswith("list")
        assert ask(port, imsi=None) == BLACKLISTED  # the last good one serves on

        altered.write_bytes(sound)
        write_list(tmp_path, "blocklist", key=SIGNER)
        eir.process.send_signal(signal.SIGHUP)
        assert eir.wait_for("list swapped", devices=0)["sequence"] == 9
        assert ask(port, imsi=None) is None
    assert records.stat().st_size == 16 + 3 * 28
    assert PHONE not in json.dumps(eir.log)


def test_an_index_is_served_and_an_older_one_is_refused(tmp_path: Path):
    runner, key = CliRunner(), tmp_path / "eir.key"
    key.write_text(SIGNER.format() + "\n")
    key.chmod(0o600)
    index = tmp_path / "served.idx"

    def build(sequence: int, *rows: tuple[str, ...]) -> None:
        listed = write_list(tmp_path, "blocklist", *rows, key=SIGNER, sequence=sequence)
        made = runner.invoke(
            cli,
            [
                "eir",
                "build-index",
                "--list",
                str(listed),
                "--trust",
                SIGNER.public.format(),
                "--key",
                str(key),
                "--out",
                str(index),
            ],
        )
        assert made.exit_code == 0, made.output

    build(9, (PHONE, "2020-01-01", "stolen"))
    with served(tmp_path / "home", "--list", str(index), "--trust", SIGNER.public.format()) as eir:
        port = eir.wait_for("listening", transport="tcp")["port"]
        eir.wait_for("listening", transport="http")
        build(8)
        assert "older than the 9" in eir.wait_for("alarm")["why"]
        assert ask(port, imsi=None) == BLACKLISTED
        build(10)
        assert eir.wait_for("list swapped")["sequence"] == 10
        assert ask(port, imsi=None) is None


def certificate(folder: Path, name: str, issuer=None, *, is_authority: bool = False):
    """A certificate and its key, as files; returns what signs the next one."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    signer_name, signer_key = issuer or (subject, key)
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(subject_name=subject, issuer_name=signer_name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(signer_key, hashes.SHA256())
    )
    (folder / f"{name}.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return subject, key


def client_tls(folder: Path, name: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(folder / "authority.pem"))
    if name:
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


def test_tls_begins_with_the_first_octet_and_both_sides_show_a_certificate(tmp_path: Path):
    """RFC 6733 §13.1. The name in the peer's certificate must be its Origin-Host."""
    authority = certificate(tmp_path, "authority", is_authority=True)
    for name in ("eir.example", mme.HOST, "mallory.example"):
        certificate(tmp_path, name, authority)
    listed = write_list(tmp_path, "blocklist", (PHONE, "2020-01-01", "stolen"), key=SIGNER)
    files = ["--tls-cert", str(tmp_path / "eir.example.pem"), "--tls-key", str(tmp_path / "eir.example.key")]
    with served(
        tmp_path / "home", "--list", str(listed), "--trust", SIGNER.public.format(),
        *files, "--tls-ca", str(tmp_path / "authority.pem"), "--tls-port", "0",
    ) as eir:  # fmt: skip
        port = eir.wait_for("listening", transport="tls")["port"]
        eir.wait_for("listening", transport="http")
        assert ask(port, client_tls(tmp_path, mme.HOST), imsi=None) == BLACKLISTED
        with pytest.raises(AssertionError):  # 3010 instead of 2001: the certificate is another host's
            ask(port, client_tls(tmp_path, "mallory.example"), imsi=None)
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            ask(port, client_tls(tmp_path, None), imsi=None)


# ---------------------------------------------------------------------------------------------------- the other commands


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    return write_list(tmp_path, "blocklist", (PHONE, "2020-01-01", "stolen"), key=SIGNER)


def invoke(tmp_path: Path, *arguments: object):
    return CliRunner().invoke(cli, ["--home", str(tmp_path / "home"), "eir", *map(str, arguments)])


def test_check_says_status_step_and_reason_and_exits_by_status(tmp_path: Path, listed: Path):
    blocked = invoke(tmp_path, "check", PHONE + "5", "--list", listed, "--trust", SIGNER.public.format())
    assert (blocked.exit_code, blocked.output.splitlines()[0]) == (3, "BLOCKED, decided by imei, list 9")
    assert "BLOCKED (stolen)" in blocked.output
    unknown = invoke(tmp_path, "check", "00100100000009", "--list", listed, "--trust", SIGNER.public.format(), "--json")
    assert (unknown.exit_code, json.loads(unknown.output)["status"]) == (5, "UNKNOWN")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("check", "123"), "is not an IMEI"),
        (("check", PHONE, "--imsi", "abc"), "digits of an IMSI"),
        (("check", PHONE, "--policy", "POLICY"), "not known"),
        (("build-index", "--out", "x.idx", "--as-of", "soon"), "expected YYYY-MM-DD"),
        (("serve", "--host", "h", "--realm", "r", "--pages", "nowhere"), "HOST:PORT"),
        (("serve", "--host", "h", "--realm", "r", "--tls-cert", "POLICY"), "TLS needs all"),
    ],
)
def test_bad_input_is_answered_in_one_sentence(tmp_path: Path, listed: Path, arguments: tuple[str, ...], says: str):
    (tmp_path / "policy.toml").write_text("colour = 1\n")
    given = [str(tmp_path / "policy.toml") if each == "POLICY" else each for each in arguments]
    done = invoke(tmp_path, *given, "--list", listed, "--trust", SIGNER.public.format())
    assert done.exit_code != 0
    assert says in (done.output if done.output else str(done.exception))


def test_whose_signature_to_trust_must_be_said(tmp_path: Path, listed: Path):
    done = invoke(tmp_path, "check", PHONE, "--list", listed)
    assert done.exit_code == 2
    assert "--accept-unsigned" in done.output


def test_an_occupied_port_is_said_in_one_sentence(tmp_path: Path, listed: Path):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = subprocess.run(
            [sys.executable, "-c", "from openceir.cli import main; main()", "--home", str(tmp_path), "eir", "serve", "--host", "h",
             "--realm", "r", "--list", str(listed), "--accept-unsigned", "--port", str(taken.getsockname()[1])],
            capture_output=True, text=True, timeout=60, env={**os.environ},
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("openceir: cannot listen on 127.0.0.1 port")
