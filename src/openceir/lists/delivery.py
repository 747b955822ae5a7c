"""What the receiver of a list does with it: check it, and turn a full list and a delta into the next full list.

Needs no register and no network, only the files and the public key that signs them.
"""

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

from openceir.lists.content import format_rows, read_rows
from openceir.lists.delta import apply_rows
from openceir.lists.errors import DeltaMismatch, ListAltered, ListTruncated, SequenceGap, WrongBase
from openceir.lists.header import ListHeader
from openceir.lists.kinds import kind_named

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


def applied_octets(delta: ListHeader, full: BinaryIO, changes: BinaryIO, full_name: str, name: str) -> Iterator[bytes]:
    """Yield the octets of the full list that `delta` leads to; raises at the end unless they are the signed ones.

    Shapes: streams; memory does not grow with the lists.
    Raises: DeltaMismatch, NotAList while reading; ListAltered when the outcome is not what the header promises.
    """
    assert delta.result is not None
    kind = kind_named(delta.kind)
    old = read_rows(kind.columns, kind.key_length, full, full_name)
    rows = apply_rows(kind, old, read_rows(kind.delta_columns, kind.key_length, changes, name))
    digest = hashlib.sha256()
    try:
        for piece in format_rows(kind.columns, rows):
            digest.update(piece)
            yield piece
    except DeltaMismatch as wrong:
        raise DeltaMismatch(f"{name} does not fit {full_name}: {wrong}") from wrong
    if digest.hexdigest() != delta.result.sha256:
        raise ListAltered(f"{name} applied to {full_name} does not give the list that was signed; take the full list")
