"""The words of an answer and of the claims under it."""

from enum import StrEnum

from openceir.errors import OpenceirError

__all__ = [
    "ENDINGS",
    "MISSES",
    "PERMITS",
    "REPEATS",
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
    CLONED = "cloned"
    PERMITTED = "permitted"
    PAIRED = "paired"
    CLASSIFIED = "classified"
    DISPUTED = "disputed"
    RECOVERED = "recovered"
    CLEARED = "cleared"
    WITHDRAWN = "withdrawn"


THEFTS = frozenset({ClaimKind.STOLEN, ClaimKind.LOST})
PERMITS = frozenset({ClaimKind.REGISTERED, ClaimKind.APPROVED, ClaimKind.IMPORTED, ClaimKind.ALLOCATED})
# Conditions of a classification that only repeat what was stated, or that nothing was. Once that is not so any more
# the finding counts for nothing, though the next run has not cleared it yet: a finding outlives no report.
REPEATS = {
    "stolen_list": THEFTS,
    "barred": frozenset({ClaimKind.BLOCKED}),
    "barred_tac": frozenset({ClaimKind.BLOCKED}),
    "monitoring": frozenset({ClaimKind.TRACKED}),
}
MISSES = {"not_on_registration_list": frozenset({ClaimKind.REGISTERED, ClaimKind.IMPORTED, ClaimKind.PERMITTED})}
ENDINGS = frozenset({ClaimKind.RECOVERED, ClaimKind.CLEARED, ClaimKind.WITHDRAWN})
