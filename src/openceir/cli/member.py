"""`openceir member`: who may sign what, and who no longer."""

from dataclasses import replace
from datetime import datetime

import click

from openceir.cli._options import Moment, as_json_option, echo_json, register_of
from openceir.statements import KeyUse, Member, MemberKey, Role
from openceir.storage.key_files import read_public_key

__all__ = ["member"]


@click.group()
def member() -> None:
    """Say who may sign what."""


@member.command()
@click.argument("member_id", metavar="ID")
@click.option(
    "--role",
    "roles",
    type=click.Choice([role.value for role in Role]),
    multiple=True,
    help="An office it holds; may be repeated.",
)
@click.option("--public", metavar="FILE_OR_LINE", help="A public key made elsewhere, as its line or a file with it.")
@click.option(
    "--use", type=click.Choice([use.value for use in KeyUse]), default="statements", help="What the key is for."
)
@click.option("--nation", help="The nation it is of (ISO 3166-1 alpha-2), when it is not this register's own.")
@click.option("--at", type=Moment(), default="now", help="From when on the key and new roles count, UTC.")
@click.option("--until", type=Moment(), help="Until when the key counts, UTC.")
@as_json_option
@click.pass_context
def add(
    ctx: click.Context,
    member_id: str,
    roles: tuple[str, ...],
    public: str | None,
    use: str,
    nation: str | None,
    at: datetime,
    until: datetime | None,
    as_json: bool,
) -> None:
    """Add a member, or a role or public key to one.

    The private key stays where it was made; only its public line comes here.
    """
    register = register_of(ctx)
    if public is not None:
        key = MemberKey(read_public_key(public), at, until, use=KeyUse(use))
        members = register.members.with_key(member_id, key, map(Role, roles))
    else:
        members = register.members.with_roles(member_id, map(Role, roles), at)
    added = members.find(member_id)
    assert added is not None
    if nation is not None:
        added = replace(added, nation=nation)
        members = members.with_member(added)
    register.change_members(members)
    _show([added], as_json)


@member.command("remove-role")
@click.argument("member_id", metavar="ID")
@click.option(
    "--role",
    "roles",
    type=click.Choice([role.value for role in Role]),
    multiple=True,
    required=True,
    help="An office it holds no longer; may be repeated.",
)
@click.option("--at", type=Moment(), default="now", help="From when on, UTC.")
@as_json_option
@click.pass_context
def remove_role(ctx: click.Context, member_id: str, roles: tuple[str, ...], at: datetime, as_json: bool) -> None:
    """Take a role from a member from now on.

    What it said with that role before stays said: the former roles are kept with the day on which they ended, and the
    book is judged by the roles of its time. To end everything that a member may say, revoke its keys.
    """
    register = register_of(ctx)
    register.change_members(register.members.without_roles(member_id, map(Role, roles), at))
    changed = register.members.find(member_id)
    assert changed is not None
    _show([changed], as_json)


@member.command("list")
@as_json_option
@click.pass_context
def list_members(ctx: click.Context, as_json: bool) -> None:
    """List the members, their roles and how many keys of theirs count."""
    _show(list(register_of(ctx).members), as_json)


@member.command()
@click.argument("member_id", metavar="ID")
@click.option("--key", "name", metavar="NAME", help="Only this key of the member; all of them when left out.")
@click.option("--at", type=Moment(), default="now", help="From when on it counts no longer, UTC.")
@as_json_option
@click.pass_context
def revoke(ctx: click.Context, member_id: str, name: str | None, at: datetime, as_json: bool) -> None:
    """Let a member's keys count no longer.

    What was logged before --at stays. Statements logged after it, should --at lie in the past, are counted as
    doubtful by `openceir ledger verify`; withdraw those that are not true.
    """
    register = register_of(ctx)
    kid = None
    if name is not None:
        found = register.members.find(member_id)
        kids = [key.public.kid for key in found.keys if key.public.name == name] if found else []
        if not kids:
            raise click.UsageError(f"{member_id} has no key {name}; `openceir key list` shows them")
        kid = kids[-1]
    register.change_members(register.members.with_revoked(member_id, at, kid))
    changed = register.members.find(member_id)
    assert changed is not None
    _show([changed], as_json)


def _show(members: list[Member], as_json: bool) -> None:
    if as_json:
        echo_json(
            [
                {
                    "id": one.id,
                    "roles": sorted(one.roles),
                    "earlier": [
                        {"roles": sorted(was.roles), "until": f"{was.until:%Y-%m-%dT%H:%M:%SZ}"} for was in one.earlier
                    ],
                    "nation": one.nation or None,
                    "keys": [
                        {"public": entry.public.format(), "revoked": entry.revoked_at is not None} for entry in one.keys
                    ],
                }
                for one in members
            ]
        )
        return
    for one in members:
        count = sum(entry.revoked_at is None for entry in one.keys)
        click.echo(f"{one.id:<24} {', '.join(sorted(one.roles)):<32} {count} of {len(one.keys)} keys not revoked")
    if not members:
        click.echo("no members yet; add one with `openceir key new NAME --role regulator`")
