"""`openceir detection`: measure the lake, judge the rules, adopt what they propose, explain and replay it."""

from datetime import date, datetime
from typing import Any

import click

from openceir.app import Register
from openceir.cli._options import Day, Moment, as_json_option, echo_json, register_of
from openceir.cli._progress import ShownProgress
from openceir.detection import EvidenceRow, conditions, explain
from openceir.detection.page import format_page
from openceir.identity import format_device_key, imei_digits, malformed_text
from openceir.storage.evidence import DetectionRun

__all__ = ["detection"]

_MOST_SHOWN = 20


@click.group()
def detection() -> None:
    """Find cloned, tampered and unregistered devices; propose verdicts.

    A run judges every rule of the policy over what networks saw and what lists say. It proposes; nothing changes for
    any device until a regulator's key signs the proposals (--adopt).
    """


@detection.command()
@click.option("--as-of", "as_of_on", type=Day(), help="Judge as of this day; the newest day of data unless given.")
@click.option("--rules", "only", help="Judge only these rules, separated by commas; the others stay as they are.")
@click.option("--adopt", is_flag=True, help="Sign the proposals at once; needs --by.")
@click.option("--by", metavar="MEMBER", help="The key, or the member, that signs: a regulator.")
@click.option("--at", type=Moment(), default="now", show_default=True, help="The moment at which lists are read, UTC.")
@as_json_option
@click.pass_context
def run(
    ctx: click.Context,
    as_of_on: date | None,
    only: str | None,
    adopt: bool,
    by: str | None,
    at: datetime,
    as_json: bool,
) -> None:
    """Judge the rules and keep what they propose.

    \b
    openceir detection run
    openceir detection run --as-of 2026-10-31 --rules stolen,many_subscriptions
    openceir detection run --adopt --by regulator
    """
    if adopt and by is None:
        raise click.UsageError("--adopt needs --by: whose key signs the proposals?")
    register = register_of(ctx)
    labels = tuple(label.strip() for label in only.split(",")) if only is not None else ()
    with ShownProgress("detection") as progress:
        made = register.detect(as_of_on, at=at, only_rules=labels, progress=progress)
    entries = register.adopt(made.number, by=by, at=at) if adopt and by is not None else []
    if as_json:
        echo_json(made.summary() | {"statements": [entry.index for entry in entries]})
        return
    _show_run(made)
    if not made.proposals:
        click.echo("the policy has no rules yet; openceir policy example prints some to begin with")
    elif adopt:
        click.echo(f"signed by {by}: {len(entries)} statements")
    else:
        click.echo(f"nothing counts yet; to sign it: openceir detection adopt {made.number} --by MEMBER")


@detection.command()
@click.argument("number", metavar="RUN", type=int)
@click.option("--by", metavar="MEMBER", required=True, help="The key, or the member, that signs: a regulator.")
@click.option("--at", type=Moment(), default="now", show_default=True, help="The moment of signing, UTC.")
@as_json_option
@click.pass_context
def adopt(ctx: click.Context, number: int, by: str, at: datetime, as_json: bool) -> None:
    """Sign what RUN proposed: one statement a rule, all of them or none.

    Rules that matched more devices than their safety ratio allows are left out.
    """
    entries = register_of(ctx).adopt(number, by=by, at=at)
    if as_json:
        echo_json({"run": number, "statements": [entry.index for entry in entries]})
    else:
        click.echo(f"run {number}, signed by {by}: {len(entries)} statements")


@detection.command()
@click.argument("number", metavar="RUN", type=int)
@click.option("--rule", help="Show the devices of this rule.")
@as_json_option
@click.pass_context
def show(ctx: click.Context, number: int, rule: str | None, as_json: bool) -> None:
    """Show what RUN proposed, rule by rule; with --rule the devices that are new, cleared and changed."""
    register = register_of(ctx)
    kept = register.detection_runs.run(number)
    if rule is None:
        echo_json(kept.summary()) if as_json else _show_run(kept)
        return
    found = [one for one in register.detection_runs.proposals_of(kept) if one.rule.label == rule]
    if not found:
        raise click.BadParameter(f"run {number} has no rule {rule}", param_hint="--rule")
    columns = {
        "matched": found[0].matched.tolist(),
        "cleared": found[0].cleared.tolist(),
        "changed": [device for change in found[0].changed for device in change.devices.tolist()],
    }
    said = {name: [_device_text(register, key) for key in keys] for name, keys in columns.items()}
    if as_json:
        echo_json({"run": number, "rule": rule, **said})
        return
    for name, texts in said.items():
        click.echo(f"{name}: {len(texts)}")
        for text in texts[:_MOST_SHOWN]:
            click.echo(f"  {text}")
        if len(texts) > _MOST_SHOWN:
            click.echo(f"  … and {len(texts) - _MOST_SHOWN} more; --json gives all")


@detection.command()
@as_json_option
@click.pass_context
def runs(ctx: click.Context, as_json: bool) -> None:
    """List the runs that were made, newest first."""
    found = register_of(ctx).detection_runs.runs()
    if as_json:
        echo_json([one.summary() for one in found])
        return
    if not found:
        click.echo("no run was made yet; openceir detection run makes one")
    for one in found:
        new = sum(proposal["matched"] for proposal in one.proposals)
        adopted = f"adopted {one.adopted_at:%Y-%m-%d %H:%M}" if one.adopted_at else "not adopted"
        click.echo(f"{one.number:>5}  as of {one.as_of_on}  {new:>8,} new hits  {adopted}")


@detection.command("explain")
@click.argument("imei")
@as_json_option
@click.pass_context
def explain_(ctx: click.Context, imei: str, as_json: bool) -> None:
    """Say in plain words what was found on a device, by which limits, and who set them."""
    register = register_of(ctx)
    digits = imei_digits(imei)
    key = int(digits) if digits else register.identifiers.find("malformed", malformed_text(imei))
    rows = register.detection_runs.evidence_for(key) if key is not None else []
    if as_json:
        echo_json([_evidence(row) for row in rows])
        return
    if not rows:
        click.echo("no rule has ever matched this device")
    for row in rows:
        click.echo(f"{row.header['rule']}, as of {row.header['as_of_on']}: {row.header['reason']}")
        for sentence in explain(row):
            click.echo(f"  {sentence}")


@detection.command()
@click.argument("number", metavar="RUN", type=int)
@as_json_option
@click.pass_context
def replay(ctx: click.Context, number: int, as_json: bool) -> None:
    """Judge again what RUN judged, with its own policy and lists, and compare every verdict and its evidence.

    Exits 0 when the outcome is the same, 3 when it differs.
    """
    found = register_of(ctx).replay(number)
    if as_json:
        echo_json(
            {
                "run": number,
                "same_outcome": found.is_same,
                "same_data": found.has_same_data,
                "outcome_digest": found.outcome_digest.hex(),
            }
        )
    elif found.is_same:
        click.echo(f"run {number}: every verdict and its evidence came out again ({found.outcome_digest.hex()[:16]}…)")
    else:
        cause = "though the data are the same" if found.has_same_data else "the lake has changed since"
        click.echo(f"run {number}: another outcome; {cause}")
    ctx.exit(0 if found.is_same else 3)


@detection.command()
@click.option("--at", type=Moment(), default="now", show_default=True, help="The moment for retention, UTC.")
@as_json_option
@click.pass_context
def measure(ctx: click.Context, at: datetime, as_json: bool) -> None:
    """Measure what is new in the lake. `run` does so by itself."""
    with ShownProgress("detection") as progress:
        done = register_of(ctx).measure(at=at, progress=progress)
    if as_json:
        echo_json(
            {
                "new_files": done.new_files,
                "months": list(done.months),
                "rebuilt_months": list(done.rebuilt_months),
                "days": list(done.days),
            }
        )
    elif done.is_empty:
        click.echo("nothing is new in the lake")
    else:
        anew = f", {len(done.rebuilt_months)} of them anew" if done.rebuilt_months else ""
        click.echo(
            f"{done.new_files} new files; {len(done.months)} months folded{anew};"
            f" conflicts of {len(done.days)} days measured"
        )


@detection.command("conditions")
@click.option("--markdown", is_flag=True, help="Print docs/reference/conditions.md: each condition's SQL as it stands.")
@as_json_option
def conditions_(markdown: bool, as_json: bool) -> None:
    """List the conditions that rules can combine, with their limits."""
    if markdown:
        click.echo(format_page())
        return
    if as_json:
        echo_json(
            [
                {"name": one.name, "title": one.title, "source": one.clause, "limits": dict(one.limits)}
                for one in conditions().values()
            ]
        )
        return
    for one in conditions().values():
        click.echo(f"{one.name:<26} {one.title}")
        if one.limits:
            click.echo(f"{'':<26} limits: {', '.join(one.limits)}")


def _show_run(made: DetectionRun) -> None:
    click.echo(
        f"run {made.number}: {len(made.proposals)} rules as of {made.as_of_on}, {made.ever_seen:,} devices ever seen"
    )
    for one in made.proposals:
        day = f", blocked from {one['block_on']}" if one["block_on"] and one["matched"] else ""
        gone = f", {one['cleared']:,} cleared" if one["cleared"] else ""
        changed = f", {one['changed']:,} restated" if one["changed"] else ""
        click.echo(f"  {one['rule']:<28} {one['standing']:>9,} match, {one['matched']:,} new{day}{gone}{changed}")
        if one["refusal"]:
            click.echo(f"    refused: {one['refusal']}")


def _device_text(register: Register, key: int) -> str:
    found = register.identifiers.text_of(key)
    return found[1] if found is not None else format_device_key(key)


def _evidence(row: EvidenceRow) -> dict[str, Any]:
    return {
        "rule": row.header["rule"],
        "as_of_on": row.header["as_of_on"],
        "reason": row.header["reason"],
        "conditions": row.header["conditions"],
        **row.row,
        "says": explain(row),
    }
