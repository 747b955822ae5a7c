"""What `parse` answers: one identifier, taken apart."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from openceir.identity.catalogue import CATALOGUE, Scheme
from openceir.identity.finding import Finding

__all__ = ["UNKNOWN_SCHEME", "Check", "Identifier"]

UNKNOWN_SCHEME = "unknown"


class Check(StrEnum):
    """How the check digit, or whatever a scheme has in its place, came out."""

    PASSED = "passed"
    FAILED = "failed"
    ABSENT = "absent"  # the scheme has one, but nothing in this text must be it
    NONE = "none"  # the scheme has none


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A text read as an identifier of one scheme, or of none.

    Two texts that name the same thing have the same `scheme` and `canonical`, however they were written.
    """

    scheme: str  # a row of the catalogue, or UNKNOWN_SCHEME
    canonical: str
    written_as: str  # the row of the form it was written in: imei-urn for an IMEI in a URN
    parts: Mapping[str, str] = field(default_factory=dict, hash=False)
    check: Check = Check.NONE
    findings: tuple[Finding, ...] = ()
    alternatives: tuple["Identifier", ...] = ()  # what else the text can mean, the likelier first

    @property
    def is_known(self) -> bool:
        """Whether any scheme was recognised."""
        return self.scheme != UNKNOWN_SCHEME

    @property
    def row(self) -> Scheme | None:
        """The catalogue's row of the scheme."""
        return CATALOGUE.get(self.scheme)

    @property
    def imei(self) -> str | None:
        """The fourteen digits that decide, when there is an IMEI in it; an all-decimal MEID is one."""
        if self.scheme in ("imei", "imeisv"):
            return self.canonical[:14]
        if self.scheme == "meid" and self.canonical.isdecimal():
            return self.canonical
        return None

    def with_alternatives(self, others: tuple["Identifier", ...]) -> "Identifier":
        """The same with other readings beside it."""
        return replace(self, alternatives=others)

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON takes it, the catalogue's level and reason included."""
        row = self.row
        return {
            "scheme": self.scheme,
            "title": row.title if row else None,
            "canonical": self.canonical,
            "written_as": self.written_as,
            "imei": self.imei,
            "parts": dict(self.parts),
            "check": self.check.value,
            "level": row.level if row else None,
            "level_at_best": (row.best or row.level) if row else None,
            "level_reason": row.reason if row else None,
            "findings": [{"code": found.code, "sentence": found.sentence} for found in self.findings],
            "alternatives": [other.to_dict() for other in self.alternatives],
        }
