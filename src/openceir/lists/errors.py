"""What can be wrong with a list, a delta, or the pair of them."""

from openceir.errors import OpenceirError

__all__ = [
    "AllRowsDue",
    "DeltaMismatch",
    "ListAltered",
    "ListError",
    "ListTruncated",
    "NotAList",
    "SequenceGap",
    "UnknownSequence",
    "WrongBase",
    "WrongListKey",
]


class ListError(OpenceirError):
    """A list or delta cannot be made, read, trusted or applied."""

    code = "list-refused"


class NotAList(ListError):
    """The file is not one of ours, or its header does not say what it must."""

    code = "list-not-a-list"


class ListTruncated(ListError):
    """The content ends before the header says it does: a broken transfer."""

    code = "list-truncated"


class ListAltered(ListError):
    """The content or the header is not what was signed."""

    code = "list-altered"


class WrongListKey(ListError):
    """The signature is not by the key we were told to trust."""

    code = "list-wrong-key"


class WrongBase(ListError):
    """The delta applies to another list than the one given."""

    code = "list-wrong-base"


class SequenceGap(ListError):
    """The delta starts at a later or earlier sequence number than the full list has."""

    code = "list-sequence-gap"


class DeltaMismatch(ListError):
    """A row of the delta contradicts the full list: adds what is there, removes or changes what is not."""

    code = "list-delta-mismatch"


class AllRowsDue(ListError):
    """What changed since the last run cannot be told device by device: every row is to be made anew."""

    code = "list-all-rows-due"


class UnknownSequence(ListError):
    """No run with that sequence number is kept (any more)."""

    code = "list-unknown-sequence"
    http_status = 404
