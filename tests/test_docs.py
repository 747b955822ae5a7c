"""The documents are read as well: what they tell people to type exists, what exists is in them, and links lead somewhere."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from importlib import resources
from pathlib import Path

import click
import pytest

from openceir.cli._main import NOUNS, cli
from openceir.settings import Settings
from openceir.statements import KINDS

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "bench" / "README.md"])
ALL_TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)

_FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(openceir [^`\n]+)`")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)


def commands_of(page: Path) -> Iterator[str]:
    """Every command line of a page that starts with `openceir`, continued lines joined, comments dropped."""
    text = page.read_text(encoding="utf-8")
    for block in _FENCE.findall(text):
        lines = block.replace("\\\n", " ").splitlines()
        typed = [line for line in lines if line.lstrip().startswith("$ ")]
        for line in typed or lines:  # what a command prints stands below its prompt
            line = re.sub(r"\s+# .*$", "", line.strip().removeprefix("$ "))
            for part in re.split(r" && | \| | > ", line):
                if part.startswith("openceir ") and "…" not in part.split()[1]:
                    yield part
    yield from _INLINE.findall(_FENCE.sub("", text))


def complaint_about(line: str) -> str | None:
    """Why this command line cannot be typed; None when it can."""
    words = [word for word in shlex.split(line)[1:] if word != "…"]
    command: click.Command = cli
    ctx = click.Context(cli, info_name="openceir")
    try:
        while isinstance(command, click.Group):
            _, words, _ = _parsed(command, ctx, words)
            if not words:
                return None  # speaks of the whole group
            found = command.get_command(ctx, words[0])
            if found is None:
                return f"{command.name or 'openceir'} has no {words[0]}"
            command, words = found, words[1:]
            ctx = click.Context(command, info_name=command.name, parent=ctx)
        _, rest, _ = _parsed(command, ctx, words)
    except click.UsageError as wrong:
        return wrong.format_message()
    return f"too many words: {rest}" if rest else None


def _parsed(command: click.Command, ctx: click.Context, words: list[str]) -> tuple[object, list[str], object]:
    return command.make_parser(ctx).parse_args(list(words))


COMMANDS = sorted({(str(page.relative_to(ROOT)), line) for page in PAGES for line in commands_of(page)})


@pytest.mark.parametrize(("page", "line"), COMMANDS, ids=[f"{page}: {line}" for page, line in COMMANDS])
def test_a_command_in_the_documents_can_be_typed(page: str, line: str):
    assert complaint_about(line) is None, f"{page} says `{line}`"


@pytest.mark.parametrize(
    "line", ["openceir devise check 1", "openceir device chek 1", "openceir device check 1 --nonesuch"]
)
def test_a_wrong_command_would_be_noticed(line: str):
    assert complaint_about(line) is not None


def test_every_noun_is_shown_in_the_documents():
    assert [noun for noun in NOUNS if f"openceir {noun}" not in ALL_TEXT] == []


def test_every_command_has_a_help_text_and_json_or_writes_a_file():
    without = []
    for noun in NOUNS:
        command = cli.get_command(click.Context(cli), noun)
        assert command is not None
        verbs = command.commands.items() if isinstance(command, click.Group) else [("", command)]
        without += [f"{noun} {verb}" for verb, one in verbs if not (one.help or "").strip()]
    assert without == []


def test_every_statement_kind_is_explained_in_the_documents():
    assert [kind for kind in KINDS if f"`{kind}`" not in ALL_TEXT] == []


def test_every_condition_is_explained_in_the_documents():
    names = [
        file.name.removesuffix(".sql")
        for file in resources.files("openceir.detection").joinpath("conditions").iterdir()
        if file.name.endswith(".sql")
    ]
    assert len(names) > 15
    assert [name for name in names if f"`{name}`" not in ALL_TEXT] == []


def test_every_setting_is_explained_in_the_documents():
    text = re.sub(r"\b(http|portal|questions|channels|federation|consortium)\.", r"\1_", ALL_TEXT)
    assert [field.name for field in fields(Settings) if field.name not in text] == []


def test_the_page_of_the_policy_holds_it_as_it_stands():
    """Renew it with scripts/renew-readme.sh."""
    policy = resources.files("openceir.policy").joinpath("defaults.toml").read_text(encoding="utf-8")
    assert f"```toml\n{policy.rstrip()}\n```" in (ROOT / "docs" / "reference" / "policy.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    dead = []
    for target in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors_of(file)):
            dead.append(target)
    assert dead == []


def anchors_of(file: Path) -> set[str]:
    """The anchors that a renderer gives to the headings of a page."""
    headings = _HEADING.findall(_FENCE.sub("", file.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_no_file_names_the_place_where_it_was_written():
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    place = "/".join(["", "work", ""])
    guilty = []
    for name in filter(None, tracked.split("\0")):
        path = ROOT / name
        if path.is_file() and re.search(rf"(?<![\w.])({place}(main|shared)|{place}\.)".encode(), path.read_bytes()):
            guilty.append(name)
    assert guilty == []


def test_only_tests_look_into_the_folder_beside_the_repository():
    """`../shared` holds reference data that the product must not need."""
    folder = "../" + "shared"
    guilty = [
        str(path.relative_to(ROOT))
        for place in ("src", "bench", "docs", "scripts")
        for path in (ROOT / place).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and folder.encode() in path.read_bytes()
    ]
    assert guilty == []
