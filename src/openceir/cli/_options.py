"""What commands share: days and instants on the command line, the register that is let go of, JSON out."""

import json
from datetime import date, datetime
from pathlib import Path

import click

from openceir.app import Register, open_register
from openceir.clock import parse_day, parse_moment

__all__ = ["Day", "Moment", "as_json_option", "echo_json", "register_of", "say_moved", "say_notes"]


class Day(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.2 on
    """A calendar day on the command line: today, 2027-03-01 or 20270301; UTC."""

    name = "day"

    def convert(self, value: str | date, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day; a usage error when the text names none."""
        if isinstance(value, date):
            return value
        try:
            return parse_day(value)
        except ValueError:
            self.fail(f'"{value}" is no day; write today, 2027-03-01 or 20270301', param, ctx)


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.2 on
    """An instant on the command line: now, a day, or a day and time; UTC."""

    name = "moment"

    def convert(self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The instant; a usage error when the text names none."""
        if isinstance(value, datetime):
            return value
        try:
            return parse_moment(value)
        except ValueError:
            self.fail(f'"{value}" is no moment; write now, 2027-03-01 or 2027-03-01T12:00:00Z', param, ctx)


as_json_option = click.option("--json", "as_json", is_flag=True, help="The same as JSON.")


def register_of(ctx: click.Context) -> Register:
    """The register in the home that the command line names; its ledger is let go of when the command ends."""
    assert isinstance(ctx.obj, Path)
    register = open_register(ctx.obj)
    if register.is_joined:
        from openceir.abroad.shared_book import orderer_of

        register.orderer = orderer_of(register)
    ctx.call_on_close(lambda: register.ledger.close() if "ledger" in vars(register) else None)
    return register


def say_notes(register: Register) -> None:
    """Tell what opening the ledger found and mended."""
    for note in register.ledger.notes:
        click.echo(f"note: {note}", err=True)


def say_moved(register: Register) -> None:
    """Tell that what is shown is the past, when this home's book goes on in a consortium."""
    if (to := register.moved_to) is not None:
        click.echo(f"note: the book goes on in the consortium {to.chain_id}; this is this home's own log", err=True)


def echo_json(value: object) -> None:
    """Print `value` as indented JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
