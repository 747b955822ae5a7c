"""The dispatch desk: block, pair-block, notification and exception lists for each operator, full and delta, signed.

What goes on which list is in `desk.py`; what a list is made of in `kinds.py`, `content.py` and `header.py`; how one
becomes the next in `delta.py` and, without reading what stays, in `sorted_file.py`; what an operator does with the files, offline, in `delivery.py`.
"""

from openceir.lists.content import format_rows, read_rows
from openceir.lists.delivery import applied_octets, check_base, check_content, digest_of
from openceir.lists.delta import apply_rows, diff_files, diff_rows
from openceir.lists.desk import (
    Desk,
    DeviceBlocks,
    ListOptions,
    Pair,
    RangeBlock,
    SeenPair,
    SharedTheft,
    Triplet,
    options_of,
)
from openceir.lists.errors import (
    AllRowsDue,
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
from openceir.lists.gone import WHY_COLUMNS, Gone
from openceir.lists.header import Base, ListHeader, Outcome, read_header, verify_signature
from openceir.lists.kinds import KINDS, ListKind, Row, kind_named
from openceir.lists.ranges import blocked_ranges
from openceir.lists.sorted_file import Place, SortedFile, spliced

__all__ = [
    "KINDS", "ListKind", "Row", "kind_named",
    "format_rows", "read_rows",
    "Place", "SortedFile", "spliced",
    "diff_rows", "diff_files", "apply_rows",
    "Base", "ListHeader", "Outcome", "read_header", "verify_signature",
    "Gone", "WHY_COLUMNS",
    "applied_octets", "check_base", "check_content", "digest_of",
    "Desk", "ListOptions", "options_of",
    "DeviceBlocks", "RangeBlock", "Pair", "SeenPair", "SharedTheft", "Triplet",
    "blocked_ranges",
    "ListError", "NotAList", "ListAltered", "ListTruncated", "WrongListKey", "WrongBase", "SequenceGap", "DeltaMismatch",
    "UnknownSequence", "AllRowsDue",
]  # fmt: skip
