"""`python -m fuzz`: run the fuzzer on every decoder, or on those named; say how many inputs each took.

Each target runs in a process of its own, forked from this one, which has loaded and instrumented the decoders; its
bounds are in `running.py`. What breaks a target stays in fuzz-work/ as a file: `python -m fuzz NAME --again FILE`.
"""

import argparse
import sys
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import atheris

from fuzz.running import fuzz

with redirect_stderr(StringIO()), atheris.instrument_imports(include=["openceir"]):  # it names every module
    from fuzz.targets import TARGETS

WORK = Path(__file__).parent.parent / "fuzz-work"


def main() -> int:
    """0 when every target withstood."""
    asked = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    asked.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of {', '.join(TARGETS)}; all when none")
    asked.add_argument("--seconds", type=int, default=3, help="for each target (3)")
    asked.add_argument("--runs", type=int, help="so many inputs in place of seconds, the same ones each time")
    asked.add_argument("--again", type=Path, metavar="FILE", help="give this one input to the named target")
    asked.add_argument("--work", type=Path, default=WORK, help="where corpora and reproducers are kept (fuzz-work/)")
    options = asked.parse_args()
    unknown = set(options.names) - TARGETS.keys()
    if unknown or (options.again and len(options.names) != 1):
        asked.error(f"no such target: {', '.join(unknown)}" if unknown else "--again needs the name of one target")
    if options.again:
        TARGETS[options.names[0]].try_input(options.again.read_bytes())
        return 0
    limits = [f"-runs={options.runs}", "-seed=1"] if options.runs else [f"-max_total_time={options.seconds}"]
    withstood = True
    for name in options.names or TARGETS:
        sound, line = fuzz(TARGETS[name], limits, options.work.absolute())
        withstood &= sound
        print(line, flush=True)
    return 0 if withstood else 1


if __name__ == "__main__":
    sys.exit(main())
