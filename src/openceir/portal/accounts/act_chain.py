"""The chain of the act log, as a database holds it and as an auditor takes it home: one JSON object a line.

    digest = SHA-256(canonical JSON of [number, at, actor, role, office, verb, subject, reason, count, statements,
                                        previous])

Pure: no database, so that a file can be walked where the register is not.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from openceir.errors import OpenceirError

__all__ = ["FIRST", "ActsBroken", "WalkedActs", "act_digest", "act_line", "walk_acts"]

FIRST = "0" * 64  # what the first entry names as the digest before it
_FIELDS = (
    "number", "at", "actor", "role", "office", "verb", "subject", "reason", "count", "statements", "previous",
)  # fmt: skip
_LONGEST_LINE = 1 << 20


class ActsBroken(OpenceirError):
    """A file of the act log is not as it was written."""

    code = "acts-broken"


class WalkedActs(NamedTuple):
    """A whole chain: how many entries, the digest of the last, and the leaf hashes of statements that they name."""

    entries: int
    digest: str
    statements: frozenset[bytes]


def act_digest(told: Sequence[object]) -> str:
    """The digest of an entry, of its fields in their order."""
    return hashlib.sha256(json.dumps(list(told), ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def act_line(told: Sequence[object], digest: str) -> str:
    """An entry as a line of the file."""
    return json.dumps(dict(zip((*_FIELDS, "digest"), (*told, digest), strict=True)), ensure_ascii=False) + "\n"


def walk_acts(lines: Iterable[bytes], known: str = "") -> WalkedActs:
    """Walk a file from its first entry to its last; `known` is a digest that was noted before and must be among them.

    Raises: ActsBroken at the first entry that is missing, changed or no entry.
    """
    count, digest, met, statements = 0, FIRST, not known, set()
    for line in lines:
        told = _read(line, count + 1)
        fields = [told[name] for name in _FIELDS]
        try:
            found = act_digest(fields)
        except UnicodeEncodeError:
            found = ""
        if told["number"] != count + 1 or told["previous"] != digest or told["digest"] != found:
            raise ActsBroken(f"entry {count + 1} is missing or was changed; everything before it stands")
        count, digest = count + 1, found
        met = met or found == known
        try:
            statements |= {bytes.fromhex(leaf) for leaf in told["statements"]}
        except (TypeError, ValueError):
            raise ActsBroken(f"entry {count} names a statement by what is no hash") from None
    if not met:
        raise ActsBroken(
            f"none of these {count} entries has the digest {known}: what was noted then is not in this file"
        )
    return WalkedActs(count, digest, frozenset(statements))


def _read(line: bytes, number: int) -> Mapping[str, Any]:
    try:
        told = json.loads(line) if len(line) <= _LONGEST_LINE else None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict) or told.keys() != {*_FIELDS, "digest"}:
        raise ActsBroken(f"line {number} is no entry of an act log")
    return told
