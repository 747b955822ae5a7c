"""The house stands: imports go downwards, rooms on one floor leave each other alone."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import openceir

ROOT = Path(openceir.__file__).parent

FLOOR_OF_ROOM = {
    "errors": 0, "clock": 0, "progress": 0,
    "identity": 1,
    "wire": 2, "statements": 2, "policy": 2, "scan": 2,
    "ledger": 3,
    "status": 4, "questions": 4,
    "intake": 5, "detection": 5, "lists": 5, "reports": 5, "federation": 5,
    "storage": 6, "settings": 6,
    "app": 7,
    "asking": 8, "backup": 8, "consortium": 8, "eir": 8, "http": 8, "demo": 8, "portal": 9, "abroad": 9, "cli": 10,
}  # fmt: skip


def room_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "openceir" and len(parts) > 1 else None


def imports_of(path: Path) -> set[str]:
    """Absolute names of every openceir module that the file imports, wherever in the file it does so."""
    package = ["openceir", *path.relative_to(ROOT).with_suffix("").parts[:-1]]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{stem}.{alias.name}" for alias in node.names} if stem == "openceir" else {stem}
    return {name for name in found if room_of(name)}


def climbing_imports() -> list[str]:
    climbs = []
    for path in sorted(ROOT.rglob("*.py")):
        relative = path.relative_to(ROOT)
        room = relative.parts[0].removesuffix(".py")
        if room in {"__init__", "__main__"}:
            continue
        for target in sorted(imports_of(path)):
            other = room_of(target)
            assert other is not None
            if other in {room, "__version__"}:
                continue
            if FLOOR_OF_ROOM[other] >= FLOOR_OF_ROOM[room]:
                climbs.append(f"{relative} ({room}, floor {FLOOR_OF_ROOM[room]}) imports {target}")
    return climbs


def test_every_room_has_a_floor():
    rooms = {path.name.removesuffix(".py") for path in ROOT.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert rooms - {"__init__", "__main__", "__pycache__", "py.typed"} <= FLOOR_OF_ROOM.keys()


def test_imports_go_downwards():
    assert climbing_imports() == []


def test_only_the_clock_asks_what_time_it_is():
    """Style §4: time comes in as an argument, so that every verdict can be replayed."""
    forbidden = ("datetime.now(", "utcnow(", "date.today(", "time.time(")
    guilty = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in ROOT.rglob("*.py")
        if path.name != "clock.py"
        for word in forbidden
        if word in path.read_text(encoding="utf-8")
    ]
    assert guilty == []


# program -> what it gets its work done without. What is slow to import belongs to the job that needs it.
_WITHOUT = {
    "the command line's help": (
        "import openceir.cli",
        {"numpy", "pyarrow", "duckdb", "nacl", "cbor2", "cryptography", "django", "granian", "sqlite3", "openceir.app"},
    ),
    "one answer, by a command or the HTTP worker": (
        """
import openceir.cli.device, openceir.http.application
open_register(home).check("00100100000001", at)
""",
        {
            "duckdb", "pyarrow", "isal", "cryptography", "django", "concurrent.futures",
            "openceir.detection", "openceir.intake", "openceir.ledger.comet",
        },
    ),
    "the lists of a theft whose number one handset bears": (
        """
from openceir.statements import DeviceSet, DeviceStolen, Role
(home / "policy").mkdir()
(home / "policy" / "1.toml").write_text('[operators.northtel]\\nmcc_mnc = ["00101"]\\n')
register = open_register(home)
register.new_key("police", member="police", roles=[Role.POLICE], valid_from=at)
stolen = DeviceStolen(devices=DeviceSet.of("00100100000001"), stolen_at=at, case_number="N-7")
register.state([stolen], by="police", at=at)
assert register.make_lists(on=at.date(), at=at).lists[0].full.rows == 1
""",
        {"duckdb", "openceir.detection", "cryptography", "django", "granian", "openceir.ledger.comet"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", _WITHOUT)
def test_a_program_loads_no_more_than_it_needs(what, tmp_path):
    work, not_needed = _WITHOUT[what]
    program = f"""
import sys
from datetime import UTC, datetime
from pathlib import Path
home, at = Path(sys.argv[1]), datetime(2027, 3, 1, tzinfo=UTC)
def open_register(home):
    from openceir.app import open_register
    return open_register(home)
{work}
print(*{not_needed!r} & sys.modules.keys())
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.split() == []


def test_no_two_test_files_bear_one_name():
    """pytest imports files of folders without __init__.py by their bare names: the second of two would not be run."""
    seen: dict[str, Path] = {}
    for path in sorted((ROOT.parents[1] / "tests").rglob("test_*.py")):
        if not (path.parent / "__init__.py").exists():
            assert path.name not in seen, f"{path} and {seen[path.name]}"
            seen[path.name] = path
