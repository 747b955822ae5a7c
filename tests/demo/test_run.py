"""The demo holds, prints what the README shows, and leaves what is not its own alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BEGIN, END = "<!-- demo: begin -->\n\n```\n", "\n```\n\n<!-- demo: end -->"


def openceir(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENCEIR_")}
    command = [sys.executable, "-c", "from openceir.cli import main; main()", *words]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `openceir demo` has just run, its output in out.txt."""
    folder = tmp_path_factory.mktemp("demo")
    done = openceir("demo", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "out.txt").write_text(done.stdout)
    return folder


@pytest.mark.slow
def test_the_readme_shows_what_the_demo_prints(place):
    """Renew it with scripts/renew-readme.sh."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.partition(BEGIN)[2].partition(END)[0]
    assert shown == (place / "out.txt").read_text().rstrip("\n")


@pytest.mark.slow
def test_the_commands_it_recommends_work_in_the_home_it_left(place):
    said = (place / "out.txt").read_text().partition("Try next")[2]
    commands = [line.split() for line in said.splitlines() if line.startswith("  openceir ")]
    assert len(commands) >= 6
    for command in commands:
        if command[1] != "serve":
            done = openceir("--home", "demo/home", *command[1:], cwd=place)
            assert done.returncode in {0, 3, 4, 5}, [*command, done.stderr]
            assert not done.stderr.startswith("openceir:"), [*command, done.stderr]


@pytest.mark.slow
def test_a_kept_demo_tells_the_same_again(place):
    done = openceir("demo", "--keep", "--json", cwd=place)
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert told["held"] is True
    assert "\n".join(told["report"]) == (place / "out.txt").read_text().rstrip("\n")


def test_a_folder_that_it_did_not_make_is_left_alone(tmp_path):
    precious = tmp_path / "demo" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("three years")
    done = openceir("demo", cwd=tmp_path)
    assert done.returncode == 2
    assert "[demo-folder]" in done.stderr
    assert [path.name for path in precious.parent.iterdir()] == ["thesis.txt"]
