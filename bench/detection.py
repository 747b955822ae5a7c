"""What the laboratory costs: a month measured and judged, with and without spilling, and a further day.

The lake and the lists are those of `bench/nation.py`. "All conditions" are the rules of the packaged example, which use
every condition but those of roamers and associations; those are added here.
"""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.feather as feather

from bench import Beside, Row, Scale, nation, read_apart
from openceir.detection import (
    CELLS,
    STANDING,
    Earlier,
    Engine,
    EngineSettings,
    Inputs,
    Proposal,
    evaluate,
    example_rules,
)  # fmt: skip
from openceir.identity import G2, G3, G4, G5, generations_of_bands
from openceir.policy import Policy, policy_from_text
from openceir.storage.measures import Measures

MORE_RULES = """
[[rule]]
label = "undeclared"
reason = "nobody declared it"
conditions = [{ name = "not_on_association_list" }, { name = "not_on_registration_list" }]
max_matching_ratio = 1.0

[[rule]]
label = "visiting"
reason = "a traveller's"
conditions = [{ name = "international_roamer" }, { name = "local_other_roamer", invert = true }]
"""
KEY = bytes(range(32))


@dataclass(frozen=True)
class LakeFile:
    """A lake file as the import journal would list it."""

    path: Path
    operator: str
    day: date
    digest: bytes


def lake_files(paths: Sequence[Path]) -> list[LakeFile]:
    """The files with what their names say; the digest is of the name, since nothing changes them."""
    return [
        LakeFile(
            path,
            path.name.split("~")[0],
            date.fromisoformat(path.parent.name[4:]),
            hashlib.sha256(str(path).encode()).digest(),
        )
        for path in paths
    ]


def cells(month: nation.Nation) -> pa.Table:
    """The cell tables of the operators, with the keys that the nation's lake uses; as `lists`, read from their files once."""
    kept = month.folder / "detection-cells"
    if not kept.exists():
        fresh = kept.with_suffix(".new")
        feather.write_feather(_cells_from_files(month), str(fresh), compression="uncompressed")
        fresh.rename(kept)
    return feather.read_table(str(kept), memory_map=True)


def _cells_from_files(month: nation.Nation) -> pa.Table:
    parts = []
    for number, operator in enumerate(nation.OPERATORS):
        read = csv.read_csv(month.folder / "cells" / f"{operator}.csv")
        first = 1 + number * nation.TOWNS * nation.CELLS_PER_TOWN
        keys = pa.array(np.arange(first, first + read.num_rows))
        parts.append(pa.table({"cell": keys, **{name: read[name] for name in ("lat", "lon", "radius_m")}}).cast(CELLS))
    return pa.concat_tables(parts)


def lists(month: nation.Nation) -> dict[str, pa.Table]:
    """The authorities' lists as detection takes them; read from their files once, since that is not what is measured."""
    folder = month.folder / "detection-lists"
    if not folder.exists():
        fresh = folder.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        for name, table in _lists_from_files(month).items():
            feather.write_feather(table, str(fresh / name), compression="uncompressed")
        fresh.rename(folder)
    return {path.name: feather.read_table(str(path), memory_map=True) for path in sorted(folder.iterdir())}


def _lists_from_files(month: nation.Nation) -> dict[str, pa.Table]:
    def column(name: str, source: str) -> pa.Array:
        return csv.read_csv(month.list_file(name))[source].cast(pa.int64())

    tac = csv.read_csv(month.list_file("tac"), parse_options=csv.ParseOptions(delimiter="|"))
    bands = {text: generations_of_bands(text) for text in pc.unique(tac["Bands"]).to_pylist()}
    bits = [
        sum(1 << place for place, mask in enumerate((G2, G3, G4, G5)) if bands[text] & mask) or None
        for text in tac["Bands"].to_pylist()
    ]
    people = csv.read_csv(
        month.list_file("subscribers"), convert_options=csv.ConvertOptions(column_types={"imsi": pa.string()})
    )
    return {
        "stolen": pa.table({"device": column("stolen", "imei")}),
        "barred": pa.table({"device": column("barred", "imei")}),
        "barred_tac": pa.table({"tac": column("barred-tac", "tac")}),
        "monitored": pa.table({"device": (watched := column("monitoring", "imei")), "since_on": pa.array([20_000] * len(watched))}),
        "registered": pa.table({"device": column("registration", "approved_imei")}),
        "associated": pa.table({"device": column("association", "imei")}),
        "subscriber": pa.table({"uid": people["uid"], "imsi": pc.binary_join_element_wise("1", people["imsi"], "").cast(pa.int64())}),
        "tac": pa.table(
            {
                "tac": tac["TAC"].cast(pa.int64()), "manufacturer": tac["Manufacturer"], "model": tac["Model Name"],
                "device_type": tac["Device Type"], "generations": pa.array(bits, pa.int64()),
            }
        ),
    }  # fmt: skip


def policy_of(month: nation.Nation) -> Policy:
    """The nation's policy with the example's rules and ours; no rule is refused for its size."""
    rules = (example_rules() + MORE_RULES).replace("max_matching_ratio = 0.3", "max_matching_ratio = 1.0")
    return policy_from_text(("nation", month.policy.read_text(encoding="utf-8")), ("rules", rules))


@dataclass(frozen=True)
class Answer:
    """What a run found: a digest of who matches which rule, and how many."""

    digest: str
    hits: int


def _measure(rows: int, work: Path, home: Path, memory: str, further: bool) -> int:
    """Measure what is new of the lake; how many files that was."""
    month = nation.make(work, rows=rows, dumps=False)
    files = month.lake() + (month.lake(further_day=True) if further else [])
    measures = Measures(home, EngineSettings(memory_limit=memory, spill=home / "spill"))
    return measures.refresh(lake_files(files), cells(month), policy_of(month)).new_files


def _judge(rows: int, work: Path, home: Path, memory: str, further: bool, adopted: bool) -> Answer:
    """Judge every rule over the measures; `adopted`: what the last run found was signed, and stands."""
    month = nation.make(work, rows=rows, dumps=False)
    settings = EngineSettings(memory_limit=memory, spill=home / "spill")
    as_of_on = nation.FIRST_DAY + timedelta(days=nation.DAYS - 1 + further)
    kept = home / "standing.arrow"
    measures = Measures(home, settings)
    standing = feather.read_table(str(kept)) if adopted else None
    inputs = Inputs(
        measured=measures.measured(),
        lists=lists(month),
        standing=standing and standing.select(STANDING.names).cast(STANDING),
    )
    earlier = standing and _earlier(standing, measures)
    proposals = evaluate(policy_of(month), as_of_on, inputs, evidence_key=KEY, settings=settings, earlier=earlier)
    whole = hashlib.sha256()
    for proposal in proposals:
        whole.update(proposal.rule.label.encode() + proposal.standing.tobytes())
        if not adopted:
            proposal.evidence.digest  # noqa: B018 - part of the work
    said = {"as_of_on": as_of_on.isoformat(), "ever_seen": str(proposals[0].ever_seen)}
    table = pa.concat_tables([_standing(proposal) for proposal in proposals])
    said |= _until(measures, as_of_on)
    feather.write_feather(table.replace_schema_metadata(said), str(kept), compression="uncompressed")
    return Answer(whole.hexdigest(), sum(len(p.standing) for p in proposals))


def _until(measures: Measures, day: date) -> dict[str, str]:
    until = measures.until(day)
    return {"sightings": until.sightings.hex(), "conflicts": until.conflicts.hex()}


def _earlier(standing: pa.Table, measures: Measures) -> Earlier:
    """What the register would know of the run before: its findings, and that the month measures as it did."""
    said = {name.decode(): value.decode() for name, value in standing.schema.metadata.items()}
    day = date.fromisoformat(said["as_of_on"])
    if _until(measures, day)["sightings"] != said["sightings"]:
        raise RuntimeError("the month measures otherwise than it did")
    rules = standing["rule"].combine_chunks().dictionary_encode()
    codes, devices = rules.indices.to_numpy(), standing["device"].to_numpy()
    seen = standing["seen"].to_numpy()
    return Earlier(
        as_of_on=day,
        standing={
            label: (devices[codes == code], seen[codes == code])
            for code, label in enumerate(rules.dictionary.to_pylist())
        },
        ever_seen=int(said["ever_seen"]),
        touched=np.empty(0, np.int64),
        has_same_conflicts=_until(measures, day)["conflicts"] == said["conflicts"],
    )


def _standing(proposal: Proposal) -> pa.Table:
    count, rule = len(proposal.standing), proposal.rule
    block_on = None if proposal.block_on is None else (proposal.block_on - date(1970, 1, 1)).days
    said = (pa.scalar(block_on, pa.int64()), False, rule.blocking, rule.marks_duplicate)
    columns = [pa.repeat(rule.label, count), pa.array(proposal.standing), *(pa.repeat(one, count) for one in said)]
    table = pa.Table.from_arrays(columns, schema=STANDING)
    return table.append_column("seen", pa.array(proposal.standing_seen))


def _bare(rows: int, work: Path, home: Path) -> int:
    """The engine alone: one grouping of the month by device and IMSI, the least that any duplicate rule needs."""
    with Engine(EngineSettings(spill=home)) as engine:
        files = ", ".join(f"'{path}'" for path in nation.make(work, rows=rows, dumps=False).lake())
        found = engine.fetch(
            "SELECT COUNT(*) AS n FROM (SELECT device, imsi, COUNT(*) AS n FROM"
            f" read_parquet([{files}], hive_partitioning = false) GROUP BY device, imsi) AS p"
        )
        return int(found["n"][0].as_py())


def measure(work: Path, scale: Scale) -> list[Row]:
    """The month, a further day on top of it, and the large month at 2 GB and at half of that."""
    rows = []
    home = work / "detection-home"

    def run(size: int, memory: str, *, further: bool = False, adopted: bool = False) -> tuple[Answer, Any, Any]:
        if not adopted:
            shutil.rmtree(home, ignore_errors=True)
        _, measuring = read_apart(_measure, size, work, home, memory, further)
        answer, judging = read_apart(_judge, size, work, home, memory, further, adopted)
        return answer, measuring, judging

    def prepared(size: int) -> None:
        made = nation.make(work, rows=size, dumps=False)
        made.lake()
        made.lake(further_day=True)
        lists(made)
        cells(made)

    prepared(scale.month)
    month, measuring, judging = run(scale.month, "4GB")
    total = measuring.cpu_seconds + judging.cpu_seconds
    _, bare = read_apart(_bare, scale.month, work, home)
    rows.append(
        Row(
            name=f"all conditions over {scale.month:,} sightings, measuring included",
            measured=total, unit="CPU-s", target="<= 15" if scale.month >= 10_000_000 else "",
            cpu_seconds=total, peak_mb=max(measuring.peak_mb, judging.peak_mb),
            beside=(Beside(what="bare DuckDB, one grouping", measured=bare.cpu_seconds),),
            note=f"measuring {measuring.cpu_seconds:.1f}, judging {judging.cpu_seconds:.1f};"
            f" {month.hits:,} hits with their evidence",
        )
    )  # fmt: skip
    daily, day, judged = run(scale.month, "4GB", further=True, adopted=True)
    anew, _, _ = run(scale.month, "4GB", further=True)
    same = "the same answer as" if daily == anew else "ANOTHER ANSWER than"
    rows += [
        Row(
            name=f"measuring a further day on top of {scale.month:,} sightings",
            measured=day.cpu_seconds / measuring.cpu_seconds, unit="of measuring the month", target="<= 0.167",
            cpu_seconds=day.cpu_seconds, peak_mb=day.peak_mb, note=f"{same} a full run",
        ),
        Row(
            name=f"measuring and judging a further day on top of {scale.month:,} sightings",
            measured=(day.cpu_seconds + judged.cpu_seconds) / total, unit="of the month", target="<= 0.167",
            cpu_seconds=day.cpu_seconds + judged.cpu_seconds, peak_mb=judged.peak_mb,
            note=f"{same} a full run",
        ),
    ]  # fmt: skip
    prepared(scale.large)
    large, measuring, judging = run(scale.large, "2GB")
    total = measuring.cpu_seconds + judging.cpu_seconds
    small, tight, tighter = run(scale.large, "1GB")
    same = "the same answer" if large == small else "ANOTHER ANSWER"
    rows.append(
        Row(
            name=f"all conditions over {scale.large:,} sightings within 2 GB",
            measured=total, unit="CPU-s", target="<= 70" if scale.large >= 50_000_000 else "",
            cpu_seconds=total, peak_mb=max(measuring.peak_mb, judging.peak_mb),
            note=f"{same} within 1 GB, spilling ({tight.cpu_seconds + tighter.cpu_seconds:.1f} CPU-s,"
            f" peak {max(tight.peak_mb, tighter.peak_mb):,.0f} MB)",
        )
    )  # fmt: skip
    shutil.rmtree(home, ignore_errors=True)
    return rows
