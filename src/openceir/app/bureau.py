"""The bureau of figures: monthly reports made and kept, and listings that name single devices or subscribers."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from openceir.app.desk import Desk
from openceir.identity import format_device_key, format_subscriber
from openceir.progress import Progress, Silent

if TYPE_CHECKING:
    from openceir.detection import Engine
    from openceir.reports import Figure, Question, Report
    from openceir.storage.report_inputs import Month
    from openceir.storage.reports import ReportShelf

__all__ = ["Bureau"]

_NO_DEVICE = 0  # in the read audit: a reading of many devices at once names none


class Bureau(Desk):
    """What a month shows."""

    @cached_property
    def reports(self) -> "ReportShelf":
        """The reports that were made."""
        from openceir.storage.reports import ReportShelf

        return ReportShelf(self.database)

    def make_reports(self, month: str, *, at: datetime, progress: Progress = Silent()) -> "list[Report]":
        """Make and keep the reports of a month: the country's, and one of each operator that saw anything in it.

        Statuses are those at the end of the month, or at `at` while it lasts.
        Raises: ReportError for what is no month, or one that has not begun.
        """
        from openceir.detection import Engine
        from openceir.reports import Report, figures

        asked = _month(month, at)
        self.measure(at=at, progress=progress)
        measured = self.measures.measured()
        status_at = min(at, datetime.combine(asked.after_on, datetime.min.time(), UTC) - timedelta(seconds=1))
        made = []
        with Engine(self.engine_settings) as engine:
            self._take_month(engine, asked, status_at)
            for done, question in enumerate(figures()):
                progress("figures made", done, len(figures()))
                made.append(_figure(engine, question, asked))
        operators = sorted({str(row[0]) for figure in made for row in figure.rows})
        head: dict[str, Any] = {
            "month": asked.name, "made_at": _text(at), "status_at": _text(status_at), "ledger_size": self.ledger.size,
            "measures_sha256": measured.digest.hex(), "policy_sha256": self.policy.digest.hex(),
        }  # fmt: skip
        reports = [
            Report(**head, operator=operator, figures=tuple(_of_operator(figure, operator) for figure in made))
            for operator in sorted({"", *operators})
        ]
        self.reports.keep(asked.name, reports)
        return reports

    def listing(self, name: str, month: str, *, at: datetime, reader: str, role: str, purpose: str) -> "Figure":
        """Single devices, and the subscribers seen with them. The reading is recorded before anything is read.

        Raises: ReportUnknown for a name that is no listing; ReportError as `make_reports`.
        """
        from openceir.detection import Engine
        from openceir.reports import ReportUnknown, listings

        question = listings().get(name)
        if question is None:
            raise ReportUnknown(f'there is no listing "{name}"; there are {", ".join(listings())}')
        asked = _month(month, at)
        self.read_audit.record(
            at=at, reader=reader, role=role, device=_NO_DEVICE, purpose=f"{name} {asked.name}: {purpose}"
        )
        status_at = min(at, datetime.combine(asked.after_on, datetime.min.time(), UTC) - timedelta(seconds=1))
        with Engine(self.engine_settings) as engine:
            self._take_month(engine, asked, status_at)
            return self._with_texts(_figure(engine, question, asked))

    def _take_month(self, engine: "Engine", month: "Month", status_at: datetime) -> None:
        from openceir.storage.report_inputs import take_month

        self.catch_up()
        prefixes = {
            operator.lower(): entry.get("mcc_mnc", ())
            for operator, entry in self.policy.operators(status_at.date()).items()
        }
        take_month(
            engine, month, self.measures.measured(), self.claims, self.reference, self.database, prefixes, status_at
        )

    def _with_texts(self, listing: "Figure") -> "Figure":
        """Keys of devices and subscribers as people write them."""
        at = {name: place for place, name in enumerate(listing.columns)}
        odd = [
            key
            for row in listing.rows
            if "device" in at and isinstance(key := row[at["device"]], int) and key >= 10**14
        ]
        texts = self.identifiers.texts_of(odd) if odd else {}

        def written(row: Sequence[Any]) -> tuple[Any, ...]:
            cells = list(row)
            if "device" in at:
                key = int(cells[at["device"]])
                cells[at["device"]] = texts[key][1] if key in texts else format_device_key(key)
            for name in ("imsi", "msisdn"):
                if name in at and cells[at[name]] is not None:
                    cells[at[name]] = format_subscriber(int(cells[at[name]]))
            return tuple(cells)

        return replace(listing, rows=tuple(written(row) for row in listing.rows))


def _month(text: str, at: datetime) -> "Month":
    from openceir.reports import ReportError
    from openceir.storage.report_inputs import Month

    try:
        month = Month.named(text)
    except ValueError:
        raise ReportError(f'"{text}" is no month; write it like 2026-10') from None
    if month.first_on > at.date():
        raise ReportError(f"{text} has not begun; nothing can be known of it yet")
    return month


def _figure(engine: "Engine", question: "Question", month: "Month") -> "Figure":
    from openceir.detection import render
    from openceir.reports import Figure

    table = engine.fetch(render(question.sql, month.values()))
    rows = tuple(tuple(row.values()) for row in table.to_pylist())
    return Figure(
        name=question.name, title=question.title, explains=question.counts, unit=question.unit,
        drawing=question.drawing, columns=tuple(table.column_names), rows=rows,
    )  # fmt: skip


def _of_operator(figure: "Figure", operator: str) -> "Figure":
    """The rows of one operator, without the column that names it. The country's page keeps it where only operators count."""
    mine = tuple(row[1:] for row in figure.rows if row[0] == operator)
    if operator == "" and figure.rows and not mine:
        return figure  # nothing of the whole country can be said: each operator apart
    return replace(figure, columns=figure.columns[1:], rows=mine)


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
