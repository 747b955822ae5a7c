"""`openceir config`: every setting, its value and where it comes from."""

import os
from pathlib import Path

import click

from openceir.cli._options import as_json_option, echo_json
from openceir.settings import load_settings

__all__ = ["config"]


@click.group()
def config() -> None:
    """Show every setting, its value and where it comes from."""


@config.command()
@as_json_option
@click.pass_context
def show(ctx: click.Context, as_json: bool) -> None:
    """Print each setting: the default, or what openceir.toml or the environment puts in its place."""
    assert isinstance(ctx.obj, Path)
    _, rows = load_settings(ctx.obj, os.environ)
    if as_json:
        echo_json(
            {
                "home": str(ctx.obj),
                "settings": [{"name": row.name, "value": row.value, "origin": row.origin} for row in rows],
            }
        )
        return
    click.echo(f"home = {ctx.obj}")
    for row in rows:
        click.echo(f"{row.name:<22} {row.value!s:<12} {row.origin}")
