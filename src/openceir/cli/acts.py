"""`openceir acts`: what people did at the portal, walked where the register is not."""

from pathlib import Path

import click

from openceir.cli._options import as_json_option, echo_json
from openceir.portal.accounts.act_chain import ActsBroken, walk_acts
from openceir.storage.files import StorageError
from openceir.storage.ledger_files import leaves_of

__all__ = ["acts"]


@click.group()
def acts() -> None:
    """Verify the portal's log of acts and readings, offline."""


@acts.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--known", metavar="DIGEST", default="", help="A digest that you noted earlier; it must be in the file.")
@click.option(
    "--ledger",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A copy of the ledger folder: every statement that an act names must stand in it.",
)
@as_json_option
def verify(file: Path, known: str, ledger: Path | None, as_json: bool) -> None:
    """Walk a log of acts that an auditor fetched at /auditor/acts/.

    Exits 0 when it is whole from its first entry to its last, 2 when not. Note the digest that it prints: the next
    file must hold it.
    """
    try:
        with file.open("rb") as lines:
            walked = walk_acts(lines, known.strip().lower())
    except OSError as wrong:
        raise StorageError(f"{file} cannot be read: {wrong.strerror}") from wrong
    if ledger is not None:
        _stand_in(walked.statements, ledger)
    told = {"acts": walked.entries, "statements": len(walked.statements), "digest": walked.digest}
    if as_json:
        echo_json(told)
        return
    click.echo(f"{walked.entries} acts, whole; {len(walked.statements)} statements named")
    click.echo(f"digest of the last: {walked.digest}")


def _stand_in(statements: frozenset[bytes], folder: Path) -> None:
    missing = set(statements)
    missing.difference_update(leaves_of(folder))
    if missing:
        raise ActsBroken(
            f"{len(missing)} statements that acts name do not stand in this ledger, such as {min(missing).hex()}:"
            " either the copy is older than the log of acts, or they never happened"
        )
