"""The options of `openceir eir serve` that concern 5G cores, and what they amount to."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import click

from openceir.eir.decision import DecisionPolicy
from openceir.eir.n5g import N5gOptions, TokenOptions, read_instance_id
from openceir.eir.n5g_processes import TlsFiles
from openceir.eir.n5g_serve import N5gServing, NrfOptions
from openceir.storage.files import replace_file

__all__ = ["n5g_options", "n5g_serving"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_PLMN = re.compile(r"([0-9]{3})-?([0-9]{2,3})")
Command = TypeVar("Command", bound=Callable[..., object])

_OPTIONS = (
    click.option("--n5g", metavar="HOST:PORT", help="Serve N5g-eir over HTTP/2 in cleartext, with prior knowledge."),
    click.option("--n5g-tls", metavar="HOST:PORT", help="Serve N5g-eir over TLS; consumers show certificates too."),
    click.option(
        "--n5g-processes",
        type=click.IntRange(1, 64),
        default=1,
        show_default=True,
        help="How many processes answer 5G cores; they share sockets and list.",
    ),
    click.option("--n5g-instance", metavar="UUID", help="Our NF instance id; one is made and kept when left out."),
    click.option("--n5g-prefix", default="", metavar="/PATH", help="What stands in the URI before /n5g-eir-eic."),
    click.option(
        "--n5g-token-key",
        type=_FILE,
        multiple=True,
        metavar="PEM",
        help="Ask for access tokens, signed with this key or certificate of an NRF; may be given again.",
    ),
    click.option(
        "--n5g-token-issuer",
        multiple=True,
        metavar="ID",
        help="Take tokens of this NRF instance only; may be given again.",
    ),
    click.option(
        "--n5g-fqdn", default="", metavar="NAME", help="The name by which consumers find us, told to the NRF."
    ),
    click.option("--nrf", metavar="URL", help="Register at this NRF, such as http://nrf.5gc.example:8000."),
    click.option("--nrf-ca", type=_FILE, metavar="PEM", help="Who signed the NRF's certificate."),
    click.option(
        "--plmn",
        "plmns",
        multiple=True,
        metavar="MCC-MNC",
        help="A network we serve, told to the NRF; may be given again.",
    ),
)


def n5g_options(command: Command) -> Command:
    """Give a command these options; it takes them as keywords and hands them to `n5g_serving`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def n5g_serving(
    home: Path, policy: DecisionPolicy, tls: tuple[Path | None, Path | None, Path | None], given: dict[str, Any]
) -> N5gServing | None:
    """What to serve to 5G cores; None when no address was given for it. `tls`: certificate, key, authorities."""
    if given["n5g"] is None and given["n5g_tls"] is None:
        said = next((name for name in ("nrf", "plmns", "n5g_token_key", "n5g_instance") if given[name]), None)
        if said is not None:
            raise click.UsageError(f"--{said.replace('_', '-').replace('plmns', 'plmn')} needs --n5g or --n5g-tls")
        return None
    files = None
    if given["n5g_tls"] is not None:
        certificate, key, authorities = tls
        if certificate is None or key is None or authorities is None:
            raise click.UsageError("--n5g-tls needs all of --tls-cert, --tls-key and --tls-ca")
        files = TlsFiles(certificate=certificate, key=key, authorities=authorities)
    prefix: str = given["n5g_prefix"].rstrip("/")
    if prefix and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", prefix):
        raise click.UsageError(f"--n5g-prefix is {prefix!r}, expected path segments such as /eir-a")
    keys = tuple((path.name, path.read_bytes()) for path in given["n5g_token_key"])
    if given["n5g_token_issuer"] and not keys:
        raise click.UsageError("--n5g-token-issuer needs --n5g-token-key: a name alone proves nothing")
    options = N5gOptions(
        instance_id=_instance(given["n5g_instance"], home),
        policy=policy.of("n5g"),
        api_prefix=prefix,
        tokens=TokenOptions(keys=keys, issuers=given["n5g_token_issuer"]) if keys else None,
    )
    nrf = None
    if given["nrf"]:
        nrf = NrfOptions(
            address=given["nrf"],
            fqdn=given["n5g_fqdn"],
            plmns=tuple(_plmn(each) for each in given["plmns"]),
            authorities=given["nrf_ca"],
        )
    return N5gServing(
        options=options,
        clear=_address("--n5g", given["n5g"]),
        encrypted=_address("--n5g-tls", given["n5g_tls"]),
        tls=files,
        processes=given["n5g_processes"],
        nrf=nrf,
    )


def _instance(given: str | None, home: Path) -> UUID:
    """The NF instance id: an NRF and its tokens know us by it, so it outlives restarts."""
    if given:
        return read_instance_id(given)
    kept = home / "eir" / "n5g-instance"
    if kept.exists():
        return read_instance_id(kept.read_text("ascii", "replace").strip())
    made = uuid4()
    replace_file(kept, f"{made}\n".encode())
    return made


def _address(option: str, text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise click.UsageError(f"{option} is {text!r}, expected HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _plmn(text: str) -> tuple[str, str]:
    found = _PLMN.fullmatch(text)
    if found is None:
        raise click.UsageError(f"--plmn is {text!r}, expected MCC-MNC such as 001-01")
    return found[1], found[2]
