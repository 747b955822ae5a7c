"""What `GET /api/v1/check/{imei}` says of a device, in one place for both who say it.

    {"imei": "001001000000015", "verdict": "blocked", "because": ["stolen"], "at": "2027-03-01T12:00:00Z",
     "log_size": 4711, "details": "/v1/identifiers/001001000000015"}

`fast_check.py` answers nearly all from the compiled index, before Django; whatever it leaves to the full answer goes
through `full_check`. A test holds the two equal over a hundred thousand values.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from openceir.app import Register
from openceir.identity import format_imei
from openceir.status import Answer, Status
from openceir.status.answer import moment_text

__all__ = ["VERDICT_OF", "because_of", "checked", "full_check"]

# Verdict words, fixed for programs; pages say them in the reader's language. Never "safe": a register knows too little.
VERDICT_OF = {
    Status.BLOCKED: "blocked",
    Status.TRACKED: "watched",
    Status.UNKNOWN: "not-registered",
    Status.PERMITTED: "no-restriction-known",
}


def checked(imei: str, status: Status, because: Iterable[str], at: datetime, log_size: int) -> dict[str, Any]:
    """The answer about the 14 digits of an IMEI."""
    spelt = format_imei(imei)
    return {
        "imei": spelt,
        "verdict": VERDICT_OF[status],
        "because": list(because),
        "at": moment_text(at),
        "log_size": log_size,
        "details": f"/v1/identifiers/{spelt}",
    }


def because_of(names: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The claims that a status rests on, as words: `stolen`, `classified:cloned_imei`."""
    return tuple(sorted({f"{kind}:{label}" if label else f"{kind}" for kind, label in names}))


def full_check(register: Register, value: str, at: datetime) -> dict[str, Any] | None:
    """The answer by way of every claim; None for an identifier that is no IMEI, which /v1/identifiers/ answers.

    Raises: NotADevice, ProbablyMistyped.
    """
    answer: Answer = register.check(value, at)
    if answer.scheme != "imei":
        return None
    rests_on = because_of((reason.kind, reason.label) for reason in answer.reasons if reason.decides)
    return checked(answer.canonical[:14], answer.status, rests_on, at, answer.log_size)
