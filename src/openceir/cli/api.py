"""`openceir api`: the keys that programs have at the portal."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from openceir.cli._options import as_json_option, echo_json

__all__ = ["api"]


@click.group()
def api() -> None:
    """Show and end the keys of programs at the portal. They are made on its page "Keys for programs"."""


@api.command(name="list")
@as_json_option
@click.pass_context
def list_all(ctx: click.Context, as_json: bool) -> None:
    """Show whose keys there are, what each opens and until when. No command can show a key itself."""
    keys = _keys(ctx)
    rows = [keys.as_row(key) for key in keys.every_key()]
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        scopes = ",".join(row["scopes"])
        click.echo(f"{row['key']:<40} {row['state']:<8} until {row['expires_at']}  {row['per_day']} a day  {scopes}")


@api.command()
@click.argument("key", metavar="OFFICE/NAME")
@as_json_option
@click.pass_context
def revoke(ctx: click.Context, key: str, as_json: bool) -> None:
    """Let a key open nothing from now on. The act log says that it was done here.

    \b
    openceir api revoke importer/till-2
    """
    keys = _keys(ctx)
    found = keys.key_named(key)
    keys.revoke_key(keys.COMMAND_LINE, found)
    if as_json:
        echo_json({"key": key, "state": "revoked"})
    else:
        click.echo(f"the key {key} opens nothing any more")


def _keys(ctx: click.Context) -> Any:
    """The portal's room of keys, its database open."""
    if any(find_spec(package) is None for package in ("django", "allauth", "ninja")):
        raise click.UsageError("the portal is not installed: pip install 'openceir[portal]'")
    assert isinstance(ctx.obj, Path)
    from openceir.portal.prepare import prepare

    prepare(ctx.obj)
    from openceir.portal.api import keys

    return keys
