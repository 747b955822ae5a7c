"""How far the act log of a portal went, in one digest."""

from dataclasses import dataclass
from datetime import datetime

from openceir.statements.errors import StatementRefused
from openceir.statements.kinds._checks import not_after_signature
from openceir.statements.roles import Role
from openceir.statements.statement import Statement, statement

__all__ = ["ActsCommitted"]


@statement(kind="acts-committed/1", said_by=Role.REGULATOR, public=True)
@dataclass(frozen=True, slots=True, kw_only=True)
class ActsCommitted(Statement):
    """The regulator commits its portal to the log of who did and read what, by the digest of its last entry.

    Effect: none on any device. A log that is made anew as a whole, by whoever owns its database, does not fit any more.
    """

    number: int  # entries of the act log
    digest: bytes  # of the last of them, which binds all before it; SHA-256, 32 octets
    as_of_at: datetime  # UTC, whole seconds

    def check(self, signed_at: datetime) -> None:
        """Refuse a digest of another length, an empty log, and a log that was still to come."""
        if len(self.digest) != 32 or self.number < 1:
            raise StatementRefused("digest is a SHA-256 of 32 octets, and an act log that is committed to has an entry")
        not_after_signature("as_of_at", self.as_of_at, signed_at)
