"""The words in which claims and statuses are put to people. Never the word that promises: a register knows too little."""

from collections.abc import Sequence
from datetime import datetime

from openceir.status.answer import moment, moment_text
from openceir.status.claim import Claim, Said
from openceir.status.foreign import NOT_COUNTED, Effect, Weight
from openceir.status.words import THEFTS, ClaimKind, Status

__all__ = ["headline_of", "next_steps_of", "sentence_of", "told_of"]

_BY_RANGE = " (said of the whole range {0:014d} to {1:014d})"

_SENTENCES = {
    ClaimKind.ALLOCATED: "Its number range was given out by {issuer} on {day}.",
    ClaimKind.APPROVED: "Its type was approved by {issuer} on {day}.",
    ClaimKind.DECLARED: "{issuer} declared it as stock on {day}; that alone does not permit its use.",
    ClaimKind.IMPORTED: "It passed customs on {day}, says {issuer}.",
    ClaimKind.REGISTERED: "It is registered since {day}, says {issuer}.",
    ClaimKind.BOUND: "{issuer} names the other identifiers of this device.",
    ClaimKind.STOLEN: "It is reported stolen on {day}, says {issuer}.",
    ClaimKind.LOST: "It is reported lost on {day}, says {issuer}.",
    ClaimKind.BLOCKED: "{issuer} ordered it blocked from {day}.",
    ClaimKind.TRACKED: "{issuer} ordered it watched from {day}.",
    ClaimKind.CLONED: "Its number was found on several devices by {day}, says {issuer}.",
    ClaimKind.PERMITTED: "{issuer} permits it since {day} as an exception, whatever detection and lists say.",
    ClaimKind.PAIRED: "The asked subscriber is paired with it since {day}, says {issuer}.",
    ClaimKind.DISPUTED: "A dispute was filed on {day}, says {issuer}.",
}


def sentence_of(
    claim: Claim,
    at: datetime,
    *,
    has_lapsed: bool = False,
    is_overruled: bool = False,
    weight: Weight = NOT_COUNTED,
) -> str:
    """One claim in plain words.

    `has_lapsed`: what it rests on does not hold, so that it counts for nothing. `is_overruled`: something else decides,
    so that nobody is told "it is blocked" of a device that is not. `weight`: what policy makes of another nation's word.
    """
    said = claim.said
    issuer = said.issuer if not said.nation else f"{said.issuer} ({_office(said)} of {said.nation})"
    day = moment(said.effective_at).date().isoformat()
    if said.kind is ClaimKind.CLASSIFIED:
        text = f'Rule "{said.label}" matched what networks saw up to {day}, signed by {issuer}'
        if has_lapsed:
            text += "; it counts for nothing, since what it rests on does not hold"
        elif said.blocking and said.block_on is not None:
            has_come = said.block_on <= at.date()
            if is_overruled:
                verb = "would be blocked since" if has_come else "would be blocked on"
            else:
                verb = "is blocked since" if has_come else "will be blocked on"
            text += f"; it {verb} {said.block_on.isoformat()}"
            text += " at the end of an amnesty" if said.amnesty else ""
            text += ", were it not for what decides here" if is_overruled else ""
        else:
            text += "; it is watched, not blocked"
        text += "."
    else:
        text = _SENTENCES[said.kind].format(issuer=issuer, day=day)
    if said.until_at is not None:
        # the instant, not its day: a permission up to the first second of a day does not hold on that day
        text = f"{text[:-1]}, until {moment_text(moment(said.until_at))}."
    if claim.by_range is not None:
        text = text[:-1] + _BY_RANGE.format(*claim.by_range) + "."
    return text if not said.nation else text[:-1] + _counted(weight)


def told_of(claim: Claim, at: datetime) -> str:
    """One claim in plain words, whatever came of it later."""
    text = sentence_of(claim, at)
    return text if not claim.said.nation else text[: text.rindex("; no rule")] + "."


def _office(said: Said) -> str:
    return " and ".join(said.roles) or "a former member"


def _counted(weight: Weight) -> str:
    """What this nation's policy makes of another's word."""
    if weight.effect is Effect.SHOWN and weight.since is None:
        return "; no rule of this country's policy counts it, so it is only shown."
    assert weight.since is not None, "a foreign word counts by a rule, and since when it says"
    verb = "counted" if weight.effect is Effect.COUNTS else "watched" if weight.effect is Effect.TRACKS else "shown"
    source = f", {weight.source}" if weight.source else ""
    return f'; {verb} here since {moment_text(moment(weight.since))} by policy rule "{weight.rule}"{source}.'


_HEADLINES = {
    "6.1": "This number is on many handsets, so it is never blocked as a device.",
    "6.2": "An exception permits this device.",
    "6.3": "A phone reported stolen and others share this number: not the number is blocked but its use with subscribers "
    "first seen with it after the report.",
    "6.4": "This device is blocked.",
    "6.4 disputed": "This device was blocked; the block is disputed and suspended until it is decided.",
    "6.5": "This device may be used for now and is being watched.",
    "6.6": "This device is on record and no restriction holds.",
    "6.7": "Nobody has stated anything that permits or restricts this device.",
}

_PAIR_HEADLINES = {
    Status.PERMITTED: "This device may be used with the asked subscriber, and with nobody else because of it.",
    Status.BLOCKED: "This device is blocked with the asked subscriber: no network saw the two together up to the day of "
    "the reported theft.",
}


def headline_of(status: Status, rule: str, for_pair: bool) -> str:
    """The answer in one sentence."""
    return _PAIR_HEADLINES[status] if for_pair else _HEADLINES[rule]


_COMPARE = "Compare the model on record with the device in your hand; if they differ, do not buy it."
_APPEAL = (
    "If you think this is wrong, appeal to {issuer} with your proof of purchase; name statement {index}. "
    "An appeal that is not decided in time suspends the block."
)


def next_steps_of(status: Status, rule: str, deciding: Sequence[Claim], *, is_restrictive: bool) -> tuple[str, ...]:
    """What the person who holds the device can do, most useful first."""
    if status is Status.PERMITTED:
        return ("There is nothing to do.", _COMPARE)
    if status is Status.UNKNOWN:
        if is_restrictive:
            return ("Register it before you use it: under this country's policy a network may refuse it.", _COMPARE)
        return ("Compare the model on record with the device in your hand.", "Register it, so that a clone shows.")
    steps = []
    if any(claim.said.kind in THEFTS for claim in deciding):
        steps.append("If it is offered to you, do not buy it; if you hold it, take it to the police with its papers.")
        steps.append("If it is yours and you have it back, ask the police to state its recovery.")
    waiting = [
        claim.said
        for claim in deciding
        if status is Status.TRACKED and claim.said.blocking and claim.said.block_on is not None
    ]
    if waiting:
        first = min(waiting, key=lambda said: said.block_on)  # type: ignore[arg-type, return-value]  # not None, above
        steps.append(f"Register it, or have it paired with your number, before {first.block_on}.")
    if rule in {"6.1", "6.3"}:
        steps.append("If your own phone bears this number, ask your operator to pair it with your subscription.")
    if rule == "6.4 disputed":
        steps.append("Wait for the decision on the dispute; the device may be used until then.")
    elif deciding:
        last = deciding[-1].said
        steps.append(_APPEAL.format(issuer=last.issuer, index=last.index))
    return tuple(steps or [_COMPARE])
