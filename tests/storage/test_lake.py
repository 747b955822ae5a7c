"""The lake: a delivery counts whole or not at all, whatever kills it; sorted, exact, and flat in memory."""

import os
import signal
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import openceir.storage.lake as lake_module
from openceir.app import open_register
from openceir.storage.database import Database
from openceir.storage.files import StorageError
from openceir.storage.lake import COLUMNS, NULL, Lake

AT = datetime(2026, 11, 20, tzinfo=UTC)
DAY = date(2026, 10, 1)
EPOCH_DAY = (DAY - date(1970, 1, 1)).days
NONE = np.empty(0, np.int64)


def write_dump(folder: Path, rows: int = 40) -> Path:
    """A dump of two days with a malformed IMEI and a row to set aside."""
    path = folder / "northtel_20261001_20261002.csv"
    lines = [
        f"2026100{1 + n % 2},0010010000{n:04d},00101000000{n:04d},99900000{n:04d},006,c{n % 3}" for n in range(rows)
    ]
    lines += ["20261001,ABC,001010000000001,99900000001,006,c1", "2026,001001000000001,,,,"]
    path.write_text("date,imei,imsi,msisdn,rat,cell\n" + "\n".join(lines) + "\n")
    return path


def state_of(home: Path) -> tuple[int, int, int]:
    """Imports in the journal, files that count and their rows; each file must be there and hold its rows."""
    register = open_register(home)
    files = register.lake.files()
    for file in files:
        assert pq.read_metadata(file.path).num_rows == file.rows
    return len(register.journal.history()), len(files), sum(file.rows for file in files)


def durable_steps(home: Path, dump: Path, kill_at: int | None) -> int:
    """Import the dump, counting lines of the shelves' code; SIGKILL this process at one of them."""
    count = 0

    def trace(frame, event, _):
        nonlocal count
        if "/openceir/storage/" not in frame.f_code.co_filename:
            return None
        if event == "line":
            count += 1
            if count == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    try:
        open_register(home).import_sightings(dump, at=AT)
    finally:
        sys.settrace(None)
    return count


@pytest.mark.slow
def test_a_kill_at_any_point_leaves_the_last_complete_state(tmp_path):
    dump = write_dump(tmp_path)
    steps = durable_steps(tmp_path / "whole", dump, None)
    complete = state_of(tmp_path / "whole")
    assert complete == (1, 2, 41)
    seen = set()
    for kill_at in sorted({*range(1, steps, max(steps // 40, 1)), *range(steps - 25, steps)}):
        home = tmp_path / f"killed-{kill_at}"
        if (child := os.fork()) == 0:
            durable_steps(home, dump, kill_at)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), f"the child ended by itself before line {kill_at}"
        found = state_of(home)
        seen.add(found)
        assert found in {(0, 0, 0), complete}
        open_register(home).import_sightings(dump, at=AT)
        assert state_of(home) == complete
        on_disk = {path for path in (home / "lake").rglob("*") if path.is_file() and path.name != ".lock"}
        assert on_disk == {file.path for file in open_register(home).lake.files()}
        assert len(list((home / "quarantine").iterdir())) == 1
    assert seen == {(0, 0, 0), complete}, "no kill came after the commit: the points do not cover it"


def new_lake(folder: Path) -> Lake:
    return Lake(folder, Database(folder / "register.sqlite"))


def deliver(lake: Lake, parts: list[list[tuple[int, ...]]], devices=NONE, cells=NONE) -> pa.Table:
    """Put rows (day, device, imsi, …) into the lake and read them back as it stores them."""
    with lake.receive("northtel", "a.csv") as delivery:
        for part in parts:
            columns = np.array(part, np.int64).reshape(-1, 7).T
            delivery.append(columns[0], dict(zip(COLUMNS, columns[1:], strict=True)))
        staged = delivery.write(devices, cells)
        rows = sum(len(part) for part in parts)
        delivery.commit(staged, digest=os.urandom(32), at=AT, rows=rows, accepted=rows, summary={})
    return pa.concat_tables([pq.ParquetFile(file.path).read() for file in lake.files()])


ROW = st.tuples(
    st.integers(EPOCH_DAY, EPOCH_DAY + 2),
    st.sampled_from([NULL, -2, -3, 0, 1, 35 * 10**12, 99_999_999_999_999]),
    st.sampled_from([NULL, 1_001_010_000_000_001, 1_001_010_000_000_002]),
    st.sampled_from([NULL, 199_912_345]),
    st.sampled_from([NULL, 64]),
    st.sampled_from([NULL, 1_790_000_000]),
    st.sampled_from([NULL, -2]),
)


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(st.lists(ROW, max_size=12), min_size=1, max_size=5), held=st.sampled_from([3, 1000]))
def test_rows_come_back_sorted_and_counted_however_little_fits_in_memory(tmp_path_factory, parts, held):
    folder = tmp_path_factory.mktemp("lake")
    before = lake_module._ROWS_IN_MEMORY, lake_module._ROW_GROUP
    lake_module._ROWS_IN_MEMORY, lake_module._ROW_GROUP = held, 5
    try:
        lake = new_lake(folder)
        table = deliver(lake, parts, np.array([10**14 + 7, 10**14 + 3]), np.array([77])) if any(parts) else None
    finally:
        lake_module._ROWS_IN_MEMORY, lake_module._ROW_GROUP = before
    if table is None:
        return
    real = {-2: 10**14 + 7, -3: 10**14 + 3, NULL: None}
    expected = [
        (real.get(r[1], r[1]), *(None if v == NULL else v for v in r[2:6]), 77 if r[6] == -2 else None)
        for part in parts
        for r in part
    ]
    found = list(zip(*(table.column(name).to_pylist() for name in COLUMNS), strict=True))
    order = lambda row: tuple((value is not None, value or 0) for value in row)  # noqa: E731
    assert sorted(found, key=order) == sorted(expected, key=order)
    for file in lake.files():
        devices = pq.ParquetFile(file.path).read(["device"]).column(0).to_pylist()
        assert devices == sorted(devices, key=lambda key: -1 if key is None else key)
        of_day = [row for part in parts for row in part if row[0] == (file.day - date(1970, 1, 1)).days]
        counts = tuple(len({row[place] for row in of_day} - {NULL}) for place in (1, 2, 3))
        assert (file.rows, file.imeis, file.imsis, file.msisdns) == (len(of_day), *counts)


def test_a_delivery_that_is_left_without_commit_leaves_nothing(tmp_path):
    lake = new_lake(tmp_path)
    with pytest.raises(RuntimeError), lake.receive("northtel", "a.csv") as delivery:
        delivery.append(np.array([EPOCH_DAY]), {name: np.array([1]) for name in COLUMNS})
        delivery.quarantine([(2, "imei", "x", "imei-malformed")])
        delivery.write(NONE, NONE)
        raise RuntimeError
    assert lake.files() == []
    assert [path.name for path in (tmp_path / "lake").iterdir()] == [".lock"]


def test_two_imports_do_not_sweep_each_other(tmp_path):
    lake = new_lake(tmp_path)
    with (
        lake.receive("northtel", "a.csv"),
        pytest.raises(StorageError, match="another import"),
        new_lake(tmp_path).receive("southtel", "b.csv"),
    ):
        pass


def test_what_is_older_than_the_policy_says_is_erased(tmp_path):
    lake = new_lake(tmp_path)
    days = [(date(2026, month, 15) - date(1970, 1, 1)).days for month in (3, 4, 5, 10)]
    deliver(lake, [[(day, 1, 2, 3, 4, 5, NULL) for day in days]])
    erased = lake.prune(6, date(2026, 11, 20))
    assert [file.day.month for file in lake.files()] == [5, 10]
    assert [path.parent.name for path in erased] == ["day=2026-03-15", "day=2026-04-15"]
    assert not any(path.exists() for path in erased)


def test_a_disk_that_refuses_is_said_in_a_sentence_and_nothing_is_kept(tmp_path, monkeypatch):
    lake = new_lake(tmp_path)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lake_module, "_digest_of", full)
    with pytest.raises(StorageError, match="No space left on device"):
        deliver(lake, [[(EPOCH_DAY, 1, 2, 3, 4, 5, NULL)]])
    assert lake.files() == []
    assert not (tmp_path / "lake" / "staging").exists()


def test_the_reject_report_is_the_keepers_alone(tmp_path):
    report = open_register(tmp_path / "home").import_sightings(write_dump(tmp_path, 200), at=AT)
    assert report.quarantine is not None
    assert (tmp_path / "home" / report.quarantine).stat().st_mode & 0o777 == 0o600
