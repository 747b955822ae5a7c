"""The commands by which a register's home joins a consortium and follows its book."""

import json
import time
from pathlib import Path

import click

from openceir import clock
from openceir.cli._consortium_nodes import folder_of, trust_of
from openceir.cli._options import as_json_option, register_of
from openceir.consortium import NodeClient
from openceir.ledger import Governance
from openceir.statements import MemberRefused
from openceir.storage.key_files import write_signing_key

__all__ = ["follow_book", "join_home"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("join-home")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--trust", "known", type=_FILE, help="Whom to believe (`openceir consortium trust`); the genesis when left out."
)
@click.option(
    "--peer", "peers", multiple=True, metavar="MEMBER=URL", help="Where a member's door is (https); repeatable."
)
@click.pass_context
def join_home(ctx: click.Context, folder: Path, known: Path | None, peers: tuple[str, ...]) -> None:
    """Let this home's book go on in the consortium of our running node in FOLDER.

    The member's key is copied to the home. From then on what the home states is ordered by the node, and
    `openceir consortium follow` brings in what others say. It may be done again, with a newer --trust or more peers.
    """
    register, there = register_of(ctx), folder_of(str(folder))
    key = there.member_key()
    client = NodeClient(there.rpc)
    ctx.call_on_close(client.close)
    member = Governance.read(client.members()).members.find(key.name)
    if member is None or all(one.public.octets != key.public.octets for one in member.keys):
        raise MemberRefused(f"{key.name} is no member of the consortium yet; `openceir consortium admit` proposes it")
    path = register.home / "keys" / f"{key.name}.key"
    if not path.exists():
        write_signing_key(path, key)
    if register.members.find_key(key.public.kid) is None:
        line = next(one for one in member.keys if one.public.octets == key.public.octets)
        register.change_members(register.members.with_key(member.id, line, member.roles))
    register.join_consortium(there.rpc, member.id, trust_of(str(folder), known))
    register.set_peers(dict(_peer(one) for one in peers))
    click.echo(f"this home's book goes on in {there.chain_id}, as {member.id}, at the node {there.rpc}")


def _peer(text: str) -> tuple[str, str]:
    member, equals, address = text.partition("=")
    if not (member and equals and address.startswith("https://")):
        raise click.UsageError(f"{text!r} is not MEMBER=https://HOST:PORT")
    return member, address


@click.command("follow")
@click.option("--cert", type=_FILE, metavar="PEM", help="Our certificate, shown to the others' doors.")
@click.option("--key", type=_FILE, metavar="PEM", help="Its key.")
@click.option("--ca", type=_FILE, metavar="PEM", help="Who signed the doors' certificates.")
@click.option(
    "--every", type=click.FloatRange(min=0.1), default=5.0, show_default=True, metavar="SECONDS", help="How often."
)
@click.option("--once", is_flag=True, help="One round, then end: exits 3 when there was trouble.")
@as_json_option
@click.pass_context
def follow_book(
    ctx: click.Context, cert: Path | None, key: Path | None, ca: Path | None, every: float, once: bool, as_json: bool
) -> None:
    """Bring the shared book into this home: entries that the members signed, and what they let us know of them.

    Without certificates only the book is followed, and payloads are asked for another time. It goes on where it was,
    whenever it was stopped. Run one for each home, beside `openceir serve --federation`, which gives others our share.
    """
    from openceir.abroad.peer import Peer, tls_to_peers
    from openceir.abroad.shared_book import SharedFollower

    register = register_of(ctx)
    if len({cert is None, key is None, ca is None}) != 1:
        raise click.UsageError("give --cert, --key and --ca together, or none of them")
    peers: dict[str, Peer] = {}
    if cert and key and ca:
        tls = tls_to_peers(cert, key, ca)
        peers = {member: Peer.at(address, member, tls) for member, address in register.peers().items()}
        for peer in peers.values():
            ctx.call_on_close(peer.close)
    client = NodeClient(register.shared.node)
    ctx.call_on_close(client.close)
    while True:
        done = SharedFollower(register, client, peers, clock.now).round()
        facts = {"taken": done.taken, "received": done.received, "landed": done.landed, "erased": done.erased}
        if as_json:
            click.echo(json.dumps({**facts, "troubles": done.troubles}, ensure_ascii=False))
        else:
            if done.taken or done.received or done.erased:
                click.echo(
                    f"{done.taken} new entries, {done.received} payloads received, {done.landed} statements in our "
                    f"claims, {done.erased} orders to erase obeyed"
                )
            for member, sentence in done.troubles.items():
                click.echo(f"trouble with {member or 'our own node'}: {sentence}")
        if once:
            ctx.exit(3 if done.troubles else 0)
        time.sleep(every)
