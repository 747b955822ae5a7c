"""Implementations that nobody here wrote ask our EIR, and judge what it says.

`scripts/install-peers.sh`, which `make test` calls, installs them where it may; elsewhere these tests are skipped.
"""

import contextlib
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from openceir.wire import s13
from wire import an_mme as mme
from wire.conftest import ANSWERS, new_link, serve

from .test_serve import certificate, served
from .test_source import PHONE, write_list

HERE = Path(__file__).parent / "real_peers"
OTP = next(iter(Path("/usr/lib/erlang/lib").glob("diameter-*/include/diameter.hrl")), None)
needs_otp = pytest.mark.skipif(
    not (OTP and shutil.which("erl")), reason="erlang-diameter and erlang-dev are not installed"
)
needs_freediameter = pytest.mark.skipif(not shutil.which("freeDiameterd"), reason="freediameterd is not installed")
needs_tshark = pytest.mark.skipif(
    not (shutil.which("tshark") and shutil.which("text2pcap")), reason="tshark is not installed"
)


@pytest.fixture
def lists(tmp_path: Path) -> tuple[str, ...]:
    listed = write_list(
        tmp_path, "blocklist", (PHONE, "2020-01-01", "stolen"), ("00100100000002", "9999-01-01", "cloned")
    )
    return ("--list", str(listed), "--accept-unsigned")


@needs_otp
@pytest.mark.slow
def test_erlang_otp_finds_no_fault_and_its_watchdog_is_answered(tmp_path: Path, lists: tuple[str, ...]):
    """Its strict codec checks every message; its watchdog runs at 6 s, so within 9 s at least one DWR is answered."""
    for name in ("s13.dia", "mme.erl"):
        shutil.copy(HERE / name, tmp_path)
    make = 'ok = diameter_make:codec("s13.dia", [{outdir, "."}]), {ok, _} = compile:file(s13), {ok, _} = compile:file(mme), halt(0).'
    subprocess.run(["erl", "-noshell", "-eval", make], cwd=tmp_path, check=True, timeout=120)
    asked = [PHONE, "00100100000002", "00100100000003", "001001000000010", "0010010000000"]
    with served(tmp_path / "home", *lists) as eir:
        port = eir.wait_for("listening", transport="tcp")["port"]
        eir.wait_for("listening", transport="http")
        done = subprocess.run(
            ["erl", "-noshell", "-pa", ".", "-run", "mme", "main", str(port), "9000", *asked],
            cwd=tmp_path, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert eir.wait_for("peer closed")["host"].startswith("otp.")
    lines = done.stdout.splitlines()
    answers = [
        f"{PHONE} [1] 2001",
        "00100100000002 [2] 2001",
        "00100100000003 none 5422",
        "001001000000010 [1] 2001",
        "0010010000000 none 5004",
    ]
    assert [line for line in lines if line[0].isdigit()] == answers * 2, done.stdout
    assert (lines[0], lines[-1]) == ("up", "down")


def freediameter(folder: Path, options: str, link: str, seconds: float | None) -> str:
    """Run the daemon until the link is open, and that long besides; its log."""
    (folder / "fd.conf").write_text(
        f'Identity = "{mme.HOST}";\nRealm = "{mme.REALM}";\nPort = 0;\nSecPort = 0;\nNo_SCTP;\nTwTimer = 6;\nTcTimer = 1;\n'
        f'ListenOn = "127.0.0.1";\nTLS_Cred = "{folder}/{mme.HOST}.pem", "{folder}/{mme.HOST}.key";\n'
        f'TLS_CA = "{folder}/authority.pem";\nTLS_DH_Bits = 1024;\n{options}'
        f'ConnectPeer = "{mme.EIR}" {{ ConnectTo = "127.0.0.1"; {link} }};\n'
    )
    daemon = subprocess.Popen(
        ["freeDiameterd", "-c", str(folder / "fd.conf")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = ""
    try:
        for line in daemon.stdout:
            said += line
            if "-> 'STATE_OPEN'" in line or "FATAL" in line:
                break
        if seconds:
            with contextlib.suppress(subprocess.TimeoutExpired):
                daemon.wait(seconds)
        daemon.send_signal(signal.SIGINT)
        said += daemon.stdout.read()
    finally:
        daemon.kill()
        daemon.wait()
        daemon.stdout.close()
    return said


@needs_freediameter
@pytest.mark.slow
def test_freediameter_opens_keeps_and_closes_a_link(tmp_path: Path, lists: tuple[str, ...]):
    """TwTimer 6: within 9 s it sends a DWR, and would leave STATE_OPEN without an answer."""
    authority = certificate(tmp_path, "authority", is_authority=True)
    certificate(tmp_path, mme.HOST, authority)
    with served(tmp_path / "home", *lists) as eir:
        port = eir.wait_for("listening", transport="tcp")["port"]
        eir.wait_for("listening", transport="http")
        said = freediameter(tmp_path, "", f"No_TLS; Port = {port};", 9)
        assert eir.wait_for("peer open")["host"] == mme.HOST
        assert eir.wait_for("peer closed")["why"] == "closed"
    opened = said[said.index("-> 'STATE_OPEN'") :]
    assert "STATE_SUSPECT" not in opened
    assert "'STATE_OPEN'\t-> 'STATE_CLOSING_GRACE'" in opened


@needs_freediameter
def test_freediameter_and_we_open_a_link_under_tls_with_two_certificates(tmp_path: Path, lists: tuple[str, ...]):
    """RFC 6733 §13.1: TLS first, then the CER; each side checks the other's certificate."""
    authority = certificate(tmp_path, "authority", is_authority=True)
    for name in (mme.HOST, mme.EIR):
        certificate(tmp_path, name, authority)
    tls = [
        f"--tls-cert={tmp_path}/{mme.EIR}.pem",
        f"--tls-key={tmp_path}/{mme.EIR}.key",
        f"--tls-ca={tmp_path}/authority.pem",
    ]
    with served(tmp_path / "home", *lists, *tls, "--tls-port", "0") as eir:
        port = eir.wait_for("listening", transport="tls")["port"]
        eir.wait_for("listening", transport="http")
        said = freediameter(tmp_path, "", f"Port = {port};", None)
        assert eir.wait_for("peer open")["host"] == mme.HOST
    assert "-> 'STATE_OPEN'" in said


# --------------------------------------------------------------------------------------------------------- the judge


def judged(folder: Path, *messages: bytes) -> list[list[str]]:
    """What tshark reads in each message: command, Equipment-Status, Result-Code and whatever it complains of."""
    dump = "".join(f"000000 {message.hex(' ')}\n" for message in messages)
    (folder / "octets.txt").write_text(dump)
    capture = folder / "octets.pcap"
    subprocess.run(
        ["text2pcap", "-q", "-T", "3868,40000", folder / "octets.txt", capture], check=True, capture_output=True
    )
    fields = [
        "diameter.cmd.code",
        "diameter.Equipment-Status",
        "diameter.Result-Code",
        "_ws.expert.message",
        "_ws.malformed",
    ]
    read = subprocess.run(
        ["tshark", "-r", capture, "-T", "fields", "-E", "separator=|", *(word for name in fields for word in ("-e", name))],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [line.split("|") for line in read.stdout.splitlines()]


@needs_tshark
def test_tshark_reads_every_message_of_ours_without_a_complaint(tmp_path: Path):
    link = new_link()
    link.receive(mme.cer(), 0.0)
    link.admit(0.0)
    messages = [link.bytes_to_send()]
    verdicts = [s13.Verdict.WHITELISTED, s13.Verdict.BLACKLISTED, s13.Verdict.GREYLISTED, s13.Verdict.EQUIPMENT_UNKNOWN]
    messages += [serve(link, mme.ecr(), verdict=verdict) for verdict in verdicts]
    [malformed] = link.receive(mme.ecr(imei="0010010000000"), 0.0)
    messages.append(ANSWERS.write(malformed, ANSWERS.tail_for_invalid_imei(malformed)))
    faulty = [mme.ecr(mme.avp(99999, b"x")), mme.ecr(imei=None), mme.ecr(mme.avp(283, "x"), without="to_realm")]
    messages += [serve(link, octets) for octets in [*faulty, mme.dwr(), mme.dpr()]]
    read = judged(tmp_path, *messages)
    assert [row[0] for row in read] == ["257"] + ["324"] * 8 + ["280", "282"]
    assert [row[1] for row in read[1:5]] == ["0", "1", "2", ""]
    # Its complaint of the unknown AVP is about the AVP that we show back in Failed-AVP, as we must (RFC 6733 §7.5).
    assert [row[3:] for number, row in enumerate(read) if number != 6] == [["", ""]] * 10


@needs_tshark
def test_the_judge_would_complain(tmp_path: Path):
    """A judge that accepts everything proves nothing: an Equipment-Status without its V bit is noticed."""
    wrong = ANSWERS.tail(s13.Verdict.BLACKLISTED).replace(
        bytes.fromhex("000005a5 c0000010 000028af 00000001"), bytes.fromhex("000005a5 40000010 000028af 00000001")
    )
    [read] = judged(tmp_path, mme.message(0x40, 324, mme.S13, mme.avp(263, "s"), wrong))
    assert read[1] == ""
