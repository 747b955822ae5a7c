"""`openceir eir`: the operators' counter."""

import asyncio
import json
import socket
from collections.abc import Coroutine
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import click

from openceir import clock
from openceir.cli._eir_audit import audit, audit_verify
from openceir.cli._eir_centre import centre_options, centre_serving, pull
from openceir.cli._eir_map_gsup import map_gsup_options, map_gsup_serving
from openceir.cli._eir_n5g import n5g_options, n5g_serving
from openceir.eir import Decider, DecisionPolicy, Overlay, open_index, read_policy
from openceir.eir.attributes import Status
from openceir.eir.decision import DECISIONS
from openceir.eir.diameter import ServerOptions, tls_context
from openceir.eir.follow import followed
from openceir.eir.index import Index
from openceir.eir.log import log_to_stderr
from openceir.eir.peers import ANYBODY, read_peers
from openceir.eir.serve import Addresses, ListSource, check_files, serve
from openceir.eir.source import build_from_lists, is_index
from openceir.identity import device_key_of_imei, imei_digits, subscriber_digits, subscriber_key
from openceir.statements import PublicKey
from openceir.storage.key_files import read_public_key, read_signing_key
from openceir.wire.diameter.message import Identity
from openceir.wire.diameter.peer import Limits

__all__ = ["eir"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_LIST_OPTION: dict[str, Any] = {
    "type": _FILE,
    "multiple": True,
    "metavar": "FILE",
    "help": "An index file, or a list of the register (blocklist, blockranges, pairblocks, exceptions); lists may be many.",
}
_lists = click.option("--list", "lists", required=True, **_LIST_OPTION)
_trust = click.option(
    "--trust",
    metavar="KEY",
    help="The public key that signs the lists or the index: its line, or a file that holds it.",
)
_unsigned = click.option(
    "--accept-unsigned", is_flag=True, help="Believe the files as they lie there; for trials and tests."
)
_policy = click.option("--policy", type=_FILE, metavar="TOML", help="Order of decision and answers per interface.")
_as_json = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


@click.group()
def eir() -> None:
    """Answer networks that ask whether a device may attach."""


eir.add_command(pull)
eir.add_command(audit)
eir.add_command(audit_verify)


@eir.command("serve")
@click.option("--list", "lists", **_LIST_OPTION)
@_trust
@_unsigned
@_policy
@click.option("--host", "origin_host", metavar="NAME", help="Our Origin-Host; this machine's full name when left out.")
@click.option("--realm", "origin_realm", metavar="NAME", help="Our Origin-Realm; the host's domain when left out.")
@click.option(
    "--also-realm", "realms", multiple=True, metavar="NAME", help="A further Destination-Realm to answer for."
)
@click.option("--peers", type=_FILE, metavar="TOML", help="Who may connect; anybody when left out.")
@click.option("--listen", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=3868, show_default=True, help="For TCP, and SCTP.")
@click.option("--sctp", is_flag=True, help="Listen on SCTP too; the kernel must have it.")
@click.option(
    "--tls-cert", type=_FILE, metavar="PEM", help="Our certificate: TLS from the first octet, both sides shown."
)
@click.option("--tls-key", type=_FILE, metavar="PEM", help="Its key.")
@click.option("--tls-ca", type=_FILE, metavar="PEM", help="Who may have signed a peer's certificate.")
@click.option("--tls-port", type=click.IntRange(0, 65535), default=5658, show_default=True)
@click.option(
    "--pages",
    default="127.0.0.1:9868",
    show_default=True,
    metavar="HOST:PORT",
    help="Metrics and health; `off` for none.",
)
@click.option(
    "--records", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Append one record a check."
)
@click.option(
    "--watchdog",
    type=click.FloatRange(min=6),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="Tw of RFC 3539.",
)
@centre_options
@n5g_options
@map_gsup_options
@click.pass_context
def serve_command(
    ctx: click.Context,
    /,
    lists: tuple[Path, ...],
    trust: str | None,
    accept_unsigned: bool,
    policy: Path | None,
    origin_host: str | None,
    origin_realm: str | None,
    realms: tuple[str, ...],
    peers: Path | None,
    listen: str,
    port: int,
    sctp: bool,
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_ca: Path | None,
    tls_port: int,
    pages: str,
    records: Path | None,
    watchdog: float,
    **of_others: Any,
) -> None:
    """Serve S13 and S13' over Diameter until told to stop; N5g-eir, MAP and GSUP too when given addresses for them.

    The list is watched and swapped without a pause; SIGHUP looks at once, SIGTERM says goodbye to every peer.
    What happens is logged to standard error, one line of JSON an event; no device and no subscriber stands in it.
    """
    tls = None
    if tls_cert or tls_key or tls_ca:
        if not (tls_cert and tls_key and tls_ca):
            raise click.UsageError("TLS needs all of --tls-cert, --tls-key and --tls-ca")
        tls = tls_context(str(tls_cert), str(tls_key), str(tls_ca))
    check_files(lists)
    home: Path = ctx.obj
    believed = _trusted(trust, accept_unsigned)
    centre = centre_serving(home, believed, records, of_others)
    if (centre is None) == (not lists):
        raise click.UsageError("say what to answer from: either --list FILE, or --centre URL")
    choices = _policy_of(policy)
    now = clock.now()
    options = ServerOptions(
        identity=_identity(origin_host, origin_realm, state_id=int(now.timestamp())),
        realms=realms,
        peers=read_peers(peers.read_text("utf-8"), peers.name) if peers else ANYBODY,
        limits=Limits(watchdog_s=watchdog),
        policy=choices.of("s13"),
    )
    pages_host, pages_port = _pages_of(pages)
    addresses = Addresses(
        host=listen, port=port, sctp=sctp, tls=tls, tls_port=tls_port, pages_host=pages_host, pages_port=pages_port
    )
    n5g = n5g_serving(home, choices, (tls_cert, tls_key, tls_ca), of_others)
    older = map_gsup_serving(choices, of_others)
    with followed(centre, clock.now, log_to_stderr) if centre else nullcontext() as index:
        # what the follower made was made from lists that it verified: it needs no signature
        source = ListSource(
            files=lists if index is None else (index,),
            trust=believed if index is None else None,
            cache=home / "eir" / "served.idx",
        )
        _run(serve(source, choices, options, addresses, clock.now, records=records, n5g=n5g, map_gsup=older))


def _identity(host: str | None, realm: str | None, *, state_id: int) -> Identity:
    """Who we are to peers: what was said, else this machine's name and its domain (RFC 6733 §4.3.1)."""
    host = host or socket.getfqdn()
    return Identity(host, realm or host.partition(".")[2] or host, origin_state_id=state_id)


@eir.command("build-index")
@_lists
@_trust
@_unsigned
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, metavar="FILE")
@click.option("--key", type=_FILE, metavar="FILE", help="Sign the index with this private key.")
@click.option(
    "--as-of", "as_of", metavar="DAY", default="today", show_default=True, help="Blocks of later days are TRACKED."
)
@_as_json
def build_index(
    lists: tuple[Path, ...],
    trust: str | None,
    accept_unsigned: bool,
    out: Path,
    key: Path | None,
    as_of: str,
    as_json: bool,
) -> None:
    """Make one index file of the register's lists; all EIRs of an operator can serve from the same file."""
    built = build_from_lists(
        lists,
        out,
        trust=_trusted(trust, accept_unsigned),
        key=read_signing_key(key) if key else None,
        as_of_on=_day(as_of),
        issued_at=clock.now(),
    )
    facts = {
        "file": str(out),
        "octets": out.stat().st_size,
        "sequence": built.sequence,
        "devices": built.devices,
        "ranges": built.ranges,
        "pairs": built.pairs,
        "left_out": built.left_out,
        "signed": key is not None,
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo(
        f"{out}: {built.devices:,} devices, {built.ranges:,} ranges, {built.pairs:,} pairs, sequence {built.sequence}, "
        f"{facts['octets']:,} octets, {'signed' if key else 'not signed'}"
    )
    if built.left_out:
        click.echo(f"{built.left_out:,} rows were left out: no network can ask with what stands there")


@eir.command("check")
@click.argument("imei")
@_lists
@_trust
@_unsigned
@_policy
@click.option("--imsi", metavar="DIGITS", help="The subscriber who uses it.")
@click.option("--svn", type=click.IntRange(0, 99), help="The software version number.")
@_as_json
@click.pass_context
def check(
    ctx: click.Context,
    imei: str,
    lists: tuple[Path, ...],
    trust: str | None,
    accept_unsigned: bool,
    policy: Path | None,
    imsi: str | None,
    svn: int | None,
    as_json: bool,
) -> None:
    """Say what the EIR would answer for IMEI, and what each step of its order says.

    Exits 0 permitted, 3 blocked, 4 tracked, 5 unknown, 2 not an IMEI.
    """
    fourteen = imei_digits(imei)
    if fourteen is None:
        raise click.UsageError(f"{imei[:40]!r} is not an IMEI: 14 to 16 digits are expected")
    device = device_key_of_imei(fourteen)
    digits = subscriber_digits(imsi) if imsi else None
    if imsi and digits is None:
        raise click.UsageError("--imsi takes the digits of an IMSI")
    index = _open(ctx, lists, _trusted(trust, accept_unsigned))
    decider = Decider(index, Overlay(), _policy_of(policy))
    asked = (device, subscriber_key(digits) if digits else 0, -1 if svn is None else svn)
    decision = DECISIONS[decider.decide(*asked)]
    steps = {step.name.lower(): said for step, said in decider.explain(*asked)}
    if as_json:
        click.echo(
            json.dumps(
                {
                    "status": decision.status.name,
                    "decided_by": decision.step.name.lower(),
                    "reason": _reason(index, decision.reason) if decision.status else None,
                    "black_but_allowed": decision.black_but_allowed,
                    "sequence": index.sequence,
                    "steps": {name: said.status.name if said else None for name, said in steps.items()},
                }
            )
        )
    else:
        click.echo(f"{decision.status.name}, decided by {decision.step.name.lower()}, list {index.sequence}")
        for name, said in steps.items():
            word = f"{said.status.name} ({_reason(index, said.reason)})" if said else "says nothing"
            click.echo(f"  {name:17} {word}")
    ctx.exit({Status.PERMITTED: 0, Status.BLOCKED: 3, Status.TRACKED: 4, Status.UNKNOWN: 5}[decision.status])


def _reason(index: Index, number: int) -> str:
    return index.reasons[number] if number < len(index.reasons) else f"class {number}"


def _open(ctx: click.Context, lists: tuple[Path, ...], trust: PublicKey | None) -> Index:
    check_files(lists)
    if is_index(lists[0]):
        return open_index(lists[0], [trust] if trust else [], accept_unsigned=trust is None)
    home: Path = ctx.obj
    source = ListSource(files=lists, trust=trust, cache=home / "eir" / "checked.idx")
    return source.open(source.build(clock.now()))


def _trusted(trust: str | None, accept_unsigned: bool) -> PublicKey | None:
    """The key to trust; None only when that was said in words."""
    if trust is not None:
        return read_public_key(trust)
    if not accept_unsigned:
        raise click.UsageError("say whose signature to trust with --trust KEY, or --accept-unsigned for a trial")
    return None


def _policy_of(path: Path | None) -> DecisionPolicy:
    return read_policy(path.read_text("utf-8"), path.name) if path else DecisionPolicy()


def _pages_of(text: str) -> tuple[str, int | None]:
    if text == "off":
        return "127.0.0.1", None
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise click.UsageError(f"--pages is {text!r}, expected HOST:PORT or off")
    return host, int(port)


def _day(text: str) -> date:
    try:
        return clock.parse_day(text)
    except ValueError:
        raise click.UsageError(f"--as-of is {text!r}, expected YYYY-MM-DD") from None


def _run(work: Coroutine[object, object, None]) -> None:
    """Run on uvloop where it is installed (`pip install openceir[eir]`), else on asyncio's own loop."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)
