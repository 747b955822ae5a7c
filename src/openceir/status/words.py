"""The words of an answer and of the claims under it."""

from enum import StrEnum

from openceir.errors import OpenceirError

__all__ = [
    "ENDINGS",
    "PERMITS",
    "THEFTS",
    "ClaimKind",
    "Status",
    "StatusError",
]


class StatusError(OpenceirError):
    """A question about a device cannot be answered as asked."""

    code = "status-refused"


class Status(StrEnum):
    """What a network should do with a device. Source: ITU-T Q.5055; UNKNOWN is ours."""

    PERMITTED = "permitted"
    TRACKED = "tracked"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"

    @property
    def exit_status(self) -> int:
        """What the command line exits with, so that a script need not read the text."""
        return _EXIT_STATUS[self]


_EXIT_STATUS = {Status.PERMITTED: 0, Status.BLOCKED: 3, Status.TRACKED: 4, Status.UNKNOWN: 5}


class ClaimKind(StrEnum):
    """What a statement says of a device. The last three end claims that were said before them."""

    ALLOCATED = "allocated"
    APPROVED = "approved"
    DECLARED = "declared"
    IMPORTED = "imported"
    REGISTERED = "registered"
    BOUND = "bound"
    STOLEN = "stolen"
    LOST = "lost"
    BLOCKED = "blocked"
    TRACKED = "tracked"
    PERMITTED = "permitted"
    PAIRED = "paired"
    CLASSIFIED = "classified"
    DISPUTED = "disputed"
    RECOVERED = "recovered"
    CLEARED = "cleared"
    WITHDRAWN = "withdrawn"


THEFTS = frozenset({ClaimKind.STOLEN, ClaimKind.LOST})
PERMITS = frozenset({ClaimKind.REGISTERED, ClaimKind.APPROVED, ClaimKind.IMPORTED, ClaimKind.ALLOCATED})
ENDINGS = frozenset({ClaimKind.RECOVERED, ClaimKind.CLEARED, ClaimKind.WITHDRAWN})
