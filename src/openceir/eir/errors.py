"""What can go wrong at the operators' counter."""

from openceir.errors import OpenceirError

__all__ = ["EirError", "IndexRefused", "PolicyRefused"]


class EirError(OpenceirError):
    """The EIR cannot do what was asked; the sentence says what, which, why and what next."""

    code = "eir-failed"


class IndexRefused(EirError):
    """An index file is torn, altered, of another format or signed by nobody we trust; the last good one serves on."""

    code = "eir-index-refused"


class PolicyRefused(EirError):
    """The EIR's policy file says something that is not understood; nothing of it was taken."""

    code = "eir-policy-refused"
