"""`openceir statement`: say something of devices, under a signature."""

import json
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from openceir.cli._options import Moment, as_json_option, echo_json, register_of, say_moved, say_notes
from openceir.ledger import LoggedStatement
from openceir.statements import (
    KINDS,
    SignedStatement,
    Statement,
    StatementRefused,
    from_plain,
    kind_fields,
    open_payload,
    to_plain,
)
from openceir.storage.files import StorageError, replace_file

__all__ = ["statement"]


@click.group()
def statement() -> None:
    """Sign, show and submit statements."""


_WHEN_IT_HAPPENED = ("ed_at", "stolen_at", "lost_at", "ed_on")  # these fields are the signature's time when left out


def saying(command: Any) -> Any:
    """The options with which `sign` and `submit` say something without a file."""
    for option in reversed(
        [
            click.argument("what", metavar="KIND|FILE"),
            click.option("--by", metavar="NAME", help="The key, or the member, that signs."),
            click.option(
                "--imei", "imeis", multiple=True, help="A device: its 14 digits, or 15 or 16; may be repeated."
            ),
            click.option(
                "--range", "ranges", nargs=2, multiple=True, metavar="FIRST LAST", help="A range of 14 digits."
            ),
            click.option("--other", "others", nargs=2, multiple=True, metavar="SCHEME TEXT", help="Such as: eid 8904…"),
            click.option(
                "--field", "-f", "extra", nargs=2, multiple=True, metavar="NAME VALUE", help="Any other field."
            ),
            click.option("--case", "case_number", help="The reference of the report."),
            click.option("--stolen-at", type=Moment(), help="When, UTC; now when left out."),
            click.option("--lost-at", type=Moment(), help="When, UTC; now when left out."),
            click.option("--recovered-at", type=Moment(), help="When, UTC; now when left out."),
            click.option("--grounds", help="The order or list it rests on; no person's name."),
            click.option("--at", type=Moment(), default="now", help="When it is signed, UTC."),
        ]
    ):
        command = option(command)
    return command


@statement.command("sign")
@saying
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The .statement file."
)
@as_json_option
@click.pass_context
def sign_command(ctx: click.Context, /, output: Path, as_json: bool, **said: Any) -> None:
    """Sign a statement and write it to a file, to be submitted elsewhere.

    KIND is one of `openceir statement kinds`, such as device-stolen; FILE is a JSON or TOML file with its fields.
    """
    signed, meaning = _signed(ctx, **said)
    replace_file(output, signed.write())
    if as_json:
        echo_json({"file": str(output), **to_plain(meaning)})
    else:
        click.echo(f"{output}: {meaning.kind} by {signed.header.issuer}, {len(signed.payload)} octets of payload")


@statement.command()
@saying
@as_json_option
@click.pass_context
def submit(ctx: click.Context, /, as_json: bool, **said: Any) -> None:
    """Sign a statement and log it, or log a .statement file that was signed elsewhere.

    \b
    openceir statement submit device-stolen --imei 00100100000001 --by police --case N-7 --stolen-at 2027-03-01
    openceir statement submit stolen.json --by police
    openceir statement submit stolen.statement
    """
    register = register_of(ctx)
    path = Path(said["what"])
    if path.is_file() and path.suffix not in {".json", ".toml"}:
        signed = SignedStatement.read(_read(path))
    else:
        signed, _ = _signed(ctx, **said)
    [entry] = register.submit([signed], at=said["at"])
    say_notes(register)
    if as_json:
        echo_json({"index": entry.index, "leaf_hash": entry.leaf_hash.hex(), "kind": signed.header.kind})
    else:
        click.echo(f"{signed.header.kind} by {signed.header.issuer} is entry {entry.index}, {entry.leaf_hash.hex()}")


@statement.command()
@click.argument("which", metavar="INDEX|LEAF_HASH|FILE")
@as_json_option
@click.pass_context
def show(ctx: click.Context, which: str, as_json: bool) -> None:
    """Show what a statement says: an entry of the ledger, or a .statement file (its signature not checked)."""
    if Path(which).is_file():
        signed = SignedStatement.read(_read(Path(which)))
        header = signed.header
        plain = {
            "issuer": header.issuer,
            "stated_at": f"{header.stated_at:%Y-%m-%dT%H:%M:%SZ}",
            **to_plain(open_payload(header, signed.salt, signed.payload)),
        }
    else:
        register = register_of(ctx)
        say_moved(register)
        plain = _plain(register.ledger.entry(entry_index(register.ledger.find, which)), whole=True)
    if as_json:
        echo_json(plain)
    else:
        for name, value in plain.items():
            click.echo(f"{name:<14} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")


@statement.command("list")
@click.option("--from", "first", type=click.IntRange(min=0), default=0, help="The first entry.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many.")
@click.option("--kind", help="Only statements of this kind.")
@as_json_option
@click.pass_context
def list_statements(ctx: click.Context, first: int, limit: int, kind: str | None, as_json: bool) -> None:
    """List entries of the ledger: index, time, issuer, kind and leaf hash. Devices are not shown here."""
    rows = []
    register = register_of(ctx)
    say_moved(register)
    for entry in register.ledger.entries(first):
        if kind is None or entry.header.kind in {kind, f"{kind}/1"}:
            rows.append(_plain(entry, whole=False))
            if len(rows) == limit:
                break
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        erased = "  (erased)" if row["erased"] else ""
        click.echo(
            f"{row['index']:>8} {row['logged_at']} {row['issuer']:<20} {row['kind']:<22} {row['leaf_hash']}{erased}"
        )


@statement.command()
@as_json_option
def kinds(as_json: bool) -> None:
    """List what may be said, by whom, and the fields of each kind."""
    rows = [
        {
            "kind": kind,
            "said_by": sorted(made.said_by),
            "fields": kind_fields(kind),
            "meaning": (made.__doc__ or "").strip().splitlines()[0],
        }
        for kind, made in sorted(KINDS.items())
    ]
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        click.echo(f"{row['kind']}: {row['meaning']}")
        click.echo(f"    said by {', '.join(row['said_by'])}; fields {', '.join(row['fields'])}")


def entry_index(find: Any, which: str) -> int:
    """The index that a number or a leaf hash names; a usage error when it names none."""
    if which.isascii() and which.isdigit() and len(which) < 19:
        return int(which)
    try:
        index = find(bytes.fromhex(which))
    except ValueError:
        raise click.UsageError(f'"{which}" is neither an index, a leaf hash nor a file') from None
    if index is None:
        raise click.UsageError("no statement with that leaf hash stands in this ledger")
    assert isinstance(index, int)
    return index


def _plain(entry: LoggedStatement, *, whole: bool) -> dict[str, Any]:
    plain = {
        "index": entry.index,
        "leaf_hash": entry.leaf_hash.hex(),
        "logged_at": f"{entry.logged_at:%Y-%m-%dT%H:%M:%SZ}",
        "issuer": entry.header.issuer,
        "stated_at": f"{entry.header.stated_at:%Y-%m-%dT%H:%M:%SZ}",
        "kind": entry.header.kind,
        "erased": entry.is_erased,
    }
    return plain | (to_plain(entry.said) if whole and entry.said is not None else {})


def _signed(
    ctx: click.Context, what: str, by: str | None, at: datetime, **said: Any
) -> tuple[SignedStatement, Statement]:
    if by is None:
        raise click.UsageError("--by is missing: the name of the key or member that signs")
    path = Path(what)
    plain = _plain_of_file(path) if path.suffix in {".json", ".toml"} else _plain_of_options(what, at, **said)
    meaning = from_plain(plain)
    return register_of(ctx).sign(meaning, by=by, at=at), meaning


def _plain_of_file(path: Path) -> dict[str, Any]:
    octets = _read(path)
    try:
        plain = json.loads(octets) if path.suffix == ".json" else tomllib.loads(octets.decode())
    except (ValueError, RecursionError) as wrong:
        raise StatementRefused(f"{path} is not {path.suffix[1:].upper()}: {wrong}") from wrong
    if not isinstance(plain, dict):
        raise StatementRefused(f"{path} must hold one object with the fields of the statement")
    return plain


def _plain_of_options(
    what: str,
    at: datetime,
    imeis: tuple[str, ...],
    ranges: tuple[tuple[str, str], ...],
    others: tuple[tuple[str, str], ...],
    extra: tuple[tuple[str, str], ...],
    **options: Any,
) -> dict[str, Any]:
    kind = what if "/" in what else f"{what}/1"
    plain: dict[str, Any] = {"kind": kind}
    if imeis or ranges or others:
        name = "identifiers" if kind == "device-bound/1" else "devices"
        plain[name] = {"imeis": [_fourteen(imei) for imei in imeis], "ranges": list(ranges), "others": list(others)}
    plain |= {name: value for name, value in options.items() if value is not None}
    plain |= {name: _value(text) for name, text in extra}
    for name in kind_fields(kind) if kind in KINDS else ():
        if name not in plain and name.endswith(_WHEN_IT_HAPPENED):
            plain[name] = at if name.endswith("_at") else at.date()
    return plain


def _value(text: str) -> Any:
    """A field given on the command line: true, false, an array, an object, or a text."""
    if text in {"true", "false"} or text[:1] in {"[", "{"}:
        try:
            return json.loads(text)
        except ValueError as wrong:
            raise click.UsageError(f"--field: {text[:40]} is not JSON") from wrong
    return text


def _fourteen(imei: str) -> str:
    """The 14 digits that identify a device, of an IMEI (15 digits) or IMEISV (16)."""
    return imei[:14] if len(imei) in {15, 16} and imei.isascii() and imei.isdigit() else imei


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as wrong:
        raise StorageError(f"{path} cannot be read: {wrong.strerror}") from wrong
