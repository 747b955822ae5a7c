"""What a member says on the consortium's book about the consortium: who is admitted, who leaves, and its approvals."""

import os
from datetime import datetime, timedelta

from openceir.consortium.founding import POWER, Joining
from openceir.ledger import Governance
from openceir.statements import (
    Approved,
    KeyUse,
    Member,
    MemberKey,
    MembershipProposed,
    Role,
    SignedStatement,
    SigningKey,
    Statement,
    sign,
)

__all__ = ["admission", "approval", "office_admission", "removal", "say"]


def say(said: Statement, key: SigningKey, at: datetime) -> SignedStatement:
    """`said`, signed by the member whose name its key bears."""
    return sign(said, key, issuer=key.name, stated_at=at, salt=os.urandom(16))


def admission(
    joining: Joining, governance: Governance, at: datetime, *, open_days: int, nation: str = "", power: int = POWER
) -> MembershipProposed:
    """The proposal to admit the member of a new node; the quorum stays more than half of the voters."""
    keys = (
        MemberKey(joining.statements.public, at),
        MemberKey(joining.node.public, at, use=KeyUse.NODE),
    )
    voters = len(governance.voters()) + bool(power)
    return MembershipProposed(
        action="admit",
        terms=Member(joining.statements.name, frozenset(Role), keys, nation=nation, power=power),
        quorum=_quorum(governance, voters),
        until=at + timedelta(days=open_days),
        grounds="admission to the consortium",
    )


def office_admission(
    office: Member, nation: str, governance: Governance, at: datetime, *, open_days: int
) -> MembershipProposed:
    """The proposal to admit an office of a member's nation: it says what its roles let it say, and decides nothing."""
    keys = tuple(key for key in office.keys if key.use is KeyUse.STATEMENTS and key.revoked_at is None)
    return MembershipProposed(
        action="admit",
        terms=Member(office.id, office.roles, keys, nation=nation),
        quorum=_quorum(governance, len(governance.voters())),
        until=at + timedelta(days=open_days),
        grounds="an office of a member's nation",
    )


def removal(member: str, governance: Governance, at: datetime, *, open_days: int, grounds: str) -> MembershipProposed:
    """The proposal to remove a member; what it said stays, its keys count no longer."""
    voters = sum(one.id != member for one in governance.voters())
    return MembershipProposed(
        action="remove",
        member=member,
        quorum=_quorum(governance, voters),
        until=at + timedelta(days=open_days),
        grounds=grounds,
    )


def approval(target: bytes) -> Approved:
    """The approval of a proposal, named by its leaf hash."""
    return Approved(target=target)


def _quorum(governance: Governance, voters: int) -> int | None:
    """The quorum to ask for along with a change; None when the present one still fits."""
    fits = voters < 2 * governance.quorum <= 2 * voters
    return None if fits else voters // 2 + 1
