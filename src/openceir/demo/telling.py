"""How the demo tells its story: headings, tables and sentences of plain text, the same on a screen and in a file."""

from collections.abc import Callable, Iterable, Sequence

__all__ = ["Teller", "count", "percent", "table"]

WIDTH = 110


class Teller:
    """Says things line by line, and keeps what was said."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.said: list[str] = []

    def line(self, text: str = "") -> None:
        """One line."""
        self.said.append(text)
        self._say(text)

    def heading(self, text: str) -> None:
        """A new part of the story."""
        self.line()
        self.line(text)
        self.line("-" * len(text))

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Columns: the first to the left, the others to the right."""
        for line in table(head, rows):
            self.line(line)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table whose columns are as wide as they must be; a column of words stands to the left."""
    body = [list(row) for row in rows]
    widths = [max(len(row[place]) for row in [list(head), *body]) for place in range(len(head))]
    to_the_left = [all(not row[place][:1].isdigit() for row in body) for place in range(len(head))]

    def line(row: Sequence[str]) -> str:
        cells = (
            text.ljust(width) if left else text.rjust(width)
            for text, width, left in zip(row, widths, to_the_left, strict=True)
        )
        return ("  " + "  ".join(cells)).rstrip()

    return [line(head), *(line(row) for row in body)]


def count(number: int) -> str:
    """`12,345`."""
    return f"{number:,}"


def percent(share: float | None) -> str:
    """`97.4 %`, and a dash where there is nothing to divide by."""
    return "-" if share is None else f"{share:.1%}".replace("%", " %")
