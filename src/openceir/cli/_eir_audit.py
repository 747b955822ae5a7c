"""`openceir eir audit` and `openceir eir audit-verify`."""

import json
import ssl
from contextlib import closing
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from openceir import clock
from openceir.app import open_register
from openceir.eir.audit import Asked, Found, compare_lists, draw_sample, probe_all, read_audit, write_audit
from openceir.eir.index import Index, Overlay, folded, open_index
from openceir.eir.probe import HttpProbe, Probe, S13Probe
from openceir.eir.source import TAKEN, build_from_lists, is_index
from openceir.identity import imei_digits, subscriber_digits
from openceir.statements import PublicKey
from openceir.storage.key_files import read_public_key, read_signing_key
from openceir.storage.list_files import ListFiles, verify_list
from openceir.wire.diameter.message import Identity

__all__ = ["audit", "audit_verify"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_MOST_QUESTIONS = 10_000


@click.command()
@click.option("--operator", required=True, metavar="ID", help="Whose EIR it is.")
@click.option(
    "--list", "lists", type=_FILE, multiple=True, help="What was ordered; this register's newest when left out."
)
@click.option("--trust", metavar="KEY", help="With --list: the public key that signs them.")
@click.option("--s13", metavar="HOST:PORT", help="Ask over Diameter, as an MME does.")
@click.option("--host", "origin_host", default="auditor.invalid", show_default=True, help="Our Origin-Host.")
@click.option("--realm", "origin_realm", default="invalid", show_default=True, help="Our Origin-Realm.")
@click.option("--eir-realm", metavar="NAME", help="The EIR's realm; needed with --s13.")
@click.option("--n5g", metavar="URL", help="Ask over HTTP, as a 5G core does, such as http://eir.example:8090.")
@click.option("--n5g-token-file", type=_FILE, help="The access token for --n5g, where the EIR asks for one.")
@click.option("--tls-cert", type=_FILE, metavar="PEM", help="Our certificate, for an EIR that is asked over TLS.")
@click.option("--tls-key", type=_FILE, metavar="PEM", help="Its key.")
@click.option("--tls-ca", type=_FILE, metavar="PEM", help="Who signed the EIR's certificate.")
@click.option("--imei", "imeis", multiple=True, help="Ask for this device's status; may be repeated.")
@click.option("--imsi", metavar="DIGITS", help="Ask for --imei with this subscriber.")
@click.option(
    "--served", type=_FILE, multiple=True, help="The whole list as the EIR has it: its index file, or its lists."
)
@click.option(
    "--sample", type=click.IntRange(0, _MOST_QUESTIONS), default=0, help="Probe with so many devices and pairs."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Which ones are drawn.")
@click.option("--rate", type=click.FloatRange(0.1, 1000), default=50.0, show_default=True, help="Questions a second.")
@click.option("--key", type=_FILE, required=True, metavar="FILE", help="The auditor's private key.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, metavar="FILE")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.pass_context
def audit(ctx: click.Context, /, operator: str, key: Path, out: Path, as_json: bool, **given: Any) -> None:
    """Find out how far an operator's EIR is from what was ordered, and write it down, signed.

    Four ways, as many at once as are given: --imei over --s13, --imei over --n5g, the whole list with --served, and a
    --sample asked over either. The report names devices, never subscribers; only counts are shown here.

    Exits 0 when all is as ordered, 3 when not.
    """
    now, signing = clock.now(), read_signing_key(key)
    asked = [Asked(_imei(text), _imsi(given["imsi"]), "named") for text in given["imeis"]]
    if (asked or given["sample"]) and not (given["s13"] or given["n5g"]):
        raise click.UsageError("say where to ask with --s13 or --n5g")
    if not (asked or given["sample"] or given["served"]):
        raise click.UsageError("say what to look at: --imei, --sample or --served")
    with TemporaryDirectory(prefix="openceir-audit-") as folder:
        paths, trust = _ordered(ctx, operator, given)
        ordered = _index_of(paths, trust, Path(folder) / "ordered.idx", now)
        found: list[Found] = []
        for method, probe in _probes(given):
            with closing(probe):
                if asked:
                    one = Found(method=method, target=probe.name)
                    found.append(probe_all(probe, asked, ordered, one, rate=given["rate"]))
                if given["sample"]:
                    drawn = draw_sample(folded(ordered, Overlay()), given["sample"], given["seed"])
                    one = Found(method="probing", target=probe.name, seed=given["seed"])
                    found.append(probe_all(probe, drawn, ordered, one, rate=given["rate"]))
        if given["served"]:
            served = _index_of(given["served"], None, Path(folder) / "served.idx", now)
            names = ", ".join(path.name for path in given["served"])
            found.append(compare_lists(ordered, served, names))
    report = write_audit(
        out, operator=operator, ordered={"sequence": ordered.sequence, "lists": _digests(paths)}, found=found,
        made_at=now, key=signing,
    )  # fmt: skip
    _show(report, out, as_json)
    ctx.exit(0 if report["agrees"] else 3)


@click.command("audit-verify")
@click.argument("file", type=_FILE)
@click.option("--trust", required=True, metavar="KEY", help="The auditor's public key: its line, or a file.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def audit_verify(file: Path, trust: str, as_json: bool) -> None:
    """Check who signed an audit's report and that nothing was altered, and say what it found."""
    _show(read_audit(file, read_public_key(trust)), file, as_json)


def _show(report: dict[str, Any], file: Path, as_json: bool) -> None:
    """Counts only: the examples stay in the file."""
    found = [{name: one[name] for name in one if name != "examples"} for one in report["found"]]
    if as_json:
        click.echo(json.dumps({**report, "found": found, "file": str(file)}))
        return
    verdict = "as ordered" if report["agrees"] else "not as ordered"
    click.echo(f"{report['operator']}, list {report['ordered']['sequence']}: {verdict}; {file}")
    for one in found:
        drifts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in one["drifts"].items() if count)
        stale = one["held_sequence"] is not None and one["held_sequence"] != one["ordered_sequence"]
        behind = f"; serves list {one['held_sequence']}" if stale else ""
        click.echo(
            f"  {one['method']:<12} {one['target']}: {one['asked']} looked at, {drifts or 'no difference'}{behind}"
        )


def _probes(given: dict[str, Any]) -> list[tuple[str, Probe]]:
    tls = None
    if given["tls_ca"] is not None:
        tls = ssl.create_default_context(cafile=str(given["tls_ca"]))
        if given["tls_cert"] is not None:
            tls.load_cert_chain(str(given["tls_cert"]), str(given["tls_key"] or given["tls_cert"]))
    probes: list[tuple[str, Probe]] = []
    if given["s13"]:
        host, _, port = given["s13"].rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            raise click.UsageError(f"--s13 is {given['s13']!r}, expected HOST:PORT")
        if not given["eir_realm"]:
            raise click.UsageError("--s13 needs --eir-realm, the realm that the EIR answers for")
        us = Identity(given["origin_host"], given["origin_realm"], product_name="openceir audit")
        probes.append(("imei-status", S13Probe(host.strip("[]"), int(port), us, given["eir_realm"], tls=tls)))
    if given["n5g"]:
        token = given["n5g_token_file"].read_text().strip() if given["n5g_token_file"] else ""
        probes.append(("http-status", HttpProbe(given["n5g"].rstrip("/"), tls=tls, token=token)))
    return probes


def _ordered(ctx: click.Context, operator: str, given: dict[str, Any]) -> tuple[tuple[Path, ...], PublicKey]:
    """The lists that were delivered to this operator last, and whose signature they bear."""
    if given["lists"]:
        if given["trust"] is None:
            raise click.UsageError("--list needs --trust: say which key signs what was ordered")
        return given["lists"], read_public_key(given["trust"])
    register = open_register(ctx.obj)
    runs = register.list_runs
    newest = [file for kind in TAKEN if (file := runs.newest(operator, kind)) is not None and file.kept]
    if not newest:
        raise click.UsageError(f"this register keeps no lists of {operator!r}; make them, or give them with --list")
    return tuple(runs.files_of(file).rows for file in newest), register.list_signer().public


def _index_of(paths: tuple[Path, ...], trust: PublicKey | None, out: Path, now: datetime) -> Index:
    if len(paths) == 1 and is_index(paths[0]):
        return open_index(paths[0], [trust] if trust else [], accept_unsigned=trust is None)
    for path in paths:
        if trust is not None:
            verify_list(ListFiles.of(path), trust)
    build_from_lists(paths, out, trust=None, key=None, as_of_on=now.date(), issued_at=now)
    return open_index(out, accept_unsigned=True)


def _digests(paths: tuple[Path, ...]) -> list[dict[str, Any]]:
    headers = [files.read_header() for path in paths if (files := ListFiles.of(path)).header.exists()]
    return [{"kind": one.kind, "sequence": one.sequence, "sha256": one.sha256} for one in headers]


def _imei(text: str) -> str:
    fourteen = imei_digits(text)
    if fourteen is None:
        raise click.UsageError(f"{text[:40]!r} is not an IMEI: 14 to 16 digits are expected")
    return fourteen


def _imsi(text: str | None) -> str:
    if text is None:
        return ""
    digits = subscriber_digits(text)
    if digits is None:
        raise click.UsageError("--imsi takes the digits of an IMSI")
    return digits
