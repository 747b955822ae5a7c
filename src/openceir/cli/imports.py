"""`openceir import`: bring in operators' dumps, the TAC table, cells and authorities' lists."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import click

from openceir.app import Register, open_register
from openceir.cli._options import Day, Moment, as_json_option, echo_json
from openceir.cli._progress import ShownProgress
from openceir.intake import ImportReport
from openceir.progress import Progress

__all__ = ["imports"]

_LISTS = {
    "stolen": "Devices reported stolen: imei, reporting_date, status.",
    "lost": "Devices reported lost: imei, reporting_date, status.",
    "recovered": "Devices that are back with their owners: imei, date.",
    "registration": "The registration list: approved_imei, make, model, status, … device_id.",
    "pairing": "Which subscriber may use which device: imei, imsi, msisdn.",
    "association": "Who registered which device: uid, imei.",
    "subscribers": "Which IMSIs a person has: uid, imsi.",
    "barred": "Devices barred by order: imei.",
    "barred-tac": "Models barred by order: tac.",
    "monitoring": "Devices to watch: imei.",
    "golden": "Devices never to block: golden_imei; kept only as keyed digests.",
}


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_file = click.argument("file", type=_FILE)
_at = click.option("--at", type=Moment(), default="now", help="The instant that counts as now, UTC.")


@click.group("import")
def imports() -> None:
    """Bring in operators' dumps, the TAC table, cells and authorities' lists.

    Files are CSV, gzip or zip of one, or Parquet. Bad rows are set aside and reported; a whole file is refused only
    when a limit of the policy is passed, and then nothing changes. A file that comes twice changes nothing.
    """


@imports.command()
@_file
@click.option("--operator", help="Whose dump it is; taken from the name <operator>_<from>_<to> when left out.")
@click.option("--from", "since", type=Day(), help="The first day it is for.")
@click.option("--to", "until", type=Day(), help="The last day it is for.")
@_at
@as_json_option
@click.pass_context
def sightings(
    ctx: click.Context,
    file: Path,
    operator: str | None,
    since: date | None,
    until: date | None,
    at: datetime,
    as_json: bool,
) -> None:
    """An operator's dump: date, imei, imsi and perhaps msisdn, rat, time, cell, lac."""
    _bring(
        ctx,
        as_json,
        lambda register, progress: register.import_sightings(
            file, operator=operator, since=since, until=until, at=at, progress=progress
        ),
    )


@imports.command()
@_file
@_at
@as_json_option
@click.pass_context
def tac(ctx: click.Context, file: Path, at: datetime, as_json: bool) -> None:
    """The TAC table: GSMA's pipe format, or tac,brand,model,aka."""
    _bring(ctx, as_json, lambda register, progress: register.import_tac_table(file, at=at, progress=progress))


@imports.command()
@_file
@click.option("--operator", help="Whose cells they are, when the file has no column operator.")
@_at
@as_json_option
@click.pass_context
def cells(ctx: click.Context, file: Path, operator: str | None, at: datetime, as_json: bool) -> None:
    """Where cells stand: operator, cell, lat, lon and perhaps lac, radius_m."""
    _bring(
        ctx,
        as_json,
        lambda register, progress: register.import_cells(file, operator=operator, at=at, progress=progress),
    )


@imports.command()
@click.option("--kind", help="Only this kind, e.g. sightings or stolen.")
@click.option("--most", default=20, show_default=True, help="How many, newest first.")
@as_json_option
@click.pass_context
def history(ctx: click.Context, kind: str | None, most: int, as_json: bool) -> None:
    """What was brought in, newest first."""
    found = open_register(ctx.obj).journal.history(kind, most)
    if as_json:
        echo_json(
            [
                {
                    "import": one.id, "kind": one.kind, "operator": one.operator, "file": one.file,
                    "at": one.at.isoformat(), "by": one.member, "rows": one.rows, "accepted": one.accepted,
                    "digest": one.digest.hex(), **one.summary,
                }
                for one in found
            ]
        )  # fmt: skip
        return
    for one in found:
        whose = f" of {one.operator}" if one.operator else f" by {one.member}" if one.member else ""
        click.echo(f"{one.id:>5}  {one.at:%Y-%m-%d %H:%M}  {one.kind:<13} {one.file}{whose}: "
                   f"{one.accepted} of {one.rows} rows accepted")  # fmt: skip
    if not found:
        click.echo("nothing was brought in yet; start with `openceir import tac FILE`")


def _list_command(kind: str, what: str) -> click.Command:
    @click.command(kind, help=what)
    @_file
    @click.option(
        "--delta", is_flag=True, help="The file holds changes: a column change_type says add, remove or update."
    )
    @click.option("--by", default="", metavar="NAME", help="The key, or the member, that signs what the list changes.")
    @click.option("--date", "on", type=Day(), help="The day of rows that have none; today when left out.")
    @_at
    @as_json_option
    @click.pass_context
    def bring(
        ctx: click.Context, file: Path, delta: bool, by: str, on: date | None, at: datetime, as_json: bool
    ) -> None:
        if not by and kind not in {"association", "subscribers"}:
            raise click.UsageError(
                f"who says so? give --by NAME: a {kind} list is signed; `openceir key new` makes a key"
            )
        _bring(
            ctx,
            as_json,
            lambda register, progress: register.import_list(
                kind, file, delta=delta, by=by, on=on, at=at, progress=progress
            ),
        )

    return bring


for _kind, _what in _LISTS.items():
    imports.add_command(_list_command(_kind, _what))


def _bring(ctx: click.Context, as_json: bool, work: Callable[[Register, Progress], ImportReport]) -> None:
    with ShownProgress("import") as progress:
        report = work(open_register(ctx.obj), progress)
    if as_json:
        echo_json(report.as_dict())
    else:
        click.echo("\n".join(report.lines()))
