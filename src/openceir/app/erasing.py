"""Forgetting what was ordered to be forgotten: on our own shelves, of our own log and of every log that we follow.

An order names a statement by its leaf hash. It has standing when the statement's own issuer gave it, or a regulator or
court of that issuer's nation. A member destroys its copy first and says so afterwards: killed in between, it destroys
once more what is gone, and says it then.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from openceir.app.joined import Joined
from openceir.ledger import LedgerError
from openceir.statements import ErasureDone, ErasureOrdered, Member, Role, Statement, StatementRefused, decode_payload
from openceir.status import StatusError
from openceir.storage.federation_shelf import FederationShelf

__all__ = ["Erasing", "Erasure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """One order to forget, and how far it was followed."""

    order: bytes  # leaf hash
    target: bytes
    issuer: str
    log: str  # whose log the order stands in; empty: our own
    trouble: str = ""  # why we have not followed it; empty when we have, or have yet to
    answered: dict[str, datetime] = field(default_factory=dict)  # member -> when it had destroyed its copy
    missing: tuple[str, ...] = ()  # voters of the federation that have not answered

    def as_json(self) -> dict[str, Any]:
        """As `--json` gives it. The order names no device, and neither does this."""
        return {
            "order": self.order.hex(),
            "target": self.target.hex(),
            "issuer": self.issuer,
            "log": self.log or None,
            "answered": {name: f"{at:%Y-%m-%dT%H:%M:%SZ}" for name, at in sorted(self.answered.items())},
            "missing": list(self.missing),
            "trouble": self.trouble or None,
        }


@dataclass(frozen=True, slots=True)
class _Public:
    """A public statement of any log that we hold."""

    leaf_hash: bytes
    issuer: str
    log: str
    logged_at: datetime
    said: Statement


class Erasing(Joined):
    """Orders to forget, and our answers."""

    def erasures(self) -> list[Erasure]:
        """Every order that stands in our log or one that we follow, and who has answered it."""
        answers: dict[bytes, dict[str, datetime]] = {}
        for done in self._public(ErasureDone.kind):
            assert isinstance(done.said, ErasureDone)
            answers.setdefault(done.said.order, {}).setdefault(done.issuer, done.said.done_at)
        voters = [member.id for member in self.belongs_to.voters()] if self.belongs_to else []
        found = []
        for one in self._public(ErasureOrdered.kind):
            assert isinstance(one.said, ErasureOrdered)
            answered = answers.get(one.leaf_hash, {})
            missing = tuple(name for name in voters if name not in answered)
            found.append(
                Erasure(
                    order=one.leaf_hash,
                    target=one.said.target,
                    issuer=one.issuer,
                    log=one.log,
                    answered=answered,
                    missing=missing,
                    trouble=self._trouble_with(one),
                )
            )
        return found

    def obey_erasures(self, *, by: str, at: datetime) -> list[Erasure]:
        """Destroy what was ordered, and say so in our log with the key `by`; every order that we have not answered yet.

        One that cannot be followed now (it would block somebody anew) carries its trouble and is tried again next time.
        """
        member = self.sign_as(by)
        days = int(self.policy.value("retention.backup_days", at.date()))
        handled = []
        for one in self.erasures():
            if member in one.answered:
                continue
            trouble = one.trouble or self._destroy(one.target, at)
            if not trouble:
                now = at.replace(microsecond=0)
                self.state(
                    [ErasureDone(order=one.order, done_at=now, backups_until=now + timedelta(days))], by=by, at=at
                )
            handled.append(
                Erasure(
                    order=one.order,
                    target=one.target,
                    issuer=one.issuer,
                    log=one.log,
                    trouble=trouble,
                    answered=one.answered if trouble else {**one.answered, member: at},
                    missing=one.missing if trouble else tuple(name for name in one.missing if name != member),
                )
            )
        return handled

    def _destroy(self, target: bytes, at: datetime) -> str:
        """Why what this leaf hash names could not be destroyed; nothing when it is gone from every shelf."""
        index = self.ledger.find(target)
        if index is not None:
            try:
                self.erase(index, at=at)
            except (StatusError, LedgerError) as wrong:
                return str(wrong)
        for shelf in self._shelves():
            found = shelf.find(target)
            if found is not None:
                if blocked := self.claims.blocked_without(found.index, at, found.member):
                    return (
                        f"without entry {found.index} of {found.member}, {blocked} devices would be blocked that are "
                        "not; what blocks them is withdrawn first"
                    )
                shelf.erase(found.member, found.index)
                self.claims.forget(found.index, found.member)
        return ""

    def _shelves(self) -> list[FederationShelf]:
        """What we keep of logs other than our own."""
        followed = [self.federation_shelf] if self.is_federated else []
        return [*followed, self.shared_shelf] if self.is_joined else followed

    def _trouble_with(self, order: _Public) -> str:
        """Why an order has no standing, or cannot be followed yet; nothing when it can."""
        assert isinstance(order.said, ErasureOrdered)
        said_by = self._issuer_of(order.said.target)
        if said_by is None:
            return "what it names stands in no log that we hold; it may come"
        if order.issuer == said_by:
            return ""
        orders, stated = self._member(order.issuer), self._member(said_by)
        if orders is None or stated is None or self._nation_of(orders) != self._nation_of(stated):
            return "only the issuer of a statement, or a regulator or court of its nation, orders it to be erased"
        if orders.roles_at(order.logged_at).isdisjoint({Role.REGULATOR, Role.COURT}):
            return f"{order.issuer} is neither regulator nor court, and did not make the statement"
        return ""

    def _issuer_of(self, target: bytes) -> str | None:
        index = self.ledger.find(target)
        if index is not None:
            return self.ledger.entry(index).header.issuer
        found = next((one for shelf in self._shelves() if (one := shelf.find(target)) is not None), None)
        return None if found is None else found.issuer

    def _member(self, name: str) -> Member | None:
        return self.members.find(name) or (self.belongs_to.members.find(name) if self.belongs_to else None)

    def _nation_of(self, member: Member) -> str:
        return self.nation if member.nation in ("", self.nation) else member.nation

    def _public(self, kind: str) -> Iterator[_Public]:
        """What was said of a public kind, in our own log and then in those that we follow."""
        for entry in self.ledger.of_kinds({kind}):
            assert entry.said is not None, "a public statement is never erased"
            yield _Public(entry.leaf_hash, entry.header.issuer, "", entry.logged_at, entry.said)
        for shelf in self._shelves():
            for one in shelf.of_kinds([kind]):
                [logged_at] = shelf.times(one.member, one.index, one.index + 1)
                if one.octets is None or logged_at is None:
                    continue  # its payload has not come yet
                try:
                    said = decode_payload(kind, one.octets)
                except StatementRefused:
                    continue  # refused when it was judged; the federation reports it
                yield _Public(one.leaf_hash, one.issuer, one.member, logged_at, said)
