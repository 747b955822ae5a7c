"""`openceir questions`: keys, bucket files and quotas of private questions."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from openceir.asking import PrivateAsker
from openceir.cli._options import as_json_option, echo_json, register_of
from openceir.cli._progress import ShownProgress
from openceir.clock import now
from openceir.questions import Contribution, Deal, Generation, GenerationFailed, KeyGroup, begin, transcript
from openceir.storage.files import replace_file
from openceir.storage.key_files import read_secret

__all__ = ["questions"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def questions() -> None:
    """Let people ask privately: keys, bucket files, quotas."""


@questions.command("new-key")
@click.argument("epoch")
@as_json_option
@click.pass_context
def new_key(ctx: click.Context, epoch: str, as_json: bool) -> None:
    """Make the key of an epoch, such as 2027, held by this register alone.

    Whoever has it and the list's files can find out the whole list, one identifier after the other; share it among
    members instead with `openceir questions share`.
    """
    _say_group(register_of(ctx).new_question_key(epoch), as_json)


@questions.command()
@click.option("--additions", is_flag=True, help="Only add what came since; the large files stay, so hosts keep them.")
@click.option(
    "--member", "members", metavar="URL", multiple=True, help="Who evaluates the list, when the key is shared."
)
@click.option(
    "--token-file",
    "token_files",
    type=_FILE,
    multiple=True,
    help="The access token of each --member, in the same order.",
)
@as_json_option
@click.pass_context
def build(
    ctx: click.Context, additions: bool, members: tuple[str, ...], token_files: tuple[Path, ...], as_json: bool
) -> None:
    """Make the bucket files of everything that is blocked or tracked now, and publish them.

    What was evaluated before is kept, so a further day costs that day; a build that was stopped goes on where it stood.
    Devices that are listed no longer, and erased ones, drop out whenever --additions is not given.
    """
    register, at = register_of(ctx), now()
    evaluate = None
    if members:
        group = register.question_group(register.question_epoch())
        tokens = [read_secret(path).decode().strip() for path in token_files]
        asker = PrivateAsker(members[0], members=members, access_tokens=tokens)

        def evaluate(subjects: Sequence[bytes]) -> list[bytes]:
            return list(asker.evaluate(group, subjects, at))

    with ShownProgress("questions") as progress:
        built = register.build_questions(at=at, additions=additions, evaluate=evaluate, progress=progress)
    if as_json:
        echo_json(
            {
                "epoch": built.epoch,
                "entries": built.entries,
                "evaluated": built.evaluated,
                "ranges": built.ranges,
                "layers": list(built.layers),
                "ledger_size": built.ledger_size,
                "signer": register.question_signer().format(),
            }
        )
        return
    click.echo(
        f"{built.entries} entries of the epoch {built.epoch}, {built.evaluated} evaluated now; {built.ranges} ranges; "
        f"layers: {', '.join(built.layers)}; as of {built.ledger_size} statements"
    )
    click.echo(f"served from {register.question_tree.folder}; askers pin {register.question_signer().format()}")


@questions.command()
@as_json_option
@click.pass_context
def show(ctx: click.Context, as_json: bool) -> None:
    """Show whose key answers, what was built last, and how many asked today."""
    register = register_of(ctx)
    group = register.question_group(register.question_epoch())
    manifest = register.question_tree.manifest()
    used = register.question_spending.used_today(now().date())
    built = f"{manifest.made_at:%Y-%m-%dT%H:%M:%SZ}" if manifest else None
    stale = f"{manifest.stale_at:%Y-%m-%dT%H:%M:%SZ}" if manifest else None
    if as_json:
        echo_json({"group": group.as_json(), "made_at": built, "stale_at": stale, "asked_today": used})
        return
    click.echo(f"epoch {group.epoch}: {group.threshold} of {len(group.members)} answer, key {group.public.hex()}")
    click.echo(
        f"built {built}, to be believed until {stale}" if built else "nothing built yet; `openceir questions build`"
    )
    for name, count in sorted(used.items()):
        click.echo(f"today {count} {'questions of ' + name if name else 'anonymous tokens drawn'}")


@questions.command()
@click.argument("name")
@click.argument("per_day", type=click.IntRange(0, 10**9))
@click.pass_context
def quota(ctx: click.Context, name: str, per_day: int) -> None:
    """Let the access token NAME ask PER_DAY private questions a day.

    A million evaluations go through every number of one model: give nobody more than its trade needs.
    """
    register_of(ctx).question_spending.set_quota(name, per_day)
    click.echo(f"{name} may ask {per_day} questions a day")


@questions.group()
def share() -> None:
    """Make a key that no member ever holds: begin, deal, finish."""


@share.command("begin")
@click.argument("epoch")
@click.option("--threshold", type=click.IntRange(1, 100), required=True, help="How many members must answer.")
@click.option("--index", type=click.IntRange(1, 100), required=True, help="This member's number, from 1.")
@click.option("--url", default="", help="Where askers reach this member.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The contribution, for every other member.")
@click.pass_context
def share_begin(ctx: click.Context, epoch: str, threshold: int, index: int, url: str, out: Path) -> None:
    """Draw this member's part and write its contribution, which every other member needs."""
    made = begin(epoch, threshold, index, url)
    state = _state(ctx, epoch)
    if state.exists():
        raise GenerationFailed(f"{state} stands from a making that was not finished; move it away to begin again")
    replace_file(state, made.format().encode(), mode=0o600)
    replace_file(out, made.own.format().encode() + b"\n")
    click.echo(f"{out} goes to every other member, unchanged; it is no secret")


@share.command("deal")
@click.argument("contributions", type=_FILE, nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A folder for one sealed file a member.")
@click.pass_context
def share_deal(ctx: click.Context, contributions: tuple[Path, ...], out: Path) -> None:
    """Seal a share to every other member, from the CONTRIBUTIONS of all, one's own included."""
    shown = _contributions(contributions)
    made = Generation.parse(read_secret(_state(ctx, shown[0].epoch)).decode())
    for deal in made.deals(shown):
        path = out / f"deal-{deal.epoch}-{deal.sender}-to-{deal.receiver}.json"
        replace_file(path, json.dumps(deal.as_json()).encode() + b"\n")
        click.echo(f"{path} goes to member {deal.receiver}; only it can open it")


@share.command("finish")
@click.argument("contributions", type=_FILE, nargs=-1, required=True)
@click.option("--deal", "deals", type=_FILE, multiple=True, help="A sealed share that was sent to this member; repeat.")
@as_json_option
@click.pass_context
def share_finish(ctx: click.Context, contributions: tuple[Path, ...], deals: tuple[Path, ...], as_json: bool) -> None:
    """Check what was received, keep this member's share, and say what all members must have in common."""
    shown = _contributions(contributions)
    state = _state(ctx, shown[0].epoch)
    made = Generation.parse(read_secret(state).decode())
    received = [Deal.from_json(_json_in(path)) for path in deals]
    key, group = made.finish(shown, received)
    register_of(ctx).install_question_key(key, group)
    state.unlink()
    _say_group(group, as_json, transcript(shown))


def _state(ctx: click.Context, epoch: str) -> Path:
    assert isinstance(ctx.obj, Path)
    return ctx.obj / "keys" / f"questions-{epoch}.making"


def _contributions(paths: Sequence[Path]) -> list[Contribution]:
    return [Contribution.parse(path.read_text(encoding="utf-8", errors="replace")) for path in paths]


def _json_in(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise GenerationFailed(f"{path} is no sealed share; ask its sender for the file again") from None


def _say_group(group: KeyGroup, as_json: bool, seen: str | None = None) -> None:
    if as_json:
        echo_json({**group.as_json(), **({"transcript": seen} if seen else {})})
        return
    click.echo(f"epoch {group.epoch}: {group.threshold} of {len(group.members)} answer, key {group.public.hex()}")
    if seen:
        click.echo(f"every member must read the same line: {seen}")
    click.echo("next: openceir questions build")
