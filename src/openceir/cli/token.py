"""`openceir token`: access tokens of the HTTP interface."""

import re
from datetime import datetime
from pathlib import Path

import click

from openceir.cli._options import Moment, as_json_option, echo_json, register_of
from openceir.clock import now
from openceir.statements import Role
from openceir.storage.files import replace_file

__all__ = ["token"]


@click.group()
def token() -> None:
    """Make and revoke access tokens of the HTTP interface."""


def _name(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,62}", value):
        raise click.BadParameter("use 1 to 63 small letters, digits, hyphens and dots")
    return value


@token.command()
@click.option("--role", type=click.Choice([str(role) for role in Role]), required=True, help="What it opens.")
@click.option("--name", required=True, callback=_name, help="Whose it is, such as desk-1. Stands in the read audit.")
@click.option("--operator", default="", help="Of the role operator: whose lists it opens, an id of the policy.")
@click.option("--expires", type=Moment(), required=True, help="The first moment at which it opens nothing, UTC.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file, mode 0600.")
@as_json_option
@click.pass_context
def new(
    ctx: click.Context, role: str, name: str, operator: str, expires: datetime, out: Path | None, as_json: bool
) -> None:
    """Make a token and show it, this once: only its digest is kept.

    \b
    openceir token new --role police --name desk-1 --expires 2027-01-01 --out desk-1.token
    """
    if out is not None and out.exists():
        raise click.UsageError(f"{out} exists already; a token is never written over another file")
    register = register_of(ctx)
    if operator and role != Role.OPERATOR:
        raise click.UsageError(f"--operator goes with --role operator, not with {role}")
    operator = operator.lower()  # as lists and sightings name them
    known = [name.lower() for name in register.policy.operators(now().date())]
    if operator and operator not in known:
        raise click.UsageError(f"the policy names no operator {operator!r}; it names {', '.join(known) or 'none'}")
    text = register.tokens.make(name, role, at=now(), expires_at=expires, operator=operator)
    if out is not None:
        replace_file(out, text.encode() + b"\n", mode=0o600)
    if as_json:
        shown = {"file": str(out)} if out is not None else {"token": text}
        echo_json({"name": name, "role": role, "expires_at": f"{expires:%Y-%m-%dT%H:%M:%SZ}", **shown})
    elif out is not None:
        click.echo(f"{out}: token of {name} ({role}), opens until {expires:%Y-%m-%d}")
    else:
        click.echo(text)


@token.command(name="list")
@as_json_option
@click.pass_context
def list_all(ctx: click.Context, as_json: bool) -> None:
    """Show whose tokens there are. No command can show a token itself."""
    moment = now()
    rows = [
        {
            "name": one.name,
            "role": one.role,
            "operator": one.operator,
            "made_at": f"{one.made_at:%Y-%m-%dT%H:%M:%SZ}",
            "expires_at": f"{one.expires_at:%Y-%m-%dT%H:%M:%SZ}",
            "state": "open" if one.is_valid_at(moment) else "revoked" if one.revoked_at else "expired",
        }
        for one in register_of(ctx).tokens.list_all()
    ]
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        click.echo(
            f"{row['name']:<24} {row['role']:<10} {row['operator']:<10} {row['state']:<8} until {row['expires_at']}"
        )


@token.command()
@click.argument("name")
@as_json_option
@click.pass_context
def revoke(ctx: click.Context, name: str, as_json: bool) -> None:
    """Let a token open nothing from now on."""
    register_of(ctx).tokens.revoke(name, at=now())
    if as_json:
        echo_json({"name": name, "state": "revoked"})
    else:
        click.echo(f"the token of {name} opens nothing any more")
