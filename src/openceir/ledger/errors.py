"""What can go wrong with the book."""

from openceir.errors import OpenceirError
from openceir.statements import Refusal

__all__ = ["BookMoved", "Duplicate", "LedgerBroken", "LedgerBusy", "LedgerError", "ProofRefused"]


class LedgerError(OpenceirError):
    """The base of this room's errors."""

    code = "ledger-error"


class LedgerBroken(LedgerError):
    """The book contradicts itself; nothing more is written until a person has looked."""

    code = "ledger-broken"
    http_status = 503


class LedgerBusy(LedgerError):
    """Another process is writing to this ledger."""

    code = "ledger-busy"
    http_status = 503


class BookMoved(LedgerError):
    """The book of this home goes on in a consortium; what was asked cannot be done on the old log."""

    code = "book-moved"
    http_status = 409


class Duplicate(LedgerError):
    """This very statement stands in the ledger already."""

    code = "statement-duplicate"
    refusal = Refusal.DUPLICATE
    http_status = 409


class ProofRefused(LedgerError):
    """A proof, checkpoint or receipt does not show what it claims."""

    code = "proof-refused"
    http_status = 422
