"""A real centre behind granian with TLS on both sides, and a real EIR that follows it, asked over Diameter."""

import json
import signal
from collections.abc import Iterator

import httpx
import pyarrow.parquet as pq
import pytest

from .a_centre import ALICES_PHONE, BOBS_PHONE, SPARE_PHONE, ACentre, Certificates, free_port, served
from .an_eir import BLACKLISTED, EQUIPMENT_UNKNOWN, SLOWEST_S, AnEirProcess

pytestmark = pytest.mark.slow


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
            with httpx.Client(transport=transport, headers=headers, timeout=SLOWEST_S) as client:
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

        centre.steals(BOBS_PHONE)  # nobody asks for lists: the door makes them by itself
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
