"""`openceir receipt`: a file that shows to a stranger, offline, that a statement stands in the book."""

from dataclasses import asdict
from datetime import datetime
from itertools import islice
from pathlib import Path

import click

from openceir.cli._options import Moment, as_json_option, echo_json, register_of
from openceir.cli.statement import entry_index
from openceir.ledger import CheckReceipt, MerkleLog, ProofRefused, VerifiedReceipt, verify_receipt
from openceir.ledger.ordered_receipt import VerifiedOrdered, is_ordered_receipt, verify_ordered_receipt
from openceir.statements import to_plain
from openceir.storage.files import StorageError, replace_file
from openceir.storage.key_files import read_members, read_public_key, read_trust
from openceir.storage.ledger_files import leaves_of

__all__ = ["receipt"]


@click.group()
def receipt() -> None:
    """Hand out and verify receipts, offline."""


@receipt.command()
@click.argument("which", metavar="INDEX|LEAF_HASH")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The receipt file."
)
@click.option("--hide", is_flag=True, help="Leave out what was said; only who, when and that it stands there.")
@click.option("--at", type=Moment(), default="now", help="When the receipt is made, UTC.")
@as_json_option
@click.pass_context
def make(ctx: click.Context, which: str, output: Path, hide: bool, at: datetime, as_json: bool) -> None:
    """Make the receipt of an entry: the statement and the log's signed proof in one file.

    It discloses what was said, devices included, unless --hide is given or the entry is erased.
    """
    register = register_of(ctx)
    index = entry_index(register.ledger.find, which)
    octets = register.ledger.receipt(index, at=at, disclose=not hide)
    replace_file(output, octets)
    if as_json:
        echo_json({"file": str(output), "index": index, "octets": len(octets)})
    else:
        click.echo(
            f"{output}: receipt of entry {index}, {len(octets)} octets; "
            "check it with `openceir receipt verify` and `openceir key show log`"
        )


@receipt.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--log-key", metavar="FILE_OR_LINE", help="The log's public key, from a source you trust.")
@click.option(
    "--trust",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="For a receipt of a consortium: its validators, from a source you trust (`openceir consortium trust`).",
)
@click.option(
    "--members",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A members.toml, to check the issuer's own signature and role too.",
)
@as_json_option
def verify(file: Path, log_key: str | None, trust: Path | None, members: Path | None, as_json: bool) -> None:
    """Check a receipt. Needs no register and no network, only the log's public key, or a consortium's validators.

    Exits 0 when the statement stands in that log, 2 when that is not shown.
    """
    try:
        octets = file.read_bytes()
    except OSError as wrong:
        raise StorageError(f"{file} cannot be read: {wrong.strerror}") from wrong
    known = None if members is None else read_members(members)
    shown: VerifiedReceipt | VerifiedOrdered
    if is_ordered_receipt(octets):
        if trust is None:
            raise click.UsageError("this is the receipt of a consortium; give --trust FILE, whom you believe there")
        shown = verify_ordered_receipt(octets, read_trust(trust), known)
        rows = _ordered_rows(shown)
    else:
        if log_key is None:
            raise click.UsageError("give --log-key, the public key of the log that the receipt is of")
        shown = verify_receipt(octets, read_public_key(log_key), known)
        rows = _rows(shown)
    if as_json:
        echo_json({**rows, "said": to_plain(shown.said) if shown.said is not None else None})
        return
    for name, value in rows.items():
        click.echo(f"{name.replace('_', ' '):<14} {value}")
    if shown.said is None:
        click.echo("says           not disclosed in this file")
    else:
        for name, value in to_plain(shown.said).items():
            click.echo(f"  {name:<12} {value}")
    if not shown.signer_checked:
        click.echo("note: who signed rests on the log's word; give --members to check the issuer's own signature")


@receipt.command("verify-check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", required=True, metavar="FILE_OR_LINE", help="The public key of checks, from a source you trust.")
@click.option(
    "--ledger",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A copy of the ledger folder: what the register then held must be its beginning.",
)
@as_json_option
def verify_check(file: Path, key: str, ledger: Path | None, as_json: bool) -> None:
    """Check the receipt of a check that somebody shows. Needs no register and no network.

    The key is published at /receipts/key of the portal. Exits 0 when the register signed it, 2 when not.
    """
    try:
        note = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        raise StorageError(f"{file} cannot be read as a receipt") from wrong
    said = CheckReceipt.verify(note, read_public_key(key))
    if ledger is not None:
        _held_then(said, ledger)
    rows = {**asdict(said), "ledger_checked": ledger is not None}
    if as_json:
        echo_json(rows)
        return
    for name, value in rows.items():
        click.echo(f"{name.replace('_', ' '):<14} {value}")


def _held_then(said: CheckReceipt, folder: Path) -> None:
    tree = MerkleLog()
    tree.extend(islice(leaves_of(folder), said.size))
    if tree.size < said.size:
        raise ProofRefused(f"this ledger has {tree.size} entries, and the receipt was made when there were {said.size}")
    if tree.root(said.size) != said.root_octets:
        raise ProofRefused(
            f"the ledger is not the one of the receipt: its first {said.size} entries were others when it was made."
            " Keep the receipt: it proves that entries were changed"
        )


def _rows(shown: VerifiedReceipt) -> dict[str, str | int | bool]:
    return {
        "log": shown.receipt.origin,
        "entry": shown.receipt.index,
        "of": shown.receipt.size,
        "root": shown.root.hex(),
        "made_at": f"{shown.receipt.made_at:%Y-%m-%dT%H:%M:%SZ}",
        **_statement_rows(shown),
    }


def _ordered_rows(shown: VerifiedOrdered) -> dict[str, str | int | bool]:
    block = shown.proof.blocks[-1].header
    return {
        "chain": block.chain_id,
        "block": block.height,
        "signed_at": f"{block.time.moment:%Y-%m-%dT%H:%M:%SZ}",
        "entry": shown.proof.index,
        "of": shown.proof.size,
        "root": shown.root.hex(),
        **_statement_rows(shown),
    }


def _statement_rows(shown: VerifiedReceipt | VerifiedOrdered) -> dict[str, str | int | bool]:
    return {
        "kind": shown.header.kind,
        "issuer": shown.header.issuer,
        "stated_at": f"{shown.header.stated_at:%Y-%m-%dT%H:%M:%SZ}",
        "leaf_hash": shown.leaf_hash.hex(),
        "issuer_checked": shown.signer_checked,
    }
