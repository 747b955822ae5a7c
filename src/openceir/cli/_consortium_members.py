"""The commands by which nodes join a consortium and leave it."""

from datetime import datetime
from pathlib import Path

import click

from openceir.cli._consortium_nodes import as_client, at_option, folder_of, node_option
from openceir.cli._options import register_of
from openceir.consortium import (
    ConsortiumError,
    Joining,
    NodeFolder,
    Place,
    Running,
    StateSync,
    follow,
)
from openceir.consortium import (
    join as make_node,
)
from openceir.consortium.speaking import admission, approval, office_admission, removal, say
from openceir.ledger import Governance
from openceir.statements import MemberRefused, Statement

__all__ = ["admit", "admit_office", "approve", "join", "remove"]

_open_days = click.option(
    "--open-days", type=click.IntRange(min=1), default=30, show_default=True, help="How long approvals count."
)


@click.command()
@click.argument("member")
@click.option(
    "--from",
    "others",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    required=True,
    help="Folders of running nodes, two or more, to take genesis, peers and a snapshot from.",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="The new node's folder.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the others reach it.")
@click.option(
    "--port", type=click.IntRange(1024, 65000), required=True, help="Its port for peers; the next one is its RPC."
)
@click.option("--every-block", is_flag=True, help="Take every block since the first instead of a snapshot.")
def join(member: str, others: tuple[Path, ...], out: Path, host: str, port: int, every_block: bool) -> None:
    """Make the folder of a node that joins a running consortium, with new keys.

    It takes the newest snapshot, or every block while there is none. It follows the book at once; it has a say when
    its member is admitted (`openceir consortium admit`).
    """
    folders = [NodeFolder(one) for one in others]
    sync = None
    client, trust = as_client(str(others[0])), folders[0].trust()
    if not every_block and client.head()["snapshot"]:
        height = max(1, client.height() - 1)
        block = follow(client, trust, height)[-1]
        servers = [one.rpc for one in folders]
        sync = StateSync(servers if len(servers) > 1 else servers * 2, height, block.header.hash())
    running = Running(on_one_machine=host in ("127.0.0.1", "localhost"))
    made = make_node(
        out, member, Place(host, port, port + 1), folders[0].genesis_text, [one.peer for one in folders], running, sync
    )
    if folders[0].moved.exists():
        (out / "imported.entries").write_bytes(folders[0].moved.read_bytes())
    click.echo(f"{made.folder}: a node for {member}, known to its peers as {made.peer}")
    click.echo(f"start it with `openceir consortium node {made.folder}`")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@node_option
@click.option("--nation", default="", help="Two letters of its country.")
@click.option(
    "--power",
    type=click.IntRange(0, 1_000_000),
    default=10,
    show_default=True,
    help="Its share in signing blocks; 0: it says things and decides nothing.",
)
@_open_days
@at_option
def admit(folder: Path, node: str, nation: str, power: int, open_days: int, at: datetime) -> None:
    """Propose to admit the member of the new node in FOLDER; the member of --node signs.

    It is admitted in the block in which enough members approve; its node signs blocks two later.
    """
    new = NodeFolder(folder)
    joining = Joining(folder, new.member_key(), new.node_key(), "")
    client = as_client(node)
    governance = Governance.read(client.members())
    _say(node, admission(joining, governance, at, open_days=open_days, nation=nation, power=power), at)


@click.command("admit-office")
@click.argument("office", metavar="ID")
@node_option
@_open_days
@at_option
@click.pass_context
def admit_office(ctx: click.Context, office: str, node: str, open_days: int, at: datetime) -> None:
    """Propose that an office of this home, such as its police, may state things in the shared book with its own key.

    The member of --node signs. The office is of that member's nation, has the roles that it has in this home, runs no
    node and decides nothing. What it states goes through this home, and others ask for it at our door.
    """
    member = register_of(ctx).members.find(office)
    if member is None:
        raise MemberRefused(f"{office} is no member of this register; `openceir member list` shows them")
    governance = Governance.read(as_client(node).members())
    own = governance.members.find(folder_of(node).member_key().name)
    if own is None or not own.nation:
        raise MemberRefused("the member of that node has no nation in the consortium, so it can have no office of it")
    _say(node, office_admission(member, own.nation, governance, at, open_days=open_days), at)


@click.command()
@click.argument("member")
@node_option
@click.option("--grounds", required=True, help="Why; no person's name.")
@_open_days
@at_option
def remove(member: str, node: str, grounds: str, open_days: int, at: datetime) -> None:
    """Propose to remove a member: its keys count no longer, its node signs no more, what it said stays."""
    governance = Governance.read(as_client(node).members())
    _say(node, removal(member, governance, at, open_days=open_days, grounds=grounds), at)


@click.command()
@click.argument("proposal", metavar="LEAF_HASH")
@node_option
@at_option
def approve(proposal: str, node: str, at: datetime) -> None:
    """Approve a proposal, named by its leaf hash; the member of --node signs."""
    try:
        target = bytes.fromhex(proposal)
    except ValueError:
        raise ConsortiumError(f"{proposal[:20]!r} is no leaf hash; `admit` and `remove` print it") from None
    as_client(node).wait_for(target)
    _say(node, approval(target), at)


def _say(node: str, said: Statement, at: datetime) -> None:
    place = as_client(node).submit(say(said, folder_of(node).member_key(), at))
    click.echo(f"entry {place.index}, block {place.height}, leaf hash {place.leaf_hash.hex()}")
