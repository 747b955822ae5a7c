"""`openceir register`: bring the whole register up to date, see what it holds, prune it."""

from datetime import date, datetime

import click

from openceir.app import open_register
from openceir.cli._options import Day, Moment, as_json_option, echo_json, register_of
from openceir.cli._progress import ShownProgress

__all__ = ["register"]

_at = click.option("--at", type=Moment(), default="now", help="The instant that counts as now, UTC.")


@click.group()
def register() -> None:
    """Bring the whole register up to date; see what it holds; prune it."""


@register.command()
@click.option("--as-of", "as_of_on", type=Day(), help="The last day of data to judge; the newest when left out.")
@click.option("--by", metavar="NAME", help="Sign what was found as this member; left out, findings stay proposals.")
@_at
@as_json_option
@click.pass_context
def update(ctx: click.Context, as_of_on: date | None, by: str | None, at: datetime, as_json: bool) -> None:
    """Measure what is new, judge it, sign what was found, and deliver new lists: the daily job in one command.

    Costs what is new since the last time, not what the register holds.
    """
    with ShownProgress("update") as progress:
        done = open_register(ctx.obj).update(at=at, as_of_on=as_of_on, by=by, progress=progress)
    if as_json:
        echo_json(done.to_dict())
        return
    click.echo(f"measured {done.new_files} new files; detection run {done.detection_run}, {done.proposed} rules")
    click.echo("nothing signed: give --by to adopt" if done.adopted is None else f"signed {done.adopted} statements")
    click.echo(
        "no lists: the policy names no operator" if done.list_run is None else f"delivered list run {done.list_run}"
    )


@register.command()
@_at
@as_json_option
@click.pass_context
def show(ctx: click.Context, at: datetime, as_json: bool) -> None:
    """Say what the home holds: statements, devices by status, sightings, imports and lists."""
    held = open_register(ctx.obj).holdings(at=at)
    if as_json:
        echo_json(held.to_dict())
        return
    for note in held.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(f"statements   {held.statements}")
    click.echo("devices      " + ", ".join(f"{count} {status}" for status, count in held.devices.items()))
    for seen in held.sightings:
        click.echo(
            f"sightings    {seen['operator']}: {seen['rows']} rows in {seen['files']} files,"
            f" {seen['first_day']} to {seen['last_day']}"
        )
    for one in held.imports:
        click.echo(f"imported     {one['kind']} {one['file']}: {one['accepted']} of {one['rows']} rows")
    for operator, sequence in held.lists.items():
        click.echo(f"lists        {operator}: run {sequence}")


@register.command()
@click.option("--dry-run", is_flag=True, help="Say what would be erased and erase nothing.")
@_at
@as_json_option
@click.pass_context
def prune(ctx: click.Context, dry_run: bool, at: datetime, as_json: bool) -> None:
    """Erase subscribers' sightings that policy keeps no longer, everywhere; devices stay known.

    Lists that rest on them go too: an operator that held one receives the next list whole.
    """
    done = open_register(ctx.obj).prune(on=at.date(), is_rehearsal=dry_run)
    if as_json:
        echo_json(done.to_dict())
        return
    would = "would erase" if dry_run else "erased"
    click.echo(
        f"{would} what is older than {done.first_kept_on}: {done.sightings_files} files of sightings,"
        f" {done.list_files} lists and deltas"
    )


@register.command()
@_at
@as_json_option
@click.pass_context
def chores(ctx: click.Context, at: datetime, as_json: bool) -> None:
    """Do what the register does by itself and is due: commit states, obey orders to erase, exchange meetings.

    `openceir serve` with the portal does it every minute; without, let a timer of the system call this. What is done, how
    often, and with whose key stands in the policy under `[chores]`. Exits 3 when something could not be done.
    """
    done = register_of(ctx).do_chores(at=at)
    if as_json:
        echo_json([{"name": one.name, "count": one.count, "trouble": one.trouble or None} for one in done])
    else:
        for one in done:
            click.echo(f"{one.name:<14} {one.count} done" + (f"; trouble: {one.trouble}" if one.trouble else ""))
        if not done:
            click.echo("nothing is due")
    ctx.exit(3 if any(one.trouble for one in done) else 0)
