"""`openceir ledger`: verify the book, read its head, prove that it only grew, erase what must go."""

from datetime import datetime

import click

from openceir.app.erasing import Erasure
from openceir.cli._options import Moment, as_json_option, echo_json, register_of, say_moved
from openceir.cli._progress import ShownProgress
from openceir.cli.statement import entry_index

__all__ = ["ledger"]


@click.group()
def ledger() -> None:
    """Verify the book and read its checkpoints."""


@ledger.command()
@as_json_option
@click.pass_context
def verify(ctx: click.Context, as_json: bool) -> None:
    """Read the whole book again from the disk and believe nothing.

    Every block's digest, every signature and role, every root against the signed checkpoint, every payload against
    the digest that was signed. Exits 0 when all of it holds, 2 naming the first bad place.
    """
    with ShownProgress("ledger") as progress:
        register = register_of(ctx)
        found = register.verify_ledger(progress)
        to = register.moved_to
        shared = register.verify_shared() if register.is_joined else None
    if as_json:
        echo_json(
            {
                "blocks": found.blocks,
                "statements": found.statements,
                "by_kind": found.by_kind,
                "payloads_kept": found.payloads_kept,
                "payloads_erased": found.payloads_erased,
                "doubtful": found.doubtful,
                "checkpoint_size": found.checkpoint_size,
                "unfinished_octets": found.unfinished_octets,
                "root": found.root.hex(),
                "goes_on_in": to.chain_id if to else None,
                "shared_entries": register.shared_log.size() if shared else None,
                "shared_height": shared.height if shared else None,
            }
        )
        return
    if to is not None:
        click.echo(f"the book goes on in the consortium {to.chain_id}; this home's own log is its past")
    if shared is not None:
        click.echo(
            f"our copy of it: {register.shared_log.size()} entries to block {shared.height}, as its members signed; "
            "every payload that we hold is what was said"
        )
    if not found.blocks:
        click.echo("the ledger is empty: nothing was ever logged in this home")
        return
    click.echo(f"{found.statements} statements in {found.blocks} blocks: every signature, role and digest holds")
    for kind, count in sorted(found.by_kind.items()):
        click.echo(f"  {kind:<24} {count}")
    click.echo(f"payloads: {found.payloads_kept} kept and matching, {found.payloads_erased} erased")
    click.echo(f"checkpoint: signed over {found.checkpoint_size} entries, and true")
    if found.unfinished_octets:
        click.echo(f"note: {found.unfinished_octets} octets of an unfinished block follow; the next writer cuts them")
    if found.doubtful:
        click.echo(
            f"note: {len(found.doubtful)} statements, first entry {found.doubtful[0]}, were signed with keys "
            "whose validity ended before they were logged; withdraw those that are not true"
        )
    click.echo(f"root {found.root.hex()}")


@ledger.command()
@as_json_option
@click.pass_context
def checkpoint(ctx: click.Context, as_json: bool) -> None:
    """Print the signed checkpoint: what to keep elsewhere, so that nobody can rewrite the book unnoticed."""
    register = register_of(ctx)
    say_moved(register)
    signed = register.ledger.checkpoint()
    if as_json:
        head = signed.checkpoint
        echo_json({"origin": head.origin, "size": head.size, "root": head.root.hex(), "note": signed.format()})
    else:
        click.echo(signed.format(), nl=False)


@ledger.command()
@click.option("--from", "old_size", type=click.IntRange(min=0), required=True, help="The size of the older checkpoint.")
@click.option("--to", "new_size", type=click.IntRange(min=0), help="The size of the newer one; now when left out.")
@as_json_option
@click.pass_context
def prove(ctx: click.Context, old_size: int, new_size: int | None, as_json: bool) -> None:
    """Prove that the log only grew since it had --from entries (RFC 9162 consistency proof).

    The proof needs no trust: compare the first root with the checkpoint that you kept.
    """
    register = register_of(ctx)
    say_moved(register)
    book = register.ledger
    size = book.size if new_size is None else new_size
    proof = book.tree.consistency_proof(old_size, size)
    roots = (book.tree.root(old_size), book.tree.root(size))
    if as_json:
        echo_json(
            {
                "old_size": old_size,
                "new_size": size,
                "old_root": roots[0].hex(),
                "new_root": roots[1].hex(),
                "proof": [node.hex() for node in proof],
            }
        )
        return
    click.echo(f"{old_size} {roots[0].hex()}\n{size} {roots[1].hex()}")
    for node in proof:
        click.echo(node.hex())


@ledger.command()
@as_json_option
@click.pass_context
def erasures(ctx: click.Context, as_json: bool) -> None:
    """List the orders to erase, in our log and in those that we follow, and which members have answered them."""
    _show_erasures(register_of(ctx).erasures(), as_json)


@ledger.command()
@click.option("--by", required=True, metavar="NAME", help="The member's key that answers for this register.")
@click.option("--at", type=Moment(), default="now", help="When it is done, UTC.")
@as_json_option
@click.pass_context
def obey(ctx: click.Context, by: str, at: datetime, as_json: bool) -> None:
    """Destroy what was ordered to be erased and say so in the ledger, order by order.

    An order is an `erasure-ordered/1` by the issuer of what it names, or a regulator or court of that issuer's nation.
    One that would block somebody anew is left, with its reason, until what blocks is withdrawn. Backups are yours to
    clear; `retention.backup_days` says by when, and the answer states the day.
    """
    _show_erasures(register_of(ctx).obey_erasures(by=by, at=at), as_json)


def _show_erasures(found: list[Erasure], as_json: bool) -> None:
    if as_json:
        echo_json([one.as_json() for one in found])
        return
    for one in found:
        click.echo(f"order {one.order.hex()[:16]}… by {one.issuer}: erase {one.target.hex()[:16]}…")
        for name, at in sorted(one.answered.items()):
            click.echo(f"    {name} destroyed its copy on {at:%Y-%m-%d}")
        for name in one.missing:
            click.echo(f"    {name} has not answered")
        if one.trouble:
            click.echo(f"    not followed here: {one.trouble}")
    if not found:
        click.echo("no order to erase")


@ledger.command()
@click.argument("which", metavar="INDEX|LEAF_HASH")
@click.option("--at", type=Moment(), default="now", help="When it was erased, UTC.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json_option
@click.pass_context
def erase(ctx: click.Context, which: str, at: datetime, yes: bool, as_json: bool) -> None:
    """Destroy what an entry said; its signature and place stay, and the log still verifies.

    A payload is erased whole. To erase one device of a batch, state the others anew first. Backups are yours to
    clear. It cannot be undone.
    """
    register = register_of(ctx)
    index = entry_index(register.ledger.find, which)
    kind = register.ledger.entry(index).header.kind
    if not yes:
        click.confirm(f"Destroy what entry {index} ({kind}) says, for ever?", abort=True, err=True)
    register.erase(index, at=at)
    if as_json:
        echo_json({"index": index, "kind": kind, "erased": True})
    else:
        click.echo(f"entry {index} ({kind}) is erased; its place in the log still verifies")
