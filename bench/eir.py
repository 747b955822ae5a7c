"""The operators' counter: the index by itself, then S13 over a socket beside an echo and python-diameter."""

import os
import random
import shutil
import statistics
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from bench import Beside, Row, Scale, meter, read_apart
from bench._eir_client import HOST, REALM, connect, drive, pour, questions
from bench._eir_load import under_load
from openceir import clock
from openceir.eir import (
    Check,
    Contents,
    Decider,
    DecisionPolicy,
    Overlay,
    Pairs,
    Ranges,
    Status,
    attribute,
    build,
    folded,
    open_index,
)
from openceir.eir.changes import changes_beside, changes_over, write_changes
from openceir.eir.source import Reasons, read_block_changes
from openceir.lists import KINDS, format_rows
from openceir.statements import SigningKey
from openceir.storage.list_files import ListFiles
from openceir.storage.list_packing import COLUMNS, FORMS, ZSTD, packed

KEY = SigningKey("bench", bytes(range(32)))
BLOCKED, PERMITTED, TRACKED = (attribute(status) for status in (Status.BLOCKED, Status.PERMITTED, Status.TRACKED))


def devices(count: int) -> np.ndarray:
    """Made-up device keys in 50,000 TACs of Zipf sizes, half of them in runs of 40, in no order."""
    made = np.random.default_rng(20270301)
    tacs = np.unique(made.integers(35_000_000, 36_000_000, 50_000))
    share = 1 / np.arange(1, len(tacs) + 1) ** 0.8
    rooms = np.minimum(950_000, np.ceil(share / share.sum() * count * 1.15)).astype(np.int64)
    rooms = np.maximum(rooms, 1)
    while rooms.sum() < count * 1.05:
        rooms = np.minimum(950_000, (rooms * 1.2).astype(np.int64) + 1)
    tac = np.repeat(made.permutation(tacs), rooms)
    half = len(tac) // 2
    single = tac[:half] * 1_000_000 + made.integers(0, 1_000_000, half)
    starts = tac[half::40] * 1_000_000 + made.integers(0, 999_960, len(tac[half::40]))
    runs = (starts[:, None] + np.arange(40)).ravel()
    found = np.sort(np.concatenate([single, runs]))
    found = found[np.append(found[1:] != found[:-1], True)][:count]
    # A stride that shares no factor with the size visits each once: an order as good as random, and quick to make.
    return found[np.arange(len(found)) * 1_000_003 % len(found)]


def contents(listed: np.ndarray) -> Contents:
    """The devices, 20,000 whole TACs, 20,000 ranges, 200 IMSI ranges, 500 software versions and 100,000 pairs."""
    made = np.random.default_rng(7)
    tacs = np.arange(36_000_000, 36_020_000, dtype=np.int64) * 1_000_000
    parts = np.arange(36_020_000, 36_040_000, dtype=np.int64) * 1_000_000 + 1000
    low, high = np.concatenate([tacs, parts]), np.concatenate([tacs + 999_999, parts + 5000])
    imsis = 1_001_020_000_000_000 + np.arange(200, dtype=np.int64) * 1_000_000
    paired = listed[: min(100_000, len(listed) // 10)]
    return Contents(
        device=listed,
        attribute=np.full(len(listed), BLOCKED, np.uint8),
        ranges=Ranges(low, high, np.full(len(low), PERMITTED, np.uint8)),
        imsi_ranges=Ranges(imsis, imsis + 999, np.full(200, TRACKED, np.uint8)),
        software_versions={(36_000_000 + n, n % 99): BLOCKED for n in range(500)},
        pairs=Pairs(
            paired,
            1_001_010_000_000_000 + made.integers(0, 10**9, len(paired)),
            np.full(len(paired), PERMITTED, np.uint8),
        ),
    )


def write(path: Path, count: int) -> tuple[float, int]:
    """Build an index of that many devices; CPU seconds of the building alone, and octets."""
    parts = contents(devices(count))
    with meter() as reading:
        build(path, parts, sequence=1, issued_at=clock.now(), source="bench", key=KEY)
    return reading.cpu_seconds, path.stat().st_size


def fold(path: Path, out: Path) -> float:
    """50,000 random changes folded into the next file; CPU seconds."""
    made = np.random.default_rng(3)
    index = open_index(path, [KEY.public])
    overlay = Overlay()
    listed = index.file.array("tac")
    overlay.devices = {
        int(listed[made.integers(len(listed))]) * 1_000_000 + int(serial): BLOCKED if serial % 3 else 0
        for serial in made.integers(0, 1_000_000, 50_000)
    }
    with meter() as reading:
        build(out, folded(index, overlay), sequence=2, issued_at=clock.now(), source="bench", key=KEY)
    return reading.cpu_seconds


def asked_of(path: Path, count: int) -> list[int]:
    """Device keys to ask with: half of them listed, a quarter near misses, a quarter under ruled TACs."""
    made = np.random.default_rng(11)
    index = open_index(path, [KEY.public])
    slots = index.file.array("offs")
    tac, low = index.file.array("tac").astype(np.int64), index.file.array("low")
    places = made.integers(0, len(low), count // 2)
    bucket = np.searchsorted(slots, places, side="right") - 1
    hits = tac[bucket // 16] * 1_000_000 + (bucket % 16 << 16) + low[places]
    near = hits[: count // 4] + 1
    ruled = made.integers(36_000_000, 36_040_000, count // 4) * 1_000_000 + made.integers(0, 1_000_000, count // 4)
    found = np.concatenate([hits, near, ruled]).tolist()
    random.Random(1).shuffle(found)
    return found


def look_up(path: Path) -> tuple[float, float, float, float]:
    """Opening in milliseconds of CPU, with the large arrays checked and not yet; one look-up and one of a batch in µs of CPU."""
    asked = asked_of(path, 200_000)
    began = time.process_time()
    open_index(path, [KEY.public], check=Check.LATER)
    early = time.process_time() - began
    began = time.process_time()
    index = open_index(path, [KEY.public])
    opened = time.process_time() - began
    entry, batch = index.entry, np.array(asked, np.int64)
    singles, batches = [], []
    for _ in range(3):
        began = time.process_time()
        for device in asked:
            entry(device)
        singles.append(time.process_time() - began)
        began = time.process_time()
        index.lookup_many(batch)
        batches.append(time.process_time() - began)
    return opened * 1e3, early * 1e3, min(singles) / len(asked) * 1e6, min(batches) / len(asked) * 1e6


@contextmanager
def server(*command: str):
    """A server process; its id."""
    process = subprocess.Popen([sys.executable, *command], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


def cost(
    pid: int, port: int, asked: list[bytes], window: int, *, introduce: bool = True
) -> tuple[float, list[float], float]:
    """CPU microseconds of the server a question, the waits, and questions a second."""
    link = connect(port, introduce=introduce)
    drive(link, asked[: max(window, len(asked) // 20)], window)
    with meter(pid) as reading:
        waits = drive(link, asked, window)
    link.close()
    return reading.cpu_seconds / len(asked) * 1e6, waits, len(asked) / reading.wall_seconds


def measure(work: Path, scale: Scale) -> list[Row]:
    """The index at the scale's size (and a hundred million at full scale), then S13 with it loaded."""
    count = scale.month
    path = work / f"eir-{count}.idx"
    (built, octets), reading = read_apart(write, path, count)
    opened, early, single, batch = read_apart(look_up, path)[0]
    folding = read_apart(fold, path, work / "eir-folded.idx")[0]
    (work / "eir-folded.idx").unlink()
    million = f"{count // 1_000_000} M devices"
    rows = [
        Row(name=f"EIR index of {million} built, unsorted input", target="<= 3", unit="CPU-s", measured=built,
            cpu_seconds=built, peak_mb=reading.peak_mb, note=f"{octets / 2**20:,.0f} MiB on disk, ranges and pairs included"),
        Row(name=f"EIR index of {million}: verified and opened", target="<= 100", unit="ms CPU", measured=opened, cpu_seconds=opened / 1e3,
            note=f"{early:.0f} ms of it before the large arrays are verified"),
        Row(name=f"EIR look-up in {million}, half hits", target="<= 2", unit="µs CPU", measured=single, cpu_seconds=single * 0.2,
            beside=(Beside(what="the same in a batch", measured=batch),)),
        Row(name=f"50,000 changes folded into {million}", target="<= 2", unit="CPU-s", measured=folding, cpu_seconds=folding),
        *read_apart(of_a_delta, path, work)[0],
    ]  # fmt: skip
    if scale.name == "full":
        rows += hundred_million(work)
    rows += over_sockets(path, count, 60_000)
    port = 20_000 + random.SystemRandom().randrange(20_000)
    asked = asked_of(path, 100_000)
    rows += under_load(
        work,
        server,
        command(path, port),
        asked,
        port,
        f"{million} loaded",
        60_000 if scale.name == "small" else 300_000,
    )
    return [*rows, while_lists_are_swapped(path, 5 if scale.name == "small" else 60)]


def of_a_delta(path: Path, work: Path) -> list[Row]:
    """50,000 changes, drawn from all devices of the index, as they come from the centre: on the wire, and until answered."""
    made = np.random.default_rng(17)
    index = open_index(path, [KEY.public])
    keys = np.sort(made.choice(devices(len(index)), 50_000, replace=False))
    reasons = ("stolen", "lost", "blocked", "cloned_imei")
    # What begins to be blocked bears the day of the run; what ends, the day on which it once began.
    rows = [
        (f"{key:014d}", f"2026-{1 + n % 10:02}-{1 + n % 28:02}", reasons[n % 4], "unblocked")
        if n % 3 == 0
        else (f"{key:014d}", "2027-03-01", reasons[n % 4], "blocked")
        for n, key in enumerate(keys.tolist())
    ]
    kind = KINDS["blocklist"]
    files = ListFiles(work / "bench_blocklist_000002_from_000001")
    files.rows.write_bytes(b"".join(format_rows(kind.delta_columns, rows)))
    sizes = {}
    for form in FORMS:
        made_of = packed(files, work, [form])
        assert made_of is not None
        sizes[made_of[1]] = made_of[0].stat().st_size
        made_of[0].unlink()
    octets, plain = sizes[COLUMNS], files.rows.stat().st_size
    took = []
    for _ in range(3):
        began, at = time.process_time(), time.perf_counter()
        changed = read_block_changes(files.rows, as_of_on=clock.today(), reasons=Reasons(index.reasons))
        write_changes(index, changed, 2)
        Decider(index, changes_over(index), DecisionPolicy())
        took.append((time.process_time() - began, time.perf_counter() - at))
    files.rows.unlink()
    changes_beside(path).unlink()
    cpu_s, wall_s = min(took)
    return [
        Row(name="a delta of 50,000 random changes on the wire", target="<= 250", unit="kB", measured=octets / 1e3, cpu_seconds=0.0,
            beside=(Beside(what="its rows as they are, zstd", measured=sizes[ZSTD] / 1e3),),
            note=f"by columns, zstd; {plain / 1e3:,.0f} kB plain; a third of the changes end a block of some earlier day"),
        Row(name="50,000 changes of a delta over an index that answers", target="<= 100", unit="ms CPU", measured=cpu_s * 1e3, cpu_seconds=cpu_s,
            note=f"as an EIR that follows the register does: the verified delta read, written down beside the index, read by a door ({wall_s * 1e3:.0f} ms wall); "
            "a door looks fifty times a second; the row above follows in the background"),
    ]  # fmt: skip


def hundred_million(work: Path) -> list[Row]:
    """The size of a large country's every handset."""
    path = work / "eir-100000000.idx"
    (built, octets), reading = read_apart(write, path, 100_000_000)
    opened, early, single, batch = read_apart(look_up, path)[0]
    path.unlink()
    return [
        Row(name="EIR index of 100 M devices built, unsorted input", target="<= 15", unit="CPU-s", measured=built,
            cpu_seconds=built, peak_mb=reading.peak_mb),
        Row(name="EIR index of 100 M devices, with attributes", target="<= 350", unit="MiB", measured=octets / 2**20, cpu_seconds=built),
        Row(name="EIR index of 100 M devices opened", target="<= 100", unit="ms CPU", measured=early, cpu_seconds=early / 1e3,
            note=f"head and small arrays verified; {opened:.0f} ms with all of it, as a server does before it answers from it"),
        Row(name="EIR look-up in 100 M devices, half hits", target="<= 2", unit="µs CPU", measured=single, cpu_seconds=single * 0.2,
            beside=(Beside(what="the same in a batch", measured=batch),)),
    ]  # fmt: skip


def command(path: Path, port: int) -> list[str]:
    """Our EIR as an operator runs it."""
    return ["-c", "from openceir.cli import main; main()", "eir", "serve", "--list", str(path), "--trust", KEY.public.format(),
            "--host", HOST, "--realm", REALM, "--port", str(port), "--pages", "off"]  # fmt: skip


def while_lists_are_swapped(path: Path, seconds: int) -> Row:
    """5,000 questions a second, whatever the answers do, while another index takes the place of the first each second."""
    served, port = path.with_name("eir-served.idx"), 20_000 + random.SystemRandom().randrange(20_000)
    others = [path.with_name(f"eir-other-{n}.idx") for n in range(2)]
    for each in others:
        shutil.copy(path, each)
    served.unlink(missing_ok=True)
    os.link(others[0], served)
    asked = questions(asked_of(path, 100_000), 5_000 * seconds)
    done = threading.Event()

    def swap() -> None:
        turn = 0
        while not done.wait(1.0):
            turn += 1
            fresh = served.with_suffix(".new")
            os.link(others[turn % 2], fresh)
            fresh.replace(served)

    with server(*command(served, port)) as pid:
        link = connect(port)
        swapper = threading.Thread(target=swap)
        swapper.start()
        with meter(pid) as reading:
            waits = sorted(pour(link, asked, 5_000))
        done.set()
        swapper.join()
        link.close()
    for each in (*others, served):
        each.unlink()
    return Row(
        name=f"S13 at 5,000/s for {seconds} s, the list swapped every second: questions without an answer", target="<= 0", unit="questions",
        measured=len(asked) - len(waits), cpu_seconds=reading.cpu_seconds,
        note=f"wait p50 {statistics.median(waits) * 1e3:.2f} ms, p99 {waits[int(len(waits) * 0.99)] * 1e3:.2f} ms, "
             f"longest {waits[-1] * 1e3:.0f} ms; CPU includes the opening of {seconds} indexes",
    )  # fmt: skip


def over_sockets(path: Path, count: int, many: int) -> list[Row]:
    """CPU of the server a question, one at a time and with 64 out at once."""
    asked = questions(asked_of(path, 100_000), many)
    port = 20_000 + random.SystemRandom().randrange(20_000)
    rows = []
    for window, target, length in ((1, "<= 35", many // 3), (64, "<= 8", many)):
        with server("-m", "bench._eir_servers", "echo", str(port + 1)) as pid:
            echoed, _, _ = cost(pid, port + 1, asked[:length], window, introduce=False)
        with server("-m", "bench._eir_servers", "python-diameter", str(port + 2)) as pid:
            theirs, _, _ = cost(pid, port + 2, asked[: length // 20], window)
        with server(*command(path, port)) as pid:
            measured, waits, rate = cost(pid, port, asked[:length], window)
        waits.sort()
        rows.append(
            Row(name=f"S13 check, {window} out at once, {count // 1_000_000} M devices loaded", target=target, unit="µs CPU",
                measured=measured, cpu_seconds=measured * length / 1e6,
                beside=(Beside(what="TCP echo (uvloop)", measured=echoed), Beside(what="python-diameter 0.9, a set of 0.5 M", measured=theirs)),
                note=f"{rate:,.0f}/s with a Python load generator on the other core; wait p50 {statistics.median(waits) * 1e3:.2f} ms, "
                     f"p99 {waits[int(len(waits) * 0.99)] * 1e3:.2f} ms")
        )  # fmt: skip
    return rows
