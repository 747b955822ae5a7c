"""Renew the pictures of the portal in docs/images/, from the country of the browser tests. Needs chromium.

    .venv/bin/python scripts/take-screenshots.py [part of a name]

A door's pictures are lines of SHOTS: file, person, address, language, and what is typed where before "send".
"""

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
SHOTS: tuple[tuple[str, str, str, str, dict[str, str]], ...] = (
    ("citizen-check", "", "/", "en", {}),
    ("citizen-blocked", "", "/", "en", {"#id_identifiers": "001001000000023"}),
    ("citizen-blocked-ar", "", "/", "ar", {"#id_identifiers": "001001000000023"}),
    ("citizen-report", "", "/report/", "en", {}),
    ("citizen-mine", "alice", "/mine/", "en", {}),
    ("citizen-case", "alice", "case:report", "en", {}),
    ("police-case", "ann", "/police/cases/{case}/", "en", {}),
    ("customs-consignment", "cas", "/customs/consignments/{consignment}/", "en", {}),
    ("regulator-figures", "reg", "/regulator/figures/{month}/", "en", {}),
    ("auditor-proofs", "", "/auditor/proofs/", "en", {}),
)


def main() -> None:
    """Take those whose name holds what was asked for."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    folder = ROOT / "docs" / "images"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "home"
        environment = {key: value for key, value in os.environ.items() if not key.startswith("OPENCEIR_")}
        country = ROOT / "tests" / "portal" / "browser" / "a_served_country.py"
        told = subprocess.run([sys.executable, str(country), str(home)], check=True, stdout=subprocess.PIPE, text=True)
        known = json.loads(told.stdout.splitlines()[-1])
        server = subprocess.Popen(
            [sys.executable, "-m", "openceir", "--home", str(home), "serve", "--port", "18073"],
            stderr=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
        try:
            address = "http://127.0.0.1:18073"
            with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
                client.get(f"{address}/livez")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
                )
                for file, person, path, language, typed in SHOTS:
                    if wanted not in file:
                        continue
                    context = browser.new_context(base_url=address, viewport={"width": 480, "height": 760})
                    cookies = [{"name": "language", "value": language, "url": address}]
                    if person:
                        cookies.append({"name": "sessionid", "value": known["cookies"][person], "url": address})
                    context.add_cookies(cookies)
                    page = context.new_page()
                    page.set_default_timeout(60_000)
                    page.goto("/mine/" if path.startswith("case:") else path.format(**known))
                    if path.startswith("case:"):
                        page.click('main a[href^="/case/"]')
                    for field, text in typed.items():
                        page.fill(field, text)
                    if typed:
                        page.click("main form button:not([type=button])")
                        page.wait_for_load_state()
                    octets = page.screenshot(full_page=True)
                    picture = Image.open(io.BytesIO(octets))
                    picture = picture.crop((0, 0, picture.width, min(picture.height, 1100)))
                    picture.quantize(32).save(folder / f"{file}.png", optimize=True)
                    context.close()
                browser.close()
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)


if __name__ == "__main__":
    main()
