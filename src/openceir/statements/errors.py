"""What can go wrong with a statement, a key or a member."""

from enum import IntEnum

from openceir.errors import OpenceirError

__all__ = ["KeyOutOfDate", "KeyRefused", "MemberRefused", "Refusal", "StatementError", "StatementRefused"]


class Refusal(IntEnum):
    """Why a statement may not enter a book, as a number that every member's machine must give alike.

    A published number never changes its meaning: blocks of a shared order carry them, and a replay compares them.
    """

    NONE = 0  # it may
    MALFORMED = 1  # no statement in canonical octets
    TOO_LARGE = 2
    KEY_UNKNOWN = 3
    ISSUER_OTHER = 4  # the key is another member's
    KIND_UNKNOWN = 5
    ROLE = 6  # the member may not say this kind
    FUTURE = 7
    SIGNATURE = 8
    KEY_OUT_OF_DATE = 9
    DUPLICATE = 10
    NOT_DISCLOSED = 11  # a public kind without its salt and payload
    DISCLOSED = 12  # a kind that names devices, with what must never be in the order
    PAYLOAD = 13  # salt and payload are not those signed, or say what cannot be
    GOVERNANCE = 14  # no voter, no such proposal, or a change that cannot be made


class StatementError(OpenceirError):
    """The base of this room's errors."""

    code = "statement-error"


class StatementRefused(StatementError):
    """These octets are no statement that may enter the ledger; the sentence says what is wrong with them."""

    code = "statement-refused"
    http_status = 422
    refusal = Refusal.MALFORMED

    def __init__(self, sentence: str, refusal: Refusal | None = None) -> None:
        """Say it in a sentence, and as the number of a shared order when it is not that of the class."""
        super().__init__(sentence)
        if refusal is not None:
            self.refusal = refusal


class KeyOutOfDate(StatementRefused):
    """The signature is true, but its key did not count at that time: not yet valid, expired or revoked."""

    code = "key-out-of-date"
    refusal = Refusal.KEY_OUT_OF_DATE


class KeyRefused(StatementError):
    """A key's text cannot be read, or its file is open to others."""

    code = "key-refused"


class MemberRefused(StatementError):
    """members.toml says something that cannot be true, or a member is not in it."""

    code = "member-refused"
