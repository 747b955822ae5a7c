"""The bureau of figures: what a register knows of a month, as numbers with a title, a unit, a drawing and a table.

A figure is one SQL file in `figures/` over the relations of `RELATIONS`; it registers itself by being there. What it
gives is a table that a person can read, a drawing of it, and a CSV: one content, three forms.
"""

from openceir.reports.catalogue import LISTINGS, RELATIONS, Question, figures, listings
from openceir.reports.errors import ReportError, ReportUnknown
from openceir.reports.figure import Area, Drawing, Figure, Report
from openceir.reports.page import csv_text, report_page
from openceir.reports.svg import draw, draw_areas

__all__ = [
    "Question", "figures", "listings", "RELATIONS", "LISTINGS",
    "Area", "Figure", "Drawing", "Report",
    "draw", "draw_areas", "report_page", "csv_text",
    "ReportError", "ReportUnknown",
]  # fmt: skip
