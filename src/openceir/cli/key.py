"""`openceir key`: signing keys of members, and the log's own."""

from datetime import datetime

import click

from openceir.cli._options import Moment, as_json_option, echo_json, register_of
from openceir.statements import PublicKey, Role
from openceir.storage.key_files import read_public_key

__all__ = ["key"]


@click.group()
def key() -> None:
    """Make and show signing keys."""


@key.command()
@click.argument("name")
@click.option("--member", metavar="ID", help="Who signs with it; NAME when left out.")
@click.option(
    "--role",
    "roles",
    type=click.Choice([role.value for role in Role]),
    multiple=True,
    help="What a new member may say as.",
)
@click.option("--at", type=Moment(), default="now", help="From when on it counts, UTC.")
@as_json_option
@click.pass_context
def new(ctx: click.Context, name: str, member: str | None, roles: tuple[str, ...], at: datetime, as_json: bool) -> None:
    """Make the key NAME and let a member sign with it.

    The private half goes to keys/NAME.key, which only you can read (0600), and is never shown; the public half goes
    to members.toml. A member that is not there yet needs at least one --role.
    """
    public = register_of(ctx).new_key(name, member=member or name, roles=map(Role, roles), valid_from=at)
    if as_json:
        echo_json({"name": name, "member": member or name, "public": public.format(), "kid": public.kid.hex()})
    else:
        click.echo(f"{public.format()}\nmember {member or name} may sign with keys/{name}.key; keep a copy of it apart")


@key.command("list")
@as_json_option
@click.pass_context
def list_keys(ctx: click.Context, as_json: bool) -> None:
    """List the keys of all members, and which of them can sign here."""
    register = register_of(ctx)
    rows = [
        {
            "name": entry.public.name,
            "member": member.id,
            "kid": entry.public.kid.hex(),
            "valid_from": f"{entry.valid_from:%Y-%m-%dT%H:%M:%SZ}",
            "valid_until": f"{entry.valid_until:%Y-%m-%dT%H:%M:%SZ}" if entry.valid_until else None,
            "revoked_at": f"{entry.revoked_at:%Y-%m-%dT%H:%M:%SZ}" if entry.revoked_at else None,
            "private_here": (register.home / "keys" / f"{entry.public.name}.key").exists(),
        }
        for member in register.members
        for entry in member.keys
    ]
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        state = f"revoked {row['revoked_at']}" if row["revoked_at"] else f"from {row['valid_from']}"
        here = "can sign here" if row["private_here"] else "public half only"
        click.echo(f"{row['name']:<20} {row['member']:<20} {state:<32} {here}")
    if not rows:
        click.echo("no keys yet; make one with `openceir key new NAME --role regulator`")


@key.command()
@click.argument("name")
@as_json_option
@click.pass_context
def show(ctx: click.Context, name: str, as_json: bool) -> None:
    """Show the public half of a key: `log` for the log's own, else a key's or member's name.

    The line is what `openceir receipt verify --log-key` and `openceir member add --public` take.
    """
    register = register_of(ctx)
    public: PublicKey
    if name == "log":
        public = read_public_key(str(register.home / "ledger" / "log.vkey"))
    else:
        public = register.signing_key(name).public
    if as_json:
        echo_json({"name": public.name, "public": public.format(), "kid": public.kid.hex()})
    else:
        click.echo(public.format())
