"""How far an EIR is from what was ordered: every kind of drift is found, in four ways, and signed."""

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from openceir.cli._main import cli
from openceir.eir import Contents, Overlay, Status, folded
from openceir.eir.audit import Asked, AuditRefused, Drift, Found, compare_lists, draw_sample, drift_of, probe_all
from openceir.statements import SigningKey
from openceir.storage.key_files import write_signing_key
from wire import an_mme as mme

from .a_centre import free_port
from .conftest import ALICE, BLOCKED, BOB, MALLORY, PERMITTED, SIGNER, TRACKED, pairs, ranges
from .test_serve import served
from .test_source import write_list

AUDITOR = SigningKey("auditor", b"an auditor of tests, nobody else")
ALICES, BOBS, CAROLS, DORAS = ("00100100000001", "00100100000002", "00100100000003", "00100100000004")


@pytest.mark.parametrize(
    ("ordered", "answered", "drift"),
    [
        ("BLOCKED", "BLOCKED", None), ("BLOCKED", "PERMITTED", "missing_block"), ("BLOCKED", "TRACKED", "missing_block"),
        ("BLOCKED", "UNKNOWN", "missing_block"), ("BLOCKED", None, "unanswered"), ("UNKNOWN", "BLOCKED", "wrong_block"),
        ("PERMITTED", "BLOCKED", "wrong_block"), ("TRACKED", "BLOCKED", "wrong_block"), ("UNKNOWN", "PERMITTED", None),
        ("PERMITTED", "UNKNOWN", None), ("TRACKED", "PERMITTED", "other_status"), ("UNKNOWN", "TRACKED", "other_status"),
    ],
)  # fmt: skip
def test_each_difference_has_its_word(ordered, answered, drift):
    assert drift_of(Status[ordered], Status[answered] if answered else None) == drift


def test_whole_lists_are_compared_row_by_row(made):
    ordered = made(
        sequence=7, name="ordered.idx", devices={int(ALICES): BLOCKED, int(BOBS): BLOCKED, int(CAROLS): TRACKED},
        pairs=pairs((int(DORAS), ALICE, BLOCKED), (int(DORAS), BOB, PERMITTED)),
        ranges=ranges((200_000_000_000, 200_000_000_999, BLOCKED)),
    )  # fmt: skip
    served = made(
        sequence=6, name="served.idx", devices={int(ALICES): BLOCKED, int(DORAS): BLOCKED},
        pairs=pairs((int(DORAS), BOB, PERMITTED), (int(DORAS), MALLORY, BLOCKED)),
    )  # fmt: skip
    found = compare_lists(ordered, served, "served.idx")
    # missing: Bob's phone, Alice's pair, the range; wrong: Dora's phone, Mallory's pair; Carol's is not tracked
    assert found.drifts == {"missing_block": 3, "wrong_block": 2, "other_status": 1}
    assert (found.ordered_sequence, found.held_sequence, found.agrees) == (7, 6, False)
    assert compare_lists(ordered, ordered, "itself").agrees
    assert {row["imei"] for row in found.examples} == {BOBS, CAROLS, DORAS, "00200000000000"}
    assert not any(str(imsi)[1:] in json.dumps(found.as_json()) for imsi in (ALICE, BOB, MALLORY))


def test_a_sample_can_be_drawn_again_and_asks_about_everything_there_is(made):
    index = made(
        devices={int(ALICES) + n: BLOCKED for n in range(0, 400, 20)},
        pairs=pairs(*((int(ALICES) + 1000 + n, ALICE, BLOCKED) for n in range(10))),
        ranges=ranges((200_000_000_000, 200_000_000_999, BLOCKED)),
    )
    contents = folded(index, Overlay())
    drawn = draw_sample(contents, 40, seed=3)
    assert drawn == draw_sample(contents, 40, seed=3) != draw_sample(contents, 40, seed=4)
    assert len(drawn) == 40
    assert {one.why for one in drawn} == {"listed", "pair", "range", "neighbour"}
    assert len(draw_sample(Contents(), 8, seed=1)) == 8


class Repeating:
    """A probe that answers one word, and keeps what it was asked."""

    name = "a probe"

    def __init__(self, status: Status | None) -> None:
        self.status, self.asked = status, []

    def ask(self, imei: str, imsi: str = "") -> Status | None:
        self.asked.append((imei, imsi))
        return self.status

    def close(self) -> None:
        pass


def test_probing_is_bounded_in_rate(made):
    pauses: list[float] = []
    probe = Repeating(Status.PERMITTED)
    asked = [Asked(ALICES, "", "named"), Asked(BOBS, "", "named")]
    found = probe_all(
        probe,
        asked,
        made(devices={int(ALICES): BLOCKED}),
        Found(method="probing", target=""),
        rate=20,
        pause=pauses.append,
    )
    assert pauses == [0.05, 0.05]
    assert found.drifts == {Drift.MISSING_BLOCK: 1}
    assert probe.asked == [(ALICES, ""), (BOBS, "")]


@pytest.fixture
def auditor(tmp_path: Path) -> Path:
    path = tmp_path / "auditor.key"
    write_signing_key(path, AUDITOR)
    return path


def run(*words: object):
    return CliRunner().invoke(cli, [str(word) for word in words])


def test_an_eir_that_drifted_is_found_out_over_every_interface(tmp_path, auditor):
    """Ordered: Alice's and Bob's phones blocked. The EIR has Alice's and Carol's, and answers networks."""
    (tmp_path / "ordered").mkdir()
    (tmp_path / "held").mkdir()
    day = "2020-01-01"
    ordered = write_list(tmp_path / "ordered", "blocklist", (ALICES, day, "stolen"), (BOBS, day, "stolen"), key=SIGNER)
    held = write_list(tmp_path / "held", "blocklist", (ALICES, day, "stolen"), (CAROLS, day, "stolen"), key=SIGNER)
    report, trust = tmp_path / "audit.json", SIGNER.public.format()
    n5g = f"127.0.0.1:{free_port()}"
    common = ["eir", "audit", "--operator", "northtel", "--list", ordered, "--trust", trust, "--key", auditor]
    with served(tmp_path / "home", "--list", str(held), "--trust", trust, "--n5g", n5g) as eir:
        port = eir.wait_for("listening", transport="tcp")["port"]
        eir.wait_for("listening", transport="http")  # the last door that is opened
        done = run(
            *common, "--s13", f"127.0.0.1:{port}", "--host", mme.HOST, "--realm", mme.REALM, "--eir-realm", mme.EIR_REALM,
            "--n5g", f"http://{n5g}", "--imei", ALICES, "--imei", BOBS, "--imei", CAROLS, "--sample", 40, "--rate", 1000,
            "--served", tmp_path / "home" / "eir" / "served.idx", "--out", report, "--json",
        )  # fmt: skip
    assert done.exit_code == 3, done.output
    said = json.loads(done.output)
    found = {(one["method"], one["target"].split()[0]): one for one in said["found"]}
    for method in (("imei-status", "s13"), ("http-status", "http")):
        assert found[method]["asked"] == 3
        drifts = found[method]["drifts"]
        assert (drifts["missing_block"], drifts["wrong_block"], drifts["unanswered"]) == (1, 1, 0)
    for target in ("s13", "http"):
        assert found["probing", target]["drifts"]["missing_block"] == 1
    whole = found["whole-list", "served.idx"]["drifts"]
    assert (whole["missing_block"], whole["wrong_block"]) == (1, 1)
    # the numbers are for the auditor's file, not for the screen
    assert not any(phone in done.output for phone in (ALICES, BOBS, CAROLS))
    assert BOBS in report.read_text()
    assert stat.S_IMODE(report.stat().st_mode) == 0o600

    assert run("eir", "audit-verify", report, "--trust", AUDITOR.public.format()).exit_code == 0
    assert isinstance(run("eir", "audit-verify", report, "--trust", trust).exception, AuditRefused)
    signed = json.loads(report.read_text())
    signed["audit"]["found"][0]["drifts"]["missing_block"] = 0
    report.write_text(json.dumps(signed))
    altered = run("eir", "audit-verify", report, "--trust", AUDITOR.public.format())
    assert isinstance(altered.exception, AuditRefused)


def test_an_eir_that_serves_what_was_ordered_passes(tmp_path, auditor):
    ordered = write_list(tmp_path, "blocklist", (ALICES, "2020-01-01", "stolen"), key=SIGNER)
    done = run(
        "eir", "audit", "--operator", "northtel", "--list", ordered, "--trust", SIGNER.public.format(),
        "--served", ordered, "--key", auditor, "--out", tmp_path / "audit.json",
    )  # fmt: skip
    assert (done.exit_code, "as ordered" in done.output) == (0, True)


@pytest.mark.parametrize("octets", [b"", b"[]", b"{", b'{"audit": 1, "signature": "zz", "signed_by": 3}', b"\xff" * 9])
def test_what_is_no_report_is_refused_in_words(tmp_path, octets):
    (tmp_path / "x").write_bytes(octets)
    done = run("eir", "audit-verify", tmp_path / "x", "--trust", AUDITOR.public.format())
    assert isinstance(done.exception, AuditRefused)
