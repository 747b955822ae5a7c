"""What long work says of itself: one line written over for a person, a few lines for a log."""

import sys

import pytest

from openceir.cli import _progress
from openceir.cli._progress import ShownProgress


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(_progress, "monotonic", lambda: now[0])
    return now


def test_a_log_gets_a_line_a_tenth_of_long_work(clock, capsys):
    with ShownProgress("import") as progress:
        clock[0] = 6.0
        for done in range(1001):
            progress("reading x.csv", done, 1000)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        f"import: reading x.csv: {tenth}0 %" if tenth else "import: reading x.csv: 0 %" for tenth in range(11)
    ]


def test_work_without_a_known_end_is_told_each_time_it_has_doubled(clock, capsys):
    with ShownProgress("ledger") as progress:
        clock[0] = 6.0
        for done in range(1, 101):
            progress("statements applied", done)
    assert [line.rpartition(" ")[2] for line in capsys.readouterr().err.splitlines()] == [
        "1",
        "2",
        "4",
        "8",
        "16",
        "32",
        "64",
    ]


def test_what_is_soon_done_leaves_no_line_in_a_log(clock, capsys):
    with ShownProgress("import") as progress:
        progress("reading x.csv", 1, 2)
        clock[0] = 4.9
        progress("reading x.csv", 2, 2)
    assert capsys.readouterr().err == ""


def test_a_terminal_has_one_line_which_is_gone_at_the_end(clock, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with ShownProgress("import") as progress:
        progress("reading x.csv", 1, 4)
        progress("reading x.csv", 2, 4)
    said = capsys.readouterr().err
    assert said == "\r\x1b[Kreading x.csv: 25 %\r\x1b[Kreading x.csv: 50 %\r\x1b[K"
