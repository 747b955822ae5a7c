"""The demo holds, prints what the README shows, and leaves what is not its own alone."""

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from random import sample

import httpx
import pytest

from openceir.portal import demonstration

ROOT = Path(__file__).parents[2]
LEAF = re.compile("leaf [0-9a-f]+")
BEGIN, END = "<!-- demo: begin -->\n\n```\n", "\n```\n\n<!-- demo: end -->"


def openceir(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENCEIR_")}
    command = [sys.executable, "-c", "from openceir.cli import main; main()", *words]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `openceir demo` has just run, its output in out.txt."""
    folder = tmp_path_factory.mktemp("demo")
    done = openceir("demo", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "out.txt").write_text(done.stdout)
    return folder


@pytest.mark.slow
def test_the_readme_shows_what_the_demo_prints(place):
    """Renew it with scripts/renew-readme.sh."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.partition(BEGIN)[2].partition(END)[0]
    assert shown == (place / "out.txt").read_text().rstrip("\n")


@pytest.mark.slow
def test_the_readme_shows_what_the_check_of_its_first_example_prints(place):
    """Renew it with scripts/renew-readme.sh. Keys and salts are new in every run, and so are the hashes over them."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    asked, _, shown = readme.partition("```console\n$ openceir device check ")[2].partition("\n")
    done = openceir("--home", "demo/home", "device", "check", *asked.split(), cwd=place)
    answer = shown.partition("\n```")[0]
    assert LEAF.sub("leaf", done.stdout.rstrip("\n")) == LEAF.sub("leaf", answer)


@pytest.mark.slow
def test_the_commands_it_recommends_work_in_the_home_it_left(place):
    said = (place / "out.txt").read_text().partition("Try next")[2]
    commands = [line.split() for line in said.splitlines() if line.startswith("  openceir ")]
    assert len(commands) >= 6
    for command in commands:
        if command[1] != "serve":
            done = openceir("--home", "demo/home", *command[1:], cwd=place)
            assert done.returncode in {0, 3, 4, 5}, [*command, done.stderr]
            assert not done.stderr.startswith("openceir:"), [*command, done.stderr]


@pytest.mark.slow
def test_a_kept_demo_tells_the_same_again(place):
    done = openceir("demo", "--keep", "--json", cwd=place)
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert told["held"] is True
    assert "\n".join(told["report"]) == (place / "out.txt").read_text().rstrip("\n")


def test_a_folder_that_it_did_not_make_is_left_alone(tmp_path):
    precious = tmp_path / "demo" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("three years")
    done = openceir("demo", cwd=tmp_path)
    assert done.returncode == 2
    assert "[demo-folder]" in done.stderr
    assert [path.name for path in precious.parent.iterdir()] == ["thesis.txt"]


@pytest.mark.slow
def test_the_served_demo_opens_each_door_to_its_own_account(place):
    """Each account signs in with the printed password and the code of `--code`, and its page answers."""
    with served(place / "demo") as (address, told):
        with httpx.Client(base_url=address, timeout=120, follow_redirects=True) as anybody:
            assert anybody.get("/police/").url.path == "/account/login/"
        for account in told["accounts"]:
            with httpx.Client(base_url=address, timeout=120, follow_redirects=True) as browser:
                page = sign_in(browser, account, told)
                assert (page.status_code, page.url.path) == (200, account["first"]), account["name"]
                others = (
                    "/police/" if account["role"] not in {"police-officer", "police-supervisor"} else "/auditor/acts/"
                )
                assert browser.get(others).status_code == 403, account["name"]


def sign_in(browser, account, told):
    form = browser.get("/account/login/")
    assert form.status_code == 200
    fields = {"login": account["name"], "password": told["password"], "next": account["first"]}
    page = browser.post("/account/login/", data=fields | {"csrfmiddlewaretoken": browser.cookies["csrftoken"]})
    if account["role"] != "citizen":
        assert page.url.path == "/account/2fa/authenticate/", page.url
        code = openceir("demo", "demo", "--code", cwd=told["folder"]).stdout.strip()
        token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        page = browser.post(str(page.url), data={"code": code, "next": account["first"]} | token)
    return page


@contextmanager
def served(demo):
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENCEIR_", "DJANGO_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "openceir", "demo", str(demo), "--keep", "--serve", "--port", str(port)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
    )  # fmt: skip
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Second factor"):
                break
        told = json.loads((demo / "accounts.json").read_text()) | {"folder": demo.parent}
        text = "".join(lines)
        assert told["password"] in text
        assert all(f"  {account['name']}" in text for account in told["accounts"])
        address = f"http://127.0.0.1:{port}"
        with httpx.Client(transport=httpx.HTTPTransport(retries=9), timeout=60) as client:
            assert client.get(f"{address}/livez").status_code == 200
        yield address, told
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def free_port():
    for port in sample(range(20_000, 32_000), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("a hundred ports of 127.0.0.1 are all taken")


def test_accounts_with_a_printed_password_are_never_made_in_a_real_home(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "openceir.portal.demonstration", str(home)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "not-a-demo" in done.stderr
    assert list(home.iterdir()) == []


def test_codes_are_those_of_the_standard(monkeypatch):
    """RFC 6238 appendix B, SHA-1, the last six digits of its eight."""
    secret = base64.b32encode(b"12345678901234567890").decode()
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")):
        monkeypatch.setattr(demonstration.clock, "now", lambda at=seconds: datetime.fromtimestamp(at, UTC))
        assert demonstration.code_now({"totp_secret": secret}) == code
