"""Answers about devices: claims taken from the book, and whatever else an answer reads."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openceir.app.book import Book
from openceir.errors import OpenceirError
from openceir.identity import keyed_digest
from openceir.ledger import Governance, LoggedStatement
from openceir.progress import Progress, Silent
from openceir.statements import Members
from openceir.status import Answer, ForeignRules, History, Inquiries, StatusError, accepted
from openceir.status.ports import GoldenDigest
from openceir.storage.claims import ClaimShelf
from openceir.storage.key_files import read_members
from openceir.storage.read_audit import ReadAudit
from openceir.storage.reference import ReferenceTables
from openceir.storage.tokens import TokenShelf

if TYPE_CHECKING:
    from openceir.storage.evidence import DetectionRuns
    from openceir.storage.subscribers import SeenSubscribers

__all__ = ["Answers"]


class Answers(Book):
    """What a device's status is, who asked, and who may ask."""

    @cached_property
    def views(self) -> list[Callable[[Sequence[LoggedStatement]], None]]:
        """Claims follow the book."""
        return [self._apply_claims]

    @cached_property
    def claims(self) -> ClaimShelf:
        """What every statement says of each device, caught up with the ledger."""
        shelf = ClaimShelf(
            self.database, self.identifiers, golden_digest=self._golden_digest(), foreign=self.foreign_rules
        )
        self._catch_up(shelf)
        return shelf

    @property
    def nation(self) -> str:
        """This register's own nation, as its policy names it; empty when it shares with nobody."""
        return str(self.policy.tree["country"]["nation"])

    @property
    def belongs_to(self) -> Governance | None:
        """The federation that this register belongs to; None when it shares with nobody."""
        return self.ledger.governance

    @property
    def foreign_rules(self) -> ForeignRules:
        """What other nations' statements count for here, and how many voters override the owner of a record."""
        quorum = self.belongs_to.quorum if self.belongs_to else 0
        return ForeignRules.of(self.policy.tables("foreign"), quorum=quorum)

    def _catch_up(self, shelf: ClaimShelf, progress: Progress = Silent()) -> int:
        behind = shelf.applied_size
        if behind >= self.ledger.size:
            return 0
        members = self._judging(read_members(self._members_file))  # another process may have added some
        return shelf.apply((accepted(entry, members, self.nation) for entry in self.ledger.entries(behind)), progress)

    def _judging(self, members: Members) -> Members:
        """These members, and those of the federation, whose approvals may stand in this log too."""
        if self.belongs_to is None:
            return members
        known = {key.public.kid for member in members for key in member.keys}
        others = (member for member in self.belongs_to.members if members.find(member.id) is None)
        return Members([*members, *(one for one in others if not any(key.public.kid in known for key in one.keys))])

    def _apply_claims(self, new: Sequence[LoggedStatement]) -> None:
        if self.claims.applied_size < new[0].index:
            self._catch_up(self.claims)
        else:
            members = self._judging(self.members)
            self.claims.apply(accepted(entry, members, self.nation) for entry in new)

    def _golden_digest(self) -> GoldenDigest | None:
        """The digest that golden lists are made with; none as long as there is no evidence key."""
        if not (self.home / "keys" / "evidence.key").exists():
            return None
        key = self.evidence_key
        return lambda device: keyed_digest(key, f"{device:014d}")

    def catch_up(self) -> int:
        """Apply what other processes logged since, and the policy that somebody changed; how many statements."""
        if self.refresh_policy():
            self.__dict__.pop("inquiries", None)  # it holds the policy of before
        self.ledger.refresh()
        if (rules := self.foreign_rules) != self.claims.foreign:  # by policy, or another quorum among the members
            self.claims.foreign = rules
            self.__dict__.pop("inquiries", None)
        return self._catch_up(self.claims)

    def rebuild_claims(self, progress: Progress = Silent()) -> int:
        """Make the claims anew from the ledger; how many statements. What was erased is gone from them then."""
        self.claims.clear()
        return self._catch_up(self.claims, progress)

    def erase(self, index: int, *, at: datetime) -> None:
        """Destroy what statement `index` said, and every claim that was taken from it.

        Raises: StatusError when that would block anybody: a theft that a recovery ended would hold again.
        """
        if blocked := self.claims.blocked_without(index, at):
            raise StatusError(
                f"without statement {index}, {blocked} devices would be blocked that are not; withdraw what blocks them"
                " and erase this then"
            )
        self.ledger.erase(index, at=at)
        self.claims.forget(index)

    @cached_property
    def inquiries(self) -> Inquiries:
        """Answers about devices."""
        return Inquiries(
            claims=self.claims,
            identifiers=self.identifiers,
            policy=self.policy,
            first_seen=lambda device, imsi: self.subscribers.first_seen(device, imsi),
            evidence=self._evidence_summary,
            models=self.reference.find_models,
            foreign=self.foreign_rules,
        )

    @cached_property
    def reference(self) -> ReferenceTables:
        """The TAC table, associations and subscribers."""
        return ReferenceTables(self.database)

    @cached_property
    def detection_runs(self) -> "DetectionRuns":
        """Runs of detection and their evidence."""
        from openceir.storage.evidence import DetectionRuns

        return DetectionRuns(self.home, self.database)

    def _evidence_summary(self, device: int, rule: str, evidence_digest: bytes | None) -> Mapping[str, Any] | None:
        return self.detection_runs.summary_of(device, rule, evidence_digest)

    @cached_property
    def subscribers(self) -> "SeenSubscribers":
        """Whom networks saw with a device; who shows it records the read first."""
        from openceir.storage.subscribers import SeenSubscribers

        return SeenSubscribers(self._triplet_files)

    def _triplet_files(self) -> Sequence[Path]:
        if not (self.home / "lake" / "measures").exists():
            return ()
        from openceir.storage.measures import Measures  # loads the engine of detection, which few answers need

        return Measures(self.home).measured().triplets

    def check(self, value: str, at: datetime, imsi: str | None = None, known_at: datetime | None = None) -> Answer:
        """Whether a device may be used at `at`, and why. Raises: NotADevice, ProbablyMistyped."""
        return self.inquiries.check(value, at, imsi=imsi, known_at=known_at)

    def check_many(
        self, values: Sequence[str], at: datetime, known_at: datetime | None = None
    ) -> list[Answer | OpenceirError]:
        """One answer or refusal for each value, in order."""
        return self.inquiries.check_many(values, at, known_at=known_at)

    def history(self, value: str, known_at: datetime | None = None) -> History:
        """Everything that was said of a device, and the status it had from when to when."""
        return self.inquiries.history(value, known_at=known_at)

    @cached_property
    def tokens(self) -> TokenShelf:
        """Access tokens of the HTTP interface."""
        return TokenShelf(self.database)

    @cached_property
    def read_audit(self) -> ReadAudit:
        """Who looked at whose subscribers."""
        return ReadAudit(self.database)
