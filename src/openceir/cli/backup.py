"""`openceir backup`: copy a register that is in use, prove the copy whole, make a home of it again."""

import os
from datetime import datetime
from pathlib import Path

import click

from openceir.backup import restore_backup, take_backup, verify_backup
from openceir.cli._options import Moment, as_json_option, echo_json
from openceir.cli._progress import ShownProgress
from openceir.storage.key_files import read_secret

__all__ = ["backup"]

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_passphrase_file = click.option(
    "--passphrase-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of mode 0600 with the passphrase that seals the keys; without it keys stay out.",
)
_digest = click.option("--digest", default="", help="The digest of the manifest that `backup take` printed.")


@click.group()
def backup() -> None:
    """Copy the register while it works; prove the copy whole; restore it."""


@backup.command()
@click.argument("into", type=click.Path(file_okay=False, path_type=Path))
@_passphrase_file
@click.option("--at", type=Moment(), default="now", help="The instant that names the backup, UTC.")
@as_json_option
@click.pass_context
def take(ctx: click.Context, into: Path, passphrase_file: Path | None, at: datetime, as_json: bool) -> None:
    """Copy the register, as it stands at this moment, into a new folder inside INTO.

    The register may be in use; writers wait for some milliseconds. Write the printed digest down elsewhere.
    """
    with ShownProgress("backup") as progress:
        done = take_backup(
            ctx.obj, into, at=at, environment=os.environ, passphrase=_passphrase(passphrase_file), progress=progress
        )
    kept = done.manifest
    if as_json:
        echo_json(
            {
                "folder": str(done.folder),
                "digest": kept.digest,
                "files": len(kept.files),
                "octets": done.octets,
                "statements": kept.log_size,
                "keys": list(kept.keys),
                "has_keys": kept.has_keys,
            }
        )
        return
    click.echo(f"{done.folder}: {len(kept.files)} files, {done.octets} octets, {kept.log_size} statements")
    click.echo(f"digest {kept.digest}")
    if kept.keys and not kept.has_keys:
        click.echo(f"not in it: {len(kept.keys)} keys ({', '.join(kept.keys)}); keep them elsewhere", err=True)


@backup.command()
@click.argument("folder", type=_FOLDER)
@_digest
@as_json_option
def verify(folder: Path, digest: str, as_json: bool) -> None:
    """Read every octet of the backup in FOLDER and hold it against its manifest."""
    with ShownProgress("backup") as progress:
        kept = verify_backup(folder, digest=digest, progress=progress)
    if as_json:
        echo_json({"made_at": f"{kept.made_at:%Y-%m-%dT%H:%M:%SZ}", "digest": kept.digest, "files": len(kept.files)})
        return
    click.echo(f"whole: {len(kept.files)} files of {kept.made_at:%Y-%m-%dT%H:%M:%SZ}, {kept.log_size} statements")


@backup.command()
@click.argument("folder", type=_FOLDER)
@_passphrase_file
@_digest
@as_json_option
@click.pass_context
def restore(ctx: click.Context, folder: Path, passphrase_file: Path | None, digest: str, as_json: bool) -> None:
    """Make the home folder (--home), which must be new or empty, of the backup in FOLDER, and verify its whole book."""
    with ShownProgress("backup") as progress:
        done = restore_backup(
            folder,
            ctx.obj,
            environment=os.environ,
            passphrase=_passphrase(passphrase_file),
            digest=digest,
            progress=progress,
        )
    if as_json:
        echo_json({"home": str(done.home), "statements": done.statements, "missing_keys": list(done.missing_keys)})
        return
    click.echo(f"{done.home}: {done.statements} statements, every one verified from the disk")
    if done.missing_keys:
        click.echo(f"put these back before you start: {', '.join(done.missing_keys)}", err=True)
    click.echo(
        f"Whoever saw more than {done.statements} statements of this log has proof that some are lost: "
        "read docs/start/operations.md before anything new is signed.",
        err=True,
    )


def _passphrase(path: Path | None) -> str:
    return read_secret(path).decode().strip() if path else ""
