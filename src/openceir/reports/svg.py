"""Drawings of figures as SVG text, small enough to stand in a page and readable without a script.

Every drawing has a title and a description for those who do not see it, and uses text colour and a palette whose
neighbours differ in lightness, so that it can be printed in grey.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from math import ceil, cos, floor, log10, radians
from typing import Final

from openceir.reports.figure import Area, Cell, Drawing, Figure

__all__ = ["draw", "draw_areas"]

WIDTH: Final = 640
PALETTE: Final = ("#12436d", "#28a197", "#801650", "#f46a25", "#3d3d3d", "#a285d1")
_LEFT: Final = 60  # room for the numbers beside the y axis
_BAR: Final = 22
_MOST_BARS: Final = 30


def draw(figure: Figure) -> str:
    """The figure as SVG; empty for one that is a table alone or has no rows."""
    if not figure.rows:
        return ""
    match figure.drawing:
        case Drawing.LINES:
            return _lines(figure)
        case Drawing.BARS:
            return _bars(figure, figure.columns[1:2])
        case Drawing.STACKED:
            return _bars(figure, figure.columns[1:])
        case Drawing.NONE:
            return ""


def draw_areas(figure: Figure, value: str, areas: Mapping[str, Area]) -> str:
    """The areas that the first column names, the darker the larger the number in the column `value`.

    Squares by row and column when any area has no outline, else the outlines. Areas without a row of the figure are
    left white; rows without an area are told by the table alone.
    """
    if not areas:
        return ""
    at = figure.columns.index(value)
    numbers = {str(row[0]): row[at] for row in figure.rows}
    largest = max((float(one or 0) for one in numbers.values()), default=0.0) or 1.0
    if all(area.outline for area in areas.values()):
        height, shapes = _outlines(areas)
    else:
        height, shapes = _squares(areas)
    body = []
    for name, (shape, x, y) in shapes.items():
        number = numbers.get(name)
        share = float(number or 0) / largest
        text = "#fff" if share > 0.5 else "#0b0c0c"
        body.append(
            f"<g><title>{escape(areas[name].name)}: {_number(number)} {escape(figure.unit)}</title>"
            f'{shape} fill="{PALETTE[0]}" fill-opacity="{0.08 + 0.92 * share:.2f}" stroke="#505a5f"/>'
            f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="middle" fill="{text}">{escape(_short(areas[name].name)[:14])}</text>'
            f'<text x="{x:.0f}" y="{y + 16:.0f}" text-anchor="middle" fill="{text}">{_number(number)}</text></g>'
        )
    return _svg(figure, height, body)


def _squares(areas: Mapping[str, Area]) -> tuple[int, dict[str, tuple[str, float, float]]]:
    columns = max(area.column for area in areas.values())
    side = min(110.0, (WIDTH - 20) / columns)
    shapes = {}
    for name, area in areas.items():
        x, y = 10 + (area.column - 1) * side, 10 + (area.row - 1) * side
        shape = f'<rect x="{x:.1f}" y="{y:.1f}" width="{side - 4:.1f}" height="{side - 4:.1f}" rx="4"'
        shapes[name] = (shape, x + side / 2 - 2, y + side / 2 - 4)
    return round(20 + side * max(area.row for area in areas.values())), shapes


def _outlines(areas: Mapping[str, Area]) -> tuple[int, dict[str, tuple[str, float, float]]]:
    points = [point for area in areas.values() for point in area.outline]
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    # a degree of longitude is shorter the farther from the equator; one factor for the whole country is enough here
    narrow = max(cos(radians((south + north) / 2)), 0.1)
    scale = min((WIDTH - 40) / max((east - west) * narrow, 1e-9), 440 / max(north - south, 1e-9))
    shapes = {}
    for name, area in areas.items():
        places = [(20 + (x - west) * narrow * scale, 20 + (north - y) * scale) for x, y in area.outline]
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        middle = sum(x for x, _ in places) / len(places), sum(y for _, y in places) / len(places)
        shapes[name] = (f'<polygon points="{drawn}"', *middle)
    return round((north - south) * scale) + 40, shapes


def _lines(figure: Figure) -> str:
    names = figure.columns[1:]
    series = [figure.number(name) for name in names]
    top, step = _scale(max((max(values) for values in series), default=0.0))
    height, bottom = 260, 220
    span = max(len(figure.rows) - 1, 1)

    def x(at: int) -> float:
        return _LEFT + (WIDTH - _LEFT - 20) * at / span

    def y(value: float) -> float:
        return bottom - (bottom - 20) * value / top

    body = list(_rules(top, step, y))
    for at in range(0, len(figure.rows), max(1, -(-len(figure.rows) // 6))):
        anchor = "start" if at == 0 else "middle"
        body.append(
            f'<text x="{x(at):.0f}" y="{bottom + 18}" text-anchor="{anchor}">{escape(str(figure.rows[at][0]))}</text>'
        )
    for place, (name, values) in enumerate(zip(names, series, strict=True)):
        colour = PALETTE[place % len(PALETTE)]
        path = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in enumerate(values))
        body.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"><title>{escape(_words(name))}</title></polyline>'
        )
        if len(values) == 1:  # a line of one point is nothing
            body.append(f'<circle cx="{x(0):.1f}" cy="{y(values[0]):.1f}" r="3" fill="{colour}"/>')
    return _svg(figure, height, [*body, *_legend(names, height - 8)])


def _bars(figure: Figure, names: Sequence[str]) -> str:
    rows = figure.rows[:_MOST_BARS]
    places = [figure.columns.index(name) for name in names]
    longest = max((sum(float(row[at] or 0) for at in places) for row in rows), default=0.0) or 1.0
    left = min(260, 12 + 7 * max(len(str(row[0])) for row in rows))
    body = []
    for line, row in enumerate(rows):
        y = 8 + line * _BAR
        body.append(f'<text x="{left - 6}" y="{y + 14}" text-anchor="end">{escape(_short(str(row[0])))}</text>')
        x = float(left)
        for place, at in enumerate(places):
            width = (WIDTH - left - 70) * float(row[at] or 0) / longest
            what = f"{_words(figure.columns[at])}: {_number(row[at])}"
            body.append(
                f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_BAR - 5}" fill="{PALETTE[place % len(PALETTE)]}">'
                f"<title>{escape(str(row[0]))}, {escape(what)}</title></rect>"
            )
            x += width
        total = sum(float(row[at] or 0) for at in places)
        body.append(f'<text x="{x + 5:.1f}" y="{y + 14}">{_number(total)}</text>')
    height = 16 + _BAR * len(rows)
    if len(names) > 1:
        height += 24
        body += _legend(names, height - 8)
    return _svg(figure, height, body)


def _svg(figure: Figure, height: int, body: Sequence[str]) -> str:
    shown = f"{figure.title}. {figure.explains}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" class="drawing"'
        f' font-family="system-ui, sans-serif" font-size="12" fill="#0b0c0c">'
        f"<title>{escape(figure.title)}</title><desc>{escape(shown)}</desc>{''.join(body)}</svg>"
    )


def _rules(top: float, step: float, y: Callable[[float], float]) -> Iterator[str]:
    value = 0.0
    while value <= top + step / 2:
        yield f'<line x1="{_LEFT}" x2="{WIDTH - 20}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#b1b4b6"/>'
        yield f'<text x="{_LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{_number(value)}</text>'
        value += step


def _legend(names: Sequence[str], y: int) -> Iterator[str]:
    x = _LEFT
    for place, name in enumerate(names):
        yield f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="{PALETTE[place % len(PALETTE)]}"/>'
        yield f'<text x="{x + 17}" y="{y}">{escape(_words(name))}</text>'
        x += 34 + 7 * len(name)


def _scale(largest: float) -> tuple[float, float]:
    """The top of an axis and the distance of its rules: 1, 2 or 5 times a power of ten, three to six rules."""
    if largest <= 0:
        return 1.0, 1.0
    power = 10.0 ** floor(log10(largest / 4))
    step = next(power * factor for factor in (1, 2, 5, 10) if largest / (power * factor) <= 5)
    return step * ceil(largest / step), step


def _number(value: Cell) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return escape(value)
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _short(text: str) -> str:
    return text if len(text) <= 36 else f"{text[:35]}…"
