"""`openceir absence`: commit to the state of all devices, and show that one is reported or is not, offline."""

from datetime import datetime
from pathlib import Path

import click

from openceir.app.states import state_name
from openceir.cli._options import Moment, as_json_option, echo_json, register_of
from openceir.cli._progress import ShownProgress
from openceir.identity import parse
from openceir.ledger import Held, verify_state
from openceir.storage.files import StorageError, replace_file
from openceir.storage.key_files import read_members, read_public_key

__all__ = ["absence"]


@click.group()
def absence() -> None:
    """Prove that a device is not reported, or what is said against it."""


@absence.command()
@click.option("--by", required=True, metavar="NAME", help="The regulator's key, or member, that signs.")
@click.option("--at", type=Moment(), default="now", help="What held at this moment, UTC.")
@as_json_option
@click.pass_context
def commit(ctx: click.Context, by: str, at: datetime, as_json: bool) -> None:
    """Commit to what is said against every device now, by one root in the ledger.

    Proofs are made from the last commitment. Commit once a day, or after what should be provable.
    """
    register = register_of(ctx)
    with ShownProgress("absence") as progress:
        entry = register.commit_state(by=by, at=at, progress=progress)
    if as_json:
        echo_json({"index": entry.index, "leaf_hash": entry.leaf_hash.hex()})
    else:
        click.echo(f"the state of all devices is committed to by entry {entry.index}, {entry.leaf_hash.hex()}")


@absence.command()
@click.argument("identifier", metavar="IMEI")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write."
)
@click.option("--at", type=Moment(), default="now", help="When the receipt in it is made, UTC.")
@as_json_option
@click.pass_context
def prove(ctx: click.Context, identifier: str, output: Path, at: datetime, as_json: bool) -> None:
    """Write the file that shows what the last commitment says of a device, or that it says nothing.

    The device itself is not in the file: whoever checks it must know the number.
    """
    octets = register_of(ctx).prove_state(identifier, at=at)
    replace_file(output, octets)
    if as_json:
        echo_json({"file": str(output), "octets": len(octets)})
    else:
        click.echo(
            f"{output}: {len(octets)} octets; check it with `openceir absence verify` and `openceir key show log`"
        )


@absence.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("identifier", metavar="IMEI")
@click.option("--log-key", required=True, metavar="FILE_OR_LINE", help="The log's public key, from a source you trust.")
@click.option(
    "--members",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A members.toml, to check the regulator's own signature and role too.",
)
@as_json_option
@click.pass_context
def verify(ctx: click.Context, file: Path, identifier: str, log_key: str, members: Path | None, as_json: bool) -> None:
    """Check such a file. Needs no register and no network, only the log's public key.

    Exits 0 when it shows that nothing was said against the device, 4 when something was, 2 when it shows nothing.
    """
    try:
        octets = file.read_bytes()
    except OSError as wrong:
        raise StorageError(f"{file} cannot be read: {wrong.strerror}") from wrong
    plain = identifier.isascii() and identifier.isdigit() and len(identifier) in {14, 15}
    text, digits = state_name(parse(identifier, "imei") if plain else parse(identifier))
    known = None if members is None else read_members(members)
    shown = verify_state(octets, text, digits, read_public_key(log_key), known)
    rows = {
        "log": shown.shown.receipt.origin,
        "issuer": shown.shown.header.issuer,
        "as_of": f"{shown.committed.as_of_at:%Y-%m-%dT%H:%M:%SZ}",
        "entries": shown.committed.size,
    }
    if as_json:
        said = [*map(_plain, shown.held), *map(_plain, shown.held_by_range)]
        echo_json({**rows, "reported": not shown.is_absent, "said": said})
    else:
        for name, value in rows.items():
            click.echo(f"{name.replace('_', ' '):<8} {value}")
        if shown.is_absent:
            click.echo("shown    nothing is said against this device")
        for held in shown.held:
            click.echo(f"shown    {_sentence(held)}")
        for held in shown.held_by_range:
            click.echo(f"shown    {_sentence(held)}, of its whole range")
    ctx.exit(0 if shown.is_absent else 4)


def _plain(held: Held) -> dict[str, str | None]:
    return {"issuer": held.issuer, "claim": held.claim, "label": held.label or None, "since": _moment(held)}


def _sentence(held: Held) -> str:
    rule = f' by rule "{held.label}"' if held.label else ""
    return f"{held.claim}{rule} since {_moment(held)}, says {held.issuer}"


def _moment(held: Held) -> str:
    return f"{held.since_at:%Y-%m-%dT%H:%M:%SZ}"
