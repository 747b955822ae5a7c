"""`openceir federation`: share one history with other nations' registers, and catch who rewrites theirs."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from openceir import clock
from openceir.app import Register
from openceir.cli._options import Moment, as_json_option, echo_json, register_of
from openceir.federation import FederationError, ForkProof
from openceir.ledger import hash_leaf
from openceir.statements import (
    Approved,
    KeyUse,
    Member,
    MemberKey,
    Members,
    MembershipProposed,
    Role,
    SignedStatement,
)
from openceir.storage.key_files import read_members, read_public_key

__all__ = ["federation"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)
_at_option = click.option("--at", type=Moment(), default="now", help="The instant that counts as now, UTC.")
_by_option = click.option("--by", required=True, metavar="NAME", help="Sign as this member.")


@click.group()
def federation() -> None:
    """Share one history with other nations' registers, and catch who rewrites theirs.

    Each nation keeps its own log; the others mirror it, check every entry, and cosign its checkpoints.
    """


# -- who belongs to it -------------------------------------------------------------------------------------------------


@federation.command()
@click.option("--nation", required=True, metavar="XA", help="The nation's two letters (ISO 3166-1 alpha-2).")
@click.option(
    "--voter", required=True, metavar="ID", help="The member that votes for the nation, mostly its regulator."
)
@click.option(
    "--office", "offices", metavar="ID", multiple=True, help="Another member that is heard abroad; repeatable."
)
@click.option("-o", "--output", type=_OUT, required=True, help="The file to write.")
@_at_option
@as_json_option
@click.pass_context
def card(
    ctx: click.Context, nation: str, voter: str, offices: tuple[str, ...], output: Path, at: datetime, as_json: bool
) -> None:
    """Write what this register brings into a federation: its offices with their public keys.

    Hand it to whoever founds the federation, or to a member that proposes to admit you. No private key is in it.
    """
    made = register_of(ctx).card(voter, nation, offices, at=at)
    output.write_text(made.format(), encoding="utf-8")
    names = [member.id for member in _each(made)]
    if as_json:
        echo_json({"file": str(output), "members": names})
    else:
        click.echo(f"{output}: {', '.join(names)}")


@federation.command()
@click.argument("name")
@click.option("--quorum", type=click.IntRange(min=1), required=True, help="How many voters decide: more than half.")
@click.option("--card", "cards", type=_FILE, multiple=True, required=True, help="A nation's card; one for each.")
@_by_option
@click.option("-o", "--output", type=_OUT, required=True, help="The founding statement, for the others to join with.")
@_at_option
@as_json_option
@click.pass_context
def found(
    ctx: click.Context,
    name: str,
    quorum: int,
    cards: tuple[Path, ...],
    by: str,
    output: Path,
    at: datetime,
    as_json: bool,
) -> None:
    """Found the federation NAME with these members.

    Read the leaf hash out to the other founders: who joins compares it.
    """
    members = Members(member for path in cards for member in _each(read_members(path)))
    signed = register_of(ctx).found_federation(name, quorum, members, by=by, at=at)
    output.write_bytes(signed.write())
    _say_founding(signed, as_json)


@federation.command()
@click.argument("founding", type=_FILE)
@click.option("--leaf-hash", metavar="HEX", help="The founding's leaf hash as the founders read it out.")
@click.option("--peer", "peers", metavar="MEMBER=URL", multiple=True, help="Where a member's door is; repeatable.")
@as_json_option
@click.pass_context
def join(ctx: click.Context, founding: Path, leaf_hash: str | None, peers: tuple[str, ...], as_json: bool) -> None:
    """Belong to the federation that this founding statement begins, or say where its members' doors are.

    A nation that is not among the founders follows the federation until its members admit it.
    """
    signed = SignedStatement.read(founding.read_bytes())
    if leaf_hash is not None and hash_leaf(signed.octets).hex() != leaf_hash.strip().lower():
        raise FederationError("that is another founding statement than the one whose leaf hash you were told")
    doors = dict(_peer(text) for text in peers)
    register_of(ctx).join_federation(signed, doors)
    _say_founding(signed, as_json)


def _peer(text: str) -> tuple[str, str]:
    member, given, address = text.partition("=")
    if not given or not address.startswith("https://"):
        raise click.UsageError(f"--peer {text}: write MEMBER=https://…")
    return member, address


def _say_founding(signed: SignedStatement, as_json: bool) -> None:
    leaf = hash_leaf(signed.octets).hex()
    if as_json:
        echo_json({"issuer": signed.header.issuer, "leaf_hash": leaf})
    else:
        click.echo(f"founded by {signed.header.issuer}; leaf hash {leaf}")


@federation.command()
@click.argument(
    "action",
    type=click.Choice(["admit", "add-key", "revoke-key", "change-roles", "change-power", "remove", "change-quorum"]),
)
@click.option("--member", metavar="ID", help="Whom it concerns.")
@click.option("--card", type=_FILE, help="For admit: the card of one member.")
@click.option("--id", "admitted", metavar="ID", help="For admit: which member of the card, if it has several.")
@click.option("--key", metavar="LINE|FILE", help="For add-key and revoke-key: the public key.")
@click.option("--use", type=click.Choice([use.value for use in KeyUse]), default="statements", help="For add-key.")
@click.option(
    "--revoked-at", type=Moment(), help="For revoke-key: from when on it counts no longer; now when left out."
)
@click.option(
    "--role", "roles", type=click.Choice([role.value for role in Role]), multiple=True, help="For change-roles."
)
@click.option("--power", type=click.IntRange(min=0), help="For change-power: 0 ends its vote.")
@click.option("--quorum", type=click.IntRange(min=1), help="How many voters decide from then on.")
@click.option("--grounds", required=True, help="Why; no person's name.")
@click.option("--until", type=Moment(), help="Until when it may be approved; 30 days when left out.")
@_by_option
@_at_option
@as_json_option
@click.pass_context
def propose(
    ctx: click.Context, action: str, member: str | None, card: Path | None, admitted: str | None, key: str | None,
    use: str, revoked_at: datetime | None, roles: tuple[str, ...], power: int | None, quorum: int | None, grounds: str,
    until: datetime | None, by: str, at: datetime, as_json: bool,
) -> None:  # fmt: skip
    """Propose a change of who belongs to the federation. It takes effect when so many voters agree as the quorum says."""
    public = read_public_key(key) if key is not None else None
    said = MembershipProposed(
        action=action,
        member=member,
        terms=_from_card(card, admitted) if card is not None else None,
        key=MemberKey(public, at, use=KeyUse(use)) if public is not None and action == "add-key" else None,
        kid=public.kid if public is not None and action == "revoke-key" else None,
        revoked_at=(revoked_at or at) if action == "revoke-key" else None,
        roles=tuple(Role(role) for role in roles),
        power=power,
        quorum=quorum,
        until=until or at + timedelta(days=30),
        grounds=grounds,
    )
    [entry] = register_of(ctx).state([said], by=by, at=at)
    if as_json:
        echo_json({"index": entry.index, "leaf_hash": entry.leaf_hash.hex()})
    else:
        click.echo(f"entry {entry.index}; others approve it with: openceir federation approve {entry.leaf_hash.hex()}")


def _from_card(path: Path, admitted: str | None) -> Member:
    found = [member for member in _each(read_members(path)) if admitted in (None, member.id)]
    if len(found) != 1:
        raise click.UsageError(f"{path} holds {len(found)} such members; say which one with --id")
    return found[0]


@federation.command()
@click.argument("proposal", metavar="LEAF_HASH")
@_by_option
@_at_option
@as_json_option
@click.pass_context
def approve(ctx: click.Context, proposal: str, by: str, at: datetime, as_json: bool) -> None:
    """Agree to a proposal, wherever it was logged."""
    try:
        target = bytes.fromhex(proposal)
    except ValueError:
        raise click.UsageError(
            "a leaf hash is 64 hexadecimal digits; `openceir federation members` shows those open"
        ) from None
    register = register_of(ctx)
    [entry] = register.state([Approved(target=target)], by=by, at=at)
    if as_json:
        echo_json({"index": entry.index, "leaf_hash": entry.leaf_hash.hex()})
    else:
        click.echo(f"entry {entry.index}; it counts for others as soon as they have followed our log")


@federation.command()
@as_json_option
@click.pass_context
def members(ctx: click.Context, as_json: bool) -> None:
    """List who belongs to the federation, with roles, votes and keys, and the proposals that are open."""
    state = register_of(ctx).federation()
    if as_json:
        echo_json(
            {
                "name": state.name,
                "quorum": state.quorum,
                "root": state.root().hex(),
                "members": [_member_facts(member) for member in _each(state.members)],
                "open": [
                    {
                        "leaf_hash": leaf.hex(),
                        "action": one.said.action,
                        "member": one.said.member or (one.said.terms.id if one.said.terms else None),
                        "approved_by": sorted(one.approved_by),
                        "until": f"{one.said.until:%Y-%m-%dT%H:%M:%SZ}",
                    }
                    for leaf, one in sorted(state.open.items())
                ],
            }
        )
        return
    click.echo(
        f"{state.name}: {state.quorum} of {len(state.voters())} voters decide; members root {state.root().hex()[:16]}…"
    )
    for member in _each(state.members):
        counting = sum(key.revoked_at is None for key in member.keys)
        vote = "votes" if member.is_voter else "      "
        click.echo(f"{member.id:<24} {member.nation:<3} {vote}  {', '.join(sorted(member.roles)):<20} {counting} keys")
    for leaf, one in sorted(state.open.items()):
        concerned = one.said.member or (one.said.terms.id if one.said.terms else "")
        click.echo(f"open: {one.said.action} {concerned}, agreed by {', '.join(sorted(one.approved_by))}: {leaf.hex()}")


def _member_facts(member: Member) -> dict[str, Any]:
    return {
        "id": member.id,
        "nation": member.nation,
        "roles": sorted(member.roles),
        "power": member.power,
        "keys": [
            {"public": key.public.format(), "use": key.use.value, "revoked": key.revoked_at is not None}
            for key in member.keys
        ],
    }


# -- following ---------------------------------------------------------------------------------------------------------


@federation.command()
@click.option("--by", required=True, metavar="NAME", help="Our voting member, whose key signs requests for payloads.")
@click.option("--cert", type=_FILE, required=True, metavar="PEM", help="Our certificate, shown to the others' doors.")
@click.option("--key", type=_FILE, required=True, metavar="PEM", help="Its key.")
@click.option("--ca", type=_FILE, required=True, metavar="PEM", help="Who signed the doors' certificates.")
@click.option(
    "--every", type=click.FloatRange(min=0.1), default=60.0, show_default=True, metavar="SECONDS", help="How often."
)
@click.option("--once", is_flag=True, help="One round, then end: exits 3 when a member gave trouble.")
@as_json_option
@click.pass_context
def follow(
    ctx: click.Context, by: str, cert: Path, key: Path, ca: Path, every: float, once: bool, as_json: bool
) -> None:
    """Fetch, check and cosign the other members' logs, receive what they share, and let them witness ours.

    It goes on where it was, whenever it was stopped. Run one for each register, beside `openceir serve --federation`.
    """
    from openceir.abroad.follow import Round

    register = register_of(ctx)
    with _following(register, by, cert, key, ca) as rounds:
        for done in rounds:
            assert isinstance(done, Round)
            _say_round(done, as_json)
            if once:
                ctx.exit(3 if done.troubles or done.forks else 0)
            time.sleep(every)


@contextmanager
def _following(register: Register, by: str, cert: Path, key: Path, ca: Path) -> Iterator[Iterator[Any]]:
    from openceir.abroad.follow import Follower
    from openceir.abroad.peer import Peer, tls_to_peers

    tls = tls_to_peers(cert, key, ca)
    open_peers: dict[str, tuple[str, Peer]] = {}

    def rounds() -> Iterator[Any]:
        while True:
            for member, address in register.peers().items():
                if member not in open_peers or open_peers[member][0] != address:
                    open_peers[member] = (address, Peer.at(address, member, tls))
            peers = {member: peer for member, (_, peer) in open_peers.items()}
            yield Follower(register, peers, by, clock.now).round()

    try:
        yield rounds()
    finally:
        for _, peer in open_peers.values():
            peer.close()


def _say_round(done: Any, as_json: bool) -> None:
    facts = {
        "taken": done.taken,
        "judged": {member: count for member, count in done.judged.items() if count},
        "received": {member: count for member, count in done.received.items() if count},
        "cosigned_by": done.cosigned_by,
        "troubles": done.troubles,
        "forks": done.forks,
        "erased": done.erased,
    }
    if as_json:
        import json

        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    for member, count in done.taken.items():
        click.echo(f"{member}: {count} new entries, {done.received.get(member, 0)} of them told us what they say")
    if done.cosigned_by:
        click.echo(f"our checkpoint is cosigned by {', '.join(done.cosigned_by)}")
    if done.erased:
        click.echo(f"{done.erased} orders to erase were obeyed, and answered in our log")
    for name in done.forks:
        click.echo(f"FORK: a log showed two histories; openceir federation verify-fork {name}")
    for member, sentence in done.troubles.items():
        click.echo(f"trouble with {member or 'our own log'}: {sentence}")


@federation.command()
@as_json_option
@_at_option
@click.pass_context
def status(ctx: click.Context, at: datetime, as_json: bool) -> None:
    """Show how far each member's log is followed, what is held of it, and what is wrong.

    Exits 0 when all is well, 3 when a member is in trouble, stale, or forked.
    """
    register = register_of(ctx)
    rows = register.federation_status(at=at)
    if as_json:
        echo_json([row.as_json() for row in rows])
    else:
        for row in rows:
            click.echo(str(row))
    ctx.exit(3 if any(row.trouble for row in rows) else 0)


@federation.command("verify-fork")
@click.argument("file", type=_FILE)
@click.option("--log-key", "keys", metavar="LINE|FILE", multiple=True, help="The log's public key, as you know it.")
@as_json_option
def verify_fork(file: Path, keys: tuple[str, ...], as_json: bool) -> None:
    """Check offline, with nothing but the log's public key, that a log showed two histories.

    Exits 0 when it did, 2 when the file proves nothing. Without --log-key the keys in the file are shown: compare them.
    """
    proof = ForkProof.parse(file.read_text(encoding="utf-8"))
    proof.verify([read_public_key(key) for key in keys] if keys else None)
    older, newer = proof.older.checkpoint, proof.newer.checkpoint
    if as_json:
        echo_json(
            {
                "origin": older.origin,
                "older": {"size": older.size, "root": older.root.hex()},
                "newer": {"size": newer.size, "root": newer.root.hex()},
                "newer_began_with": proof.prefix_root.hex(),
                "log_keys": [key.format() for key in proof.log_keys],
                "keys_compared": bool(keys),
            }
        )
        return
    click.echo(f"proved: the log {older.origin} showed two histories")
    click.echo(f"  it signed that its first {older.size} entries have the root {older.root.hex()}")
    click.echo(f"  it signed a log of {newer.size} entries whose first {older.size} have {proof.prefix_root.hex()}")
    for key in proof.log_keys:
        click.echo(f"  signed by {key.format()}" + ("" if keys else "   (compare it: it was taken from the file)"))


@federation.command()
@as_json_option
@_at_option
@click.pass_context
def report(ctx: click.Context, at: datetime, as_json: bool) -> None:
    """Show what each member did for the others, from the logs themselves: reports, reversals, time to block, credit."""
    register = register_of(ctx)
    rows = register.federation_report(at=at)
    if as_json:
        echo_json([row.as_json() for row in rows])
        return
    for row in rows:
        click.echo(str(row))


@federation.command()
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="Keep the three homes in this folder.")
@as_json_option
def demo(keep: Path | None, as_json: bool) -> None:
    """Run three countries on this machine: one theft, blocked in all three, and one log that lies and is caught."""
    from openceir.abroad.demo import run_demo

    run_demo(keep, as_json=as_json, say=click.echo)


def _each(found: Members) -> list[Member]:
    return list(found)
