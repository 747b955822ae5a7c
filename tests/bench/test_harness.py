"""The benchmark's data are what they claim, and its table says met only where a target is met."""

import csv
import gzip
import io
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from bench.__main__ import line, load, save

from bench import Beside, Row, nation, read_apart
from openceir.identity import imei_digits

ROWS = 20_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> nation.Nation:
    return nation.make(tmp_path_factory.mktemp("nation"), rows=ROWS)


def rows_of(paths: list[Path]) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for path in paths:
        rows += csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode("utf-8"), newline=""))
    return rows


def test_the_month_has_exactly_the_rows_asked_for(made):
    assert len(rows_of(made.dumps)) == ROWS


def test_lake_and_dumps_hold_the_same_sightings(made):
    """Read apart: the dumps as text, the lake as keys (docs/architecture.md §2)."""
    from_dumps = sorted(
        (int(digits) if (digits := imei_digits(row["IMEI"])) else -1, int("1" + row["IMSI"]), row["Time"])
        for row in rows_of(made.dumps)
    )
    columns = [pq.read_table(path, columns=["device", "imsi", "ts"]).to_pylist() for path in made.lake()]
    from_lake = sorted(
        (
            row["device"] if row["device"] is not None and row["device"] < 10**14 else -1,
            row["imsi"],
            f"{row['ts'] % 86400 // 3600:02d}:{row['ts'] // 60 % 60:02d}:{row['ts'] % 60:02d}",
        )
        for rows in columns
        for row in rows
    )
    assert from_lake == from_dumps


def test_four_in_a_thousand_are_malformed_or_oddly_written(made):
    written = [row["IMEI"] for row in rows_of(made.dumps)]
    odd = sum(not (text.isascii() and text.isdecimal() and 14 <= len(text) <= 16) for text in written)
    assert 0.003 < odd / ROWS < 0.005


@pytest.mark.parametrize(
    ("target", "measured", "met"), [(">= 10", 10, True), (">= 10", 9.9, False), ("<= 10", 9.9, True), ("", 1, None)]
)
def test_a_target_is_met_or_not(target: str, measured: float, met: bool | None):
    assert Row(name="n", measured=measured, unit="u", cpu_seconds=1, target=target).is_met is met


def test_the_table_shows_the_factor_beside_another(tmp_path):
    row = Row(
        name="import",
        measured=600_000,
        unit="rows/CPU-s",
        cpu_seconds=5,
        beside=(Beside(what="peer", measured=16_000),),
    )
    assert "peer 16,000 (×37.5)" in line(row)
    save(tmp_path / "rows.json", [row])
    assert load(tmp_path / "rows.json") == [row]


def _burn(turns: int) -> int:
    return sum(number * number for number in range(turns))


def test_a_function_run_apart_answers_and_tells_its_cost():
    answer, reading = read_apart(_burn, 3_000_000)
    assert answer == _burn(3_000_000)
    assert reading.cpu_seconds > 0
    assert reading.peak_mb > 5
