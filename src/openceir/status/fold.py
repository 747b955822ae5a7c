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
from openceir.status.foreign import NOTHING_COUNTS, Effect, ForeignRules
from openceir.status.sentences import headline_of, next_steps_of, sentence_of
from openceir.status.words import MISSES, REPEATS, THEFTS, ClaimKind, Status

__all__ = ["AskedPair", "came_after", "ends", "ends_abroad", "fold", "has_lapsed", "in_order", "standing"]


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
    if later.index <= claim.index or not later.is_beside(claim):
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


def ends_abroad(later: Said, claim: Said) -> bool:
    """Whether `later`, approved by a quorum of a federation, is said to end another nation's `claim`.

    Logs of two nations have no common order, so that only what is named (its target) or dated (a recovery) is ended,
    and claims only: another ending stays its own nation's business.
    """
    if later.is_beside(claim) or claim.is_ending:
        return False
    if later.kind is ClaimKind.WITHDRAWN:
        return later.over_others and later.target == claim.leaf_hash
    return later.kind is ClaimKind.RECOVERED and claim.kind in THEFTS and claim.effective_at <= later.effective_at


def standing(
    claims: Iterable[Claim], at: int, foreign: ForeignRules = NOTHING_COUNTS, known: int | None = None
) -> tuple[list[Claim], set[bytes]]:
    """The claims that hold at the instant `at`, and the leaf hashes of statements under a live dispute.

    A statement that was itself withdrawn ends nothing from then on: the last word is heard first, in each nation's log
    by itself. Then what still ends something and was approved by a quorum reaches other nations' claims.
    """
    begun = [claim for claim in claims if claim.said.effective_at <= at]
    begun.sort(key=in_order, reverse=True)
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
    overriding = [said for said in enders if said.is_ending and foreign.overrides(said, at, known)]
    if overriding:
        holding = [claim for claim in holding if not any(ends_abroad(later, claim.said) for later in overriding)]
    disputes = [
        claim.said
        for claim in holding
        if claim.said.kind is ClaimKind.DISPUTED
        and claim.said.target is not None
        and claim.said.restores_at is not None
        and claim.said.restores_at <= at
    ]
    # a dispute is heard here when it was filed here, or in the nation that said what is disputed
    disputed = {
        claim.said.leaf_hash
        for claim in holding
        for said in disputes
        if said.target == claim.said.leaf_hash and said.nation in ("", claim.said.nation)
    }
    return holding[::-1], disputed


def in_order(claim: Claim) -> tuple[bool, str, str, int, int]:
    """Our own log first, then others'; within a log its order. Whose statement arrived first is never asked."""
    said = claim.said
    return bool(said.nation or said.log), said.nation, said.log, said.index, said.part


def has_lapsed(claim: Claim, holding: Sequence[Claim]) -> bool:
    """Whether a finding rests on something stated of the device that holds no longer, or on nothing having been stated."""
    if claim.said.kind is not ClaimKind.CLASSIFIED:
        return False
    kinds = {other.said.kind for other in holding if other.said.nation == claim.said.nation}
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
    foreign: ForeignRules = NOTHING_COUNTS,
) -> Answer:
    """The answer that `claims`, all those on one device, give at the instant `at`.

    With `pair` the answer is for that subscriber with this device. With `known_at` only statements logged by then
    count. A pairing does not lift an order, unless policy says so. Q Suppl. 73's restrictive mode changes what an unknown device's holder is told to do, never the status:
    a doubt is neither permission nor accusation. What another nation said counts for what `foreign` says.
    """
    seconds = int(at.timestamp())
    known = None if known_at is None else int(known_at.timestamp())
    if known is not None:
        claims = [claim for claim in claims if claim.said.logged_at <= known]
    holding, disputed = standing(claims, seconds, foreign, known)
    weights = {id(claim): foreign.weigh(claim.said, seconds) for claim in holding}
    lapsed = {id(claim) for claim in holding if has_lapsed(claim, holding)}
    live = [claim for claim in holding if id(claim) not in lapsed]
    counted = [claim for claim in live if weights[id(claim)].effect is Effect.COUNTS]
    watched = [claim for claim in live if weights[id(claim)].effect is Effect.TRACKS]
    today = at.astimezone(UTC).date()
    verdict = _decide(counted, watched, disputed, today, pair, is_known_non_unique, pairs_lift_orders)
    deciding = {id(claim) for claim in verdict.deciding}
    is_overruled = verdict.status is not Status.BLOCKED and verdict.rule != "6.5"
    reasons = [
        Reason(
            kind=claim.said.kind,
            label=claim.said.label,
            sentence=sentence_of(
                claim, at, has_lapsed=id(claim) in lapsed, is_overruled=is_overruled, weight=weights[id(claim)]
            ),
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
            nation=claim.said.nation,
            log=claim.said.log,
            weight=weights[id(claim)],
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
    watched_only: Sequence[Claim],
    disputed: set[bytes],
    today: date,
    pair: AskedPair | None,
    is_known_non_unique: bool,
    pairs_lift_orders: bool,
) -> _Verdict:
    """The first rule of docs/architecture.md §6 that fits; the numbers are that section's.

    `watched_only`: what policy makes of other nations' words, where it lets them track and not count.
    """

    def of(*kinds: ClaimKind) -> list[Claim]:
        return [claim for claim in holding if claim.said.kind in kinds]

    paired = [claim for claim in of(ClaimKind.PAIRED) if pair is not None and claim.imsi == pair.imsi]
    thefts = [claim for claim in of(*THEFTS) if claim.said.leaf_hash not in disputed]
    shared = [claim for claim in of(ClaimKind.CLASSIFIED, ClaimKind.CLONED) if claim.said.marks_shared]
    permitted = of(ClaimKind.PERMITTED)
    # who ordered named the device, whoever uses it: a report of theft on top takes nothing from that
    ordered = [claim for claim in of(ClaimKind.BLOCKED) if claim.said.leaf_hash not in disputed]

    if is_known_non_unique or (of(*THEFTS) and shared and not permitted and not ordered):
        rule = "6.1" if is_known_non_unique else "6.3"
        if paired:
            return _Verdict(Status.PERMITTED, rule, paired, for_pair=True)
        # a report about a number of many handsets names none of them
        if pair is not None and thefts and not is_known_non_unique and _came_after(pair, thefts):
            return _Verdict(Status.BLOCKED, rule, thefts, for_pair=True)
        return _Verdict(Status.TRACKED, rule, [*of(*THEFTS), *shared])
    if permitted:
        return _Verdict(Status.PERMITTED, "6.2", permitted)
    if paired and (pairs_lift_orders or not ordered):
        return _Verdict(Status.PERMITTED, "6.4", paired, for_pair=True)
    blocks = [claim for claim in holding if claim.said.blocks_on(today)]
    if blocks:
        undisputed = [claim for claim in blocks if claim.said.leaf_hash not in disputed]
        if undisputed:
            return _Verdict(Status.BLOCKED, "6.4", undisputed)
        return _Verdict(Status.TRACKED, "6.4 disputed", [*blocks, *of(ClaimKind.DISPUTED)])
    watched = [*of(ClaimKind.CLASSIFIED, ClaimKind.TRACKED, ClaimKind.CLONED), *watched_only]
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
