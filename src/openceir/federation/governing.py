"""Who belongs to the federation, from the public statements in all its members' logs.

There is no one order: a proposal stands in one log, its approvals in others. Everybody who holds the same statements
must come to the same members, in whatever order they arrived. So the fold begins anew from the founding each time (the
statements are few), in the order of the times at which their logs took them in, then of leaf hashes; an approval that
its log dates before the proposal, by a clock that runs slow, counts from the proposal on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from openceir.errors import OpenceirError
from openceir.federation.errors import FederationError
from openceir.ledger import GOVERNING, Governance, WitnessKey, hash_leaf
from openceir.ledger.governance import judged
from openceir.statements import (
    Approved,
    FederationFounded,
    Header,
    KeyUse,
    Member,
    Members,
    PublicKey,
    SignedStatement,
    Statement,
    open_payload,
    verify_header,
)

__all__ = ["Governed", "founded", "governance_of", "log_keys", "log_keys_of", "witness_keys"]


@dataclass(frozen=True, slots=True)
class Governed:
    """A public statement on who belongs to the federation, wherever it stands."""

    signed: SignedStatement
    logged_at: datetime

    @property
    def leaf_hash(self) -> bytes:
        """The hash by which approvals name it."""
        return hash_leaf(self.signed.octets)


def founded(signed: SignedStatement) -> Governance:
    """The federation that a founding statement begins; it certifies itself, so its leaf hash must be known otherwise.

    Raises: FederationError when it is no founding, or was not signed by a founder in its own list.
    """
    try:
        preimage = (signed.salt, signed.payload)
        header = judged(
            signed.octets, preimage, at=signed.header.stated_at, members=Members(), governance=None, is_shared=True
        )
        said = open_payload(header, *preimage)
    except OpenceirError as wrong:
        raise FederationError(f"that founding statement does not hold: {wrong}") from wrong
    if not isinstance(said, FederationFounded):
        raise FederationError(f"that is a {header.kind}; a federation begins with a {FederationFounded.kind}")
    return Governance.found(said)


def governance_of(founding: SignedStatement, statements: Iterable[Governed]) -> Governance:
    """The members once all these statements are known; the same for any order of them. What does not hold is passed over."""
    state = founded(founding)
    read: dict[bytes, tuple[datetime, Header, Statement, bytes]] = {}
    for one in statements:
        try:
            header = one.signed.header
            if header.kind not in GOVERNING or header.kind == FederationFounded.kind:
                continue
            said = open_payload(header, one.signed.salt, one.signed.payload)
        except OpenceirError:
            continue
        leaf = one.leaf_hash
        if leaf not in read or one.logged_at < read[leaf][0]:
            read[leaf] = (one.logged_at, header, said, one.signed.octets)

    def place(leaf: bytes) -> tuple[datetime, bool, bytes]:
        at, _, said, _ = read[leaf]
        if isinstance(said, Approved):
            return max(at, read[said.target][0]) if said.target in read else at, True, leaf
        return at, False, leaf

    for leaf in sorted(read, key=place):
        at, header, said, octets = read[leaf]
        at = place(leaf)[0]
        try:
            verify_header(octets, state.members, at=at)
            state.refuse(header, said, at)
        except OpenceirError:
            continue
        state = state.step(leaf, header, said, at)
    return state


def log_keys(member: Member) -> list[PublicKey]:
    """The keys that this member's checkpoints may be signed with. One that was revoked proves nothing any more."""
    return [key.public for key in member.keys if key.use is KeyUse.LOG and key.revoked_at is None]


def log_keys_of(governance: Governance, origin: str) -> list[PublicKey]:
    """The keys of the log of this origin."""
    return [key for member in governance.voters() for key in log_keys(member) if key.name == origin]


def witness_keys(governance: Governance) -> dict[str, WitnessKey]:
    """The witnesses' keys by member, those that count."""
    return {
        member.id: WitnessKey.of(key.public)
        for member in governance.voters()
        for key in member.keys
        if key.use is KeyUse.WITNESS and key.revoked_at is None
    }
