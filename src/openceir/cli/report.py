"""`openceir report`: what a month shows, as figures that anybody may see and listings that few may."""

import getpass
from datetime import datetime
from pathlib import Path

import click

from openceir.app import Register
from openceir.cli._options import Moment, as_json_option, echo_json, register_of
from openceir.cli._progress import ShownProgress
from openceir.reports import LISTINGS, Figure, Report
from openceir.storage.reports import write_listing, write_report

__all__ = ["report"]

_at = click.option("--at", type=Moment(), default="now", help="The instant that counts as now, UTC.")
_operator = click.option("--operator", default="", metavar="ID", help="One operator's; left out, the whole country's.")


@click.group()
def report() -> None:
    """Make, show and export monthly reports; list the devices behind a figure."""


@report.command()
@click.argument("month")
@_at
@as_json_option
@click.pass_context
def make(ctx: click.Context, month: str, at: datetime, as_json: bool) -> None:
    """Make and keep the reports of MONTH (2026-10): the country's, and one of each operator.

    Statuses are those at the end of the month. To make a month again replaces what was kept of it.
    """
    register = register_of(ctx)
    with ShownProgress("report") as progress:
        made = register.make_reports(month, at=at, progress=progress)
    if as_json:
        echo_json([{"month": one.month, "operator": one.operator, "figures": len(one.figures)} for one in made])
        return
    operators = ", ".join(one.operator for one in made if one.operator) or "no operator"
    click.echo(f"{month}: {len(made[0].figures)} figures of the country and of {operators}")


@report.command(name="list")
@as_json_option
@click.pass_context
def list_all(ctx: click.Context, as_json: bool) -> None:
    """Show which reports are kept."""
    kept = register_of(ctx).reports.kept()
    if as_json:
        echo_json(kept)
        return
    for month, operators in kept.items():
        click.echo(f"{month}  {', '.join(operator or 'country' for operator in operators)}")


@report.command()
@click.argument("month")
@_operator
@click.option("--figure", "name", help="One figure alone, by its name.")
@as_json_option
@click.pass_context
def show(ctx: click.Context, month: str, operator: str, name: str | None, as_json: bool) -> None:
    """Print the report of MONTH as tables."""
    found = _report(register_of(ctx), month, operator, name)
    if as_json:
        echo_json(found.to_dict())
        return
    for figure in found.figures:
        click.echo(_printed(figure))


@report.command()
@click.argument("month")
@_operator
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="A folder; made when absent."
)
@click.pass_context
def export(ctx: click.Context, month: str, operator: str, out: Path) -> None:
    """Write the report of MONTH into a folder: index.html, report.json, one CSV a figure."""
    written = write_report(_report(register_of(ctx), month, operator, None), out)
    click.echo(f"{written[0]}: the report; beside it {len(written) - 1} files")


@report.command()
@click.argument("name", type=click.Choice(LISTINGS))
@click.argument("month")
@click.option("--purpose", required=True, help="Why this is read: a case or order. It is recorded, with who reads.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The CSV file, mode 0600.")
@_at
@click.pass_context
def listing(ctx: click.Context, name: str, month: str, purpose: str, out: Path, at: datetime) -> None:
    """Write single devices of MONTH, and the subscribers seen with them, into a file. The reading is recorded first."""
    if not 3 <= len(purpose) <= 200:
        raise click.UsageError("--purpose takes 3 to 200 characters: a case number or order")
    if out.exists():
        raise click.UsageError(f"{out} exists already; a listing is never written over another file")
    found = register_of(ctx).listing(name, month, at=at, reader=getpass.getuser(), role="local", purpose=purpose)
    write_listing(found, out)
    click.echo(f"{out}: {len(found.rows)} rows")


def _report(register: Register, month: str, operator: str, name: str | None) -> Report:
    found = register.reports.get(month, operator.lower())
    if name is None:
        return found
    figure = found.figure(name)
    if figure is None:
        raise click.UsageError(f"there is no figure {name!r}; there are {', '.join(one.name for one in found.figures)}")
    return Report.from_dict(
        {**found.to_dict(), "figures": [one for one in found.to_dict()["figures"] if one["name"] == name]}
    )


def _printed(figure: Figure) -> str:
    rows = [
        figure.columns,
        *(
            tuple("–" if cell is None else f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row)
            for row in figure.rows
        ),
    ]
    widths = [max(len(row[at]) for row in rows) for at in range(len(figure.columns))]
    lines = [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join(["", f"{figure.title} ({figure.unit})", *lines])
