"""An operator's lists as answers: whole, from an octet on, or not at all when the asker holds them already.

Header and signature travel as fields, so one answer is the whole list.
"""

import base64
import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from openceir.app import Register
from openceir.clock import now
from openceir.http.answering import Answered, FilePart
from openceir.http.problems import Problem
from openceir.lists import KINDS, NotAList, UnknownSequence, kind_named
from openceir.storage.list_files import ListFiles
from openceir.storage.list_runs import KeptFile
from openceir.storage.list_writing import moment_text

__all__ = ["delta_answer", "full_answer"]

_RANGE = re.compile(r"bytes=([0-9]{1,15})-([0-9]{0,15})")


def full_answer(register: Register, operator: str, kind: str, environ: dict[str, Any]) -> Answered:
    """The newest list of a kind. Raises: NotAList, UnknownSequence, Problem."""
    newest = _newest(register, operator, kind)
    return _given(environ, register.list_runs.files_of(newest), sent=_noting(register, newest))


def delta_answer(register: Register, operator: str, kind: str, base: int, environ: dict[str, Any]) -> Answered:
    """What leads from number `base` to the newest. One that its run did not write is made once and kept while it does.

    Raises: NotAList; UnknownSequence when nothing leads from there; Problem.
    """
    newest = _newest(register, operator, kind)
    runs, folder = register.list_runs, register.home / "lists" / "asked" / operator
    for stale in folder.glob(f"{operator}_{kind}_*"):  # they lead to a list that is not the newest
        if f"_{newest.sequence:06d}_from_" not in stale.name:
            stale.unlink(missing_ok=True)
    if (made := runs.delta_of(newest, base)) is not None:
        files = runs.files_of(made)
    else:
        old = runs.newest(operator, kind, base)
        # What names subscribers is not kept outside the runs, where pruning would not find it.
        if old is None or not old.kept or KINDS[kind].holds_subscribers:
            raise UnknownSequence(f"there is no delta of the {kind} from {base}; take the full list")
        files = ListFiles(folder / f"{operator}_{kind}_{newest.sequence:06d}_from_{base:06d}")
        if not files.signature.exists():
            register.list_delta(operator, kind, base, folder)
    accepts = {each.partition(";")[0].strip() for each in environ.get("HTTP_ACCEPT_ENCODING", "").split(",")}
    return _given(environ, files, folder, accepts, sent=_noting(register, newest))


def _noting(register: Register, newest: KeptFile) -> Callable[[], None]:
    """What keeps that the operator was handed this list."""
    return lambda: register.list_runs.received.fetched(
        newest.operator, newest.kind, newest.sequence, moment_text(now())
    )


def _newest(register: Register, operator: str, name: str) -> KeptFile:
    kind = kind_named(name)
    newest = register.list_runs.newest(operator, kind.name)
    if newest is None or not newest.kept:
        raise UnknownSequence(f"there is no {kind.name} for {operator} yet; ask again after the next run")
    return newest


def _given(
    environ: dict[str, Any],
    files: ListFiles,
    packing: Path | None = None,
    accepts: Collection[str] = (),
    *,
    sent: Callable[[], None],
) -> Answered:
    """The rows, whole or in part. `packing` is where packed rows are kept, when they may be sent in a form accepted.

    `sent` is called when the last octet went.
    """
    try:
        header = files.read_header()
        signature = files.signature.read_bytes()
        rows, form = files.rows, ""
        if packing is not None and not kind_named(header.kind).holds_subscribers:
            from openceir.storage.list_packing import LARGEST_PACKED_OCTETS, packed  # loads Arrow

            if header.octets <= LARGEST_PACKED_OCTETS:
                rows, form = packed(files, packing, accepts) or (rows, form)
        octets = rows.stat().st_size
    except (OSError, NotAList):
        raise Problem(
            503, "list-not-in-place", "this run is just being put in its place; ask again", [("Retry-After", "1")]
        ) from None
    tag = f'"{header.sha256}{form and "-"}{form}"'  # RFC 9110 §8.8.3: each form has a tag of its own
    headers = [
        ("ETag", tag),
        ("Accept-Ranges", "bytes"),
        ("Openceir-List-Header", base64.b64encode(header.to_octets()).decode()),
        ("Openceir-List-Signature", base64.b64encode(signature).decode()),
        *([("Content-Encoding", form)] if form else []),
    ]
    if environ.get("HTTP_IF_NONE_MATCH", "") == tag:
        return Answered(304, headers)
    headers.append(("Content-Type", "text/csv; charset=utf-8"))
    wanted = _RANGE.fullmatch(environ.get("HTTP_RANGE", ""))
    if wanted is None or environ.get("HTTP_IF_RANGE", tag) != tag:  # RFC 9110 §14.2: else the whole
        return Answered(200, headers, FilePart(rows, 0, octets, sent))
    start, last = int(wanted[1]), min(int(wanted[2] or octets), octets - 1)
    if start > last:
        raise Problem(
            416, "range-refused", "there are no such octets in the list", [("Content-Range", f"bytes */{octets}")]
        )
    headers.append(("Content-Range", f"bytes {start}-{last}/{octets}"))
    part = (
        FilePart(rows, start, last - start + 1, sent) if last == octets - 1 else FilePart(rows, start, last - start + 1)
    )
    return Answered(206, headers, part)
