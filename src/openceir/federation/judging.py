"""Whether an entry of a foreign log counts here: signed by an office of that nation which may say it.

A nation's log speaks for its own offices only. The time that judges is the one at which that log took the entry in, as
its door says it: all members judge by the same time, whenever they fetch. No log can name a time that is still to come,
and times in one log never run back, so a stolen key gains nothing but what its own nation's log would have let in.

Judged by the members as they are known now, so that a key revoked from a past day on undoes what it signed since, at
every member alike: when the members change, everything is judged again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from openceir.ledger import Governance
from openceir.statements import (
    PUBLIC_KINDS,
    Header,
    Member,
    Refusal,
    StatementRefused,
    verify_header,
)
from openceir.statements.signed import CLOCK_SKEW

__all__ = ["Judge", "Verdict", "is_to_come"]

_FOREIGN: Final = Refusal.ISSUER_OTHER


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one entry: its header when it counts, else why it does not."""

    header: Header | None
    refusal: Refusal = Refusal.NONE
    sentence: str = ""

    @property
    def is_public(self) -> bool:
        """Whether what it says is read by every member."""
        return self.header is not None and self.header.kind in PUBLIC_KINDS


class Judge:
    """Judges entries of the log that `holder` keeps, by one state of the federation."""

    def __init__(self, governance: Governance, holder: Member) -> None:
        self._members = governance.members
        self._holder = holder

    def judge(self, octets: bytes, logged_at: datetime) -> Verdict:
        """What the entry is, that its log took in at `logged_at`; never raises for any octets."""
        try:
            header = verify_header(octets, self._members, at=logged_at)
        except StatementRefused as wrong:
            return Verdict(None, wrong.refusal, str(wrong))
        issuer = self._members.find(header.issuer)
        assert issuer is not None, "verify_header has found it"
        if issuer.id != self._holder.id and (not issuer.nation or issuer.nation != self._holder.nation):
            return Verdict(None, _FOREIGN, f"{issuer.id} is no office of the nation whose log this is")
        return Verdict(header)


def is_to_come(logged_at: datetime, now: datetime) -> bool:
    """Whether a log says that it took an entry in at a time that our clock does not know yet."""
    return logged_at > now + CLOCK_SKEW
