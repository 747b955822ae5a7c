"""The page that lays our figures beside the peer's names figures that there are, and leaves none of ours out."""

import re
from pathlib import Path

from openceir.portal.regulator import desk_figures
from openceir.portal.regulator import trends as months
from openceir.reports import figures

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "figures.md"


def ours(country):
    made = {figure.name for figure in desk_figures.desk_figures("2027-03")}
    return {question.name for question in figures()} | made | {name for name, *_ in months._TRENDS}


def test_every_figure_that_the_page_names_is_there_and_all_49_have_one(country, clock):
    desk_figures.make_desk_figures("2027-03")
    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z0-9_]+)`", text))
    assert named <= ours(country) | {"resources"}
    theirs = re.findall(r"^\| (?:core|dps|drs|lsds|db) \w+ \|.*$", text, re.MULTILINE)
    assert len(theirs) == 49
    assert all("`" in row or "overview" in row for row in theirs)
