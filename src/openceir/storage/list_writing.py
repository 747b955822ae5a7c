"""One run of lists on its way to the disk: rows, deltas, headers and signatures in a staging folder."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from hashlib import sha256 as sha_256
from pathlib import Path
from typing import NamedTuple

from openceir.lists import (
    KINDS,
    WHY_COLUMNS,
    Base,
    Gone,
    ListHeader,
    ListKind,
    Outcome,
    Row,
    diff_files,
    digest_of,
    format_rows,
    kind_named,
    read_rows,
)
from openceir.statements import SigningKey
from openceir.storage.files import fsync_folder
from openceir.storage.list_files import FILE_MODE, ListFiles

__all__ = ["WHY", "Contents", "ListMaker", "MadeList", "OldList", "RunHead", "is_sound", "moment_text", "write_delta"]

WHY = (
    "why.csv"  # in the run's folder, outside the operators': what the words of deltas need, and no operator's business
)
_FOLDER_MODE = 0o750


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHead:
    """What all lists of one run have in common."""

    made_at: datetime
    as_of_on: date
    policy_sha256: str
    ledger_size: int
    ledger_root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The rows of one run. `for_all` is the same for every operator; `by_operator` is kind, then operator.

    `coming` are the devices, as they stand on lists, whose blocking has a day; `settled` the triplets that are not
    notified because they are paired: with these a removed notification can say why it went.
    `oldest_seen_on` is, by kind, the oldest sighting that a row rests on.
    """

    for_all: Mapping[str, Iterable[Row]]
    by_operator: Mapping[str, Mapping[str, Iterable[Row]]]
    coming: Iterable[str] = ()
    settled: Iterable[Row] = ()
    oldest_seen_on: Mapping[str, date]


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeList:
    """One operator's list of one kind: the full list, and the delta that leads to it or a note why there is none.

    The two days are the oldest sightings that rows of each rest on; None when they rest on none.
    """

    full: ListHeader
    delta: ListHeader | None
    note: str | None
    full_oldest_on: str | None
    delta_oldest_on: str | None


class OldList(NamedTuple):
    """A full list that an operator holds, and where its rows are kept."""

    sequence: int
    sha256: str
    rows: Path
    oldest_seen_on: str | None


class _Written(NamedTuple):
    path: Path
    rows: int
    octets: int
    sha256: str


def moment_text(moment: datetime) -> str:
    """An instant as headers and tables have it: UTC, whole seconds, 2027-03-01T04:00:00Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_sound(path: Path, sha256: str) -> bool:
    """Whether the file is there and unaltered. A delta made from an altered base would fail at every operator."""
    try:
        with path.open("rb") as source:
            return digest_of(source)[1] == sha256
    except OSError:
        return False


class ListMaker:
    """Writes all lists of one run into a staging folder."""

    def __init__(self, stage: Path, sequence: int, head: RunHead, contents: Contents, key: SigningKey) -> None:
        self.stage = stage
        self.sequence = sequence
        self.head = head
        self.contents = contents
        self.key = key
        self._why_rows: list[Row] = []
        self._shared: dict[str, _Written] = {}
        self._shared_deltas: dict[tuple[str, str, str], _Written] = {}

    def write(self, operators: Iterable[str], before: Callable[[str, str], OldList | None]) -> list[MadeList]:
        """Write the lists of these operators; `before` is what an operator was last given of a kind."""
        made = []
        self._write_why()
        for operator in operators:
            folder = self.stage / operator
            folder.mkdir(mode=_FOLDER_MODE)
            made += [self._write_list(folder, operator, kind, before(operator, kind.name)) for kind in KINDS.values()]
            fsync_folder(folder)
        fsync_folder(self.stage)
        return made

    def _write_list(self, folder: Path, operator: str, kind: ListKind, old: OldList | None) -> MadeList:
        header = ListHeader(
            kind=kind.name,
            operator=operator,
            sequence=self.sequence,
            made_at=moment_text(self.head.made_at),
            as_of_on=self.head.as_of_on.isoformat(),
            columns=kind.columns,
            rows=0,
            octets=0,
            sha256="",
            policy_sha256=self.head.policy_sha256,
            ledger_size=self.head.ledger_size,
            ledger_root=self.head.ledger_root,
            signed_by=self.key.public.format(),
        )
        files = ListFiles(folder / header.file_stem)
        old_is_kept = old is not None and is_sound(old.rows, old.sha256)
        written = self._write_rows(files.rows, operator, kind, old if old_is_kept else None)
        header = replace(header, rows=written.rows, octets=written.octets, sha256=written.sha256)
        signature = self.key.sign(header.to_octets())
        files.write_head(header, signature)
        oldest_on = self.contents.oldest_seen_on.get(kind.name) if header.rows else None
        oldest_text = oldest_on.isoformat() if oldest_on else None
        delta, note = None, None
        if old is None:
            note = "the first list: load it whole"
        elif not old_is_kept:
            note = f"number {old.sequence}, which a delta would start from, is not kept any more: load the full list"
        else:
            delta = write_delta(
                folder, header, signature, old, files.rows, self.key, self._shared_deltas, self._why_rows
            )
        older = [day for day in (oldest_text, old.oldest_seen_on if old else None) if day is not None]
        return MadeList(
            full=header,
            delta=delta,
            note=note,
            full_oldest_on=oldest_text,
            delta_oldest_on=min(older, default=None),
        )

    def _write_rows(self, path: Path, operator: str, kind: ListKind, old: OldList | None) -> _Written:
        if kind.name in self._shared:
            os.link(self._shared[kind.name].path, path)
            return self._shared[kind.name]
        is_shared = kind.name in self.contents.for_all
        rows = self.contents.for_all[kind.name] if is_shared else self.contents.by_operator[kind.name][operator]
        written = _write_rows(path, kind.columns, rows)
        if old is not None and old.sha256 == written.sha256:  # the same content once more: one file, two names
            path.unlink()
            os.link(old.rows, path)
        if is_shared:
            self._shared[kind.name] = written
        return written

    def _write_why(self) -> None:
        rows = {*((imei, "", "") for imei in self.contents.coming), *self.contents.settled}
        self._why_rows = sorted(rows)
        _write_rows(self.stage / WHY, WHY_COLUMNS, self._why_rows)


def write_delta(
    folder: Path,
    full: ListHeader,
    full_signature: bytes,
    old: OldList,
    new_rows: Path,
    key: SigningKey,
    shared: dict[tuple[str, str, str], _Written] | None = None,
    why: Sequence[Row] | None = None,
) -> ListHeader:
    """Write into `folder` the delta from `old` to the list of header `full`, whose rows are `new_rows`.

    `shared` remembers deltas between equal contents, so that four operators' block lists are compared once. `why`
    are the rows of the run's file WHY, where the caller has them at hand.
    """
    kind = kind_named(full.kind)
    header = replace(
        full,
        columns=kind.delta_columns,
        base=Base(sequence=old.sequence, sha256=old.sha256),
        result=Outcome(rows=full.rows, octets=full.octets, sha256=full.sha256, signature=full_signature.hex()),
    )
    files = ListFiles(folder / header.file_stem)
    shared = {} if shared is None else shared
    # The words of a notification delta depend on more than the two lists: such a delta is never shared.
    same = (kind.name, old.sha256, full.sha256) if kind.name != "notifications" else None
    if same in shared:
        written = shared[same]
        os.link(written.path, files.rows)
    elif old.sha256 == full.sha256:
        written = _write_rows(files.rows, kind.delta_columns, ())
    else:
        with old.rows.open("rb") as before, new_rows.open("rb") as after:
            changes: Iterable[Row] = diff_files(kind, before, after)
            if kind.name == "notifications":
                changes = _with_words(kind, changes, new_rows.parent, full, why)
            written = _write_rows(files.rows, kind.delta_columns, changes)
    if same is not None:
        shared[same] = written
    header = replace(header, rows=written.rows, octets=written.octets, sha256=written.sha256)
    files.write_head(header, key.sign(header.to_octets()))
    return header


def _with_words(
    kind: ListKind, changes: Iterable[Row], folder: Path, full: ListHeader, why: Sequence[Row] | None
) -> list[Row]:
    """The changes, each that goes with the word why, from the other lists of the same run and operator.

    Shapes: the delta is held in memory, and of the block list only what the delta asks for.
    """
    rows = list(changes)
    gone = {row[0] for row in rows if row[-1] in kind.removed}
    if not gone:
        return rows

    def read(other: ListKind) -> Iterator[Row]:
        path = ListFiles(folder / replace(full, kind=other.name, columns=other.columns).file_stem).rows
        with path.open("rb") as source:
            yield from read_rows(other.columns, other.key_length, source, path.name)

    if why is None:
        with (folder.parent / WHY).open("rb") as source:
            why = list(read_rows(WHY_COLUMNS, len(WHY_COLUMNS), source, WHY))
    blocked = {row[0] for row in read(KINDS["blocklist"]) if row[0] in gone}
    words = Gone.of(blocked, read(KINDS["blockranges"]), (row for row in why if row[0] in gone))
    return [(*row[:-1], words.word_for(row)) if row[-1] in kind.removed else row for row in rows]


def _write_rows(path: Path, columns: tuple[str, ...], rows: Iterable[Row]) -> _Written:
    """Write a content file through to the disk. Shapes: streams."""
    count = 0

    def counted() -> Iterable[Row]:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    digest, octets = sha_256(), 0
    path.touch(FILE_MODE)
    with path.open("wb") as out:
        for piece in format_rows(columns, counted()):
            out.write(piece)
            digest.update(piece)
            octets += len(piece)
        out.flush()
        os.fsync(out.fileno())
    return _Written(path, count, octets, digest.hexdigest())
