"""A marketplace's listing: what is found in it, strongest evidence first. Never that it is safe, and no single score.

    1 reported      an identifier in it is blocked or watched
    2 invalid       an identifier is no number that a phone can have, or its model is another than the advertised one
    4 unregistered  nobody registered the device here; it may lawfully come from abroad
    5 hint          the listing names no identifier: ask the seller for it, and remove nothing for this

Level 3 (one number in several listings, or on several handsets) needs the marketplace's other listings: a number that
networks saw on several handsets is reported by the register itself, as watched.
"""

from datetime import datetime
from typing import Any

from openceir.app import Register
from openceir.errors import OpenceirError
from openceir.portal.device_check import VERDICT_OF
from openceir.scan import find_imeis
from openceir.status import Answer, Status

__all__ = ["findings_of"]

_NEXT = {
    "reported": "Ask the seller for proof of ownership, and tell the office that the answer names.",
    "invalid": "Ask the seller for a photo of what *#06# shows.",
    "unregistered": "Tell the buyer that this device has to be registered.",
    "hint": "Ask the seller for the IMEI. By itself this is no reason to remove the listing.",
}


def findings_of(register: Register, listing: str, brand: str, model: str, at: datetime) -> list[dict[str, Any]]:
    """What is found in a listing's text, strongest first. Units: spans are characters of `listing`, end exclusive."""
    models = register.reference.find_models
    mentions = find_imeis(listing, lambda tac: bool(models([tac])))
    found = []
    for mention in mentions:
        evidence = {"identifier": mention.imei, "shown": mention.shown, "span": [mention.start, mention.end]}
        confidence = "high" if mention.is_sure else "low"
        for level, kind, detail, verdict in _about(register, mention.imei, brand, model, at):
            found.append(
                {
                    "level": level,
                    "kind": kind,
                    "detail": detail,
                    "evidence": evidence,
                    "verdict": verdict,
                    "confidence": confidence,
                    "next_step": _NEXT[kind],
                }
            )
    if not mentions:
        found.append(
            {
                "level": 5,
                "kind": "hint",
                "detail": "The listing names no identifier.",
                "evidence": None,
                "verdict": None,
                "confidence": "low",
                "next_step": _NEXT["hint"],
            }
        )
    return sorted(found, key=lambda one: int(one["level"]))


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
