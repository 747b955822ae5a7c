"""What happened to a device: everything said of it, and the status it had from when to when."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any

from openceir.status.answer import Answer, moment, moment_text
from openceir.status.claim import Claim, Said
from openceir.status.fold import fold, in_order
from openceir.status.foreign import NOTHING_COUNTS, ForeignRules
from openceir.status.sentences import told_of
from openceir.status.words import ClaimKind

__all__ = ["History", "Period", "Word", "history_of"]

_ENDS = {
    ClaimKind.RECOVERED: "It is reported recovered on {day}, says {issuer}.",
    ClaimKind.CLEARED: 'Rule "{label}" no longer matches it from {day}, signed by {issuer}.',
    ClaimKind.WITHDRAWN: "{issuer} took back, from {day}, {what}.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One thing that was said of the device, ends included."""

    kind: ClaimKind
    sentence: str
    effective_at: datetime
    logged_at: datetime
    issuer: str
    statement: int
    leaf_hash: bytes

    def as_json(self) -> dict[str, Any]:
        """As the HTTP interface and `--json` give it."""
        return {
            "kind": self.kind,
            "sentence": self.sentence,
            "effective_at": moment_text(self.effective_at),
            "logged_at": moment_text(self.logged_at),
            "issuer": self.issuer,
            "statement": {
                "index": self.statement,
                "leaf_hash": self.leaf_hash.hex(),
                "receipt": f"/v1/statements/{self.statement}/receipt",
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A stretch of time with one answer; `until` is its first instant no more, None for the last."""

    since: datetime | None  # None: from the beginning
    until: datetime | None
    answer: Answer

    def as_json(self) -> dict[str, Any]:
        """As the HTTP interface and `--json` give it."""
        return {
            "since": moment_text(self.since) if self.since else None,
            "until": moment_text(self.until) if self.until else None,
            "status": self.answer.status,
            "headline": self.answer.headline,
            "statements": [reason.statement for reason in self.answer.reasons if reason.decides],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A device's words in the order of the log, and its periods in the order of time."""

    value: str
    scheme: str
    canonical: str
    words: tuple[Word, ...]
    periods: tuple[Period, ...]

    def as_json(self) -> dict[str, Any]:
        """As the HTTP interface and `--json` give it."""
        return {
            "identifier": {"value": self.value, "scheme": self.scheme, "canonical": self.canonical},
            "statements": [word.as_json() for word in self.words],
            "periods": [period.as_json() for period in self.periods],
        }


def history_of(
    claims: Sequence[Claim],
    *,
    known_at: datetime | None = None,
    is_known_non_unique: bool = False,
    value: str = "",
    scheme: str = "",
    canonical: str = "",
    foreign: ForeignRules = NOTHING_COUNTS,
) -> History:
    """Everything that was said, and what it came to. Whom the device is paired with is left out."""
    if known_at is not None:
        claims = [claim for claim in claims if claim.said.logged_at <= int(known_at.timestamp())]
    ordered = sorted(claims, key=lambda claim: (claim.said.logged_at, in_order(claim)))
    return History(
        value=value,
        scheme=scheme,
        canonical=canonical,
        words=tuple(_word(claim) for claim in ordered if claim.said.kind is not ClaimKind.PAIRED),
        periods=tuple(_periods(claims, is_known_non_unique, foreign)),
    )


def _word(claim: Claim) -> Word:
    said = claim.said
    since = moment(said.effective_at)
    if said.is_ending:
        sentence = _ENDS[said.kind].format(
            day=since.date().isoformat(), issuer=said.issuer, label=said.label, what=_what_was_withdrawn(said)
        )
    else:
        sentence = told_of(claim, since)
    return Word(
        kind=said.kind,
        sentence=sentence,
        effective_at=since,
        logged_at=moment(said.logged_at),
        issuer=said.issuer,
        statement=said.index,
        leaf_hash=said.leaf_hash,
    )


def _what_was_withdrawn(said: Said) -> str:
    if said.target is not None:
        return f"the statement with leaf hash {said.target.hex()[:16]}…"
    label = f' of rule "{said.ends_label}"' if said.ends_label else ""
    return f'the claim "{said.ends_kind}"{label}'


def _periods(claims: Sequence[Claim], is_known_non_unique: bool, foreign: ForeignRules) -> Iterator[Period]:
    """Fold before the first change and at each change; neighbours with the same answer are joined."""
    turns = sorted(_turning_points(claims, foreign))
    first = datetime(1970, 1, 1, tzinfo=UTC)
    open_period: Period | None = None
    for turn in [None, *turns]:
        since = moment(turn) if turn is not None else None
        answer = fold(claims, since or first, is_known_non_unique=is_known_non_unique, foreign=foreign)
        if open_period is not None and _same(open_period.answer, answer):
            continue
        if open_period is not None:
            yield replace(open_period, until=since)
        open_period = Period(since=since, until=None, answer=answer)
    assert open_period is not None  # there is always the beginning
    yield open_period


def _same(one: Answer, other: Answer) -> bool:
    def ground(answer: Answer) -> tuple[object, ...]:
        return answer.status, answer.rule, {reason.leaf_hash for reason in answer.reasons if reason.decides}

    return ground(one) == ground(other)


def _turning_points(claims: Iterable[Claim], foreign: ForeignRules) -> set[int]:
    """Every instant after 1970 at which the answer may change."""
    turns: set[int] = set()
    for claim in claims:
        said = claim.said
        turns |= {at for at in (said.effective_at, said.until_at, said.restores_at) if at}
        turns |= foreign.turning_points(said)
        if said.block_on is not None:
            turns.add(_first_second(said.block_on))
    return turns


def _first_second(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())
