"""`python -m bench`: run the benchmarks, each in its own process, and write docs/performance.md."""

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from importlib.metadata import version
from json import dumps, loads
from pathlib import Path

from bench import SCALES, Beside, Row, read_apart
from bench._named import measure_named
from openceir import clock

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "performance.md"
WORK = ROOT / "bench-work"
_FIRST = ("identity", "intake", "detection", "lists", "http", "ledger")  # in the order of the work; others follow
NAMES = sorted(
    {path.stem for path in Path(__file__).parent.glob("[a-z]*.py")} - {"nation"},
    key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name),
)
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
ENGINES = ("duckdb", "pyarrow", "numpy", "isal", "cbor2", "PyNaCl", "pyroaring", "granian")


def machine() -> str:
    """What the figures were taken on, in one sentence."""
    memory = next(
        int(line.split()[1]) for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal")
    )
    models = [
        line.partition(": ")[2]
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    model = models[0] if models else platform.machine()
    packages = ", ".join(f"{name} {version(name)}" for name in ENGINES)
    return (
        f"{os.cpu_count()} cores ({model}), {memory / 2**20:.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}; {packages}."
    )


def figure(value: float) -> str:
    """A measured value with as many digits as it deserves."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def line(row: Row) -> str:
    """One row of the Markdown table."""
    met = {True: "met", False: "**not met**", None: ""}[row.is_met]
    target = f"{row.target.replace('>=', '≥').replace('<=', '≤')}: {met}" if row.target else ""
    beside = "; ".join(f"{other.what} {figure(other.measured)} ({ratio(row, other)})" for other in row.beside)
    peak = f"{row.peak_mb:,.0f}" if row.peak_mb is not None else ""
    return (
        f"| {row.name} | **{figure(row.measured)}** {row.unit} | {target} | {row.cpu_seconds:,.2f} | {peak} "
        f"| {beside} | {row.note} |"
    )


def ratio(row: Row, other: Beside) -> str:
    """How our figure stands to the other's, as a factor."""
    return f"×{figure(row.measured / other.measured)}" if other.measured else "–"


def table(rows: Sequence[Row]) -> str:
    """The whole Markdown table."""
    head = "| work | measured | asked | CPU-s | peak MB | beside it (ours ÷ theirs) | note |\n|---|---|---|---|---|---|---|"
    return "\n".join([head, *(line(row) for row in rows)])


def write_page(text: str) -> None:
    """Put `text` between the markers of docs/performance.md."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def save(path: Path, rows: Sequence[Row]) -> None:
    """Keep one benchmark's rows, so that `--only` renews its part of the table and no other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dumps([asdict(row) for row in rows], indent=1), encoding="utf-8")


def load(path: Path) -> list[Row]:
    """The rows that `save` kept; none when it never did."""
    if not path.exists():
        return []
    return [
        Row(**(kept | {"beside": tuple(Beside(**other) for other in kept["beside"])}))
        for kept in loads(path.read_text(encoding="utf-8"))
    ]


def tables(work: Path) -> list[str]:
    """One table a scale of which there are rows, the largest first."""
    found = []
    for scale in reversed(SCALES):
        taken = [row for name in NAMES for row in load(work / "rows" / scale / f"{name}.json")]
        if taken:
            found.append(f"Scale `{scale}`:\n\n{table(taken)}")
    return found


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for; 0 when every benchmark gave its rows."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--scale", choices=SCALES, default="small")
    parser.add_argument("--only", choices=NAMES, action="append", help="run only this one; may be repeated")
    parser.add_argument("--on", type=date.fromisoformat, default=None, help="the day to print in the page")
    parser.add_argument("--work", type=Path, default=WORK)
    asked = parser.parse_args(arguments)
    scale = SCALES[asked.scale]
    asked.work.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in asked.only or NAMES:
        try:
            rows, reading = read_apart(measure_named, name, asked.work, scale)
        except RuntimeError as wrong:
            print(f"bench {name}: {wrong}", file=sys.stderr)
            failed.append(name)
            continue
        print(f"bench {name}: {len(rows)} rows, {reading.cpu_seconds:.1f} CPU-s", file=sys.stderr)
        print("\n".join(line(row) for row in rows))
        save(asked.work / "rows" / scale.name / f"{name}.json", rows)
    write_page(f"Taken on {asked.on or clock.today():%d %B %Y}. {machine()}\n\n" + "\n\n".join(tables(asked.work)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
