"""A marketplace's listing: what is found in it, strongest evidence first. Never that it is safe, and no single score.

    1 reported      an identifier in it is blocked or watched
    2 invalid       an identifier is no number that a phone can have, or its model is another than the advertised one
    3 repeated      other sellers at this marketplace offered a device of the same number within ninety days
    4 unregistered  nobody registered the device here; it may lawfully come from abroad
    5 hint          the listing names no identifier, or asks far less than others for the model: ask the seller for the
                    identifier, and remove nothing for this

A number that networks saw on several handsets is reported by the register itself, as watched.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from openceir.app import Register
from openceir.errors import OpenceirError
from openceir.portal.device_check import VERDICT_OF
from openceir.scan import Mention, find_imeis
from openceir.status import Answer, Status

__all__ = ["findings_of", "mentions_in"]

_NEXT = {
    "reported": "Ask the seller for proof of ownership, and tell the office that the answer names.",
    "invalid": "Ask the seller for a photo of what *#06# shows.",
    "repeated": "Ask each of the sellers for a photo of what *#06# shows: one device has one seller.",
    "unregistered": "Tell the buyer that this device has to be registered.",
    "hint": "Ask the seller for the IMEI. By itself this is no reason to remove the listing.",
}


def mentions_in(register: Register, listing: str) -> list[Mention]:
    """The identifiers that a listing's text names."""
    models = register.reference.find_models
    return list(find_imeis(listing, lambda tac: bool(models([tac]))))


def findings_of(
    register: Register,
    mentions: Sequence[Mention],
    brand: str,
    model: str,
    at: datetime,
    *,
    others: Mapping[str, int],
    is_cheap: bool,
) -> list[dict[str, Any]]:
    """What is found in a listing, strongest first. Units: spans are characters of its text, end exclusive.

    `others` tells of an identifier how many other sellers offered it; `is_cheap`, that the price is far below others'.
    """
    found = []
    for mention in mentions:
        evidence = {"identifier": mention.imei, "shown": mention.shown, "span": [mention.start, mention.end]}
        about = _about(register, mention.imei, brand, model, at)
        if many := others.get(mention.imei[:14], 0):
            about.append((3, "repeated", f"{many} other sellers offered this number within ninety days.", None))
        for level, kind, detail, verdict in about:
            confidence = "high" if mention.is_sure else "low"
            found.append(_finding(level, kind, detail, verdict, evidence, confidence))
    if not mentions:
        found.append(_finding(5, "hint", "The listing names no identifier.", None, None, "low"))
    if is_cheap:
        found.append(_finding(5, "hint", "19 of 20 offers of this model here ask more.", None, None, "low"))
    return sorted(found, key=lambda one: int(one["level"]))


def _finding(
    level: int, kind: str, detail: str, verdict: str | None, evidence: dict[str, Any] | None, confidence: str
) -> dict[str, Any]:
    return {
        "level": level,
        "kind": kind,
        "detail": detail,
        "evidence": evidence,
        "verdict": verdict,
        "confidence": confidence,
        "next_step": _NEXT[kind],
    }


def _about(
    register: Register, imei: str, brand: str, model: str, at: datetime
) -> list[tuple[int, str, str, str | None]]:
    """Level, kind, detail and verdict of each finding about one number."""
    try:
        answer: Answer = register.check(imei, at)
    except OpenceirError as refused:
        return [(2, "invalid", str(refused).replace(imei, "this number"), None)]
    verdict = VERDICT_OF[answer.status]
    found: list[tuple[int, str, str, str | None]] = []
    if answer.status in {Status.BLOCKED, Status.TRACKED}:
        found.append((1, "reported", answer.headline, verdict))
    recorded = answer.model
    if (recorded and brand and not _is_same(brand, str(recorded["brand"]))) or (
        recorded and model and not _is_same(model, str(recorded["model"]))
    ):
        found.append((2, "invalid", f"On record this is a {recorded['brand']} {recorded['model']}.", verdict))
    if answer.status is Status.UNKNOWN:
        found.append((4, "unregistered", answer.headline, verdict))
    return found


def _is_same(told: str, recorded: str) -> bool:
    """Whether two names may mean the same: one holds every word of the other, whatever the case."""
    one, other = set(told.casefold().split()), set(recorded.casefold().split())
    return one <= other or other <= one
