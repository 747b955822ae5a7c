"""A report as one HTML page that needs nothing beside itself, and a figure as CSV."""

import csv
import io
from html import escape

from openceir.reports.figure import Cell, Figure, Report
from openceir.reports.svg import draw

__all__ = ["csv_text", "report_page"]

_FOLDED_FROM = 12  # rows; a longer table is folded away below its drawing

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #0b0c0c; background: #fff; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.9rem } h2 { font-size: 1.3rem; margin-top: 2.5rem; border-top: 1px solid #b1b4b6; padding-top: 1rem }
svg { width: 100%; height: auto } .scrolls { overflow-x: auto }
table { border-collapse: collapse } th, td { padding: .25rem .8rem; border-bottom: 1px solid #b1b4b6; text-align: start }
td.number, th.number { text-align: end; font-variant-numeric: tabular-nums } dl { display: grid; grid-template-columns: max-content auto; gap: .2rem 1rem }
dd { margin: 0; overflow-wrap: anywhere } @media print { h2 { break-before: auto } }
"""


def csv_text(figure: Figure) -> str:
    """The figure's table, RFC 4180, first line its columns. A text that a spreadsheet would run as a formula gets a ' first."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(figure.columns)
    writer.writerows([[_tame(cell) for cell in row] for row in figure.rows])
    return out.getvalue()


def _tame(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell


def report_page(report: Report) -> str:
    """The whole report: each figure with its drawing, its table, and a link to `<name>.csv` beside the page."""
    whose = report.operator or "the whole country"
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Devices in {escape(report.month)}: {escape(whose)}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>Devices in {escape(report.month)}</h1><p>{escape(whose[0].upper() + whose[1:])}.</p><dl>"
    ]
    for term, text in (
        ("Made at", report.made_at), ("Statuses as of", report.status_at),
        ("Statements in the ledger", f"{report.ledger_size:,}"), ("Measures, SHA-256", report.measures_sha256),
        ("Policy, SHA-256", report.policy_sha256),
    ):  # fmt: skip
        parts.append(f"<dt>{term}</dt><dd>{escape(text)}</dd>")
    parts.append("</dl>")
    parts += [_section(figure) for figure in report.figures]
    parts.append("</main></body></html>\n")
    return "".join(parts)


def _section(figure: Figure) -> str:
    return (
        f'<section id="{escape(figure.name)}"><h2>{escape(figure.title)}</h2><p>{escape(figure.explains)}</p>'
        f"{draw(figure)}{table_of(figure)}"
        f'<p><a href="{escape(figure.name)}.csv">{escape(figure.title)}: CSV</a></p></section>'
    )


def table_of(figure: Figure) -> str:
    """The figure's table as HTML."""
    if not figure.rows:
        return "<p>Nothing to count.</p>"
    numbers = [any(isinstance(row[at], int | float) for row in figure.rows) for at in range(len(figure.columns))]

    def cell(tag: str, at: int, text: str) -> str:
        return f'<{tag} class="number">{text}</{tag}>' if numbers[at] else f"<{tag}>{text}</{tag}>"

    head = "".join(cell("th", at, escape(name.replace("_", " "))) for at, name in enumerate(figure.columns))
    rows = (
        "<tr>" + "".join(cell("td", at, _shown(value)) for at, value in enumerate(row)) + "</tr>" for row in figure.rows
    )
    caption = f"<caption>{escape(figure.unit)}</caption>"
    table = f'<div class="scrolls"><table>{caption}<thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    if len(figure.rows) <= _FOLDED_FROM:
        return table
    return f"<details><summary>{len(figure.rows)} rows</summary>{table}</details>"


def _shown(value: Cell) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return escape(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
