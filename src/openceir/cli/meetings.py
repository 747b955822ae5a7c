"""`openceir meetings`: numbers seen in two countries within less time than the journey takes."""

from datetime import date, datetime
from pathlib import Path

import click

from openceir.cli._options import Day, Moment, as_json_option, echo_json, register_of
from openceir.identity import format_device_key
from openceir.storage.files import StorageError, replace_file
from openceir.storage.meetings import Met

__all__ = ["meetings"]


@click.group()
def meetings() -> None:
    """Find numbers that are in two countries at once, together with the other country."""


@meetings.command()
@click.argument("nation")
@click.option("--from", "source", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="What they made.")
@as_json_option
@click.pass_context
def key(ctx: click.Context, nation: str, source: Path | None, as_json: bool) -> None:
    """Make the secret of this register and another nation's, or take in the one that they made.

    One side makes it and hands over the file by a safe way. Whoever has it can read the files exchanged.
    """
    register = register_of(ctx)
    if source is None:
        register.make_pair_secret(nation)
    else:
        register.take_pair_secret(nation, _read(source))
    path = register.pair_secret_path(nation)
    if as_json:
        echo_json({"nation": nation, "file": str(path)})
    else:
        click.echo(f"{path}: the secret with {nation}" + ("; hand this file over to them" if source is None else ""))


@meetings.command()
@click.argument("nation")
@click.option("--from", "first_on", type=Day(), required=True, help="The first day.")
@click.option("--to", "last_on", type=Day(), help="The last day; the first when left out. In the same month.")
@click.option("--by", required=True, metavar="NAME", help="The key, or the member, that signs.")
@click.option("--at", type=Moment(), default="now", help="When it is signed, UTC.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write."
)
@as_json_option
@click.pass_context
def export(
    ctx: click.Context,
    nation: str,
    first_on: date,
    last_on: date | None,
    by: str,
    at: datetime,
    output: Path,
    as_json: bool,
) -> None:
    """Write for another nation which numbers our networks saw in which hour, as tokens that only the two can read.

    Needs `[neighbours.XB]` with `travel_hours` in the policy. Only sightings with a time of day count.
    """
    octets = register_of(ctx).write_hours_seen(nation, first_on, last_on or first_on, by=by, at=at)
    replace_file(output, octets, mode=0o600)
    if as_json:
        echo_json({"file": str(output), "octets": len(octets)})
    else:
        click.echo(f"{output}: {len(octets)} octets for {nation}")


@meetings.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--by", metavar="NAME", help="State what is found (device-cloned) with this regulator's key.")
@click.option("--at", type=Moment(), default="now", help="When it is found, UTC.")
@as_json_option
@click.pass_context
def import_file(ctx: click.Context, file: Path, by: str | None, at: datetime, as_json: bool) -> None:
    """Compare another nation's file with our own sightings; what is found is kept, and stated only with --by."""
    register = register_of(ctx)
    found = register.take_hours_seen(_read(file), at=at)
    if by is not None:
        register.state_met(found, by=by, at=at)
    _show(found, as_json)


@meetings.command("list")
@as_json_option
@click.pass_context
def list_met(ctx: click.Context, as_json: bool) -> None:
    """List the numbers that were found in two countries at once."""
    _show(list(register_of(ctx).met), as_json)


def _show(found: list[Met], as_json: bool) -> None:
    rows = [
        {
            "imei": format_device_key(one.device),
            "nation": one.nation,
            "from": f"{one.first_hour_at:%Y-%m-%dT%H:00Z}",
            "pairs_of_hours": one.pairs,
        }
        for one in found
    ]
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        click.echo(
            f"{row['imei']}  here and in {row['nation']} from {row['from']}, {row['pairs_of_hours']} pairs of hours"
        )
    if not rows:
        click.echo("no number was found in two countries at once")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as wrong:
        raise StorageError(f"{path} cannot be read: {wrong.strerror}") from wrong
