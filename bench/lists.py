"""What the dispatch desk costs: all lists of four operators, and a stolen delta from its file to new signed lists.

The register is that of `bench/nation.py`, imported, judged by three rules and adopted, once; each measurement runs in
a process of its own on a copy of that home.
"""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import openceir
from bench import Beside, Row, Scale, nation, read_apart
from openceir.app import open_register
from openceir.statements import Role

AT = datetime(2026, 11, 1, 4, tzinfo=UTC)
RULES = """
[[rule]]
label = "cloned"
reason = "one number, several handsets"
conditions = [{ name = "duplicate_threshold", params = { threshold = 3, period_days = 30 } }]
grace_days = 30
blocking = true
marks_duplicate = true
max_matching_ratio = 1.0

[[rule]]
label = "unregistered"
reason = "on no registration list"
conditions = [{ name = "not_on_registration_list" }]
grace_days = 60
blocking = true
max_matching_ratio = 1.0

[[rule]]
label = "malformed"
reason = "not an IMEI"
conditions = [{ name = "malformed" }]
grace_days = 0
blocking = true
max_matching_ratio = 1.0
"""


def measure(work: Path, scale: Scale) -> list[Row]:
    """The rows of the table."""
    country = nation.make(work, rows=scale.peer)
    home = a_home(work, country)
    full = work / "lists-run"
    shutil.rmtree(full, ignore_errors=True)  # of a run that was stopped
    shutil.copytree(home, full)
    rows, reading = read_apart(_all_lists, full)
    made = Row(
        name=f"lists of 4 operators, {rows['devices']:,} IMEIs seen, {rows['rows']:,} rows delivered",
        target="<= 2",
        unit="CPU-s",
        measured=reading.cpu_seconds,
        cpu_seconds=reading.cpu_seconds,
        peak_mb=reading.peak_mb,
        beside=(Beside(what="DIRBS 16.0.0, first lists at 3 M rows", measured=10.9),),
    )
    signed, cpu_seconds = _stolen_delta(full, country.list_file("stolen-delta"))
    delta = Row(
        name=f"a stolen delta to signed lists and deltas at {scale.peer:,} sightings ({signed} statements)",
        target="<= 1",
        unit="CPU-s",
        measured=cpu_seconds,
        cpu_seconds=cpu_seconds,
        beside=(Beside(what="DIRBS 16.0.0, classify and lists at 3 M rows", measured=29.0),),
        note="from the file: read, signed, logged, claimed, listed; interpreter and imports included",
    )
    shutil.rmtree(full)
    return [made, delta]


def a_home(work: Path, country: nation.Nation) -> Path:
    """The register with a month in it, made once."""
    home = work / f"lists-home-{country.rows}-{country.seed}"
    if (home / "ready").exists():
        return home
    shutil.rmtree(home, ignore_errors=True)
    (home / "policy").mkdir(parents=True)
    # A list of a made-up nation may fail limits that guard against an operator's mistake: they are not measured here.
    shutil.copy(country.policy, home / "policy" / "1-nation.toml")
    (home / "policy" / "2-rules.toml").write_text(RULES)
    register = open_register(home)
    for office in (Role.POLICE, Role.REGULATOR, Role.OPERATOR):
        register.new_key(office, member=office, roles=[office], valid_from=datetime(2026, 1, 1, tzinfo=UTC))
    register.import_tac_table(country.list_file("tac"), at=AT)
    for dump in country.dumps:
        register.import_sightings(dump, at=AT)
    for kind, by in (("registration", "regulator"), ("stolen", "police"), ("pairing", "regulator")):
        register.import_list(kind, country.list_file(kind), by=by, at=AT)
    register.adopt(register.detect(at=AT).number, by="regulator", at=AT)
    register.ledger.close()
    register.database.close()
    (home / "ready").touch()
    return home


def _all_lists(home: Path) -> dict[str, int]:
    register = open_register(home)
    run = register.make_lists(on=AT.date(), at=AT)
    rows = sum(made.full.rows for made in run.lists)
    register.ledger.close()
    return {"rows": rows, "devices": int(register.detection_runs.runs(1)[0].ever_seen)}


def _stolen_delta(home: Path, file: Path) -> tuple[int, float]:
    """Run by path in a process of its own, with its bytecode made beforehand as an installation does."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(Path(openceir.__file__).parent)], env=environment)
    asked = [sys.executable, str(Path(__file__).with_name("_stolen_delta.py")), str(home), str(file)]
    before = os.times()
    done = subprocess.run(asked, env=environment, check=True, capture_output=True, text=True)
    after = os.times()
    cpu_seconds = after.children_user - before.children_user + after.children_system - before.children_system
    return int(done.stdout), cpu_seconds
