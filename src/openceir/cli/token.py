"""`openceir token`: access tokens of the HTTP interface."""

import re
import ssl
from datetime import datetime
from hashlib import sha256
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
@click.option(
    "--certificate",
    default="",
    metavar="NAME|PEM",
    help="Of an operator's token: the client certificate it goes with, a DNS name in it or its file.",
)
@click.option("--expires", type=Moment(), required=True, help="The first moment at which it opens nothing, UTC.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file, mode 0600.")
@as_json_option
@click.pass_context
def new(
    ctx: click.Context,
    role: str,
    name: str,
    operator: str,
    certificate: str,
    expires: datetime,
    out: Path | None,
    as_json: bool,
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
    if bool(operator) != bool(certificate):
        raise click.UsageError(
            "--operator and --certificate go together: a token opens an operator's lists only with it"
        )
    binding = _binding(certificate) if certificate else ""
    text = register.tokens.make(name, role, at=now(), expires_at=expires, operator=operator, certificate=binding)
    if out is not None:
        replace_file(out, text.encode() + b"\n", mode=0o600)
    if as_json:
        shown = {"file": str(out)} if out is not None else {"token": text}
        echo_json({"name": name, "role": role, "expires_at": f"{expires:%Y-%m-%dT%H:%M:%SZ}", **shown})
    elif out is not None:
        click.echo(f"{out}: token of {name} ({role}), opens until {expires:%Y-%m-%d}")
    else:
        click.echo(text)


def _binding(certificate: str) -> str:
    """A DNS name as it is, or the digest of a certificate's file."""
    path = Path(certificate)
    if path.suffix == ".pem" or path.exists():
        try:
            octets = ssl.PEM_cert_to_DER_cert(path.read_text("ascii"))
        except (OSError, ValueError) as wrong:
            raise click.UsageError(f"{certificate} is no certificate in PEM: {wrong}") from None
        return f"sha256:{sha256(octets).hexdigest()}"
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", certificate):
        raise click.UsageError(f"{certificate!r} is neither a DNS name nor a certificate's file")
    return certificate.lower()


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
            "certificate": one.certificate,
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
            + (f"   with {row['certificate']}" if row["certificate"] else "")
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
