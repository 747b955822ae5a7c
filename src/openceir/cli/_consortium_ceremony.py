"""The commands of a founding in which every member makes its own keys."""

from datetime import datetime
from pathlib import Path

import click

from openceir.cli._consortium_nodes import at_option, folder_of
from openceir.cli._options import as_json_option, echo_json
from openceir.consortium import FoundingFile, Place, Plan, Running, gather, make_keys, settle
from openceir.storage.files import replace_file

__all__ = ["gather_cards", "keys", "settle_node"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NODE = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("keys")
@click.argument("member", metavar="ID")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Our node's folder.")
@click.option("--nation", default="", help="Two letters of our country.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the others' nodes reach ours.")
@click.option(
    "--port",
    type=click.IntRange(1024, 65000),
    default=26656,
    show_default=True,
    help="Its port for peers; the next one is its RPC.",
)
@as_json_option
def keys(member: str, out: Path, nation: str, host: str, port: int, as_json: bool) -> None:
    """Make our own member's keys, before a founding: they never leave this machine.

    Hand the card that it writes to whoever founds, on a channel on which they know that it is ours. It holds public
    halves only, signed by their private ones.
    """
    card = make_keys(out, member, nation, Place(host, port, port + 1))
    if as_json:
        echo_json({"card": str(card), "folder": str(out)})
    else:
        click.echo(f"{card}: the card of {member}; hand it to the founder, and keep the rest of {out} to yourself")


@click.command("gather")
@click.argument("cards", metavar="CARD…", nargs=-1, required=True, type=_FILE)
@click.option(
    "--founder", type=_NODE, required=True, help="Our own node's folder: its member's key signs the founding."
)
@click.option("--name", default="consortium/shared", show_default=True, help="The name of the book, no spaces.")
@click.option(
    "--block-seconds", type=click.FloatRange(0.05, 60), default=1.0, show_default=True, help="The pace of blocks."
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file for every member."
)
@at_option
@as_json_option
def gather_cards(
    cards: tuple[Path, ...], founder: Path, name: str, block_seconds: float, output: Path, at: datetime, as_json: bool
) -> None:
    """Found a consortium of the members whose cards these are, our own among them.

    Give the file to every member, who settles by it. It holds nothing secret.
    """
    plan = Plan(
        name=name, members=(), places=(), at=at, quorum=len(cards) // 2 + 1, running=Running(block_seconds=block_seconds)
    )  # fmt: skip
    file = gather([card.read_bytes() for card in cards], folder_of(str(founder)).member_key(), plan)
    replace_file(output, file.format())
    if as_json:
        echo_json(
            {"file": str(output), "chain_id": plan.chain_id, "quorum": plan.quorum, "fingerprint": file.fingerprint}
        )
        return
    click.echo(f"{output}: {name} of {len(cards)} members, {plan.quorum} of them decide; chain {plan.chain_id}")
    _show(file)


@click.command("settle")
@click.argument("folder", type=_NODE)
@click.argument("file", type=_FILE)
@as_json_option
def settle_node(folder: Path, file: Path, as_json: bool) -> None:
    """Make our node's FOLDER whole by the founder's FILE, once our own keys are found in it.

    Compare the fingerprint with the other members' before the node is started, by voice: it is the same for all who
    hold this founding.
    """
    founding = FoundingFile.parse(file.read_bytes())
    node = settle(folder, founding)
    if as_json:
        echo_json({"folder": str(folder), "chain_id": node.chain_id, "fingerprint": founding.fingerprint})
        return
    click.echo(f"{folder}: a node of {node.chain_id}; start it with `openceir consortium node {folder}`")
    _show(founding)


def _show(file: FoundingFile) -> None:
    for one in file.parts:
        click.echo(f"  {one.member:<16} {one.nation or '--'}   {one.place.host}:{one.place.p2p_port}")
    click.echo(f"fingerprint    {file.fingerprint}")
