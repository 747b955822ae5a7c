"""The dispatch desk: block, pair-block, notification and exception lists for each operator, full and delta, signed.

What goes on which list is in `desk.py`; what a list is made of in `kinds.py`, `content.py` and `header.py`; how one
becomes the next in `delta.py`; what an operator does with the files, offline, in `delivery.py`.
"""

from openceir.lists.content import format_rows, read_rows
from openceir.lists.delivery import applied_octets, check_base, check_content
from openceir.lists.delta import apply_rows, diff_rows
from openceir.lists.errors import (
    DeltaMismatch,
    ListAltered,
    ListError,
    ListTruncated,
    NotAList,
    SequenceGap,
    UnknownSequence,
    WrongBase,
    WrongListKey,
)
from openceir.lists.header import Base, ListHeader, ListSigner, Outcome, read_header, verify_signature
from openceir.lists.kinds import KINDS, ListKind, Row, kind_named

__all__ = [
    "KINDS", "ListKind", "Row", "kind_named",
    "format_rows", "read_rows",
    "diff_rows", "apply_rows",
    "Base", "ListHeader", "ListSigner", "Outcome", "read_header", "verify_signature",
    "applied_octets", "check_base", "check_content",
    "ListError", "NotAList", "ListAltered", "ListTruncated", "WrongListKey", "WrongBase", "SequenceGap", "DeltaMismatch",
    "UnknownSequence",
]  # fmt: skip
