"""Pairs that an EIR saw, on their way to the centre: each once, none blocked, and the same batch the same octets."""

import gzip
import os
import stat
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest

from openceir.eir import Status, attribute
from openceir.eir.decision import MALFORMED, UNKNOWN, Step
from openceir.eir.records import RECORD, RecordFile
from openceir.eir.seen import SeenPairs
from openceir.http.operators import make_operators_application
from openceir.settings import load_settings

from .a_centre import BOBS_PHONE, ACentre
from .conftest import ALICE, ALICES_PHONE, BOB

BLOCKED = Step.IMEI << 8 | attribute(Status.BLOCKED)
BOBS = int(BOBS_PHONE)
MARCH = int(datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC).timestamp())


def records(path: Path, *rows: tuple[int, int, int, int]) -> Path:
    file = RecordFile(path)
    file.pending += [RECORD.pack(at, 7, device, imsi, number, -1, 0) for at, device, imsi, number in rows]
    file.close()
    return path


@pytest.fixture
def seen(tmp_path: Path):
    opened = SeenPairs(tmp_path / "eir" / "seen.sqlite")
    yield opened
    opened.close()


def rows_of(batch) -> list[str]:
    return gzip.decompress(batch.octets).decode().splitlines()


def test_a_pair_is_sent_once_and_a_change_of_device_is_a_pair(tmp_path, seen):
    path = records(
        tmp_path / "records",
        (MARCH, ALICES_PHONE, ALICE, UNKNOWN), (MARCH + 1, ALICES_PHONE, ALICE, UNKNOWN), (MARCH + 1, BOBS, ALICE, UNKNOWN),
    )  # fmt: skip
    assert seen.collect(path) == 2
    [batch] = seen.batches()
    # the day is that of the first time, UTC: the second after it the next day begins
    assert rows_of(batch) == [
        "date,imei,imsi",
        "2026-03-01,00100100000001,001010000000001",
        f"2026-03-02,{BOBS_PHONE},001010000000001",
    ]
    assert (batch.since, batch.until, batch.rows) == (date(2026, 3, 1), date(2026, 3, 2), 2)
    seen.sent(batch.number, date(2026, 3, 2))
    records(path, (MARCH + 9, ALICES_PHONE, ALICE, UNKNOWN))
    assert (seen.collect(path), list(seen.batches())) == (0, [])


def test_what_was_not_let_in_or_names_nobody_is_no_sighting(tmp_path, seen):
    path = records(
        tmp_path / "records",
        (MARCH, ALICES_PHONE, ALICE, BLOCKED), (MARCH, -1, ALICE, MALFORMED), (MARCH, ALICES_PHONE, 0, UNKNOWN),
    )  # fmt: skip
    assert seen.collect(path) == 0


def test_a_batch_that_did_not_arrive_is_the_same_octets_again(tmp_path, seen):
    path = records(tmp_path / "records", (MARCH, ALICES_PHONE, ALICE, UNKNOWN))
    seen.collect(path)
    [first] = seen.batches()
    records(path, (MARCH, BOBS, BOB, UNKNOWN))
    seen.collect(path)
    seen.close()
    again = SeenPairs(tmp_path / "eir" / "seen.sqlite")
    assert next(again.batches()).octets == first.octets
    assert sum(batch.rows for batch in again.batches()) == 2
    again.close()


def test_a_record_file_that_is_empty_yet_or_ends_in_half_a_record_is_read_later(tmp_path, seen):
    path = records(tmp_path / "records")
    assert seen.collect(path) == 0
    records(path, (MARCH, BOBS, ALICE, UNKNOWN))
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    assert seen.collect(path) == 0
    path.write_bytes(whole)
    assert seen.collect(path) == 1


def test_a_record_file_that_began_anew_is_read_from_its_beginning(tmp_path, seen):
    path = records(tmp_path / "records", (MARCH, ALICES_PHONE, ALICE, UNKNOWN), (MARCH, BOBS, ALICE, UNKNOWN))
    seen.collect(path)
    path.unlink()
    assert seen.collect(path) == 0
    records(path, (MARCH, BOBS, BOB, UNKNOWN))
    assert seen.collect(path) == 1


def test_what_is_too_old_to_keep_is_forgotten_once_it_was_sent(tmp_path, seen):
    path = records(tmp_path / "records", (MARCH, ALICES_PHONE, ALICE, UNKNOWN))
    seen.collect(path)
    [batch] = seen.batches()
    seen.sent(batch.number, date(2027, 3, 1))
    path.unlink()
    records(path, (MARCH + 400 * 86400, ALICES_PHONE, ALICE, UNKNOWN))
    assert seen.collect(path) == 1
    assert len(list(seen.batches())) == 1


def test_only_its_owner_reads_it(tmp_path, seen):
    found = list((tmp_path / "eir").iterdir())
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}


def test_the_centre_takes_a_batch_into_its_sightings_once(tmp_path, seen):
    centre = ACentre(tmp_path / "centre")
    centre.makes_lists()
    path = records(tmp_path / "records", (MARCH, ALICES_PHONE, ALICE, UNKNOWN), (MARCH, BOBS, BOB, UNKNOWN))
    seen.collect(path)
    [batch] = seen.batches()
    way = f"/v1/operators/northtel/sightings?from={batch.since}&until={batch.until}"
    send = {"content": batch.octets, "headers": {"Content-Type": "application/gzip"}}
    client = centre.client()
    first, again = client.post(way, **send).json(), client.post(way, **send).json()
    assert (first["accepted"], first["already"], again["already"]) == (2, False, True)
    assert list((centre.home / "arrived").iterdir()) == []
    other = centre.client(centre.token("southtel"))
    assert other.post(way, **send).status_code == 403


@pytest.mark.parametrize(
    ("query", "kind", "octets", "status"),
    [
        ("", "application/gzip", b"", 400),
        ("?from=2026-03-01&until=x", "application/gzip", b"", 400),
        ("?from=2026-03-01&until=2026-03-01", "text/csv", b"date,imei,imsi\r\n", 415),
        ("?from=2026-03-01&until=2026-03-01", "application/gzip", b"no gzip at all", 400),
        ("?from=2026-03-01&until=2026-03-01", "application/gzip", gzip.compress(b"a,b\r\n1,2\r\n"), 400),
        ("?from=2026-03-01&until=2026-03-01", "application/gzip", gzip.compress(b"0" * (64 << 20)), 400),
        ("?from=2026-03-01&until=2026-03-01", "application/gzip", bytes(17 << 20), 413),
    ],
    ids=["no days", "no day", "plain", "no gzip", "other columns", "a bomb", "too long"],
)
def test_a_batch_that_is_none_is_refused_and_leaves_nothing(tmp_path, query, kind, octets, status):
    centre = ACentre(tmp_path / "centre")
    reply: httpx.Response = centre.client().post(
        f"/v1/operators/northtel/sightings{query}", content=octets, headers={"Content-Type": kind}
    )
    assert (reply.status_code, reply.headers["Content-Type"]) == (status, "application/problem+json")
    assert not list((centre.home / "lake").rglob("*.parquet"))
    arrived = centre.home / "arrived"
    assert not arrived.exists() or not list(arrived.iterdir())


def test_a_centre_that_starts_erases_what_a_killed_one_had_half_taken_in(tmp_path):
    home = tmp_path / "centre"
    (home / "arrived").mkdir(parents=True)
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    left, new, busy = (
        home / "arrived" / name for name in (f"{gone.pid}-1-northtel.csv.gz", ".new-x", f"{os.getpid()}-1-now.csv.gz")
    )
    for each in (left, new, busy):
        each.write_bytes(b"subscribers")
    make_operators_application(home, load_settings(home, {})[0])
    assert [each.name for each in (home / "arrived").iterdir()] == [busy.name]
