"""Progress as a person and a log want it: one line that is written over on a terminal, a line a tenth elsewhere."""

import sys
from time import monotonic
from types import TracebackType

import click

__all__ = ["ShownProgress"]

_LONG_S = 5.0  # what takes no longer leaves no lines in a log


class ShownProgress:
    """A Progress for commands; as a context manager it leaves the terminal's line clean."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._is_terminal = sys.stderr.isatty()
        self._began = monotonic()
        self._said: tuple[str, int] | None = None

    def __enter__(self) -> "ShownProgress":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.clear()

    def clear(self) -> None:
        """Wipe the line, so that something else can be said."""
        if self._is_terminal and self._said is not None:
            click.echo("\r\x1b[K", nl=False, err=True)

    def __call__(self, what: str, done: int, total: int | None = None) -> None:
        """Show it, or log it when another tenth is done: of what has no known end, when twice as much is done."""
        so_far = f"{100 * done // total} %" if total else f"{done}"
        step = 10 * done // total if total else done.bit_length()
        if self._is_terminal:
            click.echo(f"\r\x1b[K{what}: {so_far}", nl=False, err=True)
        elif self._said == (what, step) or monotonic() - self._began < _LONG_S:
            return
        else:
            click.echo(f"{self._name}: {what}: {so_far}", err=True)
        self._said = (what, step)
