"""A figure as drawing, table, CSV and page."""

import csv
import io
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.reports import Area, Drawing, Figure, Report, csv_text, draw, draw_areas, report_page

SVG = "{http://www.w3.org/2000/svg}"


def figure(drawing, rows, columns=("name", "devices")):
    return Figure(
        name="some", title="Some <devices>", explains="Counted & told.", unit="devices", drawing=drawing,
        columns=columns, rows=tuple(rows),
    )  # fmt: skip


names = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=50)


@given(
    st.sampled_from([Drawing.BARS, Drawing.STACKED, Drawing.LINES]),
    st.lists(st.tuples(names, st.one_of(st.none(), st.integers(0, 10**12)))),
)
def test_every_drawing_is_well_formed_and_says_what_it_shows(drawing, rows):
    text = draw(figure(drawing, rows))
    if not rows:
        assert text == ""
        return
    tree = ET.fromstring(text)
    assert tree.find(f"{SVG}title").text == "Some <devices>"
    assert "Counted & told." in tree.find(f"{SVG}desc").text


def test_bars_are_as_long_as_their_numbers():
    tree = ET.fromstring(draw(figure(Drawing.BARS, [("a", 100), ("b", 25), ("c", 0)])))
    widths = [float(bar.get("width")) for bar in tree.iter(f"{SVG}rect")]
    assert widths[1] == pytest.approx(widths[0] / 4, abs=0.1)  # drawn to a tenth
    assert widths[2] == 0


def test_an_area_is_the_darker_the_more_it_counts_and_one_without_a_row_stays_white():
    counted = figure(Drawing.NONE, [("Harbour", 40), ("Hill", 10), ("Nowhere", 7)])
    areas = {
        name: Area(name=name, population=1, row=1, column=at) for at, name in enumerate(("Harbour", "Hill", "Dale"), 1)
    }
    tree = ET.fromstring(draw_areas(counted, "devices", areas))
    squares = list(tree.iter(f"{SVG}rect"))
    assert [float(one.get("fill-opacity")) for one in squares] == [1.0, pytest.approx(0.31), 0.08]
    assert [float(one.get("x")) for one in squares] == sorted(float(one.get("x")) for one in squares)
    titles = [one.text for one in tree.iter(f"{SVG}title")]
    assert "Harbour: 40 devices" in titles
    assert not any("Nowhere" in one for one in titles)


def test_areas_with_outlines_are_drawn_as_they_lie():
    """North is up, east is right, and shapes keep their proportions at 60 degrees, where a degree is half as wide."""
    square = ((10.0, 59.0), (12.0, 59.0), (12.0, 61.0), (10.0, 61.0))
    text = draw_areas(
        figure(Drawing.NONE, [("Dale", 1)]), "devices", {"Dale": Area(name="Dale", population=1, outline=square)}
    )
    [shape] = ET.fromstring(text).iter(f"{SVG}polygon")
    points = [tuple(map(float, one.split(","))) for one in shape.get("points").split()]
    (west, south), (east, _), (_, north), _ = points
    assert east > west
    assert north < south
    assert (east - west) / (south - north) == pytest.approx(0.5, abs=0.01)


def test_a_csv_is_read_back_by_the_standard_reader_and_runs_no_formula():
    rows = [('=HYPERLINK("x")', 1), ('comma, "quote"', None), ("line\nbreak", 2)]
    told = list(csv.reader(io.StringIO(csv_text(figure(Drawing.NONE, rows)), newline="")))
    assert told == [["name", "devices"], ['\'=HYPERLINK("x")', "1"], ['comma, "quote"', ""], ["line\nbreak", "2"]]


def test_a_page_needs_nothing_beside_itself_and_shows_no_markup_of_others():
    report = Report(
        month="2026-10", operator="", made_at="2026-11-01T00:00:00Z", status_at="2026-10-31T23:59:59Z", ledger_size=3,
        measures_sha256="00", policy_sha256="11", figures=(figure(Drawing.BARS, [("<script>alert(1)</script>", 3)]),),
    )  # fmt: skip
    page = report_page(report)
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page
    assert Report.from_dict(report.to_dict()) == report
