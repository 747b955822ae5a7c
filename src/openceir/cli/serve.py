"""`openceir serve`: answer over HTTP, and open the portal."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path

import click

from openceir.settings import Settings, load_settings

__all__ = ["serve"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--host", help="Listen on this address instead of the setting's.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen on this port instead of the setting's.")
@click.option("--operators", is_flag=True, help="Open the operators' door instead of the public one; it needs TLS.")
@click.option("--federation", is_flag=True, help="Open the door for other nations' registers instead; it needs TLS.")
@click.option("--tls-cert", type=_FILE, metavar="PEM", help="Our certificate: answer over TLS.")
@click.option("--tls-key", type=_FILE, metavar="PEM", help="Its key.")
@click.option("--tls-ca", type=_FILE, metavar="PEM", help="Who signed the certificates that clients must show.")
@click.pass_context
def serve(
    ctx: click.Context,
    host: str | None,
    port: int | None,
    operators: bool,
    federation: bool,
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_ca: Path | None,
) -> None:
    """Open the portal and answer over HTTP until stopped. Starts without any file; settings: `openceir config show`.

    The portal is at the same address, and a worker that keeps its deadlines runs beside it.

    \b
    curl http://127.0.0.1:8073/v1/identifiers/001001000000015
    curl http://127.0.0.1:8073/openapi.json

    With --operators, operators' EIRs fetch their lists instead: over TLS with certificates on both sides, port 8074. A
    process beside makes new lists soon after statements change them (setting http.make_lists).
    With --federation, other members of the federation fetch our log: over TLS with certificates on both sides, port 8075.
    """
    assert isinstance(ctx.obj, Path)
    if (tls_cert is None) != (tls_key is None) or (tls_ca is not None and tls_cert is None):
        raise click.UsageError("TLS needs --tls-cert and --tls-key, and --tls-ca goes with both")
    if operators and federation:
        raise click.UsageError("one process opens one door: --operators or --federation")
    if (operators or federation) and tls_ca is None:
        raise click.UsageError("that door needs all of --tls-cert, --tls-key and --tls-ca")
    settings, _ = load_settings(ctx.obj, os.environ)
    if federation:
        usual = settings.http_federation_port
    else:
        usual = settings.http_operators_port if operators else settings.http_port
    address, listening = host or settings.http_host, usual if port is None else port
    scheme = "http" if tls_cert is None else "https"

    def say_where() -> None:
        click.echo(
            f"openceir answers at {scheme}://{address}:{listening}/ from {ctx.obj}; stop it with Ctrl-C", err=True
        )

    if operators:
        pem = [path for path in (tls_cert, tls_key, tls_ca) if path is not None]
        _serve_operators(ctx.obj, settings, pem, address, listening, say_where)
        return
    # Each worker is a process of its own and finds the register by the environment.
    os.environ["OPENCEIR_HOME"] = str(ctx.obj.absolute())
    from granian import Granian  # a server only for this command
    from granian.constants import Interfaces, SSLProtocols

    has_portal = not federation and _portal_is_installed()
    if not federation and not has_portal:
        click.echo("openceir: the portal is not installed and stays closed: pip install 'openceir[portal]'", err=True)
    with _portal(ctx.obj) if has_portal else nullcontext():
        say_where()
        Granian(
            _APPLICATIONS["federation" if federation else "portal" if has_portal else "register"],
            factory=True,
            interface=Interfaces.WSGI,
            address=address,
            port=listening,
            workers=settings.http_workers,
            # two, so that one long read does not hold up the answers; each opens the register when it is first used
            blocking_threads=2,
            workers_kill_timeout=3 if federation else None,
            ssl_cert=tls_cert,
            ssl_key=tls_key,
            ssl_ca=tls_ca,
            ssl_client_verify=tls_ca is not None,
            ssl_protocol_min=SSLProtocols.tls12,  # 3GPP TS 33.210 still has peers of 1.2; nothing older
            websockets=False,
            log_access=False,  # its access log would print paths, and paths name devices
        ).serve()


_APPLICATIONS = {
    "federation": "openceir.http:load_federation_application",
    "portal": "openceir.portal.application:load_application",
    "register": "openceir.http:load_application",
}


def _serve_operators(
    home: Path,
    settings: Settings,
    pem: Sequence[Path],
    address: str,
    port: int,
    say_where: Callable[[], None],
) -> None:
    """Open the operators' door, and have lists made by themselves beside it."""
    from openceir.http import lists_made_beside, serve_operators, tls_with_certificates

    try:
        tls = tls_with_certificates(*pem)
    except OSError as wrong:  # ssl.SSLError is one
        raise click.UsageError(f"certificate, key or authorities cannot be used: {wrong}") from None
    beside = lists_made_beside(home.absolute(), settings.log_format) if settings.http_make_lists else nullcontext()
    with beside:
        try:
            serve_operators(home.absolute(), settings, tls, address, port, say_where)
        except OSError as wrong:
            raise click.UsageError(f"{address}:{port} cannot be listened on: {wrong.strerror}") from None


def _portal_is_installed() -> bool:
    return all(find_spec(package) is not None for package in ("django", "allauth", "django_tasks_db"))


@contextmanager
def _portal(home: Path) -> Iterator[None]:
    """The portal's tables and secret made, and its worker running beside."""
    from openceir.portal.beside import worker_beside
    from openceir.portal.counters import count_in, drop_dead
    from openceir.portal.prepare import prepare

    drop_dead(home)
    count_in(home)  # also for the processes that the server forks
    prepare(home)
    with worker_beside(home):
        yield
