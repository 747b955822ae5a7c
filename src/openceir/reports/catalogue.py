"""The questions that a month is asked. Each is one SQL file, whose first lines say what it is:

    -- title: Devices a day
    -- unit: devices
    -- drawing: lines
    -- counts: how it was counted, in words for a reader of the report (may go on in further `-- ` lines)

A figure's first column is `operator`, '' standing for the whole country. A listing names single devices or
subscribers: it is never part of a report, is written into a file of its own, and every reading of it is recorded.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from openceir.reports.errors import ReportError
from openceir.reports.figure import Drawing

__all__ = ["LISTINGS", "RELATIONS", "Question", "figures", "listings"]

# What a question may read. Keys of devices and subscribers as in docs/architecture.md §2; days are since 1970.
RELATIONS: Mapping[str, str] = {
    "users": "device, operator, imsi, msisdn, day_mask: who was seen with what in the month; bit 0 is its first day",
    "days": "day_on, day, bit: the days of the month, their ISO text, and their bit in a day_mask",
    "first_seen": "device, month_on: the first month in which a device was ever seen",
    "verdict": "device, status, block_on: every device seen in the month, its status at the month's end; block_on null for none",
    "finding": "rule, device, blocking, marks_duplicate: what detection found and still holds",
    "report_of": "device, reported_on, block_on: stolen and lost devices whose report holds, since when",
    "blocked": "device, since_on: devices that are blocked, since when",
    "blocked_for": "device, reason: each claim that blocks a blocked device",
    "tac": "tac, manufacturer, brand, model, device_type, rat, os: rat is what its bands can do, os the system it came with; null when the table does not say",
    "generation": "name, mask: radio generations, and their bits in a rat",
    "entered": "device, how, issuer, status: devices named singly by a claim that registers, imports or declares them; status at the month's end",
    "entry": "idx, kind, issuer, devices, logged_at: statements that registered, imported or declared, with how many they entered, ranges counted whole",
    "subscriber": "imsi, uid: the country's register of subscribers; may be empty",
    "association": "device, uid: whose device it is said to be; may be empty",
    "pair": "device, imsi, msisdn: pairings that hold; msisdn 0 when there is none",
    "bound": "device, whole: identifiers of one device bear one number",
    "said": "idx, kind, label, ends_kind, devices, effective_at, logged_at: what was stated of devices, with how many it named; seconds since 1970",
    "about": "device, idx: which of these statements named a device singly",
    "run": "sequence, made_at, ledger_size: runs of lists",
    "delivered": "operator, kind, sequence, entries: the newest list of each kind",
    "acknowledged": "operator, kind, sequence, acknowledged_at: what operators said they applied",
    "received": "operator, kind, sequence, fetched_at, applied_at: when an operator first fetched a list, and first said that it applied it",
    "home": "operator, prefix_lo, prefix_hi: IMSI keys of each operator's own subscribers",
}

_HEAD = re.compile(r"-- (title|unit|drawing|counts|order): (.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One SQL file and what it says of itself. `order` is its place in a report."""

    name: str
    title: str
    unit: str
    drawing: Drawing
    counts: str
    order: int
    sql: str


def _read(folder: str) -> tuple[Question, ...]:
    found = []
    for file in resources.files("openceir.reports").joinpath(folder).iterdir():
        if file.name.endswith(".sql"):
            found.append(_question(file.name.removesuffix(".sql"), file.read_text(encoding="utf-8")))
    return tuple(sorted(found, key=lambda question: (question.order, question.name)))


def _question(name: str, text: str) -> Question:
    head: dict[str, str] = {}
    last = ""
    lines = text.splitlines()
    body = next((at for at, line in enumerate(lines) if not line.startswith("--")), len(lines))
    for line in lines[:body]:
        if match := _HEAD.fullmatch(line):
            last = match[1]
            head[last] = match[2]
        elif last:
            head[last] += " " + line.removeprefix("--").strip()
    missing = {"title", "unit", "drawing", "counts", "order"} - head.keys()
    if missing:
        raise ReportError(f"the question {name}.sql does not say its {sorted(missing)[0]}; write it in its first lines")
    return Question(
        name=name, title=head["title"], unit=head["unit"], drawing=Drawing(head["drawing"]), counts=head["counts"],
        order=int(head["order"]), sql="\n".join(lines[body:]),
    )  # fmt: skip


@cache
def figures() -> tuple[Question, ...]:
    """Every figure of a monthly report, in its order."""
    return _read("figures")


@cache
def listings() -> Mapping[str, Question]:
    """Every listing of single devices or subscribers, by name."""
    return {question.name: question for question in _read("listings")}


LISTINGS = tuple(listings())
