"""`openceir lists`: make operators' lists, and do offline what an operator does with them."""

import csv
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import click

from openceir.app import Register, open_register
from openceir.cli._options import Day, Moment, as_json_option, echo_json
from openceir.cli._progress import ShownProgress
from openceir.lists import KINDS, ListError, ListHeader, diff_rows, kind_named, read_rows
from openceir.statements import KeyRefused, PublicKey
from openceir.storage.key_files import read_public_key
from openceir.storage.list_drift import drifts
from openceir.storage.list_files import ListFiles, apply_delta, verify_list
from openceir.storage.list_runs import Acknowledgement

__all__ = ["lists"]

_LARGEST_ACKNOWLEDGEMENT = 1 << 20


_LIST = click.Path(path_type=Path)
_key_option = click.option(
    "--key", metavar="LINE|FILE", help="The public key that signs the register's lists; this home's when left out."
)


@click.group()
def lists() -> None:
    """Make, verify and apply operators' lists and deltas.

    A list is three files: X.csv the rows, X.json the header, X.sig its signature; any of the three names it.
    """


@lists.command()
@click.option("--as-of", "as_of_on", type=Day(), default="today", help="The day the lists are true for, UTC.")
@click.option("--operator", "operators", multiple=True, help="Only this operator's; may be repeated.")
@click.option("--by", metavar="NAME", help="Sign as this member (a regulator) instead of with the list key.")
@click.option(
    "--whole", is_flag=True, help="Make every row anew, not only those of devices touched since the last run."
)
@click.option("--at", type=Moment(), default="now", help="The instant that counts as now, UTC.")
@as_json_option
@click.pass_context
def make(
    ctx: click.Context, as_of_on: date, operators: tuple[str, ...], by: str | None, whole: bool, at: Any, as_json: bool
) -> None:
    """Make and sign every operator's lists: full, and as deltas from the last run."""
    register = open_register(ctx.obj)
    with ShownProgress("lists") as progress:
        run = register.make_lists(
            on=as_of_on, at=at, operators=operators or None, by=by, whole=whole, progress=progress
        )
    if as_json:
        made = [
            {
                "operator": one.full.operator,
                "kind": one.full.kind,
                "rows": one.full.rows,
                "sha256": one.full.sha256,
                "file": f"{one.full.operator}/{one.full.file_stem}.csv",
                "delta": one.delta and f"{one.full.operator}/{one.delta.file_stem}.csv",
                "changes": one.delta and one.delta.rows,
                "note": one.note,
            }
            for one in run.lists
        ]
        echo_json({"sequence": run.sequence, "folder": str(run.folder), "lists": made})
        return
    click.echo(f"list run {run.sequence} as of {as_of_on}, in {run.folder}")
    for one in run.lists:
        change = f"{one.delta.rows} changes" if one.delta else one.note
        click.echo(f"  {one.full.operator:<12} {one.full.kind:<14} {one.full.rows:>8} rows   {change}")


@lists.command()
@click.argument("file", type=_LIST)
@_key_option
@as_json_option
@click.pass_context
def verify(ctx: click.Context, file: Path, key: str | None, as_json: bool) -> None:
    """Check a list or delta offline: who signed it, and that nothing was cut or altered.

    Exits 0 when all is right, 2 when not.
    """
    header = verify_list(ListFiles.of(file), _public_key(ctx, key))
    if as_json:
        echo_json(_said(header))
        return
    what = f"delta from {header.base.sequence} to {header.sequence}" if header.base else f"full list {header.sequence}"
    click.echo(f"right: {header.kind} of {header.operator}, {what}, {header.rows} rows, as of {header.as_of_on}")
    click.echo(f"signed by {PublicKey.parse(header.signed_by).name}; made from {header.ledger_size} statements")


@lists.command("apply-delta")
@click.argument("full", type=_LIST)
@click.argument("delta", type=_LIST)
@click.option("-o", "--output", type=_LIST, required=True, help="The new full list, NEW.csv; may be FULL itself.")
@_key_option
@as_json_option
@click.pass_context
def apply_command(ctx: click.Context, full: Path, delta: Path, output: Path, key: str | None, as_json: bool) -> None:
    """Turn a full list and a delta into the next full list, offline.

    The outcome is, octet for octet, what was delivered to who took the full list, with its header and signature.
    """
    header = apply_delta(ListFiles.of(full), ListFiles.of(delta), ListFiles.of(output), _public_key(ctx, key))
    if as_json:
        echo_json(_said(header))
        return
    click.echo(f"{ListFiles.of(output).rows}: {header.kind} {header.sequence} of {header.operator}, {header.rows} rows")


@lists.command("diff")
@click.argument("old", type=_LIST)
@click.argument("new", type=_LIST)
@as_json_option
def diff_command(old: Path, new: Path, as_json: bool) -> None:
    """Show what changes from one full list to another of the same kind; signatures are not looked at."""
    first, second = ListFiles.of(old), ListFiles.of(new)
    heads = [files.read_header() for files in (first, second)]
    if heads[0].kind != heads[1].kind or any(head.is_delta for head in heads):
        raise ListError("give two full lists of the same kind")
    kind = kind_named(heads[0].kind)
    with first.rows.open("rb") as before, second.rows.open("rb") as after:
        rows = diff_rows(
            kind,
            read_rows(kind.columns, kind.key_length, before, first.rows.name),
            read_rows(kind.columns, kind.key_length, after, second.rows.name),
        )
        found = [dict(zip(kind.delta_columns, row, strict=True)) for row in rows]
    if as_json:
        echo_json(found)
        return
    for row in found:
        click.echo(",".join(row.values()))


@lists.command()
@click.option("--base", type=click.IntRange(min=1), required=True, help="The sequence number that the operator holds.")
@click.option("--operator", required=True, help="Whose lists.")
@click.option("--kind", "kinds", type=click.Choice(list(KINDS)), multiple=True, help="Only this list; may be repeated.")
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), default=".", help="The folder to write into."
)
@click.option("--by", metavar="NAME", help="Sign as the member that signed the newest list.")
@as_json_option
@click.pass_context
def delta(
    ctx: click.Context, base: int, operator: str, kinds: tuple[str, ...], output: Path, by: str | None, as_json: bool
) -> None:
    """Make the delta that takes an operator from any run still kept to its newest list."""
    register = open_register(ctx.obj)
    headers = [register.list_delta(operator, kind, base, output, by) for kind in kinds or KINDS]
    if as_json:
        echo_json([_said(header) for header in headers])
        return
    for header in headers:
        click.echo(f"{output / header.file_stem}.csv: {header.rows} changes")


@lists.command()
@click.option("--operator", help="Only this operator's.")
@as_json_option
@click.pass_context
def history(ctx: click.Context, operator: str | None, as_json: bool) -> None:
    """Show every list delivered, and whether operators hold what was delivered to them."""
    register = open_register(ctx.obj)
    runs = [file._asdict() for file in register.list_runs.history(operator)]
    found = _drifts(register, operator)
    if as_json:
        echo_json({"lists": runs, "acknowledgements": found})
        return
    for note in register.list_runs.recovered:
        click.echo(f"note: {note}", err=True)
    for run in runs:
        what = f"from {run['base']}" if run["base"] else "full"
        kept = "" if run["kept"] else "   files pruned"
        click.echo(
            f"{run['sequence']:>6}  {run['operator']:<12} {run['kind']:<14} {what:<10} {run['rows']:>8} rows{kept}"
        )
    for drift in found:
        click.echo(f"{drift['operator']} {drift['kind']}: {drift['finding']}")


@lists.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--at", type=Moment(), default="now", help="The instant that counts as now, UTC.")
@as_json_option
@click.pass_context
def acknowledge(ctx: click.Context, file: Path, at: Any, as_json: bool) -> None:
    """Record what an operator says it has applied: a CSV of operator,kind,sequence,sha256.

    Exits 0 when all agrees with what was delivered, 3 when an operator holds something else.
    """
    register = open_register(ctx.obj)
    said = _read_acknowledgements(file, at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    register.list_runs.acknowledge(said)
    found = [drift for operator in sorted({one.operator for one in said}) for drift in _drifts(register, operator)]
    if as_json:
        echo_json(found)
    else:
        for drift in found:
            click.echo(f"{drift['operator']} {drift['kind']}: {drift['finding']}")
    ctx.exit(3 if any(drift["differs"] for drift in found) else 0)


@lists.command()
@as_json_option
@click.pass_context
def key(ctx: click.Context, as_json: bool) -> None:
    """Print the public key that signs this register's lists, for operators to keep."""
    public = open_register(ctx.obj).list_signer().public
    if as_json:
        echo_json({"name": public.name, "key": public.format()})
    else:
        click.echo(public.format())


def _public_key(ctx: click.Context, given: str | None) -> PublicKey:
    if given is not None:
        return read_public_key(given)
    path = Path(ctx.obj) / "lists" / "lists.vkey"
    if not path.exists():
        raise KeyRefused(f"there is no {path}: give the register's list key with --key")
    return read_public_key(str(path))


def _said(header: ListHeader) -> dict[str, Any]:
    return {
        "kind": header.kind,
        "operator": header.operator,
        "sequence": header.sequence,
        "base": header.base and header.base.sequence,
        "as_of_on": header.as_of_on,
        "rows": header.rows,
        "sha256": header.sha256,
        "signed_by": header.signed_by,
        "ledger_size": header.ledger_size,
    }


def _drifts(register: Register, operator: str | None) -> list[dict[str, Any]]:
    """For each acknowledgement, whether it is what was delivered and how far it is behind."""
    return [asdict(one) for one in drifts(register.list_runs, operator)]


def _read_acknowledgements(path: Path, at: str) -> list[Acknowledgement]:
    if path.stat().st_size > _LARGEST_ACKNOWLEDGEMENT:
        raise ListError(f"{path.name} is too large for an acknowledgement: one line a list is expected")
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines(), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as wrong:
        raise ListError(f"{path.name} is not an acknowledgement: it is no CSV in UTF-8") from wrong
    if not rows or rows[0] != ["operator", "kind", "sequence", "sha256"]:
        raise ListError(f"{path.name} is not an acknowledgement: its first line must be operator,kind,sequence,sha256")
    said = []
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != 4 or not row[2].isascii() or not row[2].isdigit() or len(row[2]) > 12 or len(row[3]) != 64:
            raise ListError(
                f"line {number} of {path.name}: expected an operator, a kind, a sequence number and a SHA-256"
            )
        said.append(Acknowledgement(row[0], kind_named(row[1]).name, int(row[2]), row[3].lower(), at))
    return said
