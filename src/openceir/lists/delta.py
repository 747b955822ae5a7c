"""The one way a delta is made, and the way it is applied.

A delta is what is left when two full lists, or one device's rows in both, are walked side by side; nothing else ever
goes into one. Hence
`apply_rows(diff_rows(old, new), old) == new` for any two lists of a kind, whatever happened between them: pruned
runs, changed filters, recovered devices, skipped deliveries. The word for a removed row (`resolved`, `blacklisted`,
`no_longer_seen`) is a courtesy to who reads it; applying does not depend on it.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from openceir.lists.content import read_line, read_lines
from openceir.lists.errors import DeltaMismatch, NotAList
from openceir.lists.kinds import ListKind, Row

__all__ = ["apply_rows", "diff_files", "diff_rows"]


def diff_rows(kind: ListKind, old: Iterable[Row], new: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows of the delta that leads from `old` to `new`, by key; each carries its change as a last field.

    A removed row keeps its old values, so that the receiver can say what ended, and bears the kind's first word for it.
    Shapes: one row of each list in memory; both must be in key order.
    """
    added, changed, length = kind.added, kind.changed, kind.key_length
    olds, news = iter(old), iter(new)
    before, after = next(olds, None), next(news, None)
    while before is not None or after is not None:
        if before == after:
            before, after = next(olds, None), next(news, None)
        elif after is None or (before is not None and before[:length] < after[:length]):
            assert before is not None
            yield (*before, kind.removed[0])
            before = next(olds, None)
        elif before is None or after[:length] < before[:length]:
            yield (*after, added)
            after = next(news, None)
        else:
            assert changed is not None, "a row that is all key cannot differ under an equal key"
            yield (*after, changed)
            before, after = next(olds, None), next(news, None)


def diff_files(kind: ListKind, old: BinaryIO, new: BinaryIO) -> Iterator[Row]:
    """As `diff_rows`, from two files of the kind that are known to be sound. Only lines that differ are taken apart.

    Shapes: one line of each file in memory.
    Raises: NotAList when a file has other columns.
    """
    length = kind.key_length
    olds, news = read_lines(kind.columns, old), read_lines(kind.columns, new)
    before, after = next(olds, None), next(news, None)
    while before is not None or after is not None:
        if before == after:
            before, after = next(olds, None), next(news, None)
            continue
        gone = [] if before is None else [read_line(before)]
        come = [] if after is None else [read_line(after)]
        if gone and come and gone[0][:length] != come[0][:length]:
            (come if gone[0] < come[0] else gone).clear()  # the later one waits for its turn
        yield from diff_rows(kind, gone, come)
        before = next(olds, None) if gone else before
        after = next(news, None) if come else after


def apply_rows(kind: ListKind, old: Iterable[Row], delta: Iterable[Row], *, first_line: int = 2) -> Iterator[Row]:
    """Yield the rows of the new full list. `first_line` is where the delta's first row stands in its file.

    Shapes: one row of each in memory; both must be in key order.
    Raises: DeltaMismatch at the first change that does not fit `old`; NotAList for a change word of another kind.
    """
    length = kind.key_length
    olds = iter(old)
    before = next(olds, None)
    for line, (*values, change) in enumerate(delta, start=first_line):
        row = tuple(values)
        key = row[:length]
        while before is not None and before[:length] < key:
            yield before
            before = next(olds, None)
        is_there = before is not None and before[:length] == key
        if change == kind.added:
            if is_there:
                raise DeltaMismatch(f"line {line} of the delta adds a row that the full list already has")
            yield row
        elif change == kind.changed:
            if not is_there or before == row:
                raise DeltaMismatch(f"line {line} of the delta changes a row that the full list does not have so")
            yield row
            before = next(olds, None)
        elif change in kind.removed:
            if before != row:
                raise DeltaMismatch(f"line {line} of the delta removes a row that the full list does not have so")
            before = next(olds, None)
        else:
            raise NotAList(f"line {line} of the delta has change {change!r}, which no {kind.name} delta has")
    while before is not None:
        yield before
        before = next(olds, None)
