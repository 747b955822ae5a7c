"""`openceir device`: may this device be used, and why."""

from datetime import datetime
from pathlib import Path

import click

from openceir.cli._options import Moment, as_json_option, echo_json, register_of
from openceir.clock import now
from openceir.status import Answer, History, Status, StatusError

__all__ = ["device"]

_COLOURS = {Status.PERMITTED: "green", Status.TRACKED: "yellow", Status.BLOCKED: "red", Status.UNKNOWN: "cyan"}
_LARGEST_BATCH = 1_000_000  # lines of a file


@click.group()
def device() -> None:
    """Ask whether a device may be used, and why."""


@device.command()
@click.argument("value", required=False)
@click.option("--imsi", help="Ask for this subscriber with the device. Stays out of every log and answer.")
@click.option("--at", type=Moment(), default="now", show_default=True, help="Answer as of this moment in law, UTC.")
@click.option("--known-at", type=Moment(), help="Count only what was in the log by this moment, UTC.")
@click.option(
    "--batch",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Check a file of identifiers, one a line, instead.",
)
@as_json_option
@click.pass_context
def check(
    ctx: click.Context,
    value: str | None,
    imsi: str | None,
    at: datetime,
    known_at: datetime | None,
    batch: Path | None,
    as_json: bool,
) -> None:
    """Say whether a device may be used, and which statements say so.

    VALUE is an IMEI or any identifier of `openceir identifier list`.

    \b
    Exits 0 permitted, 3 blocked, 4 tracked, 5 unknown, 2 not an identifier.
    With --batch: 0 when every line was answered, 2 when some were not identifiers.

    \b
    openceir device check 001001000000015
    openceir device check 001001000000015 --at 2027-03-01
    openceir device check --batch stock.txt --json
    """
    if (value is None) == (batch is None):
        raise click.UsageError("give one identifier, or --batch with a file of them")
    if batch is not None:
        if imsi is not None:
            raise click.UsageError("--imsi asks about one device; leave it out with --batch")
        _check_file(ctx, batch, at, known_at, as_json)
        return
    assert value is not None
    answer = register_of(ctx).check(value, at, imsi=imsi, known_at=known_at)
    if as_json:
        echo_json(answer.as_json())
    else:
        _show(answer)
    ctx.exit(answer.exit_status)


@device.command()
@click.argument("value")
@click.option("--known-at", type=Moment(), help="Count only what was in the log by this moment, UTC.")
@as_json_option
@click.pass_context
def history(ctx: click.Context, value: str, known_at: datetime | None, as_json: bool) -> None:
    """Tell everything that was said of a device, and the status it had from when to when."""
    found = register_of(ctx).history(value, known_at=known_at)
    if as_json:
        echo_json(found.as_json())
    else:
        _show_history(found)


@device.command()
@click.argument("value")
@click.option("--purpose", required=True, help="Why: a case number or order. It is recorded with your name.")
@as_json_option
@click.pass_context
def readers(ctx: click.Context, value: str, purpose: str, as_json: bool) -> None:
    """Tell who looked at a device's subscribers, when and why. This look is recorded as well."""
    register = register_of(ctx)
    key = register.inquiries.device_key(value)
    found = []
    if key is not None:
        register.read_audit.record(at=now(), reader="command line", role="local", device=key, purpose=purpose)
        found = list(register.read_audit.reads(key))
    if as_json:
        echo_json(
            [
                {
                    "at": f"{read.at:%Y-%m-%dT%H:%M:%SZ}",
                    "reader": read.reader,
                    "role": read.role,
                    "purpose": read.purpose,
                }
                for read in found
            ]
        )
        return
    for read in found:
        click.echo(f"{read.at:%Y-%m-%d %H:%M}  {read.reader} ({read.role}): {read.purpose}")


def _show(answer: Answer) -> None:
    """The verdict's word first, then why, then what to do, then how to check us."""
    who = " for the asked subscriber" if answer.for_pair else ""
    click.echo(
        click.style(answer.status.upper(), fg=_COLOURS[answer.status], bold=True) + who + f"  {answer.canonical}"
    )
    click.echo(answer.headline)
    if answer.model is not None:
        click.echo(f"On record as: {_model_line(answer)}")
    for finding in answer.findings:
        click.echo(f"Note: {finding['sentence']}")
    if answer.reasons:
        click.echo("\nWhy")
    for reason in answer.reasons:
        mark = "*" if reason.decides else "-"
        click.echo(f"  {mark} {reason.sentence}" + (" Disputed." if reason.disputed else ""))
        for sentence in (reason.evidence or {}).get("says", ()):
            click.echo(f"      {sentence}")
        click.echo(f"      statement {reason.statement}, leaf {reason.leaf_hash.hex()[:16]}…")
    click.echo("\nWhat you can do")
    for step in answer.next_steps:
        click.echo(f"  {step}")
    if answer.other_identifiers:
        click.echo("\nOther identifiers of this device")
        for other in answer.other_identifiers:
            click.echo(f"  {other['scheme']} {other['value']}")
    known = f", counting what was known at {answer.known_at:%Y-%m-%d %H:%M}" if answer.known_at else ""
    click.echo(f"\nAs of {answer.at:%Y-%m-%d %H:%M} UTC{known}; {answer.log_size} statements in the book.")
    if answer.reasons:
        click.echo(f"Proof: {answer.reasons[0].receipt_command}")


def _model_line(answer: Answer) -> str:
    assert answer.model is not None
    return " ".join(str(answer.model[part]) for part in ("manufacturer", "brand", "model") if answer.model.get(part))


def _show_history(found: History) -> None:
    click.echo(f"{found.scheme} {found.canonical}")
    click.echo("\nStatus")
    for period in found.periods:
        since = f"{period.since:%Y-%m-%d %H:%M}" if period.since else "from the start "
        status = period.answer.status
        click.echo(f"  {since:<16}  {click.style(f'{status:<9}', fg=_COLOURS[status])}  {period.answer.headline}")
    click.echo("\nStatements, in the order of the book")
    if not found.words:
        click.echo("  none")
    for word in found.words:
        click.echo(f"  {word.statement:>6}  {word.sentence}")
        click.echo(f"          logged {word.logged_at:%Y-%m-%d %H:%M}, leaf {word.leaf_hash.hex()[:16]}…")


def _check_file(ctx: click.Context, path: Path, at: datetime, known_at: datetime | None, as_json: bool) -> None:
    """A line out for each line in: identifier, status, headline; or identifier, error code, sentence."""
    values = _read_lines(path)
    answers = register_of(ctx).check_many(values, at, known_at=known_at)
    refused = 0
    rows = []
    for value, answer in zip(values, answers, strict=True):
        if isinstance(answer, Answer):
            rows.append((value, str(answer.status), answer.headline, answer.as_json()))
        else:
            refused += 1
            rows.append((value, answer.code, str(answer), {"value": value, "code": answer.code, "detail": str(answer)}))
    if as_json:
        echo_json([row[3] for row in rows])
    else:
        for value, word, sentence, _ in rows:
            click.echo(f"{value}\t{word}\t{sentence}")
    ctx.exit(2 if refused else 0)


def _read_lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as wrong:
        raise BatchRefused(f"{path} cannot be read as a text file in UTF-8: {wrong}") from wrong
    values = [line.strip() for line in lines if line.strip()]
    if len(values) > _LARGEST_BATCH:
        raise BatchRefused(f"{path} has {len(values)} lines, at most {_LARGEST_BATCH} are checked at once; split it")
    return values


class BatchRefused(StatusError):
    """A file of identifiers cannot be read."""

    code = "batch-refused"
