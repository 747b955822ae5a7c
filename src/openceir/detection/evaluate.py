"""The verdict: a pure function of policy, day, measures, lists and what earlier classifications still say.

    facts ─▶ conditions ─▶ rules ─▶ who matches ──┬─ minus who stood ─▶ matched (new)
                                                  ├─ and who stood  ─▶ changed, when something else follows now
                     who stood (classified) ──────┴─ minus who matches ─▶ cleared (a sticky rule's stay matched)

After an earlier run only devices that lists, data or the day moved since are judged again (earlier.py). The answer equals
the full run's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from openceir.detection.amnesty import Amnesty, Consequence, amnesty_of, consequence_for
from openceir.detection.earlier import Earlier, moved_devices
from openceir.detection.engine import Engine, EngineSettings
from openceir.detection.errors import RuleRefused
from openceir.detection.evidence import Evidence, evidence_header, evidence_salt
from openceir.detection.grounds import evidence_rows
from openceir.detection.plan import country_tables, plan_rules
from openceir.detection.ports import LISTS, MEASURED, Inputs
from openceir.detection.proposal import Change, Devices, Proposal, no_devices
from openceir.detection.rule import Rule, parse_rules
from openceir.detection.sql import EPOCH, epoch_day
from openceir.policy import Policy
from openceir.progress import Progress, Silent

__all__ = ["evaluate"]

# Lists of one row a device: of them only the devices asked about are loaded.
_BY_DEVICE = ("stolen", "barred", "monitored", "registered", "associated")


def evaluate(
    policy: Policy,
    as_of_on: date,
    inputs: Inputs,
    *,
    evidence_key: bytes,
    settings: EngineSettings | None = None,
    earlier: Earlier | None = None,
    only_rules: Sequence[str] = (),
    progress: Progress | None = None,
) -> list[Proposal]:
    """One proposal a rule of the policy, in its order, and one a rule that still stands but is no longer in it.

    Nothing but the arguments decides; the settings change speed, never answers. `only_rules` judges some rules and
    leaves the others alone.
    Raises: RuleRefused for a policy that cannot be read, DetectionError when the engine cannot go on.
    """
    rules = parse_rules(policy, as_of_on)
    unknown = set(only_rules) - {rule.label for rule in rules}
    if unknown:
        raise RuleRefused(f"the policy has no rule {min(unknown)}; it has {', '.join(rule.label for rule in rules)}")
    chosen = tuple(rule for rule in rules if not only_rules or rule.label in only_rules)
    _check_floor(policy, as_of_on, chosen)
    stood = _standing_by_rule(inputs)
    amnesty = amnesty_of(policy, as_of_on)
    if earlier is not None and not _is_same_question(policy, earlier.as_of_on, as_of_on, rules):
        earlier = None
    with Engine(settings) as engine:
        _take_lists(engine, policy, as_of_on, inputs)
        _see_measures(engine, inputs)
        asked = None
        if earlier is not None:
            moved: Devices | None = no_devices()
            if earlier.as_of_on != as_of_on or not earlier.has_same_conflicts:
                moved = moved_devices(engine, chosen, earlier, as_of_on)
            if moved is None:
                earlier = None
            else:
                wanted = _worth_asking(earlier, stood, chosen, amnesty, as_of_on)
                asked = np.unique(np.concatenate([earlier.touched, moved, wanted]))
                _narrow(engine, asked)
        sticky = [stood[rule.label].devices for rule in chosen if rule.sticky and rule.label in stood]
        engine.take("kept", pa.table({"device": np.unique(np.concatenate([no_devices(), *sticky]))}))
        plan = plan_rules(chosen, as_of_on)
        said = progress or Silent()
        for number, step in enumerate(plan.steps):
            said("steps of detection", number, len(plan.steps))
            engine.run(step)
        said("steps of detection", len(plan.steps), len(plan.steps))
        ever_seen = engine.count("device WHERE seen")
        if earlier is not None:
            newly = f"device WHERE seen AND first_seen_on > {epoch_day(earlier.as_of_on)}"
            ever_seen = earlier.ever_seen + engine.count(newly)
        outcomes = []
        for rule, (devices, seen) in zip(chosen, _matching(engine, len(chosen)), strict=True):
            if earlier is not None and asked is not None:
                devices, seen = _merged(earlier.standing.get(rule.label), asked, devices, seen)
            if rule.sticky and rule.label in stood:  # once matched, matched for ever
                devices, seen = _with(devices, seen, stood[rule.label].devices)
            difference = _difference(rule, amnesty, as_of_on, devices, stood.pop(rule.label, None))
            outcomes.append((rule, devices, seen, difference))
        rows = evidence_rows(
            engine, plan, [(rule, difference.concerned) for rule, _, _, difference in outcomes], as_of_on, evidence_key
        )
        proposals = [
            _proposal(rule, policy, as_of_on, ever_seen, devices, seen, difference, texts, evidence_key)
            for (rule, devices, seen, difference), texts in zip(outcomes, rows, strict=True)
        ]
    if not only_rules:
        proposals += [_retired(label, rows, policy, as_of_on, ever_seen, evidence_key) for label, rows in stood.items()]
    return proposals


def _check_floor(policy: Policy, on: date, rules: Sequence[Rule]) -> None:
    """Conflicts slower than the floor were never measured, so that a rule below it would silently find nothing."""
    floor = policy.value("detection.sightings.floor_kmh", on)
    for rule in rules:
        for use in rule.uses:
            if "speed_kmh" in use.limits and use.limits["speed_kmh"].value < floor:
                raise RuleRefused(
                    f"rule {rule.label}: speed_kmh {use.limits['speed_kmh'].value} is below"
                    f" detection.sightings.floor_kmh {floor}, under which no conflicts are kept; lower the floor too"
                )


# -- what goes in ------------------------------------------------------------------------------------------------


def _is_same_question(policy: Policy, before_on: date, as_of_on: date, rules: Sequence[Rule]) -> bool:
    """Whether what the rules ask, and of which country, is on both days the same."""
    if before_on > as_of_on:
        return False
    then, now = country_tables(policy, before_on), country_tables(policy, as_of_on)
    return parse_rules(policy, before_on) == tuple(rules) and all(then[name].equals(now[name]) for name in now)


def _take_lists(engine: Engine, policy: Policy, on: date, inputs: Inputs) -> None:
    for name in LISTS:
        table = inputs.list_named(name)
        if name == "subscriber":
            engine.take("shared_imsi", _repeated(table["imsi"]))
        engine.look_at(name, table)
    for name, table in country_tables(policy, on).items():
        engine.take(name, table)


def _see_measures(engine: Engine, inputs: Inputs) -> None:
    for name, schema in MEASURED.items():
        engine.see(name, inputs.measured.files(name), schema)


def _narrow(engine: Engine, asked: Devices) -> None:
    """From here on measures and lists are those of the devices asked about."""
    engine.take("asked", pa.table({"device": asked}))
    for name, schema in MEASURED.items():
        columns = ", ".join(schema.names)
        engine.narrow(name, f"SELECT {columns} FROM {name} WHERE device IN (SELECT device FROM asked)")
    for name in _BY_DEVICE:
        columns = ", ".join(LISTS[name].names)
        engine.narrow(name, f"SELECT {columns} FROM {name} WHERE device IN (SELECT device FROM asked)")
    engine.narrow("subscriber", "SELECT imsi, uid FROM subscriber WHERE imsi IN (SELECT imsi FROM triplets)")


def _repeated(imsis: pa.ChunkedArray) -> pa.Table:
    """The IMSIs that stand in a column more than once."""
    ordered = np.sort((imsis.drop_null() if imsis.null_count else imsis).to_numpy())
    return pa.table({"imsi": np.unique(ordered[1:][ordered[1:] == ordered[:-1]])})


@dataclass(frozen=True, slots=True)
class _Stood:
    """What was stated of one rule's devices and still holds; columns of one length, by device ascending."""

    devices: Devices
    block_on: npt.NDArray[np.int64]  # epoch day, -1 for none
    amnesty: npt.NDArray[np.bool_]
    blocking: npt.NDArray[np.bool_]
    marks_duplicate: npt.NDArray[np.bool_]

    def where(self, chosen: npt.NDArray[np.bool_]) -> "_Stood":
        """The chosen rows."""
        return _Stood(
            self.devices[chosen],
            self.block_on[chosen],
            self.amnesty[chosen],
            self.blocking[chosen],
            self.marks_duplicate[chosen],
        )


def _standing_by_rule(inputs: Inputs) -> dict[str, _Stood]:
    table = inputs.standing
    if table is None or not table.num_rows:
        return {}
    rules = table["rule"].combine_chunks().dictionary_encode()
    order = np.lexsort((table["device"].to_numpy(), rules.indices.to_numpy()))
    columns = {
        "devices": table["device"].to_numpy(),
        "block_on": table["block_on"].fill_null(-1).to_numpy(),
        "amnesty": table["amnesty"].to_numpy(zero_copy_only=False),
        "blocking": table["blocking"].to_numpy(zero_copy_only=False),
        "marks_duplicate": table["marks_duplicate"].to_numpy(zero_copy_only=False),
    }
    ends = np.cumsum(np.bincount(rules.indices.to_numpy(), minlength=len(rules.dictionary)))
    return {
        label: _Stood(**{name: column[order[end - count : end]] for name, column in columns.items()})
        for label, end, count in sorted(
            zip(rules.dictionary.to_pylist(), ends.tolist(), np.diff(ends, prepend=0).tolist(), strict=True)
        )
    }


def _worth_asking(
    earlier: Earlier, stood: Mapping[str, _Stood], rules: Sequence[Rule], amnesty: Amnesty | None, as_of_on: date
) -> Devices:
    """Devices of which a proposal will speak anyway, and whose evidence is wanted."""
    asked = [no_devices()]
    for rule in rules:
        before = earlier.standing[rule.label][0] if rule.label in earlier.standing else no_devices()
        if rule.label not in stood:
            asked.append(before)
            continue
        said = stood[rule.label]
        asked.append(np.setxor1d(before, said.devices, assume_unique=True))
        asked += [change.devices for change in _restated(rule, amnesty, as_of_on, said)]
    return np.concatenate(asked)


# -- what comes out ----------------------------------------------------------------------------------------------


def _matching(engine: Engine, rules: int) -> Iterator[tuple[Devices, npt.NDArray[np.bool_]]]:
    """Of each rule who matches it, ascending, and which of them were ever seen."""
    columns = ", ".join(("device", "seen", *(f"rule_{number}" for number in range(rules))))
    found = engine.fetch(f"SELECT {columns} FROM verdict ORDER BY device")
    devices, *flags = (column.to_numpy() for column in found.columns)
    seen, *matches = (flag.astype(np.bool_) for flag in flags)
    for match in matches:
        yield devices[match], seen[match]


def _merged(
    before: tuple[Devices, npt.NDArray[np.bool_]] | None,
    asked: Devices,
    devices: Devices,
    seen: npt.NDArray[np.bool_],
) -> tuple[Devices, npt.NDArray[np.bool_]]:
    """The earlier answer for those not asked about, the new one for the others."""
    if before is None:
        return devices, seen
    keep = ~np.isin(before[0], asked, assume_unique=True)
    both = np.concatenate([before[0][keep], devices])
    order = np.argsort(both, kind="stable")
    return both[order], np.concatenate([before[1][keep], seen])[order]


def _with(devices: Devices, seen: npt.NDArray[np.bool_], others: Devices) -> tuple[Devices, npt.NDArray[np.bool_]]:
    """The devices and the others, which count as seen."""
    more = np.setdiff1d(others, devices, assume_unique=True)
    both = np.concatenate([devices, more])
    order = np.argsort(both, kind="stable")
    return both[order], np.concatenate([seen, np.ones(len(more), np.bool_)])[order]


@dataclass(frozen=True, slots=True)
class _Difference:
    matched: Devices
    cleared: Devices
    changed: tuple[Change, ...]
    consequence: Consequence  # of the newly matched

    @property
    def concerned(self) -> Devices:
        """Whose evidence is kept: ascending, distinct."""
        return np.union1d(self.matched, np.concatenate([no_devices(), *(c.devices for c in self.changed)]))


def _difference(
    rule: Rule, amnesty: Amnesty | None, as_of_on: date, devices: Devices, stood: _Stood | None
) -> _Difference:
    fresh = consequence_for(rule, amnesty, as_of_on, None)
    if stood is None:
        return _Difference(devices, no_devices(), (), fresh)
    matched = np.setdiff1d(devices, stood.devices, assume_unique=True)
    still = np.isin(stood.devices, devices, assume_unique=True)
    cleared = stood.devices[~still]
    return _Difference(matched, cleared, _restated(rule, amnesty, as_of_on, stood.where(still)), fresh)


def _restated(rule: Rule, amnesty: Amnesty | None, as_of_on: date, stood: _Stood) -> tuple[Change, ...]:
    """Of devices that still match, those for which something else follows now than was stated, by what follows."""
    flags = (stood.amnesty, stood.blocking, stood.marks_duplicate)
    said = stood.block_on << 3 | sum(flag.astype(np.int64) << place for place, flag in enumerate(flags))
    changed: dict[Consequence, list[Devices]] = {}
    for way in np.unique(said).tolist():
        block_on, granted, blocking, marks = way >> 3, way & 1, way & 2, way & 4  # -1 for no day stays -1
        before = Consequence(EPOCH + timedelta(days=block_on) if block_on >= 0 else None, bool(granted))
        after = consequence_for(rule, amnesty, as_of_on, before)
        if (after, rule.blocking, rule.marks_duplicate) != (before, bool(blocking), bool(marks)):
            changed.setdefault(after, []).append(stood.devices[said == way])
    return tuple(
        Change(devices=np.sort(np.concatenate(parts)), block_on=after.block_on, amnesty=after.amnesty)
        for after, parts in sorted(changed.items(), key=lambda item: repr(item[0]))
    )


def _proposal(
    rule: Rule,
    policy: Policy,
    as_of_on: date,
    ever_seen: int,
    devices: Devices,
    seen: npt.NDArray[np.bool_],
    difference: _Difference,
    rows: Sequence[str],
    evidence_key: bytes,
) -> Proposal:
    header = evidence_header(rule, policy.digest, as_of_on)
    salt = evidence_salt(evidence_key, header)
    return Proposal(
        rule=rule,
        as_of_on=as_of_on,
        policy_digest=policy.digest,
        ever_seen=ever_seen,
        standing=devices,
        standing_seen=seen,
        matched=difference.matched,
        cleared=difference.cleared,
        changed=difference.changed,
        block_on=difference.consequence.block_on,
        amnesty=difference.consequence.amnesty,
        evidence=Evidence(header=header, salt=salt, devices=difference.concerned, rows=rows),
    )


def _retired(label: str, rows: _Stood, policy: Policy, as_of_on: date, ever_seen: int, evidence_key: bytes) -> Proposal:
    """A rule that the policy has no longer: all its hits are cleared."""
    rule = Rule(
        label=label, uses=(), reason="this rule is no longer part of the policy", grace_days=0, blocking=False,
        sticky=False, amnesty_eligible=False, marks_duplicate=False, max_matching_ratio=1.0,
    )  # fmt: skip
    header = evidence_header(rule, policy.digest, as_of_on)
    return Proposal(
        rule=rule,
        as_of_on=as_of_on,
        policy_digest=policy.digest,
        ever_seen=ever_seen,
        standing=no_devices(),
        standing_seen=np.empty(0, np.bool_),
        cleared=rows.devices,
        evidence=Evidence(header=header, salt=evidence_salt(evidence_key, header), devices=no_devices(), rows=()),
        retired=True,
    )
