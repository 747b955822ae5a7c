"""`openceir sms`: the link to a message centre."""

import asyncio
import signal
from importlib.util import find_spec
from pathlib import Path

import click

__all__ = ["sms"]


@click.group()
def sms() -> None:
    """Answer SMS and USSD over SMPP. Gateways that speak HTTP need only `openceir serve`."""


@sms.command()
@click.option("--smsc", required=True, metavar="HOST:PORT", help="The message centre.")
@click.option("--system-id", required=True, help="Our name there, at most 15 characters.")
@click.option(
    "--password-file", required=True, metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Holds our password there, at most 8 characters; mode 0600.",
)  # fmt: skip
@click.option("--system-type", default="", help="What the centre wants to hear as system_type.")
@click.pass_context
def serve(ctx: click.Context, smsc: str, system_id: str, password_file: Path, system_type: str) -> None:
    """Bind to a message centre and answer what it delivers, until stopped. A process of its own beside `openceir serve`.

    SMPP has no encryption: keep the link inside a private network or a tunnel.
    """
    if any(find_spec(package) is None for package in ("aiosmpplib", "django", "allauth")):
        raise click.UsageError("SMPP needs more packages: pip install 'openceir[portal,sms]'")
    host, colon, port = smsc.rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) < 65536:
        raise click.UsageError(f'"{smsc}" is no HOST:PORT, such as 192.0.2.10:2775')
    assert isinstance(ctx.obj, Path)
    from openceir.portal.channels.smpp import Centre, Link  # loads asyncio's servers and the library
    from openceir.portal.counters import count_in
    from openceir.portal.prepare import prepare

    password = password_file.read_text("utf-8").strip()
    if not 1 <= len(system_id) <= 15 or len(password) > 8 or not password.isascii():
        raise click.UsageError("SMPP takes a system id of 1 to 15 characters and a password of at most 8, in ASCII")
    count_in(ctx.obj)
    prepare(ctx.obj)
    from openceir.portal.channels.link_answers import DeskAnswers

    centre = Centre(
        host=host.strip("[]"), port=int(port), system_id=system_id, password=password, system_type=system_type
    )

    async def run() -> None:
        link = Link(centre, DeskAnswers())
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, link.stop)
        await link.run()

    click.echo(f"openceir binds to {smsc} as {system_id}; stop it with Ctrl-C", err=True)
    asyncio.run(run())
