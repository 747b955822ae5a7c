"""How far an operator's EIR is from what was ordered.

Four ways to find out, named after those of ITU-T Q.5053: the status of one IMEI by a question as networks ask it, the
same over HTTP, the whole list, and probing through the network side with a sample. What was ordered are the lists that
were delivered; what the EIR says of a device that no list names is its operator's choice, as long as it is not BLOCKED.

The report counts; its examples name devices, never subscribers, and it is for the auditor alone (mode 0600). It is
signed, so that who is shown it years later knows who found this and that nothing was altered.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from openceir.eir.attributes import STATUS_SHIFT, Status, status_of
from openceir.eir.decision import DECISIONS, Decider, DecisionPolicy
from openceir.eir.errors import EirError
from openceir.eir.index import Contents, Index, Overlay, Pairs, Ranges, folded
from openceir.eir.probe import Probe
from openceir.identity import format_device_key, format_subscriber
from openceir.statements import KeyRefused, PublicKey, SigningKey
from openceir.storage.files import replace_file

__all__ = [
    "Asked", "AuditRefused", "Drift", "Found", "compare_lists", "draw_sample", "drift_of", "probe_all", "read_audit",
    "write_audit",
]  # fmt: skip

_FORMAT = "openceir-eir-audit/1"
_MOST_EXAMPLES = 20
_LARGEST_REPORT_OCTETS = 16 << 20


class AuditRefused(EirError):
    """An audit's report cannot be read, or is not what its auditor signed."""

    code = "eir-audit-refused"


class Drift(StrEnum):
    """How an answer differs from what was ordered."""

    MISSING_BLOCK = "missing_block"
    WRONG_BLOCK = "wrong_block"
    OTHER_STATUS = "other_status"  # tracked where nothing was ordered, or not tracked where it was
    UNANSWERED = "unanswered"


class Asked(NamedTuple):
    """One question of an audit. `imsi` is empty when it is about the device alone."""

    imei: str
    imsi: str
    why: str  # what it was drawn from


@dataclass(kw_only=True)
class Found:
    """What one way of asking found."""

    method: str  # imei-status, http-status, whole-list, probing
    target: str
    asked: int = 0
    drifts: Counter[str] = field(default_factory=Counter)
    examples: list[dict[str, Any]] = field(default_factory=list)
    seed: int | None = None
    ordered_sequence: int | None = None
    held_sequence: int | None = None

    @property
    def agrees(self) -> bool:
        """Whether everything was as ordered, and the list is the newest where that is known."""
        return not self.drifts and (self.held_sequence is None or self.held_sequence == self.ordered_sequence)

    def differs(self, drift: Drift, imei: str, ordered: Status, answered: Status | None, *, is_pair: bool) -> None:
        """Count a difference, and keep it as an example while there is room."""
        self.drifts[drift] += 1
        if len(self.examples) < _MOST_EXAMPLES:
            self.examples.append(
                {
                    "drift": drift,
                    "imei": imei,
                    "of_one_subscriber": is_pair,
                    "ordered": ordered.name,
                    "answered": answered.name if answered is not None else None,
                }
            )

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        return {**asdict(self), "drifts": {str(name): self.drifts[name] for name in Drift}, "agrees": self.agrees}


def drift_of(ordered: Status, answered: Status | None) -> Drift | None:
    """How an answer differs from the order; None when it does not."""
    if answered is None:
        return Drift.UNANSWERED
    if (ordered is Status.BLOCKED) != (answered is Status.BLOCKED):
        return Drift.MISSING_BLOCK if ordered is Status.BLOCKED else Drift.WRONG_BLOCK
    # Between "permitted" and "nobody knows" lies only the operator's own word for what no list names.
    return Drift.OTHER_STATUS if (ordered is Status.TRACKED) != (answered is Status.TRACKED) else None


def draw_sample(ordered: Contents, size: int, seed: int) -> list[Asked]:
    """Questions to probe with: listed devices, numbers within ranges, pairs, and neighbours that no list names.

    The same seed draws the same from the same lists, so that an audit can be repeated and disputed.
    """
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose; who must not guess it is not told the seed

    def rows(count: int, most: int) -> Iterable[int]:
        return chance.sample(range(count), min(count, most))

    pairs, ranges = ordered.pairs, ordered.ranges
    listed = [
        Asked(format_device_key(int(ordered.device[at])), "", "listed") for at in rows(len(ordered.device), size // 2)
    ]
    paired = [
        Asked(format_device_key(int(pairs.device[at])), format_subscriber(int(pairs.imsi[at])), "pair")
        for at in rows(len(pairs.device), size // 4)
    ]
    ranged = [
        Asked(format_device_key(chance.randint(int(ranges.low[at]), int(ranges.high[at]))), "", "range")
        for at in rows(len(ranges.low), size // 8)
    ]
    drawn = {(one.imei, one.imsi): one for one in (*listed, *paired, *ranged)}  # nothing is asked, or counted, twice
    for _ in range(4 * size):
        if len(drawn) == size:
            break
        # beside a listed device where there is one: off by one is how lists go wrong
        near = int(listed[chance.randrange(len(listed))].imei) if listed else chance.randrange(10**14)
        one = Asked(format_device_key((near + chance.randint(1, 9)) % 10**14), "", "neighbour")
        drawn.setdefault((one.imei, ""), one)
    asked = list(drawn.values())
    chance.shuffle(asked)
    return asked


def probe_all(
    probe: Probe,
    asked: Sequence[Asked],
    ordered: Index,
    found: Found,
    *,
    rate: float,
    pause: Callable[[float], None] = time.sleep,
) -> Found:
    """Ask each question and note what differs.

    Units: `rate` is questions a second at most; an audit must not be a load.
    Raises: ProbeFailed when the EIR stops answering.
    """
    decide = Decider(ordered, Overlay(), DecisionPolicy()).decide
    for imei, imsi, _ in asked:
        wanted = DECISIONS[decide(int(imei), int(f"1{imsi}") if imsi else 0, -1)].status
        answered = probe.ask(imei, imsi)
        found.asked += 1
        if (drift := drift_of(wanted, answered)) is not None:
            found.differs(drift, imei, wanted, answered, is_pair=bool(imsi))
        pause(1 / rate)
    found.ordered_sequence = ordered.sequence
    return found


def compare_lists(ordered: Index, served: Index, target: str) -> Found:
    """The whole list an EIR serves against the one that was ordered, row by row: devices, pairs and ranges.

    Shapes: columns of both in memory.
    """
    found = Found(method="whole-list", target=target, ordered_sequence=ordered.sequence, held_sequence=served.sequence)
    wanted, held = folded(ordered, Overlay()), folded(served, Overlay())
    found.asked = len(wanted.device) + len(wanted.pairs.device) + len(wanted.ranges.low)
    for device, order, answer in _differing_devices(wanted, held):
        _note(found, device, order, answer, is_pair=False)
    for (device, _), order, answer in _differing(wanted.pairs, held.pairs):
        _note(found, device, order, answer, is_pair=True)
    for (low, _), order, answer in _differing(wanted.ranges, held.ranges):
        _note(found, low, order, answer, is_pair=False)
    return found


def _note(found: Found, device: int, ordered: Status, answered: Status, *, is_pair: bool) -> None:
    if (drift := drift_of(ordered, answered)) is not None:
        found.differs(drift, format_device_key(device), ordered, answered, is_pair=is_pair)


def _differing_devices(wanted: Contents, held: Contents) -> Iterator[tuple[int, Status, Status]]:
    """Devices whose status differs. Key and status travel in one number: a hundred million are compared by a sort."""
    ours, theirs = ((one.device << 2) | (one.attribute >> STATUS_SHIFT) for one in (wanted, held))
    odd = np.setxor1d(ours, theirs, assume_unique=True)
    is_ours = np.isin(odd, ours, assume_unique=True, kind="sort")
    order = {row >> 2: Status(row & 3) for row in odd[is_ours].tolist()}
    answer = {row >> 2: Status(row & 3) for row in odd[~is_ours].tolist()}
    for device in sorted(order.keys() | answer.keys()):
        yield device, order.get(device, Status.UNKNOWN), answer.get(device, Status.UNKNOWN)


def _differing(wanted: Pairs | Ranges, held: Pairs | Ranges) -> Iterator[tuple[tuple[int, int], Status, Status]]:
    """The same for what has two keys: pairs, and the ends of ranges."""
    order, answer = _statuses(wanted), _statuses(held)
    for key in sorted(order.keys() | answer.keys()):
        ours, theirs = order.get(key, Status.UNKNOWN), answer.get(key, Status.UNKNOWN)
        if ours is not theirs:
            yield key, ours, theirs


def _statuses(rows: Pairs | Ranges) -> dict[tuple[int, int], Status]:
    first, second, octets = (column.tolist() for column in rows)
    return {(first[at], second[at]): status_of(octet) for at, octet in enumerate(octets)}


def write_audit(
    path: Path, *, operator: str, ordered: Mapping[str, Any], found: Sequence[Found], made_at: datetime, key: SigningKey
) -> dict[str, Any]:
    """Write the signed report, readable by its owner alone; returns what it says.

    Raises: StorageError when the disk refuses.
    """
    report = {
        "format": _FORMAT,
        "operator": operator,
        "made_at": f"{made_at:%Y-%m-%dT%H:%M:%SZ}",
        "ordered": dict(ordered),
        "found": [one.as_json() for one in found],
        "agrees": all(one.agrees for one in found),
    }
    signed = {"audit": report, "signed_by": key.public.format(), "signature": key.sign(_octets_of(report)).hex()}
    replace_file(path, json.dumps(signed, indent=1, sort_keys=True).encode() + b"\n", 0o600)
    return report


def read_audit(path: Path, trust: PublicKey) -> dict[str, Any]:
    """What a report says, once it is known to be this auditor's and unaltered.

    Raises: AuditRefused.
    """
    try:
        with path.open("rb") as file:
            signed = json.loads(file.read(_LARGEST_REPORT_OCTETS))
        report, signature = signed["audit"], bytes.fromhex(signed["signature"])
        signed_by = PublicKey.parse(signed["signed_by"])
        octets = _octets_of(report)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, KeyRefused) as wrong:
        raise AuditRefused(f"{path.name} is no report of an audit: {type(wrong).__name__}") from None
    if signed_by != trust or not trust.has_signed(octets, signature):
        raise AuditRefused(f"{path.name} is not what the auditor {trust.name} signed: it was altered, or is another's")
    if not isinstance(report, dict) or report.get("format") != _FORMAT:
        raise AuditRefused(f"{path.name} does not say format {_FORMAT}")
    return report


def _octets_of(report: object) -> bytes:
    """The one form in which a report is signed: keys sorted, no spaces, ASCII."""
    return json.dumps(report, sort_keys=True, separators=(",", ":")).encode()
