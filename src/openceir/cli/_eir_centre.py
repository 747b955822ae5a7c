"""The options of `openceir eir serve` that concern the central register, and `openceir eir pull`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from openceir import clock
from openceir.eir.follow import CentreOptions, Follower
from openceir.eir.held import Held
from openceir.statements import PublicKey
from openceir.storage.key_files import read_public_key

__all__ = ["centre_options", "centre_serving", "pull"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
Command = TypeVar("Command", bound=Callable[..., object])

_OPTIONS = (
    click.option("--centre", metavar="URL", help="Follow this central register, such as https://ceir.example:8074."),
    click.option("--operator", metavar="ID", help="Which operator of the register's policy we are."),
    click.option("--token-file", type=_FILE, help="Holds our access token."),
    click.option("--cert", type=_FILE, metavar="PEM", help="Our certificate, shown to the centre."),
    click.option("--key", type=_FILE, metavar="PEM", help="Its key."),
    click.option(
        "--ca", type=_FILE, metavar="PEM", help="Who signed the centre's certificate; the system's when left out."
    ),
)
_SEND = click.option(
    "--send-every",
    type=click.FloatRange(min=1),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="With --centre and --records: how often new pairs are sent.",
)


def centre_options(command: Command) -> Command:
    """Give a command these options; it takes them as keywords and hands them to `centre_serving`."""
    return _reaching_centre(_SEND(command))


def _reaching_centre(command: Command) -> Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def centre_serving(
    home: Path, trust: PublicKey | None, records: Path | None, given: dict[str, Any]
) -> CentreOptions | None:
    """Which centre to follow; None when no address was given."""
    if given["centre"] is None:
        said = next((name for name in ("operator", "token_file", "cert", "key", "ca") if given[name]), None)
        if said is not None:
            raise click.UsageError(f"--{said.replace('_', '-')} needs --centre")
        return None
    if trust is None:
        raise click.UsageError("--centre needs --trust: say which key signs the register's lists")
    if not given["operator"] or given["token_file"] is None:
        raise click.UsageError("--centre needs --operator and --token-file")
    return CentreOptions(
        address=given["centre"].rstrip("/"),
        operator=given["operator"],
        trust=trust,
        token_file=given["token_file"],
        folder=home / "eir" / "centre",
        certificate=given["cert"],
        key=given["key"],
        authorities=given["ca"],
        records=records,
        send_every_s=given.get("send_every", 300.0),
    )


@click.command()
@click.option("--trust", required=True, metavar="KEY", help="The public key that signs the lists: its line, or a file.")
@_reaching_centre
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.pass_context
def pull(ctx: click.Context, /, trust: str, as_json: bool, **given: Any) -> None:
    """Take from the central register what is newer than what is held here, once, and say so there.

    `openceir eir serve --centre` does this by itself all the time; do not run both on one home.
    """
    options = centre_serving(ctx.obj, read_public_key(trust), None, given)
    if options is None:
        raise click.UsageError("say where the central register is with --centre")
    held = Held(options.folder, options.trust)
    held.recover(clock.now())
    centre = options.open()
    follower = Follower(held, centre)
    done = follower.take(centre.announced(), clock.now())
    follower.acknowledge()
    facts = {
        "index": str(held.index_path),
        "sequence": follower.sequence(),
        "by_delta": list(done.by_delta),
        "whole": list(done.whole),
        "notes": [*held.notes, *done.notes],
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo(f"{held.index_path}: sequence {follower.sequence()}")
    click.echo(f"  by delta: {', '.join(done.by_delta) or 'none'}; whole: {', '.join(done.whole) or 'none'}")
    for note in (*held.notes, *done.notes):
        click.echo(f"  note: {note}")
