"""What is said to the one who asks: a status, every reason for it, and what the person can do next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from openceir.status.foreign import AT_HOME, Weight
from openceir.status.words import ClaimKind, Status

__all__ = ["Answer", "Reason", "moment", "moment_text"]


def moment(seconds: int) -> datetime:
    """The instant that a count of seconds since 1970 UTC names."""
    return datetime.fromtimestamp(seconds, UTC)


@lru_cache(maxsize=4096)  # a thousand answers hold the same few instants
def moment_text(instant: datetime) -> str:
    """`2027-03-01T12:00:00Z`, from an instant in UTC."""
    return f"{instant.isoformat()[:19]}Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One claim that holds, in words, and where its proof is."""

    kind: ClaimKind
    label: str  # the rule of a classification, else empty
    sentence: str
    since: datetime
    until: datetime | None
    block_on: date | None
    issuer: str
    statement: int  # index in the log
    leaf_hash: bytes
    logged_at: datetime
    decides: bool  # the status rests on it
    disputed: bool
    by_range: tuple[int, int] | None = None  # device keys, when the claim is about a range
    evidence: Mapping[str, Any] | None = None
    nation: str = ""  # of the issuer; empty: of this register's own
    log: str = ""  # whose log the statement stands in; empty: this register's own
    weight: Weight = AT_HOME  # what policy makes of it

    @property
    def receipt_command(self) -> str:
        """What writes the receipt, which a stranger verifies offline."""
        if self.log:
            return f"entry {self.statement} of {self.log}, whose receipts are made there"
        return f"openceir receipt make {self.statement} -o {self.statement}.receipt"

    @property
    def receipt_path(self) -> str:
        """Where the HTTP interface hands the receipt out."""
        return f"/v1/statements/{self.statement}/receipt"

    def as_json(self) -> dict[str, Any]:
        """The reason as the HTTP interface and `--json` give it."""
        return {
            "kind": self.kind,
            "label": self.label or None,
            "sentence": self.sentence,
            "since": moment_text(self.since),
            "until": moment_text(self.until) if self.until else None,
            "block_on": self.block_on.isoformat() if self.block_on else None,
            "issuer": self.issuer,
            "nation": self.nation or None,
            "counted": None
            if not self.nation
            else {
                "effect": self.weight.effect.name.lower(),
                "since": moment_text(moment(self.weight.since)) if self.weight.since is not None else None,
                "rule": self.weight.rule or None,
                "source": self.weight.source or None,
            },
            "decides": self.decides,
            "disputed": self.disputed,
            "statement": {
                "index": self.statement,
                "leaf_hash": self.leaf_hash.hex(),
                "logged_at": moment_text(self.logged_at),
                "receipt": None if self.log else self.receipt_path,
                "log": self.log or None,
            },
            "evidence": dict(self.evidence) if self.evidence is not None else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The status of one device, or of one device with one subscriber, at one instant."""

    status: Status
    headline: str
    at: datetime
    reasons: tuple[Reason, ...]
    next_steps: tuple[str, ...]
    rule: str  # the step of docs/architecture.md §6 that decided, e.g. "6.4"
    for_pair: bool = False  # the answer is for the asked subscriber with this device, and for nobody else
    known_at: datetime | None = None  # only what was logged by then was counted
    # What the question was, and what else is on record: filled in by whoever holds the shelves.
    value: str = ""
    scheme: str = ""
    canonical: str = ""
    findings: tuple[Mapping[str, Any], ...] = ()
    other_identifiers: tuple[Mapping[str, str], ...] = ()
    model: Mapping[str, Any] | None = None
    log_size: int = 0  # statements counted

    @property
    def exit_status(self) -> int:
        """0 permitted, 3 blocked, 4 tracked, 5 unknown."""
        return self.status.exit_status

    def as_json(self, reasons_told: dict[int, list[dict[str, Any]]] | None = None) -> dict[str, Any]:
        """The answer as the HTTP interface and `--json` give it. The asked subscriber is never in it.

        Answers of one batch often share their reasons; `reasons_told`, kept for as long as they are, spells them once.
        """
        if reasons_told is None:
            reasons_told = {}
        reasons = reasons_told.get(id(self.reasons))
        if reasons is None:
            reasons = reasons_told[id(self.reasons)] = [reason.as_json() for reason in self.reasons]
        return {
            "identifier": {"value": self.value, "scheme": self.scheme, "canonical": self.canonical},
            "status": self.status,
            "for_pair": self.for_pair,
            "headline": self.headline,
            "at": moment_text(self.at),
            "known_at": moment_text(self.known_at) if self.known_at else None,
            "rule": self.rule,
            "reasons": reasons,
            "next_steps": list(self.next_steps),
            "findings": [dict(finding) for finding in self.findings],
            "other_identifiers": [dict(other) for other in self.other_identifiers],
            "model": dict(self.model) if self.model is not None else None,
            "log_size": self.log_size,
        }


def decisive(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """The reasons on which the status rests."""
    return tuple(reason for reason in reasons if reason.decides)
