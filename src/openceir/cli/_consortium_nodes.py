"""What the commands of `openceir consortium` share: how a node is named, and whom it believes."""

from pathlib import Path

import click

from openceir.cli._options import Moment
from openceir.consortium import ConsortiumError, NodeClient, NodeFolder
from openceir.ledger.ordered_receipt import ChainTrust
from openceir.storage.key_files import read_trust

__all__ = ["as_client", "at_option", "folder_of", "node_option", "trust_of"]

node_option = click.option(
    "--node", required=True, metavar="FOLDER|HOST:PORT", help="The node to ask: its folder, or where its RPC answers."
)
at_option = click.option("--at", type=Moment(), default="now", help="When it is signed, UTC.")


def as_client(node: str) -> NodeClient:
    """A client of the node that is named by its folder or its address; let go of when the command ends."""
    client = NodeClient(NodeFolder(Path(node)).rpc if Path(node).is_dir() else node)
    click.get_current_context().call_on_close(client.close)
    return client


def folder_of(node: str) -> NodeFolder:
    """The folder of a node; raises ConsortiumError when it was named by its address."""
    if not Path(node).is_dir():
        raise ConsortiumError(f"{node} is no folder; what is signed here needs the node's folder with the member's key")
    return NodeFolder(Path(node))


def trust_of(node: str, known: Path | None) -> ChainTrust:
    """Whom to start from: those of a file, or of the node's own genesis."""
    return folder_of(node).trust() if known is None else read_trust(known)
