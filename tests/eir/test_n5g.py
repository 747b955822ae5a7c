"""N5g-eir as 5G cores meet it: over HTTP/2 in clear and over TLS, with tokens and without, from real clients."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import validate

from openceir.eir import Contents, build
from openceir.eir.records import read_records
from wire import an_nrf as nrf

from .conftest import ALICE, ALICES_PHONE, BLOCKED, BOB, ISSUED_AT, PERMITTED, SIGNER, TRACKED, keys, octets, pairs
from .running import LONGEST_S
from .test_serve import Process, served

PATH = "/n5g-eir-eic/v1/equipment-status"
DESCRIPTION = Path(__file__).parents[2] / "docs" / "reference" / "n5g-eir.json"
UNKNOWN = {"title": "Equipment unknown", "status": 404, "cause": "ERROR_EQUIPMENT_UNKNOWN"}
MAC = "mac-00-00-5E-00-53-01"


def imei(device: int, last: str = "0") -> str:
    return f"imei-{device:014}{last}"


def write_index(path: Path, sequence: int = 1, **more: Any) -> Path:
    devices = {ALICES_PHONE: BLOCKED, ALICES_PHONE + 1: TRACKED, ALICES_PHONE + 2: PERMITTED} | more.pop("devices", {})
    contents = Contents(
        device=keys(*devices),
        attribute=octets(*devices.values()),
        pairs=pairs((ALICES_PHONE, ALICE, PERMITTED)),
        software_versions={(100_100, 7): TRACKED},
        others={MAC: BLOCKED},
        **more,
    )
    build(path, contents, sequence=sequence, issued_at=ISSUED_AT, source="test", key=SIGNER)
    return path


class Eir(NamedTuple):
    """A served EIR, a client that asks it, and where its pages and its list are."""

    process: Process
    client: httpx.Client
    pages: str
    index: Path
    home: Path

    def ask(self, query: str = "", **headers: str) -> httpx.Response:
        return self.client.get(f"{PATH}?{query}", headers={name.replace("_", "-"): v for name, v in headers.items()})

    def metrics(self) -> str:
        return httpx.get(f"{self.pages}/metrics", timeout=LONGEST_S).text

    def until(self, holds, seconds: float = LONGEST_S) -> None:
        """Ask again and again until it holds; the EIR looks at its list twice a second and counts once."""
        by = monotonic() + seconds
        while not holds():
            assert monotonic() < by


@pytest.fixture(scope="module")
def eir(tmp_path_factory) -> Iterator[Eir]:
    """In clear, without tokens, two processes."""
    home = tmp_path_factory.mktemp("n5g")
    index = write_index(home / "list.idx")
    with served(
        home, "--list", str(index), "--trust", SIGNER.public.format(), "--n5g", "127.0.0.1:0", "--n5g-processes", "2",
        "--n5g-instance", nrf.US, "--records", str(home / "records"),
    ) as process:  # fmt: skip
        port = process.wait_for("listening", transport="h2c")["port"]
        pages = process.wait_for("listening", transport="http")["port"]
        with httpx.Client(http2=True, http1=False, base_url=f"http://127.0.0.1:{port}", timeout=LONGEST_S) as client:
            yield Eir(process, client, f"http://127.0.0.1:{pages}", index, home)
        process.process.terminate()
        log = process.process.stderr.read()  # whatever the tests asked, right or wrong
        assert '"event": "stopped"' in log
        assert "00101" not in log
        assert f"{ALICES_PHONE:014}" not in log


@pytest.mark.parametrize(
    ("query", "status"),
    [
        (f"pei={imei(ALICES_PHONE)}", "BLACKLISTED"),
        (f"pei={imei(ALICES_PHONE, '5')}", "BLACKLISTED"),  # the check digit as printed on the box
        (f"pei=imeisv-{ALICES_PHONE:014}03", "BLACKLISTED"),
        (f"pei={imei(ALICES_PHONE)}&supi=imsi-{str(ALICE)[1:]}", "WHITELISTED"),
        (f"pei={imei(ALICES_PHONE)}&supi=imsi-{str(BOB)[1:]}", "BLACKLISTED"),
        (f"pei={imei(ALICES_PHONE)}&supi=nai-alice%40example", "BLACKLISTED"),
        (f"pei={imei(ALICES_PHONE + 1)}", "GREYLISTED"),
        (f"pei={imei(ALICES_PHONE + 2)}", "WHITELISTED"),
        (f"pei=imeisv-{ALICES_PHONE + 9:014}07", "GREYLISTED"),
        (f"pei={MAC.lower()}", "BLACKLISTED"),
        (f"pei={MAC}-untrusted", "BLACKLISTED"),
    ],
)
def test_what_the_list_says_is_answered_in_the_standards_words(eir: Eir, query: str, status: str):
    answer = eir.ask(query)
    assert (answer.status_code, answer.json()) == (200, {"status": status})
    assert answer.http_version == "HTTP/2"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["server"] == f"5G_EIR-{nrf.US}"


@pytest.mark.parametrize(
    "pei",
    [
        imei(ALICES_PHONE + 9),
        "imei-0010010000000",
        "mac-00-00-5E-00-53-02",
        "eui-00-00-5E-FF-FE-00-53-01",
        "%00",
        "?",
        "%20",
    ],
)
def test_what_nobody_knows_is_404_with_the_cause_that_cores_compare(eir: Eir, pei: str):
    answer = eir.ask(f"pei={pei}")
    assert (answer.status_code, answer.json()) == (404, UNKNOWN)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["server"] == f"5G_EIR-{nrf.US}"


@pytest.mark.parametrize(
    ("method", "target", "headers", "status", "cause"),
    [
        ("GET", PATH, {}, 400, "MANDATORY_QUERY_PARAM_MISSING"),
        ("GET", f"{PATH}?pei=%zz", {}, 400, "MANDATORY_QUERY_PARAM_INCORRECT"),
        ("GET", f"{PATH}?pei=x&supi=", {}, 400, "OPTIONAL_QUERY_PARAM_INCORRECT"),
        ("GET", "/n5g-eir-eic/v1/equipment", {}, 404, "RESOURCE_URI_STRUCTURE_NOT_FOUND"),
        ("GET", "/n5g-eir-eic/v9/equipment-status?pei=x", {}, 400, "INVALID_API"),
        ("POST", f"{PATH}?pei=x", {}, 405, None),
        ("HEAD", f"{PATH}?pei=x", {}, 405, None),
        ("TRACE", f"{PATH}?pei=x", {}, 405, None),
        ("OPTIONS", f"{PATH}?pei=x", {}, 405, None),
        ("GET", f"{PATH}?pei=x", {"accept": "text/html"}, 406, None),
        ("GET", f"{PATH}?pei={'9' * 5000}", {}, 414, None),
    ],
)
def test_a_wrong_request_is_refused_with_its_cause(eir: Eir, method, target, headers, status, cause):
    # httpx would mend the target, so it is handed over as raw octets
    answer = eir.client.request(method, httpx.URL(raw_path=target.encode(), **_at(eir)), headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    if method != "HEAD":
        assert (answer.json()["status"], answer.json().get("cause")) == (status, cause)
    assert status != 405 or answer.headers["allow"] == "GET"


def _at(eir: Eir) -> dict[str, Any]:
    url = eir.client.base_url
    return {"scheme": url.scheme, "host": url.host, "port": url.port}


def test_a_body_and_other_headers_change_nothing(eir: Eir):
    answer = eir.client.request(
        "GET",
        f"{PATH}?pei={imei(ALICES_PHONE)}",
        content=b"x" * 20_000,
        headers={"3gpp-Sbi-Message-Priority": "nonsense", "authorization": "Bearer of.no.use"},
    )
    assert answer.json() == {"status": "BLACKLISTED"}


def test_http_1_is_answered_too_for_peoples_tools(eir: Eir):
    answer = httpx.get(f"{eir.client.base_url}{PATH}?pei={imei(ALICES_PHONE)}", timeout=LONGEST_S)
    assert (answer.http_version, answer.json()) == ("HTTP/1.1", {"status": "BLACKLISTED"})


def test_a_new_list_is_answered_from_by_every_process(eir: Eir):
    """Twenty connections, so that both processes are asked; the old list said nothing of this phone."""
    write_index(eir.index, sequence=2, devices={ALICES_PHONE + 50: BLOCKED})

    def everybody_says_so() -> bool:
        said = set()
        for _ in range(20):
            with httpx.Client(http2=True, http1=False, base_url=eir.client.base_url, timeout=LONGEST_S) as another:
                said.add(another.get(f"{PATH}?pei={imei(ALICES_PHONE + 50)}").status_code)
        return said == {200}

    eir.until(everybody_says_so)
    assert eir.ask(f"pei={imei(ALICES_PHONE)}").json() == {"status": "BLACKLISTED"}


def test_both_interfaces_stand_on_one_page(eir: Eir):
    eir.ask("pei=")
    eir.until(lambda: 'refusals_total{interface="n5g",status="400"}' in eir.metrics())
    page = eir.metrics()
    assert 'checks_total{interface="s13",outcome="blocked"} 0\n' in page
    assert "openceir_eir_n5g_processes 2\n" in page
    names = re.findall(r"^# TYPE (\S+)", page, re.MULTILINE)
    assert len(names) == len(set(names)), "Prometheus refuses a page that names a metric twice"
    assert "00101" not in page


def test_each_check_leaves_one_record(eir: Eir):
    """In the file of the process that answered."""
    files = [eir.home / f"records.n5g-{number}" for number in (1, 2)]

    def records() -> list:
        return [record for file in files for record in read_records(file)]

    before = len(records())
    eir.ask(f"pei=imeisv-{ALICES_PHONE + 77:014}07&supi=imsi-{str(ALICE)[1:]}")
    eir.until(lambda: len(records()) > before)
    [ours] = [record for record in records() if record.device == ALICES_PHONE + 77]
    assert (ours.imsi, ours.svn, ours.decision.status.name) == (ALICE, 7, "TRACKED")
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


# ------------------------------------------------------------------------------------------------ other people's clients


def needs(tool: str) -> Any:
    return pytest.mark.skipif(
        shutil.which(tool) is None, reason=f"{tool} is not installed (scripts/install-peers.sh: nghttp2-client)"
    )


@needs("nghttp")
def test_nghttp_reads_our_frames(eir: Eir):
    target = f"{eir.client.base_url}{PATH}?pei={imei(ALICES_PHONE)}"
    said = subprocess.run(["nghttp", "-nv", "--no-dep", target], capture_output=True, text=True, check=True).stdout
    assert ":status: 200" in said
    assert f"server: 5G_EIR-{nrf.US}" in said
    assert "error_code=NO_ERROR(0x00)" in said


@needs("h2load")
def test_h2load_gets_every_answer(eir: Eir):
    """4,000 questions over 8 connections, 32 at once on each; none lost, none failed."""
    target = f"{eir.client.base_url}{PATH}?pei={imei(ALICES_PHONE)}"
    said = subprocess.run(
        ["h2load", "-n", "4000", "-c", "8", "-m", "32", target], capture_output=True, text=True, check=True
    ).stdout
    assert "4000 succeeded, 0 failed, 0 errored, 0 timeout" in said


def test_our_description_is_valid_openapi_and_names_our_causes():
    document = json.loads(DESCRIPTION.read_text("utf-8"))
    validate(document)
    responses = document["paths"]["/equipment-status"]["get"]["responses"]
    assert set(responses) == {"200", "400", "401", "403", "404", "405", "406", "414", "429", "500", "503"}
    assert (
        responses["404"]["content"]["application/problem+json"]["examples"]["ERROR_EQUIPMENT_UNKNOWN"]["value"]
        == UNKNOWN
    )


def test_schemathesis_finds_no_answer_that_our_description_does_not_allow(eir: Eir):
    """Requests made from the description, valid ones and broken ones; every answer is held to its schema."""
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    [found] = schemathesis.openapi.from_path(DESCRIPTION).get_all_operations()
    tried = []

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=found.ok().as_strategy())
    def conforms(case) -> None:
        tried.append(case.call_and_validate(base_url=f"{eir.client.base_url}/n5g-eir-eic/v1").status_code)

    conforms()
    assert len(tried) > 30
