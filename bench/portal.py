"""The portal: the device check before Django, a check page through the whole of Django, a thousand numbers at once."""

import os
import sys
from pathlib import Path

import numpy as np

from bench import Row, Scale, meter, read_apart
from bench.eir import BLOCKED, devices
from openceir import clock
from openceir.eir import Contents, build


def _fast(home: Path, count: int) -> float:
    """CPU microseconds a request of the WSGI function over an index of that many devices."""
    from openceir.app import open_register
    from openceir.identity import format_imei
    from openceir.portal.application import with_fast_check
    from openceir.portal.fast_check import INDEX_NAME, source_of
    from openceir.settings import Settings

    register = open_register(home)
    size, _ = register.claims.state
    (home / "portal").mkdir(parents=True, exist_ok=True)
    listed = devices(count)
    contents = Contents(
        device=listed, attribute=np.full(len(listed), BLOCKED | 1, np.uint8), reasons=("-", "classified:cloned_imei")
    )
    source = source_of(register, None, has_golden=False)
    build(home / "portal" / INDEX_NAME, contents, sequence=size, issued_at=clock.now(), source=source)
    asked = [format_imei(f"{key:014d}") for key in [*listed[:10_000].tolist(), *range(10_000)]]

    def behind(environ, start_response):
        raise AssertionError("left to Django")

    application = with_fast_check(home, Settings(), behind)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": ""}
    sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - its log line is written, and not to the table
    for value in asked[:100]:
        environ["PATH_INFO"] = f"/api/v1/check/{value}"
        application(environ, lambda line, headers: None)
    with meter() as reading:
        for _ in range(5):
            for value in asked:
                environ["PATH_INFO"] = f"/api/v1/check/{value}"
                application(environ, lambda line, headers: None)
    return reading.cpu_seconds / (5 * len(asked)) * 1e6


def _pages(home: Path) -> tuple[float, float, float, float, float]:
    """CPU milliseconds: of an empty answer, of the frame of every page, of the first page, of a verdict's, of a thousand as CSV."""
    from openceir.portal.prepare import prepare

    os.environ["OPENCEIR_PORTAL_FREE_PER_HOUR"] = "1000000000"  # nobody here is asked for a proof of work
    prepare(home)
    from django.shortcuts import render
    from django.test import Client
    from django.urls import path

    from openceir.portal.site import urls

    urls.urlpatterns.insert(0, path("frame", lambda request: render(request, "site/base.html")))

    sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
    client = Client(headers={"Accept-Encoding": "identity"}, HTTP_HOST="localhost")

    def cost(times, ask):
        ask()
        with meter() as reading:
            for _ in range(times):
                assert ask().status_code == 200
        return reading.cpu_seconds / times * 1e3

    many = "\n".join(f"35000000{n:06d}" for n in range(1000))
    return (
        cost(200, lambda: client.get("/livez")),
        cost(200, lambda: client.get("/frame")),
        cost(200, lambda: client.get("/")),
        cost(200, lambda: client.post("/", {"identifiers": "35000000000001"})),
        cost(10, lambda: client.post("/", {"identifiers": many, "as": "csv"})),
    )


def measure(work: Path, scale: Scale) -> list[Row]:
    """The three costs that a busy day is made of."""
    count = 10_000_000 if scale.name == "full" else 1_000_000
    per_check, checks = read_apart(_fast, work / "portal-fast", count)
    (empty, frame, first, verdict, thousand), pages = read_apart(_pages, work / "portal-pages")
    return [
        Row(
            name=f"device check before Django, index of {count:,}", target="<= 80", unit="CPU us/request",
            measured=per_check, cpu_seconds=checks.cpu_seconds, peak_mb=checks.peak_mb,
        ),
        Row(
            name="an empty answer through all of Django, for comparison", unit="CPU ms/answer", measured=empty,
            cpu_seconds=pages.cpu_seconds, peak_mb=pages.peak_mb,
        ),
        Row(
            name="the frame of every page without a content, for comparison", unit="CPU ms/page", measured=frame,
            cpu_seconds=pages.cpu_seconds, peak_mb=pages.peak_mb,
        ),
        Row(
            name="first page of the portal", target="<= 2", unit="CPU ms/page", measured=first,
            cpu_seconds=pages.cpu_seconds, peak_mb=pages.peak_mb,
        ),
        Row(
            name="page of a verdict", unit="CPU ms/page", measured=verdict, cpu_seconds=pages.cpu_seconds,
            peak_mb=pages.peak_mb,
        ),
        Row(
            name="1,000 numbers as CSV", target="<= 100", unit="CPU ms", measured=thousand,
            cpu_seconds=pages.cpu_seconds, peak_mb=pages.peak_mb,
        ),
    ]  # fmt: skip
