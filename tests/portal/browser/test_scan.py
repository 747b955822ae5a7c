"""The camera reads a label: Chromium with a made-up camera, under the policy that the check page is shipped with."""

import random
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image, ImageFilter

import openceir.portal.citizens
from scan.a_label import Label, a_label, as_png, draw

CHROMIUM = Path("/usr/bin/chromium")
STATIC = Path(openceir.portal.citizens.__file__).parent / "static"
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; media-src 'self' blob:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGE = b"""<!doctype html><html lang="en"><title>Check</title>
<textarea id="id_identifiers"></textarea>
<div data-scan hidden><button type="button" data-scan-start>Scan</button>
<video data-scan-video playsinline muted hidden></video>
<p data-scan-status role="status" data-text-looking="looking" data-text-none="none" data-text-denied="denied"
data-text-found="found"></p></div>
<script type="module" src="/citizens/scan.js"></script></html>"""
LONGEST_MS = 90_000  # that a busy machine may take


class Pages(SimpleHTTPRequestHandler):
    """The page and the static files, with the policy."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(PAGE)

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    Pages.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Pages, directory=str(STATIC))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def film(path: Path, label: Label | None) -> Path:
    """What the camera sees: the label held before it by an unsteady hand, or a wall."""
    dice = random.Random(5)
    frames = []
    for _ in range(8):
        scene = Image.new("L", (1280, 960), 170)
        if label is not None:
            held = draw(label, 2.6, aside=dice.randrange(8)).rotate(dice.uniform(-3, 3), expand=True, fillcolor=255)
            scene.paste(held, (200 + dice.randrange(40), 150 + dice.randrange(40)))
        noise = np.random.default_rng(dice.randrange(99)).normal(0, 8, (960, 1280))
        scene = Image.fromarray(np.clip(np.asarray(scene) + noise, 0, 255).astype(np.uint8))
        sharp = path.with_suffix(".jpg")
        scene.filter(ImageFilter.GaussianBlur(0.7)).convert("RGB").save(sharp, quality=85)
        frames.append(sharp.read_bytes())
    path.write_bytes(b"".join(frames))
    return path


class Filmed:
    """A Chromium whose camera shows a film."""

    def __init__(self, playwright: Any, camera: Path | None) -> None:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                 "--disable-component-update", "--disable-sync"]  # fmt: skip
        if camera is not None:
            flags += ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
                      f"--use-file-for-fake-video-capture={camera}"]  # fmt: skip
        self.browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=flags)

    def open(self, address: str) -> tuple[Any, list[str]]:
        """The page, and what the browser complains of."""
        page = self.browser.new_page()
        page.set_default_timeout(LONGEST_MS)
        faults: list[str] = []
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.goto(address)
        return page, faults


def test_the_camera_reads_both_imeis_and_asks_for_the_reader_only_then(tmp_path: Path, address: str, playwright: Any):
    label = a_label(random.Random(3))
    filmed = Filmed(playwright, film(tmp_path / "label.mjpeg", label))
    page, faults = filmed.open(address)
    assert page.locator("[data-scan-start]").is_visible()
    assert not any("vendor" in path for path in Pages.asked), "the reader weighs 420 kB: not before it is wanted"
    page.fill("#id_identifiers", "001001000000015")
    page.click("[data-scan-start]")
    page.locator("[data-scan-status]", has_text="found").wait_for()
    lines = page.input_value("#id_identifiers").split()
    assert lines[0] == "001001000000015", "what was typed stays"
    assert set(lines[1:]) == set(label.imeis)
    assert page.evaluate("document.querySelector('video').srcObject === null"), "the camera is off again"
    assert [path for path in Pages.asked if "wasm" in path]
    assert [fault for fault in faults if "favicon" not in fault and "404" not in fault] == []
    filmed.browser.close()


def test_the_check_page_reads_a_label_under_its_own_policy_and_checks_it(tmp_path: Path, served: Any, playwright: Any):
    label = a_label(random.Random(3))
    filmed = Filmed(playwright, film(tmp_path / "label.mjpeg", label))
    page, faults = filmed.open(f"{served.address}/")
    assert "'wasm-unsafe-eval'" in page.request.get(served.address).headers["content-security-policy"]
    page.click("[data-scan-start]")
    page.locator("[data-scan-status]", has_text="Found").wait_for()
    assert set(page.input_value("#id_identifiers").split()) == set(label.imeis)
    page.locator("main button.govuk-button", has_text="Check").last.click()
    page.locator("h1", has_text="2 numbers were checked").wait_for()
    assert faults == []
    filmed.browser.close()


def test_a_wall_gives_no_number_and_the_button_stops_the_camera(tmp_path: Path, address: str, playwright: Any):
    filmed = Filmed(playwright, film(tmp_path / "wall.mjpeg", None))
    page, _ = filmed.open(address)
    page.click("[data-scan-start]")
    while not page.evaluate("document.querySelector('video').videoWidth"):
        page.wait_for_timeout(100)
    page.click("[data-scan-start]")
    page.locator("[data-scan-status]", has_text="none").wait_for()
    assert page.input_value("#id_identifiers") == ""
    filmed.browser.close()


def test_without_a_camera_the_page_says_so(address: str, playwright: Any):
    filmed = Filmed(playwright, None)
    page, _ = filmed.open(address)
    page.click("[data-scan-start]")
    page.locator("[data-scan-status]", has_text="denied").wait_for()
    filmed.browser.close()


def test_the_reader_of_the_browser_and_that_of_the_server_agree_on_this_label(tmp_path: Path):
    """The film is honest: the server's decoder reads the same frame."""
    from openceir.scan import read_label

    label = a_label(random.Random(3))
    film(tmp_path / "label.mjpeg", label)
    frame = as_png(Image.open(tmp_path / "label.jpg"))
    assert {each.canonical for each in read_label(frame)} == set(label.imeis)
