"""`openceir demo`: a small made-up country, and the whole register run on it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click

from openceir.cli._progress import ShownProgress

__all__ = ["demo"]


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default="demo", required=False)
@click.option(
    "--keep", is_flag=True, help="Leave an earlier demo as it is: verify its ledger and tell its report again."
)
@click.option(
    "--serve",
    "is_served",
    is_flag=True,
    help="Then open its portal, with an account for each door, on this machine alone.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=8073, show_default=True, help="The port of --serve.")
@click.option("--code", "wants_code", is_flag=True, help="Only print the six digits that the demo's accounts show now.")
@click.option("--json", "as_json", is_flag=True, help="The report's lines and whether all held, as JSON.")
@click.pass_context
def demo(
    ctx: click.Context, folder: Path, keep: bool, is_served: bool, port: int, wants_code: bool, as_json: bool
) -> None:
    """Make a small made-up country and run the whole register on it.

    FOLDER (./demo when left out) receives the files that a regulator would get, the truth behind them, and the
    register made of them. An earlier demo there is replaced; anything else is left alone and refused.

    With --serve its portal opens on 127.0.0.1, with people, cases and history; the accounts and their password are
    printed, and only a demo's folder ever gets them. Officers need a second factor: `openceir demo --code` prints it.

    Exits 0 when every check held, 1 when one did not.
    """
    if wants_code:
        from openceir.portal.demonstration import accounts_of, code_now

        click.echo(code_now(accounts_of(folder)))
        return
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
    if is_served and held:
        _serve(ctx, folder, port)
        return
    if as_json:
        echo_json({"held": held, "report": lines})
    ctx.exit(0 if held else 1)


def _serve(ctx: click.Context, folder: Path, port: int) -> None:
    """Fill the demo's portal in a process of its own, say who can sign in, and serve it."""
    from openceir.cli.serve import serve

    home = folder.absolute() / "home"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENCEIR_", "DJANGO_"))}
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "openceir.portal.demonstration", str(home)],
        stdout=subprocess.PIPE, text=True, env=environment, check=False,
    )  # fmt: skip
    if done.returncode:
        raise click.ClickException("the demo's portal could not be filled; the reason stands above")
    told = json.loads(done.stdout)
    click.echo(
        f"\nThe portal of Exampleland: http://127.0.0.1:{port}/account/login/   password of all: {told['password']}"
    )
    for account in told["accounts"]:
        click.echo(f"  {account['name']:<6}{account['role']:<22}http://127.0.0.1:{port}{account['first']}")
    click.echo(f"Second factor: `openceir demo {folder} --code`, or put {told['totp_secret']} into your app.\n")
    os.environ |= {"OPENCEIR_PORTAL_MAIL_SERVER": "folder", "OPENCEIR_PORTAL_MAIL_FROM": "register@demo.example"}
    click.echo(f"E-mail goes nowhere but into {home / 'portal' / 'mail'}.")
    ctx.obj = home
    ctx.invoke(serve, host="127.0.0.1", port=port)
