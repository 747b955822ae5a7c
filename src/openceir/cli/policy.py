"""`openceir policy`: show the policy in force, check another, simulate it before it bites."""

from datetime import date, datetime
from pathlib import Path

import click

from openceir.cli._options import Day, Moment, as_json_option, echo_json, register_of
from openceir.detection import Rule, amnesty_of, example_rules, parse_rules
from openceir.policy import Policy, PolicyError
from openceir.status import ForeignRule, ForeignRules

__all__ = ["policy"]


@click.group()
def policy() -> None:
    """Show the policy in force; simulate another before it bites."""


@policy.command()
@click.option("--on", type=Day(), default="today", show_default=True, help="The limits in force on this day.")
@as_json_option
@click.pass_context
def show(ctx: click.Context, on: date, as_json: bool) -> None:
    """Show the rules in force, and the limits they are held against, with unit and legal source."""
    _show(register_of(ctx).policy, on, as_json)


@policy.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--on", type=Day(), default="today", show_default=True, help="Read limits as of this day.")
@as_json_option
@click.pass_context
def check(ctx: click.Context, file: Path, on: date, as_json: bool) -> None:
    """Say whether FILE, laid over the policy in force, can be read, and show what it makes of it.

    Exits 2 with the first thing that is wrong.
    """
    _show(_with(ctx, file, on), on, as_json)


@policy.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--as-of", "as_of_on", type=Day(), help="Judge as of this day; the newest day of data unless given.")
@click.option("--at", type=Moment(), default="now", show_default=True, help="The moment at which lists are read, UTC.")
@as_json_option
@click.pass_context
def simulate(ctx: click.Context, file: Path, as_of_on: date | None, at: datetime, as_json: bool) -> None:
    """Show what FILE, laid over the policy in force, would do: devices and people newly hit or let go, by rule.

    No run is kept and nothing is signed. People are distinct subscriptions seen with the devices in 30 days.
    """
    effects = register_of(ctx).simulate_policy(_with(ctx, file, at.date()), as_of_on, at=at)
    if as_json:
        echo_json([effect.summary() for effect in effects])
        return
    if not effects:
        click.echo("neither policy has rules")
    for effect in effects:
        click.echo(
            f"{effect.label:<28} {effect.hit_now:>9,} now, {effect.hit_then:>9,} then;"
            f" newly hit {len(effect.newly_hit):,} devices of {effect.people_newly_hit:,} people,"
            f" let go {len(effect.let_go):,} of {effect.people_let_go:,}{'; blocks' if effect.blocking else ''}"
        )
        if effect.refusal:
            click.echo(f"  would be refused: {effect.refusal}")


@policy.command()
def example() -> None:
    """Print a set of rules to begin with, as TOML: put it into the home's policy folder and make it your own.

    \b
    openceir policy example > openceir-home/policy/20-rules.toml

    Its limits are proposals without a law behind them; every one may be dated and given its source.
    """
    click.echo(example_rules(), nl=False)


def _with(ctx: click.Context, file: Path, on: date) -> Policy:
    """The policy with the file in place of the one of its name that is in force, if there is one."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        raise PolicyError(f"policy file {file} cannot be read: {wrong}") from wrong
    return register_of(ctx).policy_with(file.name, text, on)


def _show(shown: Policy, on: date, as_json: bool) -> None:
    rules = parse_rules(shown, on)
    amnesty_of(shown, on)
    foreign = ForeignRules.of(shown.tables("foreign")).rules
    if as_json:
        echo_json(
            {
                "name": shown.name,
                "version": shown.version,
                "digest": shown.digest.hex(),
                "rules": [_rule(rule) for rule in rules],
                "foreign": [_foreign(rule) for rule in foreign],
            }
        )
        return
    click.echo(f"{shown.name}, version {shown.version}, digest {shown.digest.hex()[:16]}…")
    if not rules:
        click.echo("no rules: detection proposes nothing; openceir policy example prints some to begin with")
    for rule in rules:
        click.echo(f"{rule.label}: {rule.reason}")
        follows = f"blocked {rule.grace_days} days after the first match" if rule.blocking else "tracked, not blocked"
        marks = "; marks the number as being on several devices" if rule.marks_duplicate else ""
        click.echo(f"  {follows}{marks}; refused beyond {rule.max_matching_ratio:.0%} of all devices")
        for use in rule.uses:
            click.echo(f"  {'not ' if use.invert else ''}{use.name}")
            for name, limit in use.limits.items():
                source = f" ({limit.source})" if limit.source else ""
                click.echo(f"    {name} = {limit.value}  {limit.unit or ''}{source}")
    for one in foreign:
        where = "any nation" if "*" in one.nations else ", ".join(sorted(one.nations))
        delay = f", {one.delay_s // 3600} hours after it was logged there" if one.delay_s else ""
        click.echo(
            f'from abroad, "{one.name}": {", ".join(sorted(one.claims))} of {where}: {one.effect.name.lower()}{delay}'
        )


def _foreign(rule: ForeignRule) -> dict[str, object]:
    return {
        "name": rule.name,
        "nations": sorted(rule.nations),
        "claims": sorted(rule.claims),
        "effect": rule.effect.name.lower(),
        "delay_hours": rule.delay_s // 3600,
        "source": rule.source or None,
    }


def _rule(rule: Rule) -> dict[str, object]:
    return {
        "label": rule.label,
        "reason": rule.reason,
        "blocking": rule.blocking,
        "grace_days": rule.grace_days,
        "sticky": rule.sticky,
        "amnesty_eligible": rule.amnesty_eligible,
        "marks_duplicate": rule.marks_duplicate,
        "max_matching_ratio": rule.max_matching_ratio,
        "conditions": [
            {
                "name": use.name,
                "invert": use.invert,
                "limits": {
                    name: {
                        "value": limit.value,
                        "unit": limit.unit,
                        "source": limit.source,
                        "since": limit.since and limit.since.isoformat(),
                    }
                    for name, limit in use.limits.items()
                },
            }
            for use in rule.uses
        ],
    }
