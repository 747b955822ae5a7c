"""What another nation's statement counts for here: by this nation's dated policy, and by nothing else.

`[[foreign]]` tables of the policy, the first that fits decides:

    [[foreign]]
    name = "neighbours' police"
    nations = ["XB", "XC"]          # or ["*"]
    roles = ["police"]              # of the issuer when it was logged; or issuers = ["xb-police"]; neither: anybody's
    claims = ["stolen", "lost"]
    effect = "counts"               # as if said here | "tracks": watched | "shown": told, and no more
    delay_hours = 24                # from when it was logged there; until then the next table that fits decides
    counts_for_days = 1825          # may be absent: for ever
    begins_on = 2027-07-01          # may be absent: has always been in force; so may ends_on, its last day
    source = "Treaty, article 4"

Whatever the policy, an exception, a pairing and another nation's dispute of our own words change nothing here. Nothing depends on when
a statement arrived: only on what it says, when it was logged in its own nation's log, and the moment asked about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import IntEnum
from typing import Any, Final

from openceir.policy import PolicyError
from openceir.status.claim import Said
from openceir.status.words import ClaimKind

__all__ = ["AT_HOME", "NOTHING_COUNTS", "NOT_COUNTED", "Effect", "ForeignRule", "ForeignRules", "Weight"]


class Effect(IntEnum):
    """What a statement counts for."""

    SHOWN = 0
    TRACKS = 1
    COUNTS = 2


# What may be made to count: neither exceptions nor pairings, which are a nation's own favours, nor endings, which
# follow the standing of whoever said what they end.
COUNTABLE: Final = frozenset(
    {
        ClaimKind.ALLOCATED,
        ClaimKind.APPROVED,
        ClaimKind.IMPORTED,
        ClaimKind.REGISTERED,
        ClaimKind.STOLEN,
        ClaimKind.LOST,
        ClaimKind.BLOCKED,
        ClaimKind.TRACKED,
        ClaimKind.CLONED,
        ClaimKind.CLASSIFIED,
    }
)
_FIELDS: Final = {
    "name", "nations", "roles", "issuers", "claims", "effect", "delay_hours", "counts_for_days", "begins_on", "ends_on",
    "source",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Weight:
    """What one statement counts for at one instant, since when, and by which rule of the policy."""

    effect: Effect
    since: int | None = None  # seconds, UTC; None: it counts for nothing
    rule: str = ""
    source: str = ""


AT_HOME: Final = Weight(Effect.COUNTS)
NOT_COUNTED: Final = Weight(Effect.SHOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignRule:
    """One `[[foreign]]` table."""

    name: str
    nations: frozenset[str]
    claims: frozenset[ClaimKind]
    effect: Effect
    roles: frozenset[str] = frozenset()
    issuers: frozenset[str] = frozenset()
    delay_s: int = 0
    counts_for_s: int | None = None
    begins_at: int = 0
    ends_at: int | None = None
    source: str = ""

    def weigh(self, said: Said, at: int) -> Weight | None:
        """The weight that this table gives; None when it does not fit, not yet or no more."""
        if said.kind not in self.claims or not ({"*", said.nation} & self.nations):
            return None
        if (self.roles and self.roles.isdisjoint(said.roles)) or (self.issuers and said.issuer not in self.issuers):
            return None
        since = max(said.effective_at, said.logged_at + self.delay_s, self.begins_at)
        is_over = (self.ends_at is not None and at >= self.ends_at) or (
            self.counts_for_s is not None and at >= said.logged_at + self.counts_for_s
        )
        return None if is_over or at < since else Weight(self.effect, since, self.name, self.source)


@dataclass(frozen=True, slots=True)
class ForeignRules:
    """A nation's policy for foreign statements, and how many members' approvals override the owner of a record."""

    rules: tuple[ForeignRule, ...] = ()
    quorum: int = 0  # 0: there is no federation, and nobody overrides anybody abroad

    @classmethod
    def of(cls, tables: Sequence[Mapping[str, Any]], quorum: int = 0) -> "ForeignRules":
        """The rules that a policy's `[[foreign]]` tables describe. Raises: PolicyError naming the table and field."""
        return cls(tuple(_rule(table) for table in tables), quorum)

    def weigh(self, said: Said, at: int) -> Weight:
        """What a statement counts for at the instant `at`; one of this nation counts."""
        if not said.nation:
            return AT_HOME
        for rule in self.rules:
            weight = rule.weigh(said, at)
            if weight is not None:
                return weight
        return NOT_COUNTED

    def overrides(self, said: Said, at: int, known: int | None = None) -> bool:
        """Whether a quorum of members had approved this ending by the instant `at`, so that it reaches abroad."""
        approvals = sorted(when for when in said.approvals if known is None or when <= known)
        return 0 < self.quorum <= len(approvals) and approvals[self.quorum - 1] <= at

    def turning_points(self, said: Said) -> set[int]:
        """Every instant at which the weight of a foreign statement may change."""
        turns = set(said.approvals)
        if said.nation:
            for rule in self.rules:
                turns |= {said.logged_at + rule.delay_s, rule.begins_at, *([rule.ends_at] if rule.ends_at else ())}
                turns |= {said.logged_at + rule.counts_for_s} if rule.counts_for_s is not None else set()
        return turns


NOTHING_COUNTS: Final = ForeignRules()


def _rule(table: Mapping[str, Any]) -> ForeignRule:
    name = table.get("name")
    if not isinstance(name, str) or not name:
        raise PolicyError('every [[foreign]] table needs name = "…", which answers show')
    unknown = sorted(table.keys() - _FIELDS)
    if unknown:
        raise PolicyError(
            f'[[foreign]] "{name}": {unknown[0]} is not known here; expected {", ".join(sorted(_FIELDS))}'
        )
    try:
        claims = frozenset(ClaimKind(text) for text in _texts(table, "claims", name))
        effect = Effect[str(table["effect"]).upper()]
    except (KeyError, ValueError) as wrong:
        raise PolicyError(
            f'[[foreign]] "{name}": {wrong} is no claim, or effect is not counts, tracks or shown'
        ) from wrong
    if not claims <= COUNTABLE:
        raise PolicyError(
            f'[[foreign]] "{name}": {", ".join(sorted(claims - COUNTABLE))} of another nation never counts'
        )
    days, last = table.get("counts_for_days"), _first_second(table.get("ends_on"), "ends_on", name)
    return ForeignRule(
        name=name,
        nations=frozenset(_texts(table, "nations", name)),
        claims=claims,
        effect=effect,
        roles=frozenset(_texts(table, "roles", name) if "roles" in table else ()),
        issuers=frozenset(_texts(table, "issuers", name) if "issuers" in table else ()),
        delay_s=3600 * _number(table.get("delay_hours", 0), "delay_hours", name),
        counts_for_s=None if days is None else 86_400 * _number(days, "counts_for_days", name),
        begins_at=_first_second(table.get("begins_on"), "begins_on", name) or 0,
        ends_at=None if last is None else last + 86_400,
        source=str(table.get("source", "")),
    )


def _texts(table: Mapping[str, Any], field: str, name: str) -> list[str]:
    value = table.get(field)
    if not isinstance(value, list) or not value or not all(isinstance(text, str) for text in value):
        raise PolicyError(f'[[foreign]] "{name}": {field} must be an array of texts, not empty')
    return value


def _number(value: object, field: str, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 1_000_000:
        raise PolicyError(f'[[foreign]] "{name}": {field} must be a whole number, not below 0')
    return value


def _first_second(value: object, field: str, name: str) -> int | None:
    if value is None:
        return None
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as wrong:
        raise PolicyError(f'[[foreign]] "{name}": {field}: {wrong}; write a day, 2027-07-01') from wrong
    if not isinstance(day, date) or isinstance(day, datetime):
        raise PolicyError(f'[[foreign]] "{name}": {field} must be a day, 2027-07-01')
    return int(datetime.combine(day, time(), UTC).timestamp())
