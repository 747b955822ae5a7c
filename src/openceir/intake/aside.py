"""Rows set aside: each with its line, column, value and reason; counted, and handed on to the reject report.

A bad row never stops a file. The value goes into the reject report, which only the register's keeper may read; what is
said aloud shows it only for columns that cannot identify a subscriber.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["REASONS", "Example", "Rejects", "RowSink"]

# reason -> why, as the reject report and the summary say it; the code is stable
REASONS = {
    "field-count": "the row has more or fewer fields than the header",
    "quote-open": "a quoted field does not end on its line",
    "not-utf8": "the line is not UTF-8",
    "nul": "the line holds a NUL octet",
    "line-too-long": "the line is longer than intake.largest_line_octets",
    "field-too-long": "the field is longer than intake.largest_field_octets",
    "carriage-return": "the line holds a carriage return that does not end it",
    "date-malformed": "not a calendar day as YYYYMMDD or YYYY-MM-DD",
    "date-outside": "the day lies outside the days the file is for",
    "date-future": "the day has not come yet",
    "date-missing": "the day is missing",
    "time-malformed": "not a time as HH:MM:SS, nor an ISO instant of the row's day",
    "imsi-malformed": "not 1 to 15 digits",
    "msisdn-malformed": "not 1 to 15 digits",
    "imei-missing": "the row names no device",
    "imei-malformed": "not an identifier: only digits, A to F, * and # stand in this list, 1 to 16 of them",
    "imsi-missing": "the IMSI is missing",
    "msisdn-missing": "the MSISDN is missing",
    "uid-malformed": "not 1 to 20 letters, digits, - or \\",
    "device-id-malformed": "not letters and digits",
    "range-malformed": "not a range: two 14-digit numbers with the same TAC, the first not above the last",
    "tac-malformed": "not eight digits",
    "change-type-unknown": "not add, remove or update",
    "known-non-unique": "a number known to stand on many handsets: it can be neither blocked nor registered by a list",
    "list-has-it": "the delta adds what is on the list already",
    "list-lacks-it": "the delta removes or updates what is not on the list",
    "serial-malformed": "not a serial number: 4 to 40 letters, digits and - . / _",
    "eid-malformed": "not an EID: 32 digits whose check is right",
    "operator-missing": "the operator is missing",
    "cell-missing": "the cell's name is missing",
    "coordinate-malformed": "not a latitude of -90 to 90 with a longitude of -180 to 180 degrees",
    "radius-malformed": "not a radius of 1 to 200,000 metres",
    "duplicate-conflict": "the same key stands elsewhere in the file with other contents",
}
_EXAMPLES_KEPT = 3
_SUBSCRIBER_COLUMNS = frozenset({"imsi", "msisdn", "uid", ""})


class RowSink(Protocol):
    """Where set-aside rows go: a reject report. Called in batches, in no particular order of lines."""

    def __call__(self, rows: Iterable[tuple[int, str, str, str]]) -> None:
        """Keep (line, column, value, reason) of each row."""


@dataclass(frozen=True, slots=True)
class Example:
    """One set-aside row as it may be shown; `value` is None where it could be a subscriber's."""

    line: int
    column: str
    value: str | None


@dataclass(slots=True)
class Rejects:
    """The rows of one file that were set aside, and the findings that leave a row in."""

    sink: RowSink | None = None
    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[Example]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows were set aside; a row is set aside once, for its first reason."""
        return self.counts.total()

    def add(self, reason: str, column: str, lines: Sequence[int], values: Sequence[str]) -> None:
        """Set rows aside. `column` is empty when the whole line is at fault."""
        if not len(lines):
            return
        self.counts[reason] += len(lines)
        shown = self.examples.setdefault(reason, [])
        for line, value in zip(lines[: _EXAMPLES_KEPT - len(shown)], values, strict=False):
            shown.append(Example(int(line), column, None if column in _SUBSCRIBER_COLUMNS else value[:64]))
        if self.sink is not None:
            self.sink((int(line), column, value[:4096], reason) for line, value in zip(lines, values, strict=True))

    def sentences(self) -> list[str]:
        """One line a reason: how many, why, and where the first are."""
        said = []
        for reason, count in self.counts.most_common():
            where = ", ".join(
                f"line {e.line}" + (f" {e.column} {e.value!r}" if e.value is not None else f" {e.column}".rstrip())
                for e in self.examples[reason]
            )
            said.append(f"{count} set aside: {REASONS[reason]} [{reason}] ({where})")
        return said
