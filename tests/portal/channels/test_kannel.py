"""Debian's Kannel end to end: a false message centre, its gateway, `openceir serve`, and the answers back."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from a_country import Storyland
from openceir.identity import format_imei
from portal.channels.a_centre import LONGEST_S, free_port

FAKESMSC = Path("/usr/lib/kannel/test/fakesmsc")
MESSAGES = 20
FULL = format_imei("00100100000001")


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Look again and again, for as long as a busy machine may take."""
    end = time.monotonic() + LONGEST_S
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(f"not in {LONGEST_S} s: {what}")
        time.sleep(0.1)


@pytest.fixture
def started() -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Starts processes; all are ended with the test, the last first."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*command: str, log: Path, **environment: str) -> "subprocess.Popen[bytes]":
        with log.open("wb") as sink:
            running.append(
                subprocess.Popen(
                    command, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, env=os.environ | environment
                )
            )
        return running[-1]

    yield start
    for process in reversed(running):
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_twenty_messages_through_kannel_get_twenty_answers(tmp_path: Path, started):
    if not (shutil.which("bearerbox") and shutil.which("smsbox") and FAKESMSC.exists()):
        pytest.skip("Kannel is not here: scripts/install-gateways.sh installs it")
    land = Storyland(tmp_path / "home")
    land.register.ledger.close()
    land.register.database.close()
    web, admin, boxes, centre = (free_port() for _ in range(4))
    (land.home / "openceir.toml").write_text('[channels]\ngateways = "127.0.0.1"\n')
    serve_log = tmp_path / "serve.log"
    openceir = str(Path(sys.executable).with_name("openceir"))
    started(openceir, "--home", str(land.home), "serve", "--port", str(web), log=serve_log)
    wait_until(lambda: _answers(web), "openceir serve answers")

    conf = tmp_path / "kannel.conf"
    conf.write_text(CONFIGURATION.format(admin=admin, boxes=boxes, centre=centre, web=web))
    started("bearerbox", "-v", "1", str(conf), log=tmp_path / "bearerbox.log")
    wait_until(lambda: _listens(boxes), "bearerbox listens for boxes")
    started("smsbox", "-v", "1", str(conf), log=tmp_path / "smsbox.log")
    wait_until(lambda: "Client connected" in (tmp_path / "bearerbox.log").read_text("latin-1"), "smsbox is connected")
    fake_log = tmp_path / "fakesmsc.log"
    started(
        str(FAKESMSC), "-H", "127.0.0.1", "-r", str(centre), "-i", "0.05", "-m", str(MESSAGES), "-v", "0",
        f"15550100077 8484 text KYM {FULL}",
        f"15550100077 8484 text AR {FULL}", log=fake_log,
    )  # fmt: skip
    wait_until(lambda: fake_log.read_text("latin-1").count("Got message") >= MESSAGES, "all answers")

    told = fake_log.read_text("latin-1")
    english = re.findall(r"8484 15550100077 text (.*?)>", told)
    arabic = [unquote_to_bytes(each.replace("+", " ")) for each in re.findall(r"8484 15550100077 ucs-2 (.*?)>", told)]
    assert len(english) + len(arabic) == MESSAGES
    assert set(english) == {"NOT REGISTERED: nothing is on record. Ask the seller for papers and register it. N0"}
    assert {each.decode("utf-16-be") for each in arabic} == {"غير مسجل: لا شيء عنه. اطلب أوراقه من البائع وسجّله. N0"}
    ours = serve_log.read_text()
    assert ours.count("/sms/kannel 200") == MESSAGES
    assert FULL not in ours
    assert "15550100077" not in ours


def _answers(port: int) -> bool:
    import httpx

    try:
        return httpx.get(f"http://127.0.0.1:{port}/livez", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def _listens(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


CONFIGURATION = """
group = core
admin-port = {admin}
admin-password = test
admin-interface = 127.0.0.1
smsbox-port = {boxes}
box-allow-ip = 127.0.0.1
box-deny-ip = *.*.*.*

group = smsc
smsc = fake
smsc-id = fake
host = 127.0.0.1
port = {centre}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1

group = sms-service
keyword = default
catch-all = true
get-url = "http://127.0.0.1:{web}/sms/kannel?from=%p&to=%P&text=%a&id=%I&charset=%C"
max-messages = 1
omit-empty = true
accept-x-kannel-headers = true
"""
