"""One run of lists on its way to the disk: rows, deltas, headers and signatures in a staging folder.

The rows of a run come whole, or only those of devices that were touched since the last run: then its files are copied
with those rows exchanged, and what was exchanged is the delta. Either way the delta is what tells two files apart.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
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
    ListError,
    ListHeader,
    ListKind,
    Outcome,
    Place,
    Row,
    SortedFile,
    diff_files,
    diff_rows,
    digest_of,
    format_rows,
    kind_named,
    read_rows,
    spliced,
)
from openceir.progress import Progress, Silent
from openceir.statements import SigningKey
from openceir.storage.files import fsync_files, fsync_folder
from openceir.storage.list_files import FILE_MODE, ListFiles, mapped

__all__ = [
    "WHY",
    "BaseLost",
    "Contents",
    "ListMaker",
    "MadeList",
    "OldList",
    "RunHead",
    "is_sound",
    "moment_text",
    "write_delta",
]

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

    Without `touched` these are all rows. With it they are only those of the devices that stand so on lists, ascending;
    rows of other devices, and block ranges where there are none here, are as they were in the last run.

    `coming` are the devices, as they stand on lists, whose blocking has a day; `settled` the triplets that are not
    notified because they are paired: with these a removed notification can say why it went.
    `oldest_seen_on` is, by kind, the oldest sighting that a row rests on.
    """

    for_all: Mapping[str, Iterable[Row]]
    by_operator: Mapping[str, Mapping[str, Iterable[Row]]]
    coming: Iterable[str] = ()
    settled: Iterable[Row] = ()
    oldest_seen_on: Mapping[str, date]
    touched: Sequence[str] | None = None


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
    row_count: int
    octets: int
    oldest_seen_on: str | None


class BaseLost(ListError):
    """A file of the last run is not there as it was delivered: nothing can be made from it, all rows are made anew."""

    code = "list-base-lost"


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
        self.why_sha256 = ""
        self._shared: dict[str, tuple[_Written, Sequence[Row] | None, str | None]] = {}
        self._shared_deltas: dict[tuple[str, str, str], _Written] = {}
        self._sound: dict[tuple[int, str], bool] = {}

    def write(
        self,
        operators: Sequence[str],
        before: Callable[[str, str], OldList | None],
        why_before: OldList | None = None,
        progress: Progress = Silent(),
    ) -> list[MadeList]:
        """Write the lists of these operators; `before` is what an operator was last given of a kind.

        `why_before` is the last run's file of words; it is needed when only touched rows are at hand.
        Raises: BaseLost when a file that rows are to be exchanged in is not as it was.
        """
        made = []
        self._write_why(why_before)
        folders = []
        for operator in operators:
            folder = self.stage / operator
            folder.mkdir(mode=_FOLDER_MODE)
            folders.append(folder)
            for kind in KINDS.values():
                made.append(self._write_list(folder, operator, kind, before(operator, kind.name)))
                progress("lists written", len(made), len(operators) * len(KINDS))
        # Nothing here is named anywhere until the run is committed, so that all of it goes to the disk at once.
        fsync_files(path for path in self.stage.rglob("*") if path.is_file())
        for folder in (*folders, self.stage):
            fsync_folder(folder)
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
        old_is_kept = old is not None and self._is_sound(old)
        written, changes = self._write_rows(files.rows, operator, kind, old if old_is_kept else None)
        header = replace(header, rows=written.rows, octets=written.octets, sha256=written.sha256)
        signature = self.key.sign(header.to_octets())
        _write_head(files, header, signature)
        oldest_text = self._oldest_on(kind, header, old)
        delta, note = None, None
        if old is None:
            note = "the first list: load it whole"
        elif not old_is_kept:
            note = f"number {old.sequence}, which a delta would start from, is not kept any more: load the full list"
        else:
            delta = write_delta(folder, header, signature, old, files.rows, self.key, self._shared_deltas, changes)
        older = [day for day in (oldest_text, old.oldest_seen_on if old else None) if day is not None]
        return MadeList(
            full=header,
            delta=delta,
            note=note,
            full_oldest_on=oldest_text,
            delta_oldest_on=min(older, default=None),
        )

    def _oldest_on(self, kind: ListKind, header: ListHeader, old: OldList | None) -> str | None:
        """The oldest sighting that a row may rest on; of rows that were taken over no more is known than of the list."""
        found = self.contents.oldest_seen_on.get(kind.name)
        days = [found.isoformat()] if found else []
        if self.contents.touched is not None and old is not None and old.oldest_seen_on is not None:
            days.append(old.oldest_seen_on)
        return min(days, default=None) if header.rows else None

    def _is_sound(self, old: OldList) -> bool:
        """As `is_sound`, once a file: several operators may hold one under several names."""
        try:
            name = (old.rows.stat().st_ino, old.sha256)
        except OSError:
            return False
        if name not in self._sound:
            self._sound[name] = is_sound(old.rows, old.sha256)
        return self._sound[name]

    def _write_rows(
        self, path: Path, operator: str, kind: ListKind, old: OldList | None
    ) -> tuple[_Written, Sequence[Row] | None]:
        """The file, and its delta from `old` where that is known from making it."""
        if kind.name in self._shared:
            written, changes, base = self._shared[kind.name]
            os.link(written.path, path)
            return written, changes if old is not None and old.sha256 == base else None
        is_shared = kind.name in self.contents.for_all
        if self.contents.touched is not None and old is None:
            raise BaseLost(f"the {kind.name} that {operator} was last given is not kept; all rows are made anew")
        rows: Iterable[Row] | None
        if is_shared:
            rows = self.contents.for_all[kind.name]
        else:
            rows = self.contents.by_operator.get(kind.name, {}).get(operator)
        changes = None
        if rows is None:
            assert old is not None, "a run without a kind of list is made from one that has it"
            os.link(old.rows, path)
            written, changes = _Written(path, old.row_count, old.octets, old.sha256), ()
        elif self.contents.touched is None or kind.name == "blockranges":
            written = _write_rows(path, kind.columns, rows)
            if old is not None and old.sha256 == written.sha256:  # the same content once more: one file, two names
                path.unlink()
                os.link(old.rows, path)
        else:
            assert old is not None
            written, changes = _exchange_rows(path, kind, rows, self.contents.touched, old)
        if is_shared:
            self._shared[kind.name] = (written, changes, old.sha256 if old is not None else None)
        return written, changes

    def _write_why(self, before: OldList | None) -> None:
        rows = sorted({*((imei, "", "") for imei in self.contents.coming), *self.contents.settled})
        if self.contents.touched is None:
            self.why_sha256 = _write_rows(self.stage / WHY, WHY_COLUMNS, rows).sha256
            return
        if before is None or not self._is_sound(before):
            raise BaseLost("the last run's file of words is not kept; all rows are made anew")
        written, _ = _exchange_rows(self.stage / WHY, _WHY, rows, self.contents.touched, before)
        self.why_sha256 = written.sha256


# The file of words has the form of a list, so that its rows can be exchanged as a list's are.
_WHY = ListKind(
    name=WHY,
    columns=WHY_COLUMNS,
    key_length=len(WHY_COLUMNS),
    added="added",
    removed=("removed",),
    changed=None,
    holds_subscribers=True,
)


def _exchange_rows(
    path: Path, kind: ListKind, rows: Iterable[Row], touched: Sequence[str], old: OldList
) -> tuple[_Written, list[Row]]:
    """Write the old file with these rows in the place of all that touched devices had in it; and the delta to it.

    Shapes: costs what is exchanged, and a copy of the file; where nothing differs it is the same file once more.
    """
    fresh: dict[str, list[Row]] = {}
    for row in rows:
        fresh.setdefault(row[0], []).append(row)
    assert fresh.keys() <= set(touched), "a row of a device that was not touched"
    changes: list[Row] = []
    with mapped(old.rows) as octets:
        file = SortedFile(octets, kind.columns, old.rows.name)
        exchanges: list[tuple[Place, list[Row]]] = []
        place, grown = None, 0
        for text in touched:
            place, mine = file.find(text, place), fresh.get(text, [])
            if list(place.rows) != mine:
                exchanges.append((place, mine))
                changes += diff_rows(kind, place.rows, mine)
                grown += len(mine) - len(place.rows)
        if not changes:
            os.link(old.rows, path)
            return _Written(path, old.row_count, old.octets, old.sha256), changes
        return _write_octets(path, spliced(file, exchanges), old.row_count + grown), changes


def write_delta(
    folder: Path,
    full: ListHeader,
    full_signature: bytes,
    old: OldList,
    new_rows: Path,
    key: SigningKey,
    shared: dict[tuple[str, str, str], _Written] | None = None,
    changes: Sequence[Row] | None = None,
) -> ListHeader:
    """Write into `folder` the delta from `old` to the list of header `full`, whose rows are `new_rows`; not yet to the disk.

    `shared` remembers deltas between equal contents, so that four operators' block lists are compared once. `changes`
    are the delta's rows where they are known already.
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
    elif changes is not None:
        written = _write_changes(files.rows, kind, changes, new_rows.parent, full)
    else:
        with old.rows.open("rb") as before, new_rows.open("rb") as after:
            written = _write_changes(files.rows, kind, diff_files(kind, before, after), new_rows.parent, full)
    if same is not None:
        shared[same] = written
    header = replace(header, rows=written.rows, octets=written.octets, sha256=written.sha256)
    _write_head(files, header, key.sign(header.to_octets()))
    return header


def _write_head(files: ListFiles, header: ListHeader, signature: bytes) -> None:
    for path, octets in ((files.header, header.to_octets()), (files.signature, signature)):
        fresh = path.with_name(f"{path.name}.new")
        fresh.touch(FILE_MODE)
        fresh.write_bytes(octets)
        fresh.replace(path)  # whole or not there: a signature says that the list is complete


def _write_changes(path: Path, kind: ListKind, changes: Iterable[Row], folder: Path, full: ListHeader) -> _Written:
    if kind.name == "notifications":
        changes = _with_words(kind, changes, folder, full)
    return _write_rows(path, kind.delta_columns, changes)


def _with_words(kind: ListKind, changes: Iterable[Row], folder: Path, full: ListHeader) -> list[Row]:
    """The changes, each that goes with the word why, from the other lists of the same run and operator.

    Shapes: the delta is held in memory, and of the other files only what the delta asks for.
    """
    rows = list(changes)
    gone = sorted({row[0] for row in rows if row[-1] in kind.removed})
    if not gone:
        return rows

    def path_of(other: ListKind) -> Path:
        return ListFiles(folder / replace(full, kind=other.name, columns=other.columns).file_stem).rows

    blocked = {row[0] for row in _rows_of(path_of(KINDS["blocklist"]), KINDS["blocklist"].columns, gone)}
    ranges = KINDS["blockranges"]
    with path_of(ranges).open("rb") as source:
        rows_of_ranges = list(read_rows(ranges.columns, ranges.key_length, source, ranges.name))
    words = Gone.of(blocked, rows_of_ranges, _rows_of(folder.parent / WHY, WHY_COLUMNS, gone))
    return [(*row[:-1], words.word_for(row)) if row[-1] in kind.removed else row for row in rows]


def _rows_of(path: Path, columns: tuple[str, ...], texts: Iterable[str]) -> list[Row]:
    """The rows of these devices, which ascend."""
    found: list[Row] = []
    with mapped(path) as octets:
        file, place = SortedFile(octets, columns, path.name), None
        for text in texts:
            place = file.find(text, place)
            found += place.rows
    return found


def _write_rows(path: Path, columns: tuple[str, ...], rows: Iterable[Row]) -> _Written:
    """Write a content file; whoever has it written brings it to the disk. Shapes: streams."""
    count = 0

    def counted() -> Iterable[Row]:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    written = _write_octets(path, format_rows(columns, counted()), 0)
    return written._replace(rows=count)


def _write_octets(path: Path, pieces: Iterable[bytes], rows: int) -> _Written:
    digest, octets = sha_256(), 0
    path.touch(FILE_MODE)
    with path.open("wb") as out:
        for piece in pieces:
            out.write(piece)
            digest.update(piece)
            octets += len(piece)
    return _Written(path, rows, octets, digest.hexdigest())
