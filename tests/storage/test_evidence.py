"""Lists as runs saw them are kept once: equal tables under one name, different ones never."""

from datetime import UTC, date, datetime
from itertools import combinations

import pyarrow as pa
import pytest

from openceir.detection import Inputs
from openceir.policy import policy_from_text
from openceir.storage.database import Database
from openceir.storage.evidence import DetectionRuns
from openceir.storage.measures import MeasuredUntil

PEOPLE = [
    [],
    [None],
    [""],
    ["", None],
    [None, ""],
    ["ab"],
    ["a", "b"],
    ["", "ab"],
    ["ab", ""],
    ["a\x1eb"],
    ["\x1f"],
    ["b", "a"],
    ["é", "Ж"],
]


@pytest.fixture
def runs(tmp_path):
    return DetectionRuns(tmp_path, Database(tmp_path / "register.sqlite"))


def name_of(runs: DetectionRuns, people: pa.ChunkedArray) -> str:
    imsis = pa.array(range(len(people)), pa.int64())
    run = runs.add(
        [],
        Inputs(lists={"subscriber": pa.table({"imsi": imsis, "uid": people})}),
        as_of_on=date(2026, 11, 2),
        at=datetime(2026, 11, 2, tzinfo=UTC),
        policy=policy_from_text(("test", "")),
        until=MeasuredUntil(b"", b""),
    )
    return run.inputs["subscriber"]


def test_lists_of_different_texts_bear_different_names(runs):
    names = [name_of(runs, pa.chunked_array([people], pa.string())) for people in PEOPLE]
    assert all(one != other for one, other in combinations(names, 2))


def test_a_list_has_one_name_however_its_column_is_cut(runs):
    people = ["Alice", None, "", "Bob", "Mallory", None]
    whole = pa.array([*people, "not in it"], pa.string())
    cut = [whole[:0], whole[:2], whole[2:5], whole[5:6]]
    behind_masked_octets = pa.Array.from_buffers(
        pa.string(), 2, [pa.py_buffer(b"\x01"), pa.array([0, 1, 3], pa.int32()).buffers()[1], pa.py_buffer(b"abb")]
    )
    names = {
        name_of(runs, column)
        for column in (pa.chunked_array([people], pa.string()), pa.chunked_array(cut), pa.chunked_array([whole[:6]]))
    }
    assert len(names) == 1
    plain = name_of(runs, pa.chunked_array([["a", None]], pa.string()))
    assert name_of(runs, pa.chunked_array([behind_masked_octets])) == plain, "what lies under a null counts for nothing"
