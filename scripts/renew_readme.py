"""Renew the parts of the documents that programs print: see renew-readme.sh."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
POLICY_PAGE = ROOT / "docs" / "reference" / "policy.md"
DEFAULTS = ROOT / "src" / "openceir" / "policy" / "defaults.toml"
CHECK = re.compile(r"^\$ openceir device check (\S+) --at (\S+)$", re.MULTILINE)


def put_between(page: Path, name: str, text: str, fence: str = "") -> None:
    """Replace what stands between the markers `name: begin` and `name: end`."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        sys.exit(f"{page} has no markers for {name}")
    page.write_text(f"{before}{begin}\n\n```{fence}\n{text.rstrip()}\n```\n\n{end}{after}", encoding="utf-8")


def run(*words: str, cwd: Path) -> str:
    """What a command prints; statuses of answers (0, 3, 4, 5) are no failure."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENCEIR_")}
    openceir = str(Path(sys.executable).parent / "openceir")
    done = subprocess.run([openceir, *words], cwd=cwd, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in {0, 3, 4, 5}:
        sys.exit(f"openceir {' '.join(words)} ended with {done.returncode}")
    return done.stdout


def main() -> None:
    """Renew all of them."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        put_between(README, "demo", run("demo", cwd=place))
        asked = CHECK.search(README.read_text(encoding="utf-8"))
        if asked is None:
            sys.exit("README.md shows no `openceir device check`")
        answer = run("--home", "demo/home", "device", "check", asked[1], "--at", asked[2], cwd=place)
        # Keys and salts are new in every run, and so are the hashes over them: a test compares all but those.
        put_between(README, "check", f"{asked[0]}\n{answer}", fence="console")
    put_between(POLICY_PAGE, "policy", DEFAULTS.read_text(encoding="utf-8"), fence="toml")


if __name__ == "__main__":
    main()
