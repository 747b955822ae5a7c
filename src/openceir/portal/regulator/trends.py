"""What is kept of the months, as one line: from figures that were counted, nothing is counted here."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from openceir.portal.register import register
from openceir.portal.regulator.desk_figures import desk_figures
from openceir.reports import Drawing, Figure

__all__ = ["MOST_MONTHS", "figures_of", "newest_month", "trends"]

MOST_MONTHS = 12
Cell = str | int | float | None


def newest_month(operator: str = "") -> str | None:
    """The last month that has figures of the country, or of an operator."""
    months = [month for month, operators in register().reports.kept().items() if operator in operators]
    return months[-1] if months else None


def figures_of(month: str, operator: str = "") -> dict[str, Figure]:
    """Every figure that is kept of a month by name: the register's, and of the country the offices' beside them."""
    report = register().reports.find(month, operator)
    found = {figure.name: figure for figure in report.figures} if report else {}
    if not operator:
        found |= {figure.name: figure for figure in desk_figures(month)}
    return found


def trends(until: str, operator: str = "") -> list[Figure]:
    """The trends of at most twelve months up to this one."""
    months = [
        month for month, operators in register().reports.kept().items() if operator in operators and month <= until
    ]
    kept = {month: figures_of(month, operator) for month in months[-MOST_MONTHS:]}
    return [
        figure
        for name, title, unit, explains, columns, row in _TRENDS
        if (figure := _trend(kept, name, title, unit, explains, columns, row)).rows
    ]


Row = Callable[[Mapping[str, Figure]], Sequence[Cell] | None]


def _trend(
    kept: Mapping[str, Mapping[str, Figure]],
    name: str,
    title: str,
    unit: str,
    explains: str,
    columns: Sequence[str],
    row: Row,
) -> Figure:
    rows = ((month, *cells) for month, figures in kept.items() if (cells := row(figures)) is not None)
    return Figure(
        name=name, title=title, explains=explains, unit=unit, drawing=Drawing.LINES, columns=("month", *columns),
        rows=tuple(rows),
    )  # fmt: skip


def _single(figure: str, *columns: str) -> Row:
    """These columns of a figure's only row."""

    def row(figures: Mapping[str, Figure]) -> Sequence[Cell] | None:
        found = figures.get(figure)
        if found is None or len(found.rows) != 1 or not set(columns) <= set(found.columns):
            return None
        return [found.rows[0][found.columns.index(column)] for column in columns]

    return row


def _by_name(figure: str, names: Iterable[str], *, column: int = 1) -> Row:
    """The numbers beside these names in a figure's first column; 0 where a name has no row."""

    def row(figures: Mapping[str, Figure]) -> Sequence[Cell] | None:
        found = figures.get(figure)
        if found is None:
            return None
        numbers = {str(cells[0]): cells[column] for cells in found.rows}
        return [numbers.get(name, 0) for name in names]

    return row


def _sums(figure: str, *columns: str) -> Row:
    """The sums of these columns."""

    def row(figures: Mapping[str, Figure]) -> Sequence[Cell] | None:
        found = figures.get(figure)
        return None if found is None else [sum(found.number(column)) for column in columns]

    return row


def _effect(figures: Mapping[str, Figure]) -> Sequence[Cell] | None:
    """Of the operators, the median of each: the quickest and the slowest."""
    found = figures.get("report_to_effect")
    if found is None:
        return None
    at = found.columns.index("to_applied")
    hours = [hour for row in found.rows if isinstance(hour := row[at], int | float)]
    return [min(hours), max(hours)] if hours else None


_STATUSES = ("permitted", "tracked", "tracked, will be blocked", "blocked", "unknown")
_MONTHS = "As each month's own figures say it."
_TRENDS: tuple[tuple[str, str, str, str, Sequence[str], Row], ...] = (
    (
        "seen_trend", "Seen on networks, month by month", "devices, subscribers", _MONTHS,
        ("devices", "imsis", "msisdns"), _single("seen_in_month", "devices", "imsis", "msisdns"),
    ),
    (
        "handsets_trend", "Handsets rather than numbers, month by month", "devices", _MONTHS, ("identities", "handsets"),
        _single("handsets", "identities", "handsets"),
    ),
    (
        "compliance_trend", "What the devices seen may do, month by month", "devices", _MONTHS, _STATUSES,
        _by_name("compliance", _STATUSES),
    ),
    (
        "entered_trend", "Devices in the register, month by month", "devices", _MONTHS,
        ("registered", "imported", "declared"), _by_name("entered", ("registered", "imported", "declared")),
    ),
    (
        "pairs_trend", "Pairings that hold, month by month", "pairs", _MONTHS, ("first_pairs", "further_pairs"),
        _single("pairs", "first_pairs", "further_pairs"),
    ),
    (
        "reported_trend", "Reported and recovered, month by month", "devices", _MONTHS, ("reported", "recovered"),
        _single("recovered", "reported", "recovered"),
    ),
    (
        "recovery_trend", "Share of reported devices that came back, month by month", "of 100", _MONTHS, ("per_cent",),
        _single("recovery_rate", "per_cent"),
    ),
    (
        "seen_again_trend", "Share of blocked devices seen again, month by month", "of 100", _MONTHS, ("per_cent",),
        _single("blocked_share_seen", "per_cent"),
    ),
    (
        "effect_trend", "From report to effective block, month by month", "hours",
        "Half of all reports took no longer: at the operator that was quickest, and at the one that was slowest.",
        ("quickest", "slowest"), _effect,
    ),
    (
        "false_blocks_trend", "Blocks made and taken back, month by month", "devices", _MONTHS, ("blocked", "taken_back"),
        _sums("false_blocks", "blocked", "taken_back"),
    ),
    (
        "checks_trend", "Checks, month by month", "devices", _MONTHS, ("devices",), _sums("checks", "devices"),
    ),
)  # fmt: skip
