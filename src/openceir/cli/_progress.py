"""Progress as a person and a log want it: one line that is written over on a terminal, a log line a tenth elsewhere."""

import logging
import sys
from types import TracebackType

import click

__all__ = ["ShownProgress"]


class ShownProgress:
    """A Progress for commands; as a context manager it leaves the terminal's line clean."""

    def __init__(self, name: str) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._log = logging.getLogger(f"openceir.{name}")
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
        """Show it, or log it when another tenth is done."""
        percent = 100 * done // total if total else 0
        if self._is_terminal:
            click.echo(f"\r\x1b[K{what}: {f'{percent} %' if total else done}", nl=False, err=True)
        elif self._said != (what, percent // 10):
            self._log.info("%s: %d %%", what, percent)
        self._said = (what, percent // 10)
