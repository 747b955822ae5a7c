"""A real centre behind granian with TLS on both sides, and a real EIR that follows it, asked over Diameter."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import httpx
import pyarrow.parquet as pq
import pytest

from wire import an_mme as mme

from .a_centre import ALICES_PHONE, BOBS_PHONE, SPARE_PHONE, ACentre, Certificates, ended, free_port, served

pytestmark = pytest.mark.slow
BLACKLISTED, EQUIPMENT_UNKNOWN = 1, None
_SLOWEST_S = 60


class AnEirProcess:
    """`openceir eir serve --centre …`, with what it logs."""

    def __init__(self, home: Path, centre: ACentre, certificates: Certificates, centre_port: int) -> None:
        token = home.parent / "eir.token"
        token.write_text(centre.token())
        certificate, key = certificates.of("northtel")
        self.home, self.records = home, home.parent / "checks.records"
        command = [sys.executable, "-m", "openceir", "--home", str(home), "eir", "serve"]
        command += [
            "--centre",
            f"https://127.0.0.1:{centre_port}",
            "--operator",
            "northtel",
            "--token-file",
            str(token),
        ]
        command += ["--cert", str(certificate), "--key", str(key), "--ca", str(certificates.authority)]
        command += ["--trust", centre.trust.format(), "--records", str(self.records), "--send-every", "1"]
        command += ["--host", mme.EIR, "--realm", mme.EIR_REALM, "--port", "0", "--pages", "off"]
        self.command = command
        self.start()

    def start(self) -> None:
        self.events: list[dict] = []
        self._said = threading.Condition()
        self.process = subprocess.Popen(self.command, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stderr:
            with self._said:
                self.events.append(json.loads(line) if line.startswith("{") else {"event": line})
                self._said.notify_all()

    def says(self, event: str, after: int = 0, **facts) -> dict:
        """Wait until it has logged this, and give that line."""
        deadline = monotonic() + _SLOWEST_S
        with self._said:
            while True:
                for line in self.events[after:]:
                    if line["event"] == event and facts.items() <= line.items():
                        return line
                assert self._said.wait(deadline - monotonic()), (event, facts, self.events)

    def answers(self, *imeis: str) -> list[int | None]:
        """The Equipment-Status of each, over one connection."""
        with socket.create_connection(
            ("127.0.0.1", self.says("listening", transport="tcp")["port"]), _SLOWEST_S
        ) as link:
            found = []
            for octets in (mme.cer(), *(mme.ecr(imei=imei) for imei in imeis)):
                link.sendall(octets)
                head = _exactly(link, 20)
                [message] = mme.read(head + _exactly(link, int.from_bytes(head[1:4], "big") - 20))
                found.append(mme.number(message[4], 1445, mme.TGPP))
            return found[1:]

    def end(self) -> None:
        ended(self.process)
        self._reader.join(20)
        self.process.stderr.close()


def _exactly(link: socket.socket, size: int) -> bytes:
    octets = b""
    while len(octets) < size:
        piece = link.recv(size - len(octets))
        assert piece
        octets += piece
    return octets


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("tls") / "certificates")


@pytest.fixture
def centre(tmp_path) -> ACentre:
    made = ACentre(tmp_path / "centre")
    made.steals(ALICES_PHONE)
    made.makes_lists()
    return made


@pytest.fixture
def eirs() -> Iterator[list[AnEirProcess]]:
    started: list[AnEirProcess] = []
    yield started
    for each in started:
        each.end()


def test_who_shows_no_certificate_or_a_strangers_is_not_heard(centre, certificates):
    port, headers = free_port(), {"Authorization": f"Bearer {centre.token()}"}
    path = f"https://127.0.0.1:{port}/v1/operators/northtel/lists"
    with served(centre, certificates, port):

        def ask(name: str | None) -> httpx.Response:
            transport = httpx.HTTPTransport(verify=certificates.context(name), retries=8)
            with httpx.Client(transport=transport, headers=headers, timeout=_SLOWEST_S) as client:
                return client.get(path)

        assert ask("northtel").json()["sequence"] == 1
        for name in (None, "stranger"):
            with pytest.raises(httpx.TransportError):
                ask(name)


def test_a_block_at_the_centre_is_answered_by_the_eir_and_survives_both(centre, certificates, eirs, tmp_path):
    """One story, since each process takes seconds to start: follow, block, centre gone, kill -9, centre back, pairs."""
    port = free_port()
    with served(centre, certificates, port):
        eir = AnEirProcess(tmp_path / "eir", centre, certificates, port)
        eirs.append(eir)
        assert eir.answers(ALICES_PHONE, BOBS_PHONE) == [BLACKLISTED, EQUIPMENT_UNKNOWN]

        centre.steals(BOBS_PHONE)
        centre.makes_lists()
        eir.says("list swapped", sequence=2)
        assert eir.answers(ALICES_PHONE, BOBS_PHONE) == [BLACKLISTED, BLACKLISTED]
        eir.says("lists taken", sequence=2, whole=[])
        eir.says("pairs sent")

    # The centre is gone. The EIR says so once, is killed, and starts again from what lies there.
    eir.says("alarm", code="eir-centre-away")
    eir.process.send_signal(signal.SIGKILL)
    eir.end()
    eir.start()
    assert eir.answers(ALICES_PHONE, BOBS_PHONE, SPARE_PHONE) == [BLACKLISTED, BLACKLISTED, EQUIPMENT_UNKNOWN]

    eir.says("alarm", code="eir-centre-away")
    centre.steals(SPARE_PHONE)
    centre.makes_lists()
    with served(centre, certificates, port):
        eir.says("list swapped", sequence=3)
        assert eir.answers(SPARE_PHONE) == [BLACKLISTED]
        eir.says("centre is back")
        said = {(one.operator, one.kind): one.sequence for one in centre.register.list_runs.acknowledgements()}
        assert said["northtel", "blocklist"] in {2, 3}
    logged = json.dumps(eir.events)
    assert not any(phone in logged for phone in (ALICES_PHONE, BOBS_PHONE, SPARE_PHONE))
    # Bob's phone was seen before it was blocked; Alice's was never let in, and is no sighting.
    seen = {(row["device"], row["imsi"]) for row in _sightings(centre)}
    assert (int(BOBS_PHONE), 1_001_010_000_000_001) in seen
    assert int(ALICES_PHONE) not in {device for device, _ in seen}


def _sightings(centre: ACentre) -> list[dict]:
    return [
        row
        for path in (centre.home / "lake" / "sightings").rglob("*.parquet")
        for row in pq.read_table(path).to_pylist()
    ]
