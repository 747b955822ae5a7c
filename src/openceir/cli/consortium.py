"""`openceir consortium`: several authorities keep one book, and no few of them can rewrite it."""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from openceir import clock
from openceir.cli._consortium_ceremony import gather_cards, keys, settle_node
from openceir.cli._consortium_home import follow_book, join_home
from openceir.cli._consortium_members import admit, admit_office, approve, join, remove
from openceir.cli._consortium_nodes import as_client, at_option, folder_of, node_option, trust_of
from openceir.cli._options import as_json_option, echo_json, register_of
from openceir.cli._progress import ShownProgress
from openceir.consortium import (
    Imported,
    MovedEntry,
    NodeFolder,
    NotReached,
    Place,
    Plan,
    Running,
    audit_book,
    find_engine,
    follow,
    found,
    open_application,
    receipt_of,
    run_node,
    trust_now,
    write_moved,
)
from openceir.consortium.speaking import say
from openceir.ledger import LedgerBroken
from openceir.settings import load_settings
from openceir.statements import PUBLIC_KINDS, SignedStatement, StatementRefused, from_plain
from openceir.storage.files import StorageError, replace_file

__all__ = ["consortium"]

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def consortium() -> None:
    """Keep one book among several authorities, in one order that no few of them can change."""


for _command in (keys, gather_cards, settle_node, join, admit, admit_office, approve, remove, join_home, follow_book):
    consortium.add_command(_command)


def _founding_options(command: Any) -> Any:
    for option in reversed(
        [
            click.option("--members", type=click.IntRange(1, 100), default=4, show_default=True, help="How many; four stand one that fails or lies, seven two."),
            click.option("--member", "names", multiple=True, metavar="ID", help="A member's id, once for each; member0, member1 … when left out."),
            click.option("--nation", "nations", multiple=True, metavar="XA", help="The members' nations in their order, two letters each; none when left out."),
            click.option("--out", type=_FOLDER, required=True, help="Where the nodes' folders are made."),
            click.option("--name", default="consortium/shared", show_default=True, help="The name of the book, no spaces."),
            click.option("--hosts", metavar="HOST,…", help="One host for each member; all on this machine when left out."),
            click.option("--first-port", type=click.IntRange(1024, 65000), default=26656, show_default=True, help="Nodes on one machine take ten ports each from here on."),
            click.option("--block-seconds", type=click.FloatRange(0.05, 60), default=1.0, show_default=True, help="The pace of blocks."),
            at_option,
            as_json_option,
        ]
    ):  # fmt: skip
        command = option(command)
    return command


@consortium.command()
@_founding_options
def init(**asked: Any) -> None:
    """Make a folder for each member's node: keys, the founding that all agree to, and the engine's files.

    It makes every member's private keys, so it is for a trial. Members that do not trust each other with keys use
    `openceir consortium keys`, `gather` and `settle`.
    """
    _found(asked, None)


@consortium.command("import")
@_founding_options
@click.pass_context
def import_(ctx: click.Context, /, **asked: Any) -> None:
    """Make nodes like `init`, and let the log of this home move in as the beginning of the shared book.

    Receipts, checkpoints and proofs of the old log stay true: its entries are the first of the new tree, and a
    consistency proof leads from its last checkpoint to any later state. The old log takes nothing more afterwards: the home
    goes on once it joins its node (`openceir consortium join-home`). To undo a trial, delete consortium/home.json.
    """
    register = register_of(ctx)
    with ShownProgress("reading the log") as progress:
        register.verify_ledger(progress)
    ledger = register.ledger
    ready = asked["out"] / ".imported.entries"

    def entries() -> Iterator[MovedEntry]:
        for entry in ledger.entries():
            signed = ledger.signed(entry.index)
            disclosed = (signed.salt, signed.payload) if entry.header.kind in PUBLIC_KINDS else None
            yield MovedEntry(signed.octets, entry.logged_at, disclosed)

    moved = write_moved(ready, entries())
    try:
        plan = _found(asked, Imported(ledger.log_key.name, moved.size, moved.root), ready)
        register.note_moved(plan.chain_id)
    finally:
        ready.unlink(missing_ok=True)


def _found(asked: dict[str, Any], imported: Imported | None, moved: Path | None = None) -> Plan:
    names = list(asked["names"]) or [f"member{number}" for number in range(asked["members"])]
    if asked["nations"] and len(asked["nations"]) != len(names):
        raise click.UsageError(f"{len(names)} members need as many --nation, not {len(asked['nations'])}")
    hosts = [host.strip() for host in asked["hosts"].split(",")] if asked["hosts"] else None
    first = asked["first_port"]
    places = (
        [Place(host, first, first + 1) for host in hosts]
        if hosts
        else [Place("127.0.0.1", first + 10 * at, first + 10 * at + 1) for at in range(len(names))]
    )
    running = Running(on_one_machine=hosts is None, block_seconds=asked["block_seconds"])
    plan = Plan(
        name=asked["name"],
        members=names,
        places=places,
        at=asked["at"],
        quorum=len(names) // 2 + 1,
        nations=asked["nations"],
        running=running,
    )
    folders = found(asked["out"], plan, imported)
    if moved is not None:
        for folder in folders:
            replace_file(folder / "imported.entries", moved.read_bytes())
    if asked["as_json"]:
        echo_json({"chain_id": plan.chain_id, "quorum": plan.quorum, "nodes": [str(folder) for folder in folders]})
        return plan
    click.echo(f"{plan.name}: {len(folders)} nodes, {plan.quorum} members decide; chain {plan.chain_id}")
    if imported is not None:
        click.echo(f"the log {imported.origin} moves in: {imported.size} entries, root {imported.root.hex()}")
    for folder, name, place in zip(folders, names, places, strict=True):
        click.echo(f"  {name:<16} {folder}   {place.host}:{place.p2p_port}")
    click.echo(
        f"start each with `openceir consortium node {folders[0]}` and so on" + (", on its host" if hosts else "")
    )
    return plan


@consortium.command()
@click.argument("folder", type=_FOLDER)
@click.option(
    "--engine", metavar="FILE", help="The cometbft program; from consortium.engine, PATH or Go's folders when left out."
)
@click.option(
    "--engine-log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the engine's own words go; here when left out.",
)
@click.pass_context
def node(ctx: click.Context, folder: Path, engine: str | None, engine_log: Path | None) -> None:
    """Run a node: the consensus engine and the book behind it, until Ctrl-C or SIGTERM ends both.

    Exits 0 when it was asked to stop, 2 with a sentence when this node must not or cannot go on.
    """
    given = engine or load_settings(ctx.obj, os.environ)[0].consortium_engine
    program = find_engine(given)
    there = NodeFolder(folder)
    with _output(engine_log) as output:
        asyncio.run(
            run_node(
                there, program, lambda one: open_application(one, clock.now), output=output,
                ready=lambda: click.echo(f"node of {there.chain_id} in {folder}, asked at {there.rpc}", err=True),
            )
        )  # fmt: skip
    click.echo("the node has stopped, its book is whole", err=True)


@contextmanager
def _output(path: Path | None) -> Iterator[int]:
    if path is None:
        yield 2
        return
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as wrong:
        raise StorageError(f"{path} cannot be written: {wrong.strerror}") from wrong
    try:
        yield handle
    finally:
        os.close(handle)


@consortium.command()
@click.argument("files", type=_FILE, nargs=-1, required=True)
@node_option
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="Seconds until each must be in a block.",
)
@at_option
@as_json_option
def submit(files: tuple[Path, ...], node: str, wait: float, at: datetime, as_json: bool) -> None:
    """Have statements ordered: .statement files, or .json files that this node's member key signs first.

    A signed .json is kept beside it as .statement: salt and payload stand in no block, and whoever loses them cannot
    say any more what was stated. Exits 0 when every statement stands in the book of the node that was asked.
    """
    client, found = as_client(node), []
    for file in files:
        signed = _signed(file, node, at)
        place = client.submit(signed, wait=wait)
        found.append(
            {"file": str(file), "index": place.index, "height": place.height, "leaf_hash": place.leaf_hash.hex()}
        )
        if not as_json:
            click.echo(f"{file}: entry {place.index}, block {place.height}, leaf hash {place.leaf_hash.hex()}")
    if as_json:
        echo_json(found)


def _signed(file: Path, node: str, at: datetime) -> SignedStatement:
    try:
        octets = file.read_bytes()
    except OSError as wrong:
        raise StorageError(f"{file} cannot be read: {wrong.strerror}") from wrong
    if file.suffix != ".json":
        return SignedStatement.read(octets)
    kept = file.with_suffix(".statement")
    if kept.exists():
        raise StatementRefused(f"{kept} is there already; submit that, or move it away to sign anew")
    try:
        plain = json.loads(octets)
    except (ValueError, RecursionError) as wrong:
        raise StatementRefused(f"{file} is not JSON: {wrong}") from wrong
    signed = say(from_plain(plain), folder_of(node).member_key(), at)
    replace_file(kept, signed.write(), mode=0o600)
    return signed


@consortium.command()
@click.argument("nodes", metavar="NODE…", nargs=-1, required=True)
@as_json_option
def status(nodes: tuple[str, ...], as_json: bool) -> None:
    """Show where nodes stand. NODE is a node's folder, or host:port of its RPC.

    Exits 0 when all answer and none contradicts another at the same height, 2 otherwise.
    """
    rows, states = list[dict[str, Any]](), dict[tuple[str, int], bytes]()
    silent = contradicted = False
    for name in nodes:
        try:
            client = as_client(name)
            head, engine = client.head(), client.status()
        except NotReached as wrong:
            silent = True
            rows.append({"node": name, "error": str(wrong)})
            continue
        same = states.setdefault((head["chain"], head["height"]), head["app_hash"])
        contradicted |= same != head["app_hash"]
        rows.append(
            {
                "node": name, "chain_id": head["chain"], "height": head["height"], "entries": head["size"],
                "app_hash": head["app_hash"].hex(), "last_block_at": engine["sync_info"]["latest_block_time"][:19] + "Z",
                "syncing": engine["sync_info"]["catching_up"], "peers": engine["n_peers"],
                "power": int(engine["validator_info"]["voting_power"]),
            }
        )  # fmt: skip
    if as_json:
        echo_json(rows)
    else:
        for row in rows:
            if "error" in row:
                click.echo(f"{row['node']}: {row['error']}")
                continue
            click.echo(
                f"{row['node']}: block {row['height']} of {row['last_block_at']}, {row['entries']} entries, "
                f"state {str(row['app_hash'])[:16]}…, {row['peers']} peers, power {row['power']}"
                + (", still syncing" if row["syncing"] else "")
            )
    if contradicted:
        raise LedgerBroken("two nodes have different states after one block; one of them is wrong: verify both")
    if silent:
        raise NotReached("not every node answers")


@consortium.command()
@click.argument("folder", type=_FOLDER)
@click.option("--offline", is_flag=True, help="Do not ask the running node for the members' signatures.")
@as_json_option
def verify(folder: Path, offline: bool, as_json: bool) -> None:
    """Read a node's whole book again and believe nothing.

    Every entry judged by the members of its time, every state against the one agreed to, the log that moved in against
    the genesis; and, of a running node, a header over it that more than two thirds of the members signed.
    """
    there = NodeFolder(folder)
    with ShownProgress("book") as progress:
        found_ = audit_book(there, progress)
    signed = None
    if not offline:
        client = as_client(str(folder))
        trust, height = there.trust(), client.height()
        header = trust.verify(follow(client, trust, height))
        if header.height == found_.height + 1 and header.app_hash != found_.app_hash:
            raise LedgerBroken(f"the members signed another state after block {found_.height} than this node's")
        signed = header.height
    if as_json:
        echo_json(
            {
                "height": found_.height, "entries": found_.size, "imported": found_.imported, "root": found_.root.hex(),
                "app_hash": found_.app_hash.hex(), "signed_height": signed,
            }
        )  # fmt: skip
        return
    moved = f", {found_.imported} of them moved in" if found_.imported else ""
    click.echo(f"{found_.size} entries in {found_.height} blocks{moved}: every entry, member and state holds")
    if signed is not None:
        click.echo(f"block {signed} is signed by more than two thirds, followed from the genesis")
    click.echo(f"root {found_.root.hex()}")


@consortium.command()
@node_option
@click.option(
    "--from", "known", type=_FILE, help="A file of trusted validators to start from; the node's genesis when left out."
)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file.")
@click.option(
    "--trust-period-days",
    type=click.IntRange(min=1),
    default=14,
    show_default=True,
    help="How old what is trusted may be.",
)
def trust(node: str, known: Path | None, output: Path, trust_period_days: int) -> None:
    """Write the file by which others verify receipts offline: the validators of now, reached from those known."""
    found_ = trust_now(
        as_client(node), trust_of(node, known), now=clock.now(), trust_period=timedelta(days=trust_period_days)
    )
    replace_file(output, found_.format().encode())
    click.echo(f"{output}: {len(found_.validators)} validators of {found_.chain_id}, from block {found_.height} on")


@consortium.command()
@click.argument("which", metavar="INDEX|LEAF_HASH")
@node_option
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The receipt file."
)
@click.option(
    "--trust",
    "known",
    type=_FILE,
    help="Whom the reader trusts (`openceir consortium trust`); the node's genesis when left out.",
)
@click.option("--statement", "said", type=_FILE, help="The .statement file, to disclose what it says.")
@as_json_option
def receipt(which: str, node: str, output: Path, known: Path | None, said: Path | None, as_json: bool) -> None:
    """Make the receipt of an entry, which `openceir receipt verify --trust` checks offline."""
    client = as_client(node)
    index = int(which) if which.isdecimal() and len(which) < 20 else _index(client, which)
    statement = None if said is None else SignedStatement.read(said.read_bytes())
    octets = receipt_of(client, index, trust_of(node, known), statement=statement)
    replace_file(output, octets)
    if as_json:
        echo_json({"file": str(output), "index": index, "octets": len(octets)})
    else:
        click.echo(
            f"{output}: receipt of entry {index}, {len(octets)} octets; check it with `openceir receipt verify --trust`"
        )


def _index(client: Any, which: str) -> int:
    try:
        place = client.find(bytes.fromhex(which))
    except ValueError:
        raise click.UsageError(f"{which!r} is neither an index nor a leaf hash of 64 hexadecimal digits") from None
    if place is None:
        raise NotReached(f"no entry of leaf hash {which[:16]}… stands in the book")
    return int(place.index)
