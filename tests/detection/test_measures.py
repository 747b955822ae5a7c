"""The measures of a lake that changes: whatever the order of days, the same as measuring everything at once."""

import json
import pickle
import random
import shutil
import signal
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.detection.small_world import (
    EPOCH,
    SMALL,
    LakeFile,
    Sighting,
    World,
    instant,
    key,
    new_home,
    rules,
    write_file,
    write_lake,
)
from tests.detection.strategies import CELLS, LAST_DAY, worlds
from tests.detection.twin import Twin

import openceir.detection.suspects as suspects_module
from openceir.detection import CellMap, Engine, Suspects, TravelLimits, measure_conflicts
from openceir.storage.files import StorageError
from openceir.storage.measures import Measures

POLICY = rules("")
ALICE = 35_000_001_000_001
DAY = date(2026, 10, 5)


def content(measures: Measures) -> dict[str, list[tuple]]:
    """Every measured row, in one order; of devices, of which several files may speak, what they say together."""
    measured = measures.measured()
    rows = {
        name: [tuple(row.values()) for path in measured.files(name) for row in pq.read_table(path).to_pylist()]
        for name in ("triplets", "devices", "conflicts")
    }
    masks: dict[tuple, int] = {}
    for *seen, mask in rows["devices"]:
        masks[tuple(seen)] = masks.get(tuple(seen), 0) | mask
    rows["devices"] = [(*seen, mask) for seen, mask in masks.items()]
    return {name: sorted(some, key=repr) for name, some in rows.items()}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(world=worlds, order=st.randoms(use_true_random=False))
def test_files_folded_one_by_one_measure_as_all_at_once(world, order):
    with new_home() as home:
        files = write_lake(home, world.sightings)
        whole = Measures(home / "whole", SMALL)
        whole.refresh(files, world.cell_table(), POLICY)
        order.shuffle(files)
        step = Measures(home / "step", SMALL)
        third = max(1, len(files) // 3)
        for count in (third, 2 * third, len(files)):
            step.refresh(files[:count], world.cell_table(), POLICY)
        assert content(step) == content(whole)
        assert step.measured().digest == whole.measured().digest


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(world=worlds)
def test_every_conflict_is_measured_as_the_slow_twin_finds_it(world):
    """Speed to a hundredth, on the day of the later sighting, and whether two SIM cards met within the clocks' skew."""
    twin = Twin(world, LAST_DAY)
    expected = sorted(
        (device, (one["day"] - EPOCH).days, one["together"], round(one["speed"], 2))
        for device in twin.seen
        for one in twin.conflicts(device)
    )
    with new_home() as home:
        measures = Measures(home, SMALL)
        measures.refresh(write_lake(home, world.sightings), world.cell_table(), POLICY)
        rows = [row for path in measures.measured().conflicts for row in pq.read_table(path).to_pylist()]
    found = sorted(
        (row["device"], row["ts"] // 86_400, row["simultaneous"], round(row["speed_kmh"], 2)) for row in rows
    )
    assert [row[:3] for row in found] == [row[:3] for row in expected]
    assert [row[3] for row in found] == pytest.approx([row[3] for row in expected], rel=1e-6)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(world=worlds, data=st.data())
def test_a_file_that_went_leaves_nothing_behind(world, data):
    with new_home() as home:
        files = write_lake(home, world.sightings)
        kept = [file for file in files if data.draw(st.booleans())]
        measures, fresh = Measures(home / "a", SMALL), Measures(home / "b", SMALL)
        measures.refresh(files, world.cell_table(), POLICY)
        measures.refresh(kept, world.cell_table(), POLICY)
        fresh.refresh(kept, world.cell_table(), POLICY)
        assert content(measures) == content(fresh)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(world=worlds, row_group=st.sampled_from([3, 1000]), most=st.sampled_from([7, 1000]))
def test_a_conflict_of_anybody_is_found_though_only_suspects_are_looked_at(world, row_group, most):
    """However the files are cut into row groups, and a day into slices of devices."""
    limits = TravelLimits.on(POLICY, DAY)
    cells = CellMap.of(world.cell_table())
    with new_home() as home, pytest.MonkeyPatch.context() as patched, Engine(SMALL) as engine:
        patched.setattr(suspects_module, "MOST_ROWS", most)
        files = write_lake(home, world.sightings)
        for file in files:
            table = pq.read_table(file.path, partitioning=None).sort_by("device")
            pq.write_table(table, file.path, row_group_size=row_group)
        engine.take("cells", cells.table)
        suspects = Suspects(cells)
        for day in sorted({file.day for file in files}):
            near = [file for file in files if day - timedelta(days=1) <= file.day <= day]
            everybody = pa.concat_tables(
                pq.read_table(file.path, partitioning=None).append_column(
                    "operator", pa.array([["northtel", "southtel"].index(file.operator)] * file_rows(file), pa.int64())
                )
                for file in near
            )
            found = [
                sorted(
                    map(repr, engine.fetch(measure_conflicts(engine, day, rows, limits, cells.widest_m)).to_pylist())
                )
                for rows in (suspects.sightings(day, near, limits), everybody)
            ]
            assert found[0] == found[1]


def file_rows(file) -> int:
    return pq.read_metadata(file.path).num_rows


def two_towns(home: Path) -> list:
    rows = [
        Sighting(DAY, "northtel", ALICE, key("001010000000001"), rat=64, ts=instant(DAY, 12.0), cell=1),
        Sighting(DAY, "northtel", ALICE, key("001010000000002"), rat=64, ts=instant(DAY, 12.01), cell=3),
    ]
    return [write_file(home, "northtel", DAY, rows)]


@pytest.mark.parametrize("first", [None, 64])
def test_of_two_sightings_in_one_second_and_cell_the_one_without_a_rat_comes_last(tmp_path, first):
    """It is the neighbour of what follows, and its cell without a radius reaches furthest. So says the slow twin too."""
    others = {"imsi": key("001010000000001"), "ts": instant(DAY, 12.0), "cell": 4}
    rows = [Sighting(DAY, "northtel", ALICE, rat=rat, **others) for rat in (first, 64 if first is None else None)]
    rows.append(Sighting(DAY, "northtel", ALICE, rat=64, ts=instant(DAY, 12.02), cell=5))
    world = World(sightings=tuple(rows), cells=CELLS)
    measures = Measures(tmp_path, SMALL)
    measures.refresh([write_file(tmp_path, "northtel", DAY, rows)], world.cell_table(), POLICY)
    [conflict] = [row for path in measures.measured().conflicts for row in pq.read_table(path).to_pylist()]
    [expected] = Twin(world, DAY).conflicts(ALICE)
    assert conflict["speed_kmh"] == pytest.approx(expected["speed"], rel=1e-6)


def test_nothing_new_costs_nothing(tmp_path):
    files, cells = two_towns(tmp_path), World(cells=CELLS).cell_table()
    measures = Measures(tmp_path, SMALL)
    assert measures.refresh(files, cells, POLICY).days == ("2026-10-05",)
    assert measures.refresh(files, cells, POLICY).is_empty


def test_a_cell_that_moves_measures_its_conflicts_anew_and_a_new_cell_does_not(tmp_path):
    files = two_towns(tmp_path)
    measures = Measures(tmp_path, SMALL)
    measures.refresh(files, World(cells=CELLS).cell_table(), POLICY)
    more = (*CELLS, (6, 10.0, 20.0, None))
    assert measures.refresh(files, World(cells=more).cell_table(), POLICY).days == ()
    assert len(content(measures)["conflicts"]) == 1
    moved = [(3, 10.01, 20.0, None) if cell[0] == 3 else cell for cell in more]
    assert measures.refresh(files, World(cells=tuple(moved)).cell_table(), POLICY).days == ("2026-10-05",)
    assert content(measures)["conflicts"] == []


def test_retention_erases_subscribers_and_keeps_when_a_device_was_seen(tmp_path):
    files, cells = two_towns(tmp_path), World(cells=CELLS).cell_table()
    measures = Measures(tmp_path, SMALL)
    measures.refresh(files, cells, POLICY)
    before = content(measures)["devices"]
    assert measures.forget_subscribers(date(2026, 11, 1)) == ["2026-10"]
    measures.refresh([], cells, POLICY, kept_since=date(2026, 11, 1))
    after = content(measures)
    assert (after["triplets"], after["conflicts"], after["devices"]) == ([], [], before)
    assert not list((tmp_path / "lake" / "measures" / "triplets").rglob("*.parquet"))


def seen_on(home: Path, day: date, count: int) -> LakeFile:
    """A file of one sighting of each of so many devices."""
    rows = [Sighting(day, "northtel", ALICE + number, key("001010000000001"), rat=64) for number in range(count)]
    return write_file(home, "northtel", day, rows)


def test_a_further_days_devices_lie_beside_the_months_until_they_weigh_as_much(tmp_path):
    """Whatever lies where, all of it counts once, and a file that is folded in or taken back is gone."""
    files = [seen_on(tmp_path, DAY + timedelta(days=number), count) for number, count in enumerate((5, 2, 2, 1))]
    measures, cells = Measures(tmp_path, SMALL), World().cell_table()
    folder = tmp_path / "lake" / "measures" / "devices" / "month=2026-10"
    for count, rows in ((1, [5]), (2, [5, 2]), (3, [5, 2, 2]), (4, [5])):
        measures.refresh(files[:count], cells, POLICY)
        kept = measures.measured().devices
        assert [file_rows(LakeFile(path, "", DAY, b"")) for path in kept] == rows
        assert sorted(folder.iterdir()) == sorted(kept)
        whole = Measures(tmp_path / f"whole-{count}", SMALL)
        whole.refresh(files[:count], cells, POLICY)
        assert content(measures) == content(whole)
    measures.refresh(files[:2], cells, POLICY)
    assert [file_rows(LakeFile(path, "", DAY, b"")) for path in measures.measured().devices] == [5]


def test_a_manifest_of_the_version_before_reads_as_it_did(tmp_path):
    files, cells = two_towns(tmp_path), World(cells=CELLS).cell_table()
    measures = Measures(tmp_path, SMALL)
    measures.refresh(files, cells, POLICY)
    now, digest, until = content(measures), measures.measured().digest, measures.until(DAY)
    manifest = tmp_path / "lake" / "measures" / "manifest.json"
    tree = json.loads(manifest.read_text())
    for month in tree["months"].values():
        [month["devices"]] = month["devices"]
    manifest.write_text(json.dumps(tree | {"version": 1}))
    assert (content(measures), measures.measured().digest, measures.until(DAY)) == (now, digest, until)
    assert measures.refresh(files, cells, POLICY).is_empty
    files.append(seen_on(tmp_path, DAY + timedelta(days=1), 3))
    measures.refresh(files, cells, POLICY)
    whole = Measures(tmp_path / "whole", SMALL)
    whole.refresh(files, cells, POLICY)
    assert content(measures) == content(whole)


class Dies(Exception):
    """Stands for the power going."""


@pytest.mark.parametrize("writes_before", range(4))
def test_a_crash_leaves_the_last_complete_measures(tmp_path, monkeypatch, writes_before):
    """The fold of a further day dies before its n-th file, or before its manifest; the next one is whole."""
    import openceir.storage.measures as shelf

    files, cells = two_towns(tmp_path), World(cells=CELLS).cell_table()
    measures = Measures(tmp_path, SMALL)
    measures.refresh(files, cells, POLICY)
    complete, digest = content(measures), measures.measured().digest
    later = DAY + timedelta(days=1)
    rows = [
        Sighting(later, "northtel", ALICE, key("001010000000001"), rat=64, ts=instant(later, 12.0), cell=1),
        Sighting(later, "northtel", ALICE, key("001010000000002"), rat=64, ts=instant(later, 12.01), cell=3),
    ]
    files.append(write_file(tmp_path, "northtel", later, rows))
    left = [writes_before]

    def dying(real):
        def call(*arguments, **named):
            if left[0] == 0:
                raise Dies
            left[0] -= 1
            return real(*arguments, **named)

        return call

    with monkeypatch.context() as patched:
        patched.setattr(shelf, "write_beside", dying(shelf.write_beside))
        patched.setattr(shelf, "replace_file", dying(shelf.replace_file))
        with pytest.raises(Dies):
            measures.refresh(files, cells, POLICY)
    assert (content(measures), measures.measured().digest) == (complete, digest)
    measures.refresh(files, cells, POLICY)
    whole = Measures(tmp_path / "whole", SMALL)
    whole.refresh(files, cells, POLICY)
    assert content(measures) == content(whole)
    shutil.rmtree(tmp_path / "whole")


def test_a_manifest_that_cannot_be_read_is_said_not_guessed(tmp_path):
    folder = tmp_path / "lake" / "measures"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    with pytest.raises(StorageError, match="is not a manifest of measures"):
        Measures(tmp_path, SMALL).measured()


FOLDS = """
import pickle, sys
from pathlib import Path
from tests.detection.small_world import SMALL
from openceir.storage.measures import Measures
home = Path(sys.argv[1])
files, cells, policy = pickle.loads((home / "asked").read_bytes())
print("folding", flush=True)
for count in range(1, len(files) + 1):
    Measures(home, SMALL).refresh(files[:count], cells, policy)
"""


def test_folds_killed_at_any_moment_go_on_from_the_last_complete_day(tmp_path):
    """kill -9, thrice: what stands then is the measures of some days, all of them, and the rest is folded in after it."""
    choice = random.Random(20261005)
    counts = [choice.randint(3, 6), *(choice.randint(1, 4) for _ in range(11))]
    files = [seen_on(tmp_path, DAY + timedelta(days=number), count) for number, count in enumerate(counts)]
    cells = World().cell_table()
    (tmp_path / "asked").write_bytes(pickle.dumps((files, cells, POLICY)))
    complete = []
    for count in range(len(files) + 1):
        whole = Measures(tmp_path / f"whole-{count}", SMALL)
        whole.refresh(files[:count], cells, POLICY)
        complete.append(content(whole))
    for _ in range(3):
        shutil.rmtree(tmp_path / "lake" / "measures", ignore_errors=True)
        with subprocess.Popen([sys.executable, "-c", FOLDS, str(tmp_path)], stdout=subprocess.PIPE) as folding:
            assert folding.stdout is not None
            assert folding.stdout.readline() == b"folding\n"
            time.sleep(choice.uniform(0.02, 0.6))
            folding.send_signal(signal.SIGKILL)
        measures = Measures(tmp_path, SMALL)
        assert content(measures) in complete
        measures.refresh(files, cells, POLICY)
        assert content(measures) == complete[-1]
        folder = tmp_path / "lake" / "measures" / "devices"
        assert sorted(folder.rglob("*.parquet")) == sorted(measures.measured().devices)
