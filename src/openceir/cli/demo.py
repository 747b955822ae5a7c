"""`openceir demo`: a small made-up country, and the whole register run on it."""

from pathlib import Path

import click

from openceir.cli._progress import ShownProgress

__all__ = ["demo"]


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default="demo", required=False)
@click.option(
    "--keep", is_flag=True, help="Leave an earlier demo as it is: verify its ledger and tell its report again."
)
@click.option("--json", "as_json", is_flag=True, help="The report's lines and whether all held, as JSON.")
@click.pass_context
def demo(ctx: click.Context, folder: Path, keep: bool, as_json: bool) -> None:
    """Make a small made-up country and run the whole register on it.

    FOLDER (./demo when left out) receives the files that a regulator would get, the truth behind them, and the
    register made of them. An earlier demo there is replaced; anything else is left alone and refused.

    Exits 0 when every check held, 1 when one did not.
    """
    # Imported here: the engine of detection is worth waiting for only when it is used.
    from openceir.cli._options import echo_json
    from openceir.demo import run_demo

    lines: list[str] = []
    with ShownProgress("demo") as progress:

        def say(line: str) -> None:
            progress.clear()
            if as_json:
                lines.append(line)
            else:
                click.echo(line)

        held = run_demo(folder, keep=keep, say=say, progress=progress)
    if as_json:
        echo_json({"held": held, "report": lines})
    ctx.exit(0 if held else 1)
