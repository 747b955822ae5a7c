"""One Chromium and one served country for all browser tests; they end with the last of these tests, for while Playwright
runs in a thread no other test there may use Django's database or an event loop of its own. Without them these tests are skipped, and say why.

    def test_the_queue(look):
        look("/police/", as_="ann")

`look` opens a page left-to-right and right-to-left, at 320 px, and holds it against the rules of every page: no axe
violation, no sideways scroll, nothing asked of another host, no error of the browser.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import sample
from typing import Any

import httpx
import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe_source = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")

CHROMIUM = Path("/usr/bin/chromium")
AXE = (Path(axe_source.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--use-fake-ui-for-media-stream",
         "--use-fake-device-for-media-stream"]  # fmt: skip


@dataclass(frozen=True)
class Served:
    """The running server and what its country holds."""

    address: str
    known: dict[str, Any]


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("served")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENCEIR_", "DJANGO_"))}
    told = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("a_served_country.py")), str(home)],
        check=True, stdout=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "openceir", "--home", str(home), "serve", "--port", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        with httpx.Client(transport=httpx.HTTPTransport(retries=8), timeout=60) as client:
            assert client.get(f"{address}/livez").status_code == 200
        yield Served(address, json.loads(told.stdout.splitlines()[-1]))
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """One below those that the system gives out by itself."""
    for port in sample(range(20_000, 32_000), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("a hundred ports of 127.0.0.1 are all taken")


@pytest.fixture(scope="package")
def playwright() -> Iterator[Any]:
    """What drives browsers: a process bears one, whatever browsers it starts."""
    if not CHROMIUM.exists():
        pytest.skip("there is no /usr/bin/chromium; scripts/install-browser.sh installs it")
    with sync_api.sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def chromium(playwright: Any) -> Iterator[Any]:
    browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
    yield browser
    browser.close()


def a_browser_of(chromium: Any, served: Served, as_: str, language: str, width: int, javascript: bool) -> Any:
    """Somebody's browser: its own cookies and store, the person signed in, the language chosen."""
    context = chromium.new_context(
        base_url=served.address,
        viewport={"width": width, "height": 740},
        java_script_enabled=javascript,
        permissions=["camera"],
    )
    cookies = [{"name": "language", "value": language, "url": served.address}]
    if as_:
        cookies.append({"name": "sessionid", "value": served.known["cookies"][as_], "url": served.address})
    context.add_cookies(cookies)
    return context


def open_in(page: Any, path: str) -> Any:
    """The page, opened; what it asked of whom and what the browser complained of is noted from here on."""
    page.asked, page.faults = [], []
    reply = page.goto(path)
    assert reply.ok, f"{path} answered {reply.status}"
    return page


def a_page_of(context: Any) -> Any:
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda fault: page.faults.append(str(fault)))
    page.on("console", lambda said: page.faults.append(said.text) if said.type == "error" else None)
    return page


@pytest.fixture
def browse(chromium: Any, served: Served) -> Iterator[Callable[..., Any]]:
    """`browse("/", as_="alice", language="ar", width=320, javascript=False)`: the page, opened in a browser of its own."""
    contexts = []

    def open_page(path: str, *, as_: str = "", language: str = "en", width: int = 360, javascript: bool = True) -> Any:
        contexts.append(a_browser_of(chromium, served, as_, language, width, javascript))
        return open_in(a_page_of(contexts[-1]), path)

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="package")
def looked_at(chromium: Any, served: Served) -> Iterator[Callable[[str, str, str], Any]]:
    """A page opened in the browser of a person and language that all `look`s share: a new one each would cost a second."""
    pages: dict[tuple[str, str], Any] = {}

    def open_page(path: str, as_: str, language: str) -> Any:
        if (as_, language) not in pages:
            pages[as_, language] = a_page_of(a_browser_of(chromium, served, as_, language, 320, javascript=True))
        return open_in(pages[as_, language], path)

    yield open_page
    for page in pages.values():
        page.context.close()


@pytest.fixture
def check_page(served: Served) -> Callable[[Any], None]:
    """Hold an open page against the rules of every page."""

    def check(page: Any) -> None:
        found = page.evaluate(
            AXE + "\n;axe.run(document, {runOnly: " + json.dumps(RULES) + "})"
            ".then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' | ')))"
        )
        assert found == [], f"axe: {found}"
        across = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert across <= 0, f"{across} px too wide at {page.viewport_size['width']} px"
        ours = (served.address, served.address.replace("127.0.0.1", "localhost"), "data:", "blob:")
        strangers = [url for url in page.asked if not url.startswith(ours)]
        assert strangers == [], f"asked of other hosts: {strangers}"
        assert page.faults == [], f"the browser complains: {page.faults}"

    return check


@pytest.fixture
def look(looked_at: Callable[[str, str, str], Any], check_page: Callable[[Any], None]) -> Callable[..., None]:
    """Open a page in a language of each direction, at 320 px, and check it."""

    def look_at(path: str, *, as_: str = "") -> None:
        for language in ("en", "ar"):
            page = looked_at(path, as_, language)
            assert page.get_attribute("html", "dir") == ("rtl" if language == "ar" else "ltr")
            check_page(page)

    return look_at
