"""What Prometheus reads: counts and latencies of every process, and of nobody."""

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace

import httpx
import pytest
from django.test import Client, override_settings
from prometheus_client.parser import text_string_to_metric_families

from a_country import ALICES_PHONE
from openceir.identity import format_imei
from openceir.portal.citizens.reports import open_report
from portal.site.test_serve import free_port, wait_for

SECRET = "a-secret-of-the-scraper"
NUMBER = format_imei(ALICES_PHONE)


@pytest.fixture
def scraper(country):
    """Somebody who shows the secret."""
    from django.conf import settings

    (country.home / "metrics.secret").write_text(SECRET + "\n")
    with override_settings(OPENCEIR=replace(settings.OPENCEIR, portal_metrics_secret_file="metrics.secret")):
        yield Client(headers={"Authorization": f"Bearer {SECRET}"})


def read(text):
    """name{labels} -> value, by Prometheus' own parser."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_page_is_closed_without_the_setting_and_to_who_does_not_show_the_secret(scraper, country):
    assert Client().get("/metrics").status_code == 401
    assert Client(headers={"Authorization": "Bearer nothing-of-the-kind"}).get("/metrics").status_code == 401
    assert scraper.get("/metrics").status_code == 200
    (country.home / "metrics.secret").write_text("short")
    assert scraper.get("/metrics").status_code == 404


def test_without_the_setting_there_is_no_page(country):
    assert Client().get("/metrics").status_code == 404


def test_requests_checks_and_cases_are_counted_and_nothing_names_anybody(scraper, anybody):
    before = read(scraper.get("/metrics").content.decode())
    anybody.post("/", {"identifiers": NUMBER})
    anybody.get(f"/nonesuch/{NUMBER}")
    anybody.generic("BREW", "/")
    case, _secret = open_report(
        ALICES_PHONE, is_theft=True, channel="web", language="en", name="Alice", place="Harbour"
    )
    page = scraper.get("/metrics").content.decode()
    after = read(page)

    def more(name, **labels):
        key = (name, *sorted(labels.items()))
        return after.get(key, 0) - before.get(key, 0)

    assert more("openceir_portal_requests_total", route="/", method="POST", status="200") == 1
    assert more("openceir_portal_requests_total", route="-", method="GET", status="404") == 1
    assert more("openceir_portal_requests_total", route="/", method="-", status="405") == 1
    assert more("openceir_portal_request_seconds_count", route="/") == 2
    assert more("openceir_portal_checks_total", channel="web") == 1
    assert after["openceir_cases_open", ("kind", "theft"), ("state", "unproven")] == 1
    assert after["openceir_portal_ready", ("check", "worker")] == 0
    assert after["openceir_portal_ready", ("check", "database")] == 1
    labels = [value for name, *labels in after for _label, value in labels]
    assert not re.search(r"\d{8}", " ".join(labels))
    for told in ("Alice", "Harbour", case.reference, "nonesuch"):
        assert told not in page


def test_several_processes_are_read_as_one(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "metrics.secret").write_text(SECRET)
    (home / "openceir.toml").write_text('[http]\nworkers = 2\n[portal]\nmetrics_secret_file = "metrics.secret"\n')
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENCEIR_", "DJANGO_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "openceir", "--home", str(home), "serve", "--port", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    headers = {"Authorization": f"Bearer {SECRET}", "Connection": "close"}
    address = f"http://127.0.0.1:{port}"

    def ask(path):
        with suppress(httpx.TransportError):
            return httpx.get(address + path, headers=headers, timeout=60)
        return None

    try:
        wait_for(lambda: ask("/livez"))
        for _ in range(30):  # a connection each, so that both processes answer some
            assert ask("/livez").status_code == 200
        assert ask(f"/api/v1/check/{NUMBER}").status_code == 200
        found = read(ask("/metrics").text)
        assert found["openceir_portal_requests_total", ("method", "GET"), ("route", "/livez"), ("status", "200")] >= 31
        assert found["openceir_portal_checks_total", ("channel", "api")] == 1
        assert len({path.stem for path in (home / "portal" / "metrics").glob("counter_*.db")}) >= 1
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(90)
