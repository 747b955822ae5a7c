"""`openceir scan`: the identifiers on a photo of a label."""

from pathlib import Path

import click

from openceir.cli._options import as_json_option, echo_json
from openceir.scan import PictureLimits, PrintedText, ocr_is_installed, read_label

__all__ = ["scan"]


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--ocr/--no-ocr", default=None, help="Read printed digits too. Usual: when openceir[ocr] is installed.")
@as_json_option
@click.pass_context
def scan(ctx: click.Context, file: Path, ocr: bool | None, as_json: bool) -> None:
    """Read the IMEIs and the EID off FILE, a photo of a phone's label: JPEG, PNG or WebP.

    Reads Code 128, QR and Data Matrix, and gives only numbers whose length and check digit are right. They must equal
    what *#06# shows on the phone. Asks no register: that is `openceir device check`.

    Exits 0 when something was found, 1 when not.
    """
    limits = PictureLimits()
    with file.open("rb") as photo:
        octets = photo.read(limits.octets + 1)  # one more than is taken, so that a longer file is refused unread
    wanted = ocr_is_installed() if ocr is None else ocr
    found = read_label(octets, limits=limits, ocr=PrintedText() if wanted else None)
    if as_json:
        echo_json({"found": [each.as_json() for each in found]})
    elif not found:
        click.echo("no identifier can be read: hold the camera nearer and steady, and let no lamp mirror in the label")
    for each in () if as_json else found:
        click.echo(f"{each.scheme}  {each.canonical}  ({each.read_from})")
    ctx.exit(0 if found else 1)
