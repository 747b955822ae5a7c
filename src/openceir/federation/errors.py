"""What can go wrong between the members of a federation."""

from openceir.errors import OpenceirError

__all__ = ["FederationError", "LogStale", "ProofOfForkRefused"]


class FederationError(OpenceirError):
    """The base of this room's errors."""

    code = "federation-error"


class ProofOfForkRefused(FederationError):
    """A file does not prove that a log forked."""

    code = "fork-not-proved"
    http_status = 422


class LogStale(FederationError):
    """A member shows less of its log than it showed before, or nothing that its checkpoint covers."""

    code = "log-stale"
