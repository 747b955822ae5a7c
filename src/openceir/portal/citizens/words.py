"""An answer of the register in the reader's language: the verdict, what it means, why, who said so and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from openceir.errors import OpenceirError
from openceir.identity import format_imei
from openceir.policy import Policy
from openceir.status import THEFTS, Answer, ClaimKind, ProbablyMistyped, Reason, Status

__all__ = ["Office", "Told", "Why", "meaning_of", "office_named", "refused", "sentence_of", "told", "word_of"]

_WORDS = {
    "blocked": gettext_lazy("Blocked"),
    "watched": gettext_lazy("Watched"),
    "not-registered": gettext_lazy("Not registered"),
    "no-restriction-known": gettext_lazy("No restriction known"),
    "invalid": gettext_lazy("Not a valid number"),
}
_WORD_OF_STATUS = {
    Status.BLOCKED: "blocked",
    Status.TRACKED: "watched",
    Status.UNKNOWN: "not-registered",
    Status.PERMITTED: "no-restriction-known",
}
_TAGS = {
    "blocked": "red",
    "watched": "orange",
    "invalid": "grey",
    "not-registered": "grey",
    "no-restriction-known": "blue",
}


@dataclass(frozen=True, slots=True)
class Office:
    """Who said something, and where one reaches them: `[offices.ID]` of the policy."""

    name: str
    contact: str


@dataclass(frozen=True, slots=True)
class Why:
    """One reason."""

    text: str
    office: Office
    since: datetime
    statement: int
    decides: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A verdict as a page shows it."""

    value: str  # as it is written: 15 digits of an IMEI
    verdict: str
    word: str
    tag: str
    means: str
    why: tuple[Why, ...]
    steps: tuple[str, ...]
    model: str
    others: tuple[str, ...]
    at: datetime
    log_size: int
    can_appeal: bool


def word_of(verdict: str) -> str:
    """A verdict's word."""
    return str(_WORDS[verdict])


def office_named(policy: Policy, member: str) -> Office:
    """What the policy says of a member of the register."""
    known: Mapping[str, Any] = policy.tree.get("offices", {}).get(member, {})
    return Office(str(known.get("name", member)), str(known.get("contact", "")))


def told(answer: Answer, policy: Policy, spelt: "dict[object, Told] | None" = None) -> Told:
    """An answer in the language that is active.

    Answers of one batch often share their reasons; `spelt`, kept for as long as they are, spells those once.
    """
    same = (id(answer.reasons), answer.rule, answer.status)
    first = None if spelt is None else spelt.get(same)
    if first is None:
        first = _spell(answer, policy)
        if spelt is not None:
            spelt[same] = first
    model = answer.model or {}
    return replace(
        first,
        value=format_imei(answer.canonical[:14]) if answer.scheme == "imei" else answer.canonical,
        model=" ".join(str(model[part]) for part in ("brand", "model") if model.get(part)),
        others=tuple(f"{one['value']}" for one in answer.other_identifiers),
        at=answer.at,
        log_size=answer.log_size,
    )


def _spell(answer: Answer, policy: Policy) -> Told:
    """What follows from status and reasons alone, for every device that has the same."""
    verdict = _WORD_OF_STATUS[answer.status]
    deciding = [reason for reason in answer.reasons if reason.decides]
    shown = deciding or list(answer.reasons)
    return Told(
        value="",
        verdict=verdict,
        word=word_of(verdict),
        tag=_TAGS[verdict],
        means=meaning_of(answer),
        why=tuple(
            Why(
                sentence_of(reason), office_named(policy, reason.issuer), reason.since, reason.statement, reason.decides
            )
            for reason in shown
        ),
        steps=tuple(_steps(answer, deciding)),
        model="",
        others=(),
        at=answer.at,
        log_size=answer.log_size,
        can_appeal=any(reason.kind in _APPEALABLE for reason in deciding),
    )


def refused(value: str, error: OpenceirError, at: datetime) -> Told:
    """What is said of a text that is no identifier of a device, or a mistyped one."""
    mistyped = isinstance(error, ProbablyMistyped)
    return Told(
        value=value,
        verdict="invalid",
        word=word_of("invalid"),
        tag=_TAGS["invalid"],
        means=_("One digit is wrong, so no answer is given, which could be about a stranger's device.")
        if mistyped
        else _("This is not the number of a device. An IMEI has 15 digits."),
        why=(),
        steps=(
            _("Dial *#06# on the phone and compare each digit."),
            _("If the phone itself shows this number, do not buy it."),
        ),
        model="",
        others=(),
        at=at,
        log_size=0,
        can_appeal=False,
    )


_APPEALABLE = {ClaimKind.STOLEN, ClaimKind.LOST, ClaimKind.BLOCKED, ClaimKind.CLASSIFIED, ClaimKind.TRACKED}


def meaning_of(answer: Answer) -> str:
    """What an answer means for whoever has the device."""
    deciding = [reason for reason in answer.reasons if reason.decides]
    kinds = {reason.kind for reason in deciding}
    days = [reason.block_on for reason in deciding if reason.block_on is not None]
    match answer.status:
        case Status.BLOCKED:
            return _("No network of this country serves this device.")
        case Status.TRACKED if answer.rule == "6.1":
            return _("Many devices bear this number, so the number itself is never blocked.")
        case Status.TRACKED if answer.rule == "6.3":
            return _("A reported phone and others share this number. Only new users of it are blocked.")
        case Status.TRACKED if answer.rule == "6.4 disputed":
            return _("The block was appealed against and not decided in time, so the device works until it is decided.")
        case Status.TRACKED if days:
            return _("It works now and will be blocked on %(day)s unless something is done.") % {
                "day": date_format(min(days), "DATE_FORMAT")
            }
        case Status.TRACKED:
            return _("It works now and is being watched.")
        case Status.UNKNOWN:
            return _("Nobody has stated anything about this number: neither that it may be used nor that it may not.")
        case _ if ClaimKind.PERMITTED in kinds:
            return _("An exception permits it.")
        case _:
            return _(
                "It is on record, and no restriction was known at this moment. That can change, and says nothing about who owns it."
            )


def sentence_of(reason: Reason) -> str:
    """A reason of an answer."""
    day = date_format(reason.since, "DATE_FORMAT")
    if reason.kind is ClaimKind.CLASSIFIED:
        return _("What networks saw up to %(day)s matches the rule “%(rule)s”.") % {"day": day, "rule": reason.label}
    return str(_SENTENCES[reason.kind]) % {"day": day}


_SENTENCES = {
    ClaimKind.ALLOCATED: gettext_lazy("Its range of numbers was given out on %(day)s."),
    ClaimKind.APPROVED: gettext_lazy("Its type was approved on %(day)s."),
    ClaimKind.DECLARED: gettext_lazy("It was declared as stock on %(day)s, which alone does not permit its use."),
    ClaimKind.IMPORTED: gettext_lazy("It passed customs on %(day)s."),
    ClaimKind.REGISTERED: gettext_lazy("It is registered since %(day)s."),
    ClaimKind.BOUND: gettext_lazy("Its other numbers are on record."),
    ClaimKind.STOLEN: gettext_lazy("It was reported stolen on %(day)s."),
    ClaimKind.LOST: gettext_lazy("It was reported lost on %(day)s."),
    ClaimKind.BLOCKED: gettext_lazy("It was ordered to be blocked from %(day)s."),
    ClaimKind.TRACKED: gettext_lazy("It was ordered to be watched from %(day)s."),
    ClaimKind.PERMITTED: gettext_lazy("It is permitted as an exception since %(day)s."),
    ClaimKind.PAIRED: gettext_lazy("It is paired with a subscriber since %(day)s."),
    ClaimKind.DISPUTED: gettext_lazy("An appeal was filed on %(day)s."),
}


def _steps(answer: Answer, deciding: list[Reason]) -> list[str]:
    kinds = {reason.kind for reason in deciding}
    steps = []
    if kinds & THEFTS:
        steps.append(
            _("If it is offered to you, do not buy it. If you hold it, take it to the police with its papers.")
        )
        steps.append(_("If it is yours and you have it back, ask for it to be unblocked."))
    if answer.rule in {"6.1", "6.3"}:
        steps.append(
            _(
                "If your own phone bears this number, ask your operator to pair it with your number. That keeps it working."
            )
        )
    if answer.status is Status.TRACKED and any(reason.block_on for reason in deciding):
        steps.append(_("Register it before that day."))
    if answer.rule == "6.4 disputed":
        steps.append(_("Wait for the decision."))
    elif kinds & _APPEALABLE:
        steps.append(_("If you think this is wrong, appeal. If nobody decides in time, it works again by itself."))
    if answer.status is Status.UNKNOWN:
        steps.append(_("Register it, so that a copy of its number shows."))
    if answer.status in {Status.UNKNOWN, Status.PERMITTED}:
        steps.append(
            pgettext(
                "before buying",
                "Compare the model on record with the device in your hand. If they differ, do not buy it.",
            )
        )
    return steps
