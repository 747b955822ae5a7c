"""What is refused about cases."""

from openceir.portal.accounts.errors import PortalError

__all__ = ["CaseChanged", "EvidenceRefused", "IllegalMove"]


class IllegalMove(PortalError):
    """The case is not in a state from which this can be done."""

    code = "illegal-move"


class CaseChanged(PortalError):
    """Somebody else changed the case after the page was shown; nothing was done."""

    code = "case-changed"


class EvidenceRefused(PortalError):
    """A file was not taken: too long, too many, or not what it says it is."""

    code = "evidence-refused"
    http_status = 400
