"""One decoder against the fuzzer, in a process of its own: what it may hold, how long it may think, what is kept of a fault."""

import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

import atheris

__all__ = ["Target", "fuzz"]

_LIMITS = ["-rss_limit_mb=768", "-timeout=5"]  # megabytes of a process; seconds for one input
_DONE = re.compile(r"^Done (\d+) runs in (\d+) second", re.MULTILINE)
_FAULT = re.compile(r"^ === Uncaught Python exception: ===\n(.*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Target:
    """One decoder. Units: `longest` in octets of input."""

    name: str
    decode: Callable[[bytes], object]
    refuses_with: tuple[type[Exception], ...]
    seeds: Sequence[bytes]
    longest: int

    def try_input(self, octets: bytes) -> None:
        """Decode, and let through what the decoder may not raise. A refusal must be one that can be written down."""
        try:
            self.decode(octets)
        except self.refuses_with as refused:
            str(refused).encode()


def fuzz(target: Target, limits: list[str], work: Path) -> tuple[bool, str]:
    """Whether the target withstood, and a line that says so or names what broke it."""
    folder = work / target.name
    rmtree(folder, ignore_errors=True)
    corpus = folder / "corpus"
    corpus.mkdir(parents=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    log = folder / "log"
    child = os.fork()
    if child == 0:
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(out, 1)
        os.dup2(out, 2)
        options = [*_LIMITS, *limits, f"-max_len={target.longest}", f"-artifact_prefix={folder}/"]
        atheris.Setup([sys.argv[0], *options, str(corpus)], target.try_input)
        atheris.Fuzz()
    _, status = os.waitpid(child, 0)
    said = log.read_text(errors="replace")
    done = _DONE.search(said)
    if status == 0 and done:
        return True, f"{target.name:22} {int(done[1]):>9,} inputs in {done[2]} s"
    broken_by = [path for path in folder.iterdir() if path.is_file() and path != log]
    fault = _FAULT.search(said)
    why = fault[1] if fault else "too slow, too much memory, or the fuzzer itself: see the log"
    return False, f"{target.name:22} FAILED: {why}\n  {broken_by[0] if broken_by else log}"
