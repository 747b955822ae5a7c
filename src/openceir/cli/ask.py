"""`openceir ask`: may this device be used, without telling anybody which."""

import csv
import sys
from pathlib import Path

import click

from openceir.asking import PrivateAnswer, PrivateAsker
from openceir.cli._options import as_json_option, echo_json
from openceir.cli._progress import ShownProgress
from openceir.clock import now
from openceir.errors import OpenceirError
from openceir.questions import QuestionError
from openceir.storage.key_files import read_public_key, read_secret

__all__ = ["ask"]

_COLOURS = {"blocked": "red", "tracked": "yellow", "not-listed": "green"}
_LARGEST_FILE = 1_000_000  # rows


class FileRefused(QuestionError):
    """A file of identifiers cannot be read."""

    code = "batch-refused"


@click.command()
@click.argument("value", required=False)
@click.option("--register", "register_url", metavar="URL", required=True, help="The register's address.")
@click.option(
    "--member", "members", metavar="URL", multiple=True, help="A member to ask, when the key is shared; repeat."
)
@click.option("--buckets", metavar="URL", help="Another host of the bucket files, so that the register sees no fetch.")
@click.option("--signer", metavar="KEY", help="The key that signs the manifest: its line, or a file of it.")
@click.option(
    "--log",
    "log",
    metavar="KEY",
    help="The key of the register's log, from which the files must be made: its line, or a file of it.",
)
@click.option(
    "--file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Ask about every row of a CSV: its column imei or identifier, else its first.",
)
@click.option(
    "--token-file",
    "token_files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A partner's access token, in a file that only you can read; with --member one for each. Without it ten "
    "questions a day are usual.",
)
@as_json_option
@click.pass_context
def ask(
    ctx: click.Context,
    value: str | None,
    register_url: str,
    members: tuple[str, ...],
    buckets: str | None,
    signer: str | None,
    log: str | None,
    file: Path | None,
    token_files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Ask whether a device is blocked, so that the register learns neither the device nor the answer.

    VALUE is an IMEI or any identifier of `openceir identifier list`. It never leaves this machine.

    \b
    Exits 0 not listed, 3 blocked, 4 tracked, 2 not an identifier, 6 no answer can be given.
    With --file: 0 when every row was answered, 2 when some were not identifiers.

    \b
    openceir ask 001001000000015 --register https://ceir.example --signer "$(cat questions.vkey)"
    openceir ask --file stock.csv --register https://ceir.example --token-file partner.token
    """
    if (value is None) == (file is None):
        raise click.UsageError("give one identifier, or --file with a CSV of them")
    asker = PrivateAsker(
        register_url,
        members=members,
        buckets=buckets,
        signer=read_public_key(signer) if signer else None,
        log=read_public_key(log) if log else None,
        access_tokens=[read_secret(path).decode().strip() for path in token_files],
    )
    values = [value] if value is not None else _values_in(file) if file is not None else []
    with ShownProgress("ask") as progress:
        answers = asker.ask(values, now(), progress)
    if not asker.is_pinned and asker.signer is not None:
        click.echo(
            f"note: the key {asker.signer.format()} was taken from the register itself; pin it with --signer", err=True
        )
    if file is not None:
        _show_rows(ctx, values, answers, as_json)
        return
    [answer] = answers
    if isinstance(answer, OpenceirError):
        raise answer
    if as_json:
        echo_json(answer.as_json())
    else:
        click.echo(click.style(answer.word.upper(), fg=_COLOURS[answer.word], bold=True))
        click.echo(answer.sentence)
        if answer.by_range:
            click.echo("The whole range of numbers that it is in is restricted.")
        click.echo(f"\nAs of {answer.as_of:%Y-%m-%d %H:%M} UTC; {answer.ledger_size} statements in the book.")
        click.echo("Nobody was told which device you asked about.")
    ctx.exit(answer.exit_status)


def _show_rows(
    ctx: click.Context, values: list[str], answers: list[PrivateAnswer | OpenceirError], as_json: bool
) -> None:
    refused = sum(not isinstance(answer, PrivateAnswer) for answer in answers)
    if as_json:
        echo_json(
            [
                answer.as_json()
                if isinstance(answer, PrivateAnswer)
                else {"value": value, "code": answer.code, "detail": str(answer)}
                for value, answer in zip(values, answers, strict=True)
            ]
        )
    else:
        rows = csv.writer(sys.stdout)
        rows.writerow(("identifier", "word", "sentence"))
        for value, answer in zip(values, answers, strict=True):
            word, sentence = (
                (answer.word, answer.sentence) if isinstance(answer, PrivateAnswer) else (answer.code, str(answer))
            )
            rows.writerow((value, word, sentence))
    ctx.exit(2 if refused else 0)


def _values_in(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as source:
            rows = [row for row in csv.reader(source) if any(field.strip() for field in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as wrong:
        raise FileRefused(f"{path} cannot be read as a CSV in UTF-8: {wrong}") from wrong
    if len(rows) > _LARGEST_FILE:
        raise FileRefused(f"{path} has {len(rows)} rows, at most {_LARGEST_FILE} are asked at once; split it")
    header = [field.strip().lower() for field in rows[0]] if rows else []
    for name in ("imei", "identifier"):
        if name in header:
            place = header.index(name)
            return [row[place].strip() if place < len(row) else "" for row in rows[1:]]
    return [row[0].strip() for row in rows]
