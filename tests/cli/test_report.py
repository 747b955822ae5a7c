"""`openceir report` as an analyst types it."""

import csv
import json

import pytest
from tests.cli.test_lists import run

from a_country import ALICE, ALICES_PHONE, Storyland


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    country = Storyland(tmp_path_factory.mktemp("country") / "home")
    country.sees("northtel", [("2026-10-01", ALICES_PHONE, ALICE)], "2026-10-02")
    country.register.ledger.close()
    return country.home


def test_a_report_is_made_shown_and_exported(home, tmp_path):
    assert "northtel" in run(home, "report", "make", "2026-10").stdout
    shown = run(home, "report", "show", "2026-10", "--figure", "seen_in_month", "--json")
    [figure] = json.loads(shown.stdout)["figures"]
    assert figure["rows"][0][:2] == [1, 1]
    assert run(home, "report", "export", "2026-10", "--operator", "northtel", "--out", tmp_path / "o").returncode == 0
    assert "northtel" in (tmp_path / "o" / "index.html").read_text()
    with (tmp_path / "o" / "seen_a_day.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["day", "devices", "imsis", "msisdns"], ["2026-10-01", "1", "1", "1"]]


def test_a_listing_is_for_its_owner_alone_and_writes_over_nothing(home, tmp_path):
    out = tmp_path / "n-7.csv"
    words = ("report", "listing", "found_with", "2026-10", "--out", out)
    assert run(home, *words).returncode == 2  # no purpose
    assert run(home, *words, "--purpose", "N-7").returncode == 0
    assert out.stat().st_mode & 0o777 == 0o600
    again = run(home, *words, "--purpose", "N-7")
    assert (again.returncode, "exists already" in again.stderr) == (2, True)


def test_what_is_not_there_is_said_with_what_to_do(home):
    missing = run(home, "report", "show", "2026-07", "--json")
    assert missing.returncode == 2
    assert json.loads(missing.stderr)["code"] == "report-unknown"
    assert "openceir report make 2026-07" in missing.stderr
    assert "no month" in run(home, "report", "make", "October").stderr
