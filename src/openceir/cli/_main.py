"""The `openceir` command: finds the noun, and turns every error into one sentence, a code and an exit status.

Nouns are loaded only when used, so that `openceir identifier explain` does not wait for an engine to start.
"""

import importlib
import json
import sys
from pathlib import Path

import click

from openceir import __version__
from openceir.errors import OpenceirError

# noun -> (module:attribute, what `openceir --help` says of it)
NOUNS = {
    "demo": ("openceir.cli.demo:demo", "Make a small made-up country and run the whole register on it."),
    "device": ("openceir.cli.device:device", "Ask whether a device may be used, and why."),
    "ask": ("openceir.cli.ask:ask", "Ask privately: the register learns neither the device nor the answer."),
    "identifier": (
        "openceir.cli.identifier:identifier",
        "Explain identifiers: IMEI, EID, MAC, serial numbers and others.",
    ),
    "scan": ("openceir.cli.scan:scan", "Read the identifiers off a photo of a label."),
    "import": ("openceir.cli.imports:imports", "Bring in operators' dumps, the TAC table and authorities' lists."),
    "register": ("openceir.cli.register:register", "Bring the whole register up to date; see what it holds; prune it."),
    "detection": (
        "openceir.cli.detection:detection",
        "Find cloned, tampered and unregistered devices; propose verdicts.",
    ),
    "meetings": (
        "openceir.cli.meetings:meetings",
        "Find numbers that are in two countries at once, with the other country.",
    ),
    "policy": ("openceir.cli.policy:policy", "Show the policy in force; simulate another before it bites."),
    "lists": ("openceir.cli.lists:lists", "Make, verify and apply operators' lists and deltas."),
    "report": (
        "openceir.cli.report:report",
        "Make, show and export monthly reports; list the devices behind a figure.",
    ),
    "statement": ("openceir.cli.statement:statement", "Sign, show and submit statements."),
    "ledger": ("openceir.cli.ledger:ledger", "Verify the book and read its checkpoints."),
    "receipt": ("openceir.cli.receipt:receipt", "Hand out and verify receipts, offline."),
    "acts": ("openceir.cli.acts:acts", "Verify the portal's log of acts and readings, offline."),
    "absence": ("openceir.cli.absence:absence", "Prove, offline, that a device is not reported, or what is said."),
    "federation": (
        "openceir.cli.federation:federation",
        "Share one history with other nations' registers, and catch who rewrites theirs.",
    ),
    "consortium": (
        "openceir.cli.consortium:consortium",
        "Keep one book among several authorities, under Byzantine consensus.",
    ),
    "eir": ("openceir.cli.eir:eir", "Answer networks that ask whether a device may attach (Diameter S13)."),
    "key": ("openceir.cli.key:key", "Make and show signing keys."),
    "member": ("openceir.cli.member:member", "Say who may sign what."),
    "token": ("openceir.cli.token:token", "Make and revoke access tokens of the HTTP interface."),
    "api": ("openceir.cli.api:api", "Show and end the keys of programs at the portal."),
    "questions": ("openceir.cli.questions:questions", "Let people ask privately: keys, bucket files, quotas."),
    "backup": ("openceir.cli.backup:backup", "Copy the register while it works; verify and restore the copy."),
    "config": ("openceir.cli.config:config", "Show every setting, its value and where it comes from."),
    "sms": ("openceir.cli.sms:sms", "Answer SMS and USSD over SMPP, from a message centre."),
    "serve": ("openceir.cli.serve:serve", "Answer over HTTP."),
}


class Nouns(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The nouns, in the order in which a newcomer meets them."""
        return list(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the noun's file; None when there is no such noun."""
        if cmd_name not in NOUNS:
            return None
        module, attribute = NOUNS[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the nouns without importing their files."""
        with formatter.section("Commands"):
            formatter.write_dl([(noun, what) for noun, (_, what) in NOUNS.items()])


@click.group(cls=Nouns, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="openceir")
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="OPENCEIR_HOME",
    default="openceir-home",
    show_default=True,
    help="The folder that holds the register.",
)
@click.pass_context
def cli(ctx: click.Context, home: Path) -> None:
    """A national register of devices whose verdicts are signed, explained and appealable.

    Start with `openceir demo`.
    """
    ctx.obj = home


def main() -> None:
    """Run the command line; never shows a traceback for an error that has a sentence."""
    wants_json = "--json" in sys.argv[1:]
    try:
        status = cli.main(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.exceptions.Abort:
        click.echo("openceir: stopped at the user's wish", err=True)
        sys.exit(130)
    except click.ClickException as wrong:
        _say(wants_json, "usage", wrong.format_message())
        sys.exit(2)
    except OpenceirError as wrong:
        _say(wants_json, wrong.code, str(wrong))
        sys.exit(wrong.exit_status)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


def _say(as_json: bool, code: str, sentence: str) -> None:
    if as_json:
        click.echo(json.dumps({"code": code, "detail": sentence}, ensure_ascii=False), err=True)
    else:
        click.echo(f"openceir: {sentence} [{code}]", err=True)
