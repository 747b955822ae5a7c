"""`openceir identifier`: what a number is, and what the catalogue says of its kind."""

import json
from dataclasses import asdict

import click

from openceir.identity import CATALOGUE, LEVELS, Check, Identifier, parse
from openceir.identity.page import format_page

__all__ = ["identifier"]


@click.group()
def identifier() -> None:
    """Explain identifiers: IMEI, EID, MAC, serial numbers and others."""


@identifier.command("list")
@click.option("--json", "as_json", is_flag=True, help="Every row of the catalogue, as JSON.")
@click.option("--markdown", is_flag=True, help="The whole catalogue as the page docs/reference/identifiers.md.")
def list_schemes(as_json: bool, markdown: bool) -> None:
    """List the schemes of the catalogue with their security levels.

    S0 can be changed by its user, S4 is proven by a key in hardware; --markdown and --json say all that is known.
    """
    if as_json:
        click.echo(json.dumps([asdict(row) for row in CATALOGUE.values()], ensure_ascii=False, indent=2))
    elif markdown:
        click.echo(format_page(), nl=False)
    else:
        for row in CATALOGUE.values():
            click.echo(f"{row.name:<20} {row.levels:<6} {row.title}")
        click.echo()
        for level, meaning in LEVELS.items():
            click.echo(f"{level}  {meaning}")


@identifier.command()
@click.argument("value")
@click.option("--scheme", metavar="SCHEME", help="Read VALUE as this scheme of the catalogue and no other.")
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
@click.pass_context
def explain(ctx: click.Context, value: str, scheme: str | None, as_json: bool) -> None:
    """Say what VALUE is: scheme, canonical form, parts, check, security level and findings.

    Reads no register: this is about the number, not about a device. A failed check digit is a typing finding.
    Write -- before a VALUE that begins with a hyphen.

    Exits 0 when VALUE was recognised, 2 when not.
    """
    read = parse(value, scheme)
    click.echo(json.dumps(read.to_dict(), ensure_ascii=False, indent=2) if as_json else _format(read))
    ctx.exit(0 if read.is_known else 2)


_CHECKS = {
    Check.PASSED: "fits; that it fits proves nothing about the device",
    Check.FAILED: "does not fit: a typing finding, see below",
    Check.ABSENT: "not tested: nothing here must be a check digit",
    Check.NONE: "none: this scheme has none",
}


def _format(read: Identifier) -> str:
    row = read.row
    if row is None:
        lines = [("scheme", "not recognised")]
    else:
        lines = [("scheme", f"{row.name}: {row.title}"), ("canonical", read.canonical)]
        if read.written_as != read.scheme:
            lines.append(("written as", f"{read.written_as}: {CATALOGUE[read.written_as].title}"))
        lines += [(name.replace("_", " "), text) for name, text in read.parts.items()]
        lines += [
            ("check", _CHECKS[read.check]),
            ("level", f"{row.levels}: {row.reason}"),
            ("identifies", row.identifies),
        ]
    lines += [(found.code, found.sentence) for found in read.findings]
    lines += [("could also be", f"{other.scheme} {other.canonical}") for other in read.alternatives]
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:<{width}}  {text}" for name, text in lines)
