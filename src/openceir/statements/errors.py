"""What can go wrong with a statement, a key or a member."""

from openceir.errors import OpenceirError

__all__ = ["KeyOutOfDate", "KeyRefused", "MemberRefused", "StatementError", "StatementRefused"]


class StatementError(OpenceirError):
    """The base of this room's errors."""

    code = "statement-error"


class StatementRefused(StatementError):
    """These octets are no statement that may enter the ledger; the sentence says what is wrong with them."""

    code = "statement-refused"
    http_status = 422


class KeyOutOfDate(StatementRefused):
    """The signature is true, but its key did not count at that time: not yet valid, expired or revoked."""

    code = "key-out-of-date"


class KeyRefused(StatementError):
    """A key's text cannot be read, or its file is open to others."""

    code = "key-refused"


class MemberRefused(StatementError):
    """members.toml says something that cannot be true, or a member is not in it."""

    code = "member-refused"
