"""`openceir serve`: answer over HTTP."""

import os
from pathlib import Path

import click

from openceir.settings import load_settings

__all__ = ["serve"]


@click.command()
@click.option("--host", help="Listen on this address instead of the setting's.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen on this port instead of the setting's.")
@click.pass_context
def serve(ctx: click.Context, host: str | None, port: int | None) -> None:
    """Answer over HTTP until stopped. Starts without any file; settings are in `openceir config show`.

    \b
    curl http://127.0.0.1:8073/v1/identifiers/001001000000015
    curl http://127.0.0.1:8073/openapi.json
    """
    assert isinstance(ctx.obj, Path)
    settings, _ = load_settings(ctx.obj, os.environ)
    # Each worker is a process of its own and finds the register by the environment.
    os.environ["OPENCEIR_HOME"] = str(ctx.obj.absolute())
    from granian import Granian  # a server only for this command
    from granian.constants import Interfaces

    address, listening = host or settings.http_host, settings.http_port if port is None else port
    click.echo(f"openceir answers at http://{address}:{listening}/ from {ctx.obj}; stop it with Ctrl-C", err=True)
    Granian(
        "openceir.http:load_application",
        factory=True,
        interface=Interfaces.WSGI,
        address=address,
        port=listening,
        workers=settings.http_workers,
        # two, so that one long read does not hold up the answers; each opens the register for itself
        blocking_threads=2,
        websockets=False,
        log_access=False,  # its access log would print paths, and paths name devices
    ).serve()
