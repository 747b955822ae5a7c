"""Detection runs and what their verdicts rest on.

    detection_run        one row a run: day, policy, what it was made from
    detection_run_measures   what was measured up to that day, as two digests: a later run may begin from there
    detection_evidence   one header a run and rule
    evidence             one row a run, rule and device: point look-ups by device
    lake/measures/runs/000007.parquet      who matched, of each rule (Parquet, 0600)
    lake/measures/inputs/stolen~ab12….parquet   lists as the run saw them, kept once however many runs saw them (0600)

A run counts once its row is committed; files are written before. Evidence rows name devices and keyed digests, never
subscribers; the snapshot of the subscribers' register does hold IMSIs and is erased with `forget`.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from openceir.detection import (
    LISTS,
    STANDING,
    Change,
    Devices,
    Earlier,
    Evidence,
    EvidenceRow,
    Inputs,
    Measured,
    Proposal,
    Rule,
    RunUnknown,
    explain,
)
from openceir.policy import Policy
from openceir.storage.database import Database
from openceir.storage.files import write_beside
from openceir.storage.measures import MeasuredUntil

__all__ = ["DetectionRun", "DetectionRuns", "Replay", "outcome_digest"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS detection_run(
    run INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    as_of_on TEXT NOT NULL,
    only_rules TEXT NOT NULL,
    policy_digest BLOB NOT NULL,
    policy TEXT NOT NULL,
    measures_digest BLOB NOT NULL,
    inputs TEXT NOT NULL,
    ever_seen INTEGER NOT NULL,
    outcome_digest BLOB NOT NULL,
    file TEXT NOT NULL,
    proposals TEXT NOT NULL,
    adopted_at INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS detection_run_measures(
    run INTEGER PRIMARY KEY REFERENCES detection_run(run),
    sightings BLOB NOT NULL,
    conflicts BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS detection_evidence(
    run INTEGER NOT NULL REFERENCES detection_run(run),
    rule TEXT NOT NULL,
    header TEXT NOT NULL,
    salt BLOB NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY(run, rule)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS detection_evidence_by_digest ON detection_evidence(digest);
CREATE TABLE IF NOT EXISTS evidence(
    device INTEGER NOT NULL,
    rule TEXT NOT NULL,
    run INTEGER NOT NULL,
    row TEXT NOT NULL,
    PRIMARY KEY(device, rule, run)
) STRICT, WITHOUT ROWID;
"""
_RUN_FILE = pa.schema([("rule", pa.string()), ("device", pa.int64()), ("what", pa.string()), ("seen", pa.bool_())])
_STANDING = "standing_claims"
# Lists of which a change touches only the devices that it names.
_BY_DEVICE = ("stolen", "barred", "monitored", "registered", "associated")


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionRun:
    """One run as it was kept. `policy` is the merged policy's JSON, `inputs` names the snapshots by list."""

    number: int
    at: datetime
    as_of_on: date
    only_rules: tuple[str, ...]
    policy_digest: bytes
    policy: str
    measures_digest: bytes
    inputs: Mapping[str, str]
    ever_seen: int
    outcome_digest: bytes
    file: str
    proposals: Sequence[Mapping[str, Any]]
    adopted_at: datetime | None

    def summary(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "run": self.number,
            "at": self.at.isoformat(),
            "as_of_on": self.as_of_on.isoformat(),
            "policy_digest": self.policy_digest.hex(),
            "measures_digest": self.measures_digest.hex(),
            "outcome_digest": self.outcome_digest.hex(),
            "ever_seen": self.ever_seen,
            "adopted_at": self.adopted_at and self.adopted_at.isoformat(),
            "proposals": list(self.proposals),
        }


@dataclass(frozen=True, slots=True)
class Replay:
    """A run and what the same question answers now."""

    run: DetectionRun
    outcome_digest: bytes
    measures_digest: bytes

    @property
    def is_same(self) -> bool:
        """Whether every verdict came out again, with the same evidence."""
        return self.outcome_digest == self.run.outcome_digest

    @property
    def has_same_data(self) -> bool:
        """Whether the lake still measures as it did then."""
        return self.measures_digest == self.run.measures_digest


class DetectionRuns:
    """The runs of one register."""

    def __init__(self, home: Path, database: Database) -> None:
        self._folder = home / "lake" / "measures"
        self._database = database
        database.define(_SCHEMA)

    # -- keeping -------------------------------------------------------------------------------------------------

    def add(
        self,
        proposals: Sequence[Proposal],
        inputs: Inputs,
        *,
        as_of_on: date,
        at: datetime,
        policy: Policy,
        until: MeasuredUntil,
        only_rules: Sequence[str] = (),
    ) -> DetectionRun:
        """Keep a run with its inputs, outcome and evidence. Durable on return."""
        named = {name: self._snapshot(name, inputs.list_named(name)) for name in LISTS}
        named[_STANDING] = self._snapshot(
            _STANDING, STANDING.empty_table() if inputs.standing is None else inputs.standing
        )
        outcome = outcome_digest(proposals)
        file = f"runs/{int(at.timestamp())}-{outcome.hex()[:16]}.parquet"
        with write_beside(self._folder / file, mode=0o600) as path:
            pq.write_table(_outcome_table(proposals), path, compression="zstd")
        with self._database.transaction() as rows:
            cursor = rows.execute(
                "INSERT INTO detection_run(at, as_of_on, only_rules, policy_digest, policy, measures_digest, inputs,"
                " ever_seen, outcome_digest, file, proposals) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    int(at.timestamp()), as_of_on.isoformat(), json.dumps(list(only_rules)), policy.digest,
                    policy.to_json(), inputs.measured.digest, json.dumps(named, sort_keys=True),
                    proposals[0].ever_seen if proposals else 0, outcome, file,
                    json.dumps([_kept(proposal) for proposal in proposals], ensure_ascii=False),
                ),
            )  # fmt: skip
            number = cursor.lastrowid
            assert number is not None
            rows.execute(
                "INSERT INTO detection_run_measures(run, sightings, conflicts) VALUES (?, ?, ?)",
                (number, until.sightings, until.conflicts),
            )
            for proposal in proposals:
                found = proposal.evidence
                rows.execute(
                    "INSERT INTO detection_evidence(run, rule, header, salt, digest) VALUES (?, ?, ?, ?, ?)",
                    (number, proposal.rule.label, found.header, found.salt, found.digest),
                )
                rows.executemany(
                    "INSERT INTO evidence(device, rule, run, row) VALUES (?, ?, ?, ?)",
                    zip(
                        found.devices.tolist(),
                        [proposal.rule.label] * len(found.rows),
                        [number] * len(found.rows),
                        found.rows,
                        strict=True,
                    ),
                )
        return self.run(number)

    def note_adoption(self, number: int, at: datetime) -> None:
        """Say that the run's proposals were signed."""
        with self._database.transaction() as rows:
            rows.execute("UPDATE detection_run SET adopted_at = ? WHERE run = ?", (int(at.timestamp()), number))

    def forget(self, before: date) -> None:
        """Erase snapshots that only runs of days before `before` used: they cannot be replayed any more."""
        kept = {
            name
            for (text,) in self._database.connection.execute(
                "SELECT inputs FROM detection_run WHERE as_of_on >= ?", (before.isoformat(),)
            )
            for name in json.loads(text).values()
        }
        for path in (self._folder / "inputs").glob("*.parquet"):
            if path.name not in kept:
                path.unlink()

    # -- reading -------------------------------------------------------------------------------------------------

    def before(self, policy_digest: bytes, as_of_on: date) -> DetectionRun | None:
        """The newest run of all rules of that policy as of the day, or else of the nearest day before."""
        found = self._select(
            "WHERE policy_digest = ? AND as_of_on <= ? AND only_rules = '[]' ORDER BY as_of_on DESC, run DESC LIMIT 1",
            (policy_digest, as_of_on.isoformat()),
        )
        return found[0] if found else None

    def earlier(self, run: DetectionRun, inputs: Inputs, until: MeasuredUntil) -> Earlier | None:
        """What a run answered, for a later one of the same policy to begin from; None when too much changed since.

        `until` is what is measured now up to the run's day.
        """
        kept = self._database.connection.execute(
            "SELECT sightings, conflicts FROM detection_run_measures WHERE run = ?", (run.number,)
        ).fetchone()
        if kept is None or kept[0] != until.sightings:
            return None
        touched = self.touched_since(run, inputs)
        if touched is None:
            return None
        return Earlier(
            as_of_on=run.as_of_on,
            standing=self.standing_of(run),
            ever_seen=run.ever_seen,
            touched=touched,
            has_same_conflicts=kept[1] == until.conflicts,
        )

    def run(self, number: int) -> DetectionRun:
        """The run of that number.

        Raises: RunUnknown.
        """
        found = self._select("WHERE run = ?", (number,))
        if not found:
            raise RunUnknown(f"there is no detection run {number}; `openceir detection runs` lists them")
        return found[0]

    def runs(self, most: int = 50) -> list[DetectionRun]:
        """Runs, newest first."""
        return self._select("ORDER BY run DESC LIMIT ?", (most,))

    def inputs_of(self, run: DetectionRun, measured: Measured) -> Inputs:
        """The lists as the run saw them, over the given measures.

        Raises: RunUnknown when they were erased.
        """
        tables = {name: self._read_snapshot(run, file) for name, file in run.inputs.items()}
        return Inputs(
            measured=measured,
            lists={name: tables[name] for name in LISTS},
            standing=tables[_STANDING].cast(STANDING),
        )

    def is_overtaken(self, run: DetectionRun, standing: pa.Table) -> bool:
        """Whether other findings of its rules hold now than the run compared its own with.

        Raises: RunUnknown when what it compared with was erased.
        """
        rules = pa.array([proposal["rule"] for proposal in run.proposals], pa.string())
        then, now = (
            table.select(STANDING.names).cast(STANDING).filter(pc.is_in(table["rule"], rules))
            for table in (self._read_snapshot(run, run.inputs[_STANDING]), standing)
        )
        return not then.combine_chunks().equals(now.combine_chunks())

    def standing_of(self, run: DetectionRun) -> dict[str, tuple[Devices, Any]]:
        """Who matched each rule in a run, and which of them were seen."""
        table = pq.read_table(self._folder / run.file, filters=[("what", "=", "standing")])
        rules = table["rule"].to_numpy(zero_copy_only=False)
        devices, seen = table["device"].to_numpy(), table["seen"].to_numpy(zero_copy_only=False).astype(np.bool_)
        labels = [proposal["rule"] for proposal in run.proposals]
        return {label: (devices[rules == label], seen[rules == label]) for label in labels}

    def touched_since(self, run: DetectionRun, inputs: Inputs) -> Devices | None:
        """The devices whose lists differ from those of a run; None when more than single devices may have changed."""
        touched: list[Devices] = []
        for name in LISTS:
            table = inputs.list_named(name)
            if _snapshot_name(name, table) == run.inputs[name]:
                continue
            path = self._folder / "inputs" / run.inputs[name]
            if name not in _BY_DEVICE or not path.exists():
                return None
            touched.append(_differing(pq.read_table(path), table))
        return np.unique(np.concatenate(touched)) if touched else np.empty(0, np.int64)

    def proposals_of(self, run: DetectionRun) -> list[Proposal]:
        """The run's proposals, as they were made."""
        table = pq.read_table(self._folder / run.file)
        rules, whats = (table[name].to_numpy(zero_copy_only=False) for name in ("rule", "what"))
        devices, seen = table["device"].to_numpy(), table["seen"].to_numpy(zero_copy_only=False).astype(np.bool_)
        made = []
        for kept in run.proposals:
            mine = rules == kept["rule"]

            def of(what: str, mine: Any = mine) -> Devices:
                found: Devices = devices[mine & (whats == what)]
                return found

            made.append(
                Proposal(
                    rule=Rule(
                        label=kept["rule"], uses=(), reason=kept["reason"], grace_days=kept["grace_days"],
                        blocking=kept["blocking"], sticky=kept["sticky"], amnesty_eligible=kept["amnesty_eligible"],
                        marks_duplicate=kept["marks_duplicate"], max_matching_ratio=kept["max_matching_ratio"],
                    ),
                    as_of_on=run.as_of_on,
                    policy_digest=run.policy_digest,
                    ever_seen=run.ever_seen,
                    standing=of("standing"),
                    standing_seen=seen[mine & (whats == "standing")],
                    matched=of("matched"),
                    cleared=of("cleared"),
                    block_on=kept["block_on"] and date.fromisoformat(kept["block_on"]),
                    amnesty=kept["amnesty"],
                    changed=tuple(
                        Change(
                            devices=of(f"changed {number}"),
                            block_on=change["block_on"] and date.fromisoformat(change["block_on"]),
                            amnesty=change["amnesty"],
                        )
                        for number, change in enumerate(kept["changes"])
                    ),
                    evidence=self._evidence_of(run.number, kept["rule"]),
                    retired=kept["retired"],
                )
            )  # fmt: skip
        return made

    def evidence_for(self, device: int) -> list[EvidenceRow]:
        """The newest evidence on one device, one a rule."""
        rows = self._database.connection.execute(
            "SELECT e.row, h.header FROM evidence AS e JOIN detection_evidence AS h ON h.run = e.run AND h.rule = e.rule"
            " WHERE e.device = ? AND e.run = (SELECT MAX(run) FROM evidence WHERE device = e.device AND rule = e.rule)"
            " ORDER BY e.rule",
            (device,),
        )
        return [EvidenceRow(device, json.loads(header), json.loads(row)) for row, header in rows]

    def evidence_with(self, digest: bytes, device: int) -> EvidenceRow | None:
        """What a statement with that evidence digest rests on for one device; None when it is not kept."""
        row = self._database.connection.execute(
            "SELECT e.row, h.header FROM detection_evidence AS h JOIN evidence AS e ON e.run = h.run AND e.rule = h.rule"
            " WHERE h.digest = ? AND e.device = ? ORDER BY h.run DESC LIMIT 1",
            (digest, device),
        ).fetchone()
        return EvidenceRow(device, json.loads(row[1]), json.loads(row[0])) if row else None

    def summary_of(self, device: int, rule: str, digest: bytes | None) -> dict[str, Any] | None:
        """What an answer about a device says of a classification: sentences, no subscriber; None when not kept."""
        found = self.evidence_with(digest, device) if digest is not None else None
        if found is None or found.header["rule"] != rule:
            return None
        return {"as_of_on": found.header["as_of_on"], "says": explain(found)}

    def _evidence_of(self, number: int, rule: str) -> Evidence:
        connection = self._database.connection
        [(header, salt)] = connection.execute(
            "SELECT header, salt FROM detection_evidence WHERE run = ? AND rule = ?", (number, rule)
        )
        rows = connection.execute(
            "SELECT device, row FROM evidence WHERE run = ? AND rule = ? ORDER BY device", (number, rule)
        ).fetchall()
        return Evidence(
            header=header,
            salt=salt,
            devices=np.array([device for device, _ in rows], np.int64),
            rows=[row for _, row in rows],
        )

    def _select(self, rest: str, values: tuple[Any, ...]) -> list[DetectionRun]:
        rows = self._database.connection.execute(
            "SELECT run, at, as_of_on, only_rules, policy_digest, policy, measures_digest, inputs, ever_seen,"
            f" outcome_digest, file, proposals, adopted_at FROM detection_run {rest}",
            values,
        )
        return [
            DetectionRun(
                number=number, at=datetime.fromtimestamp(at, UTC), as_of_on=date.fromisoformat(as_of_on),
                only_rules=tuple(json.loads(only_rules)), policy_digest=policy_digest, policy=policy,
                measures_digest=measures_digest, inputs=json.loads(inputs), ever_seen=ever_seen,
                outcome_digest=outcome, file=file, proposals=json.loads(proposals),
                adopted_at=None if adopted is None else datetime.fromtimestamp(adopted, UTC),
            )
            for (number, at, as_of_on, only_rules, policy_digest, policy, measures_digest, inputs, ever_seen,
                 outcome, file, proposals, adopted) in rows
        ]  # fmt: skip

    def _snapshot(self, name: str, table: pa.Table) -> str:
        file = _snapshot_name(name, table)
        path = self._folder / "inputs" / file
        if not path.exists():
            with write_beside(path, mode=0o600) as fresh:
                pq.write_table(table, fresh, compression="zstd")
        return file

    def _read_snapshot(self, run: DetectionRun, file: str) -> pa.Table:
        path = self._folder / "inputs" / file
        if not path.exists():
            raise RunUnknown(
                f"the lists that run {run.number} saw are kept no longer (retention); it cannot be replayed"
            )
        return pq.read_table(path)


def outcome_digest(proposals: Sequence[Proposal]) -> bytes:
    """SHA-256 over what was proposed and why: two runs with equal digests said the same."""
    whole = hashlib.sha256()
    for proposal in proposals:
        whole.update(json.dumps(_kept(proposal), sort_keys=True).encode())
        for column in (proposal.standing, proposal.matched, proposal.cleared, *(c.devices for c in proposal.changed)):
            whole.update(len(column).to_bytes(8, "big") + column.astype(">i8").tobytes())
    return whole.digest()


def _kept(proposal: Proposal) -> dict[str, Any]:
    rule = proposal.rule
    return proposal.summary() | {
        "grace_days": rule.grace_days,
        "sticky": rule.sticky,
        "amnesty_eligible": rule.amnesty_eligible,
        "max_matching_ratio": rule.max_matching_ratio,
        "conditions": list(proposal.evidence.conditions),
        "changes": [
            {"block_on": change.block_on and change.block_on.isoformat(), "amnesty": change.amnesty}
            for change in proposal.changed
        ],
    }


def _outcome_table(proposals: Sequence[Proposal]) -> pa.Table:
    parts = [_RUN_FILE.empty_table()]
    for proposal in proposals:
        columns = {"standing": proposal.standing, "matched": proposal.matched, "cleared": proposal.cleared}
        columns |= {f"changed {number}": change.devices for number, change in enumerate(proposal.changed)}
        for what, devices in columns.items():
            count = len(devices)
            seen = proposal.standing_seen if what == "standing" else np.ones(count, np.bool_)
            parts.append(
                pa.table(
                    [[proposal.rule.label] * count, devices, [what] * count, seen],
                    schema=_RUN_FILE,
                )
            )
    return pa.concat_tables(parts)


def _snapshot_name(name: str, table: pa.Table) -> str:
    """Equal for tables with equal rows in equal order."""
    whole = hashlib.sha256()
    for column in table.columns:
        if pa.types.is_string(column.type):
            parts = _octets_of_texts(column)
        else:
            parts = [column.cast(pa.int64()).fill_null(-(2**63)).to_numpy()]
        for part in parts:
            whole.update(part.nbytes.to_bytes(8, "big"))
            whole.update(part.data)
    return f"{name}~{whole.hexdigest()[:32]}.parquet"


def _octets_of_texts(column: pa.ChunkedArray) -> list[npt.NDArray[Any]]:
    """The lengths of all texts, -1 for null, and their octets end to end: no text is made a Python object."""
    lengths = pc.binary_length(column).fill_null(-1).to_numpy()
    texts = column.cast(pa.large_binary()).fill_null(b"").combine_chunks()
    _, offsets, octets = texts.buffers()
    if not len(texts) or octets is None:
        return [lengths, np.empty(0, np.uint8)]
    bounds = np.frombuffer(offsets, np.int64)
    first, last = bounds[texts.offset], bounds[texts.offset + len(texts)]
    return [lengths, np.frombuffer(octets, np.uint8)[first:last]]


def _differing(old: pa.Table, new: pa.Table) -> Devices:
    """The devices of rows that stand in one table and not in the other."""
    columns = [np.stack([table[name].fill_null(-1).to_numpy() for name in new.column_names]) for table in (old, new)]
    rows = [np.unique(column, axis=1) if len(column) > 1 else np.unique(column[0])[None] for column in columns]
    both = np.concatenate(rows, axis=1)
    order = np.lexsort(both[::-1])
    both = both[:, order]
    same = (both[:, 1:] == both[:, :-1]).all(axis=0) if both.shape[1] else np.zeros(0, np.bool_)
    twice = np.concatenate([same, [False]]) | np.concatenate([[False], same]) if both.shape[1] else same
    return np.unique(both[new.column_names.index("device"), ~twice])
