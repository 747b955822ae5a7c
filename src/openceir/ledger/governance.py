"""Who belongs to a federation, decided by statements: the fold of foundings, proposals and approvals.

States: the members with their keys and powers, the quorum, and the proposals that are still open, each with who
approved it. A step takes one public statement that stands in the log and gives the next state; it never fails, and
what is meaningless by then (an approval that came too late) changes nothing. `refuse` says beforehand what may not
enter at all. Both are pure: every member's machine comes to the same state, and `root` lets them compare it.

Invariants: a quorum is more than half of the voters and no more than all, at every state. Approvals count while their
giver is a voter. Nobody is ever forgotten: who was removed keeps its name, roles and revoked keys, so that what it
said once can be judged for ever.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from openceir.ledger.errors import LedgerBroken
from openceir.statements import (
    Approved,
    FederationFounded,
    Header,
    KeyUse,
    Member,
    MemberRefused,
    Members,
    MembershipProposed,
    Refusal,
    Statement,
    StatementRefused,
    decode_payload,
    encode_payload,
    open_payload,
    quorum_of,
    read_canonical,
    read_header,
    read_member,
    verify_header,
    write_canonical,
    write_member,
)

__all__ = ["FOUNDING", "GOVERNING", "Governance", "Proposal", "judged", "opened"]

GOVERNING: Final = frozenset({FederationFounded.kind, MembershipProposed.kind, Approved.kind})
_GOVERNING: Final = tuple(kind.encode() for kind in sorted(GOVERNING))
FOUNDING: Final = FederationFounded.kind.encode()
MOST_OPEN: Final = 1000  # proposals at a time, so that no voter can fill everybody's memory


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that is put to the voters, and who has agreed so far, its proposer counted."""

    said: MembershipProposed
    approved_by: frozenset[str]


@dataclass(frozen=True, slots=True)
class Governance:
    """The members of one federation at one size of its log. Immutable: a step gives another."""

    name: str
    quorum: int
    members: Members
    open: Mapping[bytes, Proposal] = field(default_factory=dict)  # by leaf hash of the proposal

    def voters(self) -> tuple[Member, ...]:
        """Who decides, in the order of their ids."""
        return tuple(member for member in self.members if member.is_voter)

    def nodes_at(self, moment: datetime) -> dict[bytes, int]:
        """Public key and power of every consortium node that counts: what a validator set is made from.

        A voter with several node keys runs several nodes, and its power is spread over them.
        """
        nodes: dict[bytes, int] = {}
        for member in self.voters():
            keys = member.keys_at(KeyUse.NODE, moment)
            for place, key in enumerate(keys):
                nodes[key.public.octets] = member.power // len(keys) + (place < member.power % len(keys))
        return {key: power for key, power in nodes.items() if power}

    # -- change ----------------------------------------------------------------------------------------------------

    @classmethod
    def found(cls, said: FederationFounded) -> "Governance":
        """The state that a founding begins."""
        return cls(said.name, said.quorum, Members(said.members))

    def refuse(self, header: Header, said: Statement, time: datetime) -> None:
        """Raise StatementRefused when this governing statement may not enter a log in this state."""
        member = self.members.find(header.issuer)
        if isinstance(said, FederationFounded):
            raise _refused(f"this log is {self.name}'s already; a federation is founded once")
        if member is None or not member.is_voter:
            raise _refused(f"{header.issuer} has no vote in {self.name}")
        if not isinstance(said, MembershipProposed):
            return
        if said.until <= time:
            raise _refused("the time to approve that proposal has passed; propose it anew")
        if sum(one.said.until > time for one in self.open.values()) >= MOST_OPEN:
            raise _refused(f"{MOST_OPEN} proposals are open already; let some be decided first")
        try:
            self._changed(said, time)
        except (MemberRefused, StatementRefused) as wrong:
            raise _refused(f"that change cannot be made: {wrong}") from wrong

    def step(self, leaf_hash: bytes, header: Header, said: Statement, time: datetime) -> "Governance":
        """The state after this statement stood in the log in a block of this time."""
        proposals = {leaf: one for leaf, one in self.open.items() if one.said.until > time}
        if isinstance(said, MembershipProposed):
            proposals[leaf_hash] = Proposal(said, frozenset({header.issuer}))
            target = leaf_hash
        elif isinstance(said, Approved) and said.target in proposals:
            target = said.target
            one = proposals[target]
            proposals[target] = replace(one, approved_by=one.approved_by | {header.issuer})
        else:
            return self
        decided = proposals[target]
        if len(decided.approved_by & {member.id for member in self.voters()}) < self.quorum:
            return replace(self, open=proposals)
        del proposals[target]
        try:
            members, quorum = self._changed(decided.said, time)
        except (MemberRefused, StatementRefused):
            return replace(self, open=proposals)  # it could be made when it was proposed and cannot any more
        return replace(self, members=members, quorum=quorum, open=proposals)

    def _changed(self, said: MembershipProposed, time: datetime) -> tuple[Members, int]:
        """Members and quorum once this is decided. Raises: MemberRefused, StatementRefused when it cannot be."""
        quorum = self.quorum if said.quorum is None else said.quorum
        members = self._members_with(said, time)
        quorum_of(quorum, sum(member.is_voter for member in members))
        return members, quorum

    def _members_with(self, said: MembershipProposed, time: datetime) -> Members:
        members = self.members
        if said.action == "change-quorum":
            return members
        if said.action == "admit":
            assert said.terms is not None
            if members.find(said.terms.id) is not None:
                raise MemberRefused(f"{said.terms.id} is a member, or was one; admit it under another id")
            return members.with_member(said.terms)
        assert said.member is not None
        old = members.find(said.member)
        if old is None:
            raise MemberRefused(f"{said.member} is no member")
        match said.action:
            case "add-key":
                assert said.key is not None
                return members.with_key(old.id, said.key)
            case "revoke-key":
                return members.with_revoked(old.id, said.revoked_at or time, said.kid)
            case "change-roles":
                return members.with_member(old.with_only_roles(said.roles, time))
            case "change-power":
                return members.with_member(replace(old, power=said.power or 0))
        if any(key.revoked_at is None for key in old.keys):  # it is removed
            members = members.with_revoked(old.id, time)
        gone = members.find(old.id)
        assert gone is not None
        return members.with_member(replace(gone, power=0))

    # -- octets ----------------------------------------------------------------------------------------------------

    def write(self) -> bytes:
        """The one spelling of this state."""
        return write_canonical(
            [
                self.name,
                self.quorum,
                [write_member(member) for member in self.members],
                [[leaf, encode_payload(one.said), sorted(one.approved_by)] for leaf, one in sorted(self.open.items())],
            ]
        )

    @classmethod
    def read(cls, octets: bytes) -> "Governance":
        """What `write` wrote; raises LedgerBroken."""
        try:
            match read_canonical(octets, "the state of a federation"):
                case [str(name), int(quorum), [*members], [*proposals]]:
                    made = cls(
                        name, quorum, Members(map(read_member, members)), dict(_proposal(item) for item in proposals)
                    )
                    if made.write() == octets:
                        return made
        except (StatementRefused, MemberRefused, ValueError, TypeError) as wrong:
            raise LedgerBroken(f"the state of a federation cannot be read: {wrong}") from wrong
        raise LedgerBroken(
            "the state of a federation is not spelt as this release spells it; fetch it from another node"
        )

    def root(self) -> bytes:
        """The digest by which members compare their states."""
        return hashlib.sha256(b"openceir members 1\0" + self.write()).digest()


def judged(
    octets: bytes,
    preimage: tuple[bytes, bytes],
    *,
    at: datetime,
    members: Members,
    governance: Governance | None,
    is_shared: bool,
    known: Header | None = None,
) -> Header:
    """The header of an entry that was signed by one who may say it on a log in this state.

    On a log of one register `members` say things, and a federation's only govern; on a shared one its members say all.
    Raises: StatementRefused, KeyOutOfDate.
    """
    if governance is None:
        if FOUNDING in octets and read_header(octets).kind == FederationFounded.kind:
            return _judged_founding(octets, preimage, at, members, is_shared)
        return verify_header(octets, members, at=at, known=known)
    if is_shared or (any(word in octets for word in _GOVERNING) and read_header(octets).kind in GOVERNING):
        members = governance.members
    return verify_header(octets, members, at=at, known=known)


def _judged_founding(
    octets: bytes, preimage: tuple[bytes, bytes], at: datetime, members: Members, is_shared: bool
) -> Header:
    """A founding is judged by its own list; on a log of one register its founder must be a member there too."""
    if not is_shared:
        verify_header(octets, members, at=at)
    header = read_header(octets)
    if preimage == (b"", b""):
        raise StatementRefused(f"{header.kind} is public: salt and payload go with it", Refusal.NOT_DISCLOSED)
    said = opened(header, *preimage)
    assert isinstance(said, FederationFounded)
    founders = Members(said.members)
    header = verify_header(octets, founders, at=at)
    founder = founders.find(header.issuer)
    if founder is None or not founder.is_voter:
        raise _refused(f"{header.issuer} founds a federation in which it has no vote")
    return header


def opened(header: Header, salt: bytes, payload: bytes) -> Statement:
    """What the statement of this header says; raises StatementRefused with the number of a wrong payload."""
    try:
        return open_payload(header, salt, payload)
    except StatementRefused as wrong:
        raise StatementRefused(str(wrong), Refusal.PAYLOAD) from wrong


def _proposal(item: Any) -> tuple[bytes, Proposal]:
    match item:
        case [bytes(leaf), bytes(payload), [*names]] if len(leaf) == 32 and all(isinstance(n, str) for n in names):
            said = decode_payload(MembershipProposed.kind, payload)
            assert isinstance(said, MembershipProposed)
            return leaf, Proposal(said, frozenset(names))
    raise ValueError("a proposal is its leaf hash, payload and the members who approved it")


def _refused(sentence: str) -> StatementRefused:
    return StatementRefused(sentence, Refusal.GOVERNANCE)
