"""A figure as drawing, table, CSV and page."""

import csv
import io
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.reports import Drawing, Figure, Report, csv_text, draw, report_page
from openceir.reports.svg import draw_places

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


def test_a_place_has_a_circle_whose_area_is_its_number():
    counted = figure(Drawing.NONE, [("Harbour", 400), ("Hill", 100), ("Nowhere", 7)])
    text = draw_places(counted, [[(0, 0), (10, 0), (10, 10)]], {"Harbour": (1, 1), "Hill": (9, 5)})
    radii = [float(circle.get("r")) for circle in ET.fromstring(text).iter(f"{SVG}circle")]
    assert [radius - 3 for radius in radii] == [25, 12.5]


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
