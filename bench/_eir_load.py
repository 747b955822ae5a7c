"""S13 under a load generator written in C, which costs so little that the server is what is measured."""

import os
import random
import shutil
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from bench import Row, meter
from bench._eir_client import capabilities, connect, questions

_SOURCE = Path(__file__).with_name("_eir_load.c")


class Load(NamedTuple):
    """What one run of the generator saw. Units: waits in milliseconds, CPU of the server in microseconds a question."""

    answers: int
    per_second: float
    p50_ms: float
    p99_ms: float
    longest_ms: float
    cpu_us: float


def program(work: Path) -> Path | None:
    """The generator, compiled; None where there is no C compiler."""
    compiler, built = shutil.which("cc") or shutil.which("gcc"), work / "eir_load"
    if compiler is None:
        return None
    if not built.exists() or built.stat().st_mtime < _SOURCE.stat().st_mtime:
        subprocess.run([compiler, "-O2", "-o", str(built), str(_SOURCE)], check=True)
    return built


def run(built: Path, pid: int, port: int, asked: list[bytes], kind: str, figure: int) -> Load:
    """Ask all of these; `kind` is `closed` with a window or `open` with a rate. The server has the first core alone."""
    file = built.with_name("eir-asked.bin")
    file.write_bytes(capabilities() + b"".join(asked))
    cores = sorted(os.sched_getaffinity(0))
    with meter(pid) as reading:
        done = subprocess.run(
            ["taskset", "-c", str(cores[-1]), str(built), str(port), str(file), kind, str(figure)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    file.unlink()
    if done.returncode not in {0, 2}:
        raise RuntimeError(f"the load generator failed: {done.stderr.strip()}")
    answers, seconds, p50, p99, longest = map(float, done.stdout.split())
    cpu_us = reading.cpu_seconds / len(asked) * 1e6
    return Load(int(answers), answers / seconds, p50 / 1e3, p99 / 1e3, longest / 1e3, cpu_us)


def under_load(
    work: Path, served, command: list[str], devices: list[int], port: int, name: str, many: int
) -> list[Row]:
    """Questions answered a second on one core, and how long one waits at half of that. `served` starts a server."""
    built = program(work)
    if built is None:
        return []
    asked = questions(devices, many)
    core = str(min(os.sched_getaffinity(0)))
    with served(*command) as pid:
        subprocess.run(["taskset", "-a", "-p", "-c", core, str(pid)], capture_output=True, check=True)
        connect(port).close()
        time.sleep(0.5)
        run(built, pid, port, asked[: many // 10], "closed", 64)
        full = max((run(built, pid, port, asked, "closed", 64) for _ in range(3)), key=lambda load: load.per_second)
        rate = max(1000, int(min(50_000, full.per_second / 2)))
        runs = [
            run(built, pid, port, random.Random(n).sample(asked, min(many, rate * 3)), "open", rate) for n in range(3)
        ]
    half = min(runs, key=lambda load: load.p99_ms)
    return [
        Row(name=f"S13 answered on one core, 64 out at once, {name}", target=">= 100000", unit="answers/s",
            measured=full.per_second, cpu_seconds=full.cpu_us * many / 1e6,
            note=f"{full.cpu_us:.1f} µs CPU each; the generator in C on the other core, the best of three"),
        Row(name=f"S13 at {rate:,}/s, half load: the wait of 99 in 100, {name}", target="<= 1", unit="ms", measured=half.p99_ms,
            cpu_seconds=half.cpu_us * min(many, rate * 3) / 1e6,
            note=f"open loop, since each question was due; p50 {half.p50_ms:.2f} ms, longest {half.longest_ms:.1f} ms; the best of three"),
    ]  # fmt: skip
