"""Monthly reports, made once and kept: a dashboard reads what is kept and waits for no engine.

report(month, operator)   one JSON document each; made again when its month is asked for anew, replaced in one transaction
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from openceir.reports import Figure, Report, ReportUnknown, csv_text, report_page
from openceir.storage.database import Database
from openceir.storage.files import replace_file

__all__ = ["ReportShelf", "write_listing", "write_report"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS report(
    month TEXT NOT NULL,
    operator TEXT NOT NULL,   -- '' is the country
    made_at TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY(month, operator)
) STRICT, WITHOUT ROWID;
"""


class ReportShelf:
    """Reports in `register.sqlite`; durable on return of `keep`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(_SCHEMA)

    def keep(self, month: str, reports: Sequence[Report]) -> None:
        """Replace everything kept of a month: a report of an operator that is no more goes with it."""
        rows = [(month, one.operator, one.made_at, json.dumps(one.to_dict(), ensure_ascii=False)) for one in reports]
        with self._database.transaction() as table:
            table.execute("DELETE FROM report WHERE month = ?", (month,))
            table.executemany("INSERT INTO report(month, operator, made_at, document) VALUES (?, ?, ?, ?)", rows)

    def find(self, month: str, operator: str = "") -> Report | None:
        """The report of a month, of the country or of one operator; None when it was never made."""
        row = self._database.connection.execute(
            "SELECT document FROM report WHERE month = ? AND operator = ?", (month, operator)
        ).fetchone()
        return Report.from_dict(json.loads(row[0])) if row else None

    def get(self, month: str, operator: str = "") -> Report:
        """As `find`. Raises: ReportUnknown."""
        found = self.find(month, operator)
        if found is None:
            whose = f" of {operator}" if operator else ""
            raise ReportUnknown(
                f"there is no report of {month}{whose}; `openceir report make {month}` makes those of a month"
            )
        return found

    def kept(self) -> Mapping[str, Sequence[str]]:
        """The operators that each month has reports of, months ascending; '' is the country."""
        months: dict[str, list[str]] = {}
        for month, operator in self._database.connection.execute("SELECT month, operator FROM report ORDER BY 1, 2"):
            months.setdefault(month, []).append(operator)
        return months


def write_report(report: Report, folder: Path) -> list[Path]:
    """Write `index.html`, `report.json` and one CSV a figure into `folder`; each file is whole or absent."""
    files = {
        "index.html": report_page(report),
        "report.json": json.dumps(report.to_dict(), ensure_ascii=False, indent=1),
    }
    files |= {f"{figure.name}.csv": csv_text(figure) for figure in report.figures}
    for name, text in files.items():
        replace_file(folder / name, text.encode())
    return [folder / name for name in files]


def write_listing(listing: Figure, path: Path) -> None:
    """Write a listing as CSV that only its owner may read: it names devices, and often their subscribers."""
    replace_file(path, csv_text(listing).encode(), mode=0o600)
