"""What the receiver of a list does with it: check it, and turn a full list and a delta into the next full list.

Needs no register and no network, only the files and the public key that signs them.
"""

import hashlib
from collections.abc import Iterator
from itertools import groupby
from typing import BinaryIO

from openceir.lists.content import read_rows
from openceir.lists.delta import apply_rows
from openceir.lists.errors import DeltaMismatch, ListAltered, ListTruncated, SequenceGap, WrongBase
from openceir.lists.header import ListHeader
from openceir.lists.kinds import ListKind, Row, kind_named
from openceir.lists.sorted_file import Place, SortedFile, spliced

__all__ = ["applied_octets", "check_base", "check_content", "digest_of"]

_PIECE_OCTETS = 1 << 20


def digest_of(source: BinaryIO) -> tuple[int, str]:
    """How many octets stand in `source`, and their SHA-256 in hexadecimal."""
    digest, octets = hashlib.sha256(), 0
    while piece := source.read(_PIECE_OCTETS):
        digest.update(piece)
        octets += len(piece)
    return octets, digest.hexdigest()


def check_content(header: ListHeader, source: BinaryIO, name: str) -> None:
    """Return when the octets in `source` are those that `header` binds.

    Raises: ListTruncated when octets are missing at the end; ListAltered when they differ.
    """
    octets, sha256 = digest_of(source)
    if octets < header.octets:
        raise ListTruncated(f"{name} has {octets} octets of {header.octets}: the transfer was cut; fetch it again")
    if sha256 != header.sha256:
        raise ListAltered(f"{name} is not the list that its header was signed for; fetch it again, do not load it")


def check_base(delta: ListHeader, full: ListHeader | None, source: BinaryIO, name: str) -> None:
    """Return when the full list in `source` (with its header, if there is one) is the one that `delta` applies to.

    Raises: WrongBase for another kind, operator or content; SequenceGap for another sequence number.
    """
    assert delta.base is not None
    if full is not None:
        if full.is_delta:
            raise WrongBase(f"{name} is a delta itself; give the full list first and the delta second")
        if (full.kind, full.operator) != (delta.kind, delta.operator):
            raise WrongBase(
                f"{name} is the {full.kind} of {full.operator}, the delta is for the {delta.kind} of {delta.operator}"
            )
        if full.sequence != delta.base.sequence:
            raise SequenceGap(
                f"{name} has sequence number {full.sequence}, the delta goes from {delta.base.sequence} to "
                f"{delta.sequence}; ask the register for `openceir lists delta --base {full.sequence}`"
            )
    _, sha256 = digest_of(source)
    if sha256 != delta.base.sha256:
        raise WrongBase(
            f"{name} is not the full list number {delta.base.sequence} that the delta was made from; "
            "verify it, or take the new full list"
        )


def applied_octets(delta: ListHeader, full: SortedFile, changes: BinaryIO, name: str) -> Iterator[bytes]:
    """Yield the octets of the full list that `delta` leads to; raises at the end unless they are the signed ones.

    `full` must be the base: `check_base` has seen it. What does not change is copied, not read.
    Shapes: streams; memory does not grow with the lists.
    Raises: DeltaMismatch, NotAList while reading; ListAltered when the outcome is not what the header promises.
    """
    assert delta.result is not None
    kind = kind_named(delta.kind)
    rows = read_rows(kind.delta_columns, kind.key_length, changes, name)
    digest = hashlib.sha256()
    try:
        for piece in spliced(full, _exchanges(kind, full, rows)):
            digest.update(piece)
            yield piece
    except DeltaMismatch as wrong:
        raise DeltaMismatch(f"{name} does not fit {full.name}: {wrong}") from wrong
    if digest.hexdigest() != delta.result.sha256:
        raise ListAltered(f"{name} applied to {full.name} does not give the list that was signed; take the full list")


def _exchanges(kind: ListKind, full: SortedFile, delta: Iterator[Row]) -> Iterator[tuple[Place, list[Row]]]:
    """A device's rows for its rows."""
    place, line = None, 2
    for text, changes in groupby(delta, key=lambda row: row[0]):
        mine = list(changes)
        place = full.find(text, place)
        yield place, list(apply_rows(kind, place.rows, mine, first_line=line))
        line += len(mine)
