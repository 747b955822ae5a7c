"""A small world to judge: a few devices, a few months of sightings, lists; and the files that detection reads."""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from openceir.detection import CELLS, LISTS, EngineSettings, Inputs, Proposal, evaluate
from openceir.policy import Policy, policy_from_text
from openceir.storage.measures import Measures

KEY = bytes(range(32))
EPOCH = date(1970, 1, 1)
SMALL = EngineSettings(memory_limit="500MB", threads=1)
SIGHTINGS = pa.schema([(name, pa.int64()) for name in ("device", "imsi", "msisdn", "rat", "ts", "cell")])
COUNTRY = """
[country]
mcc = ["001"]
exempt_device_types = ["Module"]
[operators.northtel]
mcc_mnc = ["00101"]
[operators.southtel]
mcc_mnc = ["00102"]
"""


@dataclass(frozen=True)
class Sighting:
    """One row of an operator's dump, as the lake holds it."""

    day: date
    operator: str
    device: int | None
    imsi: int | None = None
    msisdn: int | None = None
    rat: int | None = None
    ts: int | None = None
    cell: int | None = None


@dataclass(frozen=True)
class LakeFile:
    path: Path
    operator: str
    day: date
    digest: bytes


@dataclass(frozen=True)
class World:
    sightings: tuple[Sighting, ...] = ()
    lists: Mapping[str, Sequence[tuple[Any, ...]]] = field(default_factory=dict)
    cells: tuple[tuple[int, float, float, float | None], ...] = ()

    def but(self, **changes: Any) -> "World":
        return replace(self, **changes)

    def tables(self) -> dict[str, pa.Table]:
        return {name: table_of(LISTS[name], rows) for name, rows in self.lists.items()}

    def cell_table(self) -> pa.Table:
        return table_of(CELLS, self.cells)


def table_of(schema: pa.Schema, rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.Table.from_arrays([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)


def key(digits: str) -> int:
    """The column key of a subscriber's number: a leading 1."""
    return int("1" + digits)


def instant(day: date, hours: float = 12.0) -> int:
    return int((datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hours)).timestamp())


def write_file(home: Path, operator: str, day: date, rows: Sequence[Sighting], name: str = "a") -> LakeFile:
    folder = home / "lake" / "sightings" / f"day={day}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{operator}~{name}.parquet"
    pq.write_table(table_of(SIGHTINGS, [(r.device, r.imsi, r.msisdn, r.rat, r.ts, r.cell) for r in rows]), path)
    return LakeFile(path, operator, day, hashlib.sha256(path.read_bytes()).digest())


def write_lake(home: Path, sightings: Sequence[Sighting]) -> list[LakeFile]:
    """One file a day and operator."""
    groups: dict[tuple[date, str], list[Sighting]] = {}
    for row in sightings:
        groups.setdefault((row.day, row.operator), []).append(row)
    return [write_file(home, operator, day, rows) for (day, operator), rows in sorted(groups.items())]


@contextmanager
def new_home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def rules(text: str) -> Policy:
    return policy_from_text(("country", COUNTRY), ("rules", text))


def rule(label: str, *conditions: str, **more: Any) -> str:
    settings = {"reason": f"because of {label}", "max_matching_ratio": 1.0, **more}
    lines = [f"{name} = {_toml(value)}" for name, value in settings.items()]
    return "\n".join([f'[[rule]]\nlabel = "{label}"', f"conditions = [{', '.join(conditions)}]", *lines, ""])


def use(name: str, *, invert: bool = False, **params: Any) -> str:
    inner = ", ".join(f"{name} = {_toml(value)}" for name, value in params.items())
    return f'{{ name = "{name}", invert = {_toml(invert)}, params = {{ {inner} }} }}'


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{name}" = {_toml(one)}' for name, one in value.items()) + " }"
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else str(value)


def judge(world: World, policy: Policy, as_of_on: date, **more: Any) -> dict[str, Proposal]:
    """The proposals by rule, from a lake written and measured for the occasion."""
    with new_home() as home:
        measures = Measures(home, SMALL)
        measures.refresh(write_lake(home, world.sightings), world.cell_table(), policy)
        inputs = Inputs(measured=measures.measured(), lists=world.tables(), standing=more.pop("standing", None))
        proposals = evaluate(policy, as_of_on, inputs, evidence_key=KEY, settings=SMALL, **more)
        return {proposal.rule.label: proposal for proposal in proposals}


def standing_set(proposal: Proposal) -> set[int]:
    return set(proposal.standing.tolist())
