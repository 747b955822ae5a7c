"""Folds the claims on one device into its status at one instant (docs/architecture.md §6).

Two times are kept apart. What counts *in law* at an instant is asked of `effective_at`; what was *known* by an
instant is asked of `logged_at`. A statement ends only what stands before it in the log: a theft reported again
after a recovery counts again, whatever day it is dated.

`columns.py` does the same for a whole country at once and is held equal to this file by a property test.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from openceir.status.answer import Answer, Reason, moment
from openceir.status.claim import Claim, Said
from openceir.status.sentences import headline_of, next_steps_of, sentence_of
from openceir.status.words import MISSES, REPEATS, THEFTS, ClaimKind, Status

__all__ = ["AskedPair", "came_after", "ends", "fold", "has_lapsed", "standing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPair:
    """The subscriber with whom a device is asked about, and since when networks have seen the two together.

    `watched_since` is the first day of kept sightings of every network that saw the two, of every network at all when
    none did; None: nobody looked, or nothing is kept.
    """

    imsi: int = field(repr=False)  # a leading 1 before the digits
    first_seen_on: date | None = None  # None: never seen together
    watched_since: date | None = None


def ends(later: Said, claim: Said) -> bool:
    """Whether `later` is said to end `claim`, both being about the same device.

    A withdrawal that names its target ends anything, another ending included. A recovery does not end a theft
    that came after it; a withdrawal without a target ends whatever of that kind was said before it.
    """
    if later.index <= claim.index:
        return False
    match later.kind:
        case ClaimKind.WITHDRAWN:
            if not (later.over_others or later.issuer == claim.issuer):
                return False
            if later.target is not None:
                return later.target == claim.leaf_hash
            return later.ends_kind is claim.kind and later.ends_label in (None, claim.label)
        case ClaimKind.RECOVERED:
            return claim.kind in THEFTS and claim.effective_at <= later.effective_at
        case ClaimKind.CLEARED | ClaimKind.CLASSIFIED:
            return claim.kind is ClaimKind.CLASSIFIED and claim.label == later.label
    return False


def standing(claims: Iterable[Claim], at: int) -> tuple[list[Claim], set[bytes]]:
    """The claims that hold at the instant `at`, and the leaf hashes of statements under a live dispute.

    A statement that was itself withdrawn ends nothing from then on: the last word is heard first.
    """
    begun = [claim for claim in claims if claim.said.effective_at <= at]
    begun.sort(key=lambda claim: (claim.said.index, claim.said.part), reverse=True)
    enders: list[Said] = []
    holding: list[Claim] = []
    for claim in begun:
        said = claim.said
        if any(ends(later, said) for later in enders):
            continue
        if said.is_ending or said.kind is ClaimKind.CLASSIFIED:
            enders.append(said)
        if not said.is_ending and said.holds_by_its_own_words(at):
            holding.append(claim)
    disputed = {
        claim.said.target
        for claim in holding
        if claim.said.kind is ClaimKind.DISPUTED
        and claim.said.target is not None
        and claim.said.restores_at is not None
        and claim.said.restores_at <= at
    }
    return holding[::-1], disputed


def has_lapsed(claim: Claim, holding: Sequence[Claim]) -> bool:
    """Whether a finding rests on something stated of the device that holds no longer, or on nothing having been stated."""
    if claim.said.kind is not ClaimKind.CLASSIFIED:
        return False
    kinds = {other.said.kind for other in holding}
    return any(
        (name in REPEATS and kinds.isdisjoint(REPEATS[name])) or not kinds.isdisjoint(MISSES.get(name, ()))
        for name in claim.said.conditions
    )


def fold(
    claims: Iterable[Claim],
    at: datetime,
    *,
    pair: AskedPair | None = None,
    is_known_non_unique: bool = False,
    is_restrictive: bool = False,
    pairs_lift_orders: bool = False,
    known_at: datetime | None = None,
) -> Answer:
    """The answer that `claims`, all those on one device, give at the instant `at`.

    With `pair` the answer is for that subscriber with this device. With `known_at` only statements logged by then
    count. A pairing does not lift an order, unless policy says so. Q Suppl. 73's restrictive mode changes what an unknown device's holder is told to do, never the status:
    a doubt is neither permission nor accusation.
    """
    seconds = int(at.timestamp())
    if known_at is not None:
        known = int(known_at.timestamp())
        claims = [claim for claim in claims if claim.said.logged_at <= known]
    holding, disputed = standing(claims, seconds)
    lapsed = {id(claim) for claim in holding if has_lapsed(claim, holding)}
    live = [claim for claim in holding if id(claim) not in lapsed]
    verdict = _decide(live, disputed, at.astimezone(UTC).date(), pair, is_known_non_unique, pairs_lift_orders)
    deciding = {id(claim) for claim in verdict.deciding}
    is_overruled = verdict.status is not Status.BLOCKED and verdict.rule != "6.5"
    reasons = [
        Reason(
            kind=claim.said.kind,
            label=claim.said.label,
            sentence=sentence_of(claim, at, has_lapsed=id(claim) in lapsed, is_overruled=is_overruled),
            since=moment(claim.said.effective_at),
            until=moment(claim.said.until_at) if claim.said.until_at is not None else None,
            block_on=claim.said.block_on,
            issuer=claim.said.issuer,
            statement=claim.said.index,
            leaf_hash=claim.said.leaf_hash,
            logged_at=moment(claim.said.logged_at),
            decides=id(claim) in deciding,
            disputed=claim.said.leaf_hash in disputed,
            by_range=claim.by_range,
        )
        for claim in holding
        # whom a device is paired with is said only to the one who asked about that very pair
        if claim.said.kind is not ClaimKind.PAIRED or id(claim) in deciding
    ]
    reasons.sort(key=lambda reason: not reason.decides)
    return Answer(
        status=verdict.status,
        headline=headline_of(verdict.status, verdict.rule, verdict.for_pair),
        at=at,
        known_at=known_at,
        reasons=tuple(reasons),
        next_steps=next_steps_of(verdict.status, verdict.rule, verdict.deciding, is_restrictive=is_restrictive),
        rule=verdict.rule,
        for_pair=verdict.for_pair,
    )


@dataclass(frozen=True, slots=True)
class _Verdict:
    status: Status
    rule: str
    deciding: Sequence[Claim] = ()
    for_pair: bool = False


def _decide(
    holding: Sequence[Claim],
    disputed: set[bytes],
    today: date,
    pair: AskedPair | None,
    is_known_non_unique: bool,
    pairs_lift_orders: bool,
) -> _Verdict:
    """The first rule of docs/architecture.md §6 that fits; the numbers are that section's."""

    def of(*kinds: ClaimKind) -> list[Claim]:
        return [claim for claim in holding if claim.said.kind in kinds]

    paired = [claim for claim in of(ClaimKind.PAIRED) if pair is not None and claim.imsi == pair.imsi]
    thefts = [claim for claim in of(*THEFTS) if claim.said.leaf_hash not in disputed]
    shared = [claim for claim in of(ClaimKind.CLASSIFIED) if claim.said.marks_duplicate]
    permitted = of(ClaimKind.PERMITTED)

    if is_known_non_unique or (of(*THEFTS) and shared and not permitted):
        rule = "6.1" if is_known_non_unique else "6.3"
        if paired:
            return _Verdict(Status.PERMITTED, rule, paired, for_pair=True)
        # a report about a number of many handsets names none of them
        if pair is not None and thefts and not is_known_non_unique and _came_after(pair, thefts):
            return _Verdict(Status.BLOCKED, rule, thefts, for_pair=True)
        return _Verdict(Status.TRACKED, rule, [*of(*THEFTS), *shared])
    if permitted:
        return _Verdict(Status.PERMITTED, "6.2", permitted)
    ordered = [claim for claim in of(ClaimKind.BLOCKED) if claim.said.leaf_hash not in disputed]
    if paired and (pairs_lift_orders or not ordered):
        return _Verdict(Status.PERMITTED, "6.4", paired, for_pair=True)
    blocks = [claim for claim in holding if claim.said.blocks_on(today)]
    if blocks:
        undisputed = [claim for claim in blocks if claim.said.leaf_hash not in disputed]
        if undisputed:
            return _Verdict(Status.BLOCKED, "6.4", undisputed)
        return _Verdict(Status.TRACKED, "6.4 disputed", [*blocks, *of(ClaimKind.DISPUTED)])
    watched = of(ClaimKind.CLASSIFIED, ClaimKind.TRACKED)
    if watched:
        return _Verdict(Status.TRACKED, "6.5", watched)
    permits = [claim for claim in holding if claim.said.permits]
    if permits:
        return _Verdict(Status.PERMITTED, "6.6", permits)
    return _Verdict(Status.UNKNOWN, "6.7", of(ClaimKind.DECLARED))


def _came_after(pair: AskedPair, thefts: Sequence[Claim]) -> bool:
    """Whether networks first saw the pair on a day after the first theft."""
    return came_after(
        min(moment(claim.said.effective_at).date() for claim in thefts), pair.first_seen_on, pair.watched_since
    )


def came_after(stolen_on: date, first_seen_on: date | None, watched_since: date | None) -> bool:
    """Whether a pair can be told to be new since a theft. The lists and the answer about one pair ask this alike.

    The day of the theft itself is the owner's: sightings may have no time of day. A pair never seen would appear
    now, so it comes after. Where nothing is kept of the days before the theft, the owner's own pair looks new: a
    doubt is not an accusation.
    """
    if watched_since is None or watched_since >= stolen_on:
        return False
    return first_seen_on is None or first_seen_on > stolen_on
