"""What an EIR holds of the centre's lists, on disk, and the index it answers from.

Theory. In one folder, which only its owner reads:

    lists/NAME.csv .json .sig   full lists as they were delivered, each under its own name
    incoming/                   transfers, and deltas that were verified
    held.json                   {"lists": kind -> name, "pending": kind -> name of a delta, "lost": kinds};
                                replaced in one step
    served.idx                  the index that the doors answer from; replaced in one step
    served.changes              a delta that is not folded into it yet, which the doors answer from too (`changes.py`)

`served.idx` was made from the lists and the deltas pending on them, and says so in its head (`source`): which lists,
with which digests, for which day. A block list of a hundred million rows is not rewritten before its first change
counts: the delta is written down as pending, put beside the index for the doors, folded into the index, and only then
applied to the list. It is put beside the index only where nothing that came with it changes pairs: a device must not be
blocked before the subscribers who may go on using it are known.

    killed before held.json names the delta      nothing happened; the delta is fetched again
    ... before the changes are beside the index  `recover` finds an index that is not of these lists: made anew
    ... before the index is in place             the same; until then the doors answer from index and changes
    ... before the list is rewritten             `recover` applies the pending delta
    ... before what is old was swept             the next sweep does it

A list that is torn or altered on the disk is dropped at `recover` and fetched whole; the index that still has it
serves on until then.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from openceir.eir.changes import changes_beside, write_changes
from openceir.eir.errors import IndexRefused
from openceir.eir.index import Contents, Index, Overlay, build, folded, open_index
from openceir.eir.source import TAKEN, Reasons, read_block_changes, read_lists
from openceir.lists import KINDS, Base, ListError, ListHeader, SequenceGap, WrongBase
from openceir.statements import PublicKey
from openceir.storage.files import replace_file
from openceir.storage.list_files import ListFiles, apply_delta, verify_list

__all__ = ["Fetched", "Held"]

_BLOCKLIST = "blocklist"
_SMALL = tuple(kind for kind in TAKEN if kind != _BLOCKLIST)


def _changes_pairs(header: ListHeader) -> bool:
    return KINDS[header.kind].holds_subscribers and (header.rows > 0 or not header.is_delta)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A list or delta that was fetched and verified."""

    files: ListFiles
    header: ListHeader


class Held:
    """The folder of one EIR. One process writes it."""

    def __init__(self, folder: Path, trust: PublicKey) -> None:
        self.folder, self.trust = folder, trust
        self.incoming = folder / "incoming"
        self._lists = folder / "lists"
        for each in (folder, self.incoming, self._lists):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.headers: dict[str, ListHeader] = {}  # what is held, by kind; with pending deltas counted in
        self.lost: set[str] = set()  # kinds that were held and are not whole; to be fetched anew
        self.notes: list[str] = []  # what `recover` found wrong

    @property
    def index_path(self) -> Path:
        """The file that the doors answer from."""
        return self.folder / "served.idx"

    def recover(self, now: datetime) -> None:
        """Find out what is held, finish what was begun, and have an index of it for today.

        Raises: StorageError when the disk refuses.
        """
        self.headers, self.notes, self.lost = {}, [], set()
        said = self._read_state()
        names = dict(said["lists"])
        for kind, name in said["pending"].items():
            delta = ListFiles(self.incoming / name)
            try:
                names[kind] = self._applied(kind, ListFiles(self._lists / names.get(kind, "")), delta)
            except ListError as wrong:
                self.lost.add(kind)
                self.notes.append(f"a delta of the {kind} that was begun cannot be finished: {wrong}")
        for kind, name in names.items():
            try:
                self.headers[kind] = verify_list(ListFiles(self._lists / name), self.trust)
            except ListError as wrong:
                self.lost.add(kind)
                self.notes.append(f"the {kind} held is not whole and is fetched anew: {wrong}")
        self._write_state()
        self.keep_index_of(now)
        if self._index_source() == self._source(self.headers, now.date()):
            changes_beside(self.index_path).unlink(missing_ok=True)

    def keep_index_of(self, now: datetime) -> bool:
        """Make the index anew unless it is of the lists held and of today; whether it was made.

        While a list is lost, an index that still has it serves on, though it is of yesterday: better blocks without
        the newest day than a country without its block list.
        """
        source = self._index_source()
        if not self.headers or source == self._source(self.headers, now.date()) or (self.lost and source is not None):
            return False
        self._build(self.headers, now)
        return True

    def check_newer(self, header: ListHeader) -> None:
        """Raises: SequenceGap when a list is older than the one held: an old one played again is never taken."""
        held = self.headers.get(header.kind)
        if held is not None and header.sequence < held.sequence:
            raise SequenceGap(
                f"the {header.kind} that came has number {header.sequence}, older than the {held.sequence} held here; "
                "it is not taken. Was the centre restored from an old copy?"
            )

    def take(self, fetched: Iterable[Fetched], now: datetime) -> None:
        """Make these lists and deltas what is held and what is answered from.

        Raises: ListError when a delta does not fit; then nothing but smaller lists may have changed, each wholly.
        """
        by_kind = {each.header.kind: each for each in fetched}
        for each in by_kind.values():
            self.check_newer(each.header)
        before, names = dict(self.headers), self._names()
        self.lost -= by_kind.keys()
        blocks = by_kind.get(_BLOCKLIST)
        if blocks is not None:
            self._check_base(blocks.header)
            if blocks.header.is_delta and not any(_changes_pairs(each.header) for each in by_kind.values()):
                self._answer_early(blocks, before, now)
        for kind, each in by_kind.items():
            if not each.header.is_delta:
                self._place(each.files, self._lists)
                names[kind], self.headers[kind] = each.header.file_stem, each.header
            elif kind in _SMALL:
                names[kind] = self._applied(kind, ListFiles(self._lists / names[kind]), each.files)
                self.headers[kind] = each.header.of_result()
        if blocks is None or not blocks.header.is_delta:
            self._write_state()
            self.keep_index_of(now)
        else:
            self._take_blocks(blocks, before, names, now)
        self._sweep()

    def _answer_early(self, blocks: Fetched, before: Mapping[str, ListHeader], now: datetime) -> None:
        """Have the doors answer by a delta now; it is folded into their index when this comes to it."""
        index = self._open_index()
        if index is None or index.source != self._source(before, now.date()):
            return
        self._write(self._names(), {_BLOCKLIST: blocks.header.file_stem})
        # From here on a restart finishes the work.
        devices = read_block_changes(blocks.files.rows, as_of_on=now.date(), reasons=Reasons(index.reasons))
        write_changes(index, devices, blocks.header.sequence)

    def _check_base(self, delta: ListHeader) -> None:
        held = self.headers.get(delta.kind)
        if delta.base is not None and (held is None or delta.base != Base(held.sequence, held.sha256)):
            raise WrongBase(f"the delta {delta.file_stem} does not start from the {delta.kind} held here")

    def _take_blocks(
        self, blocks: Fetched, before: Mapping[str, ListHeader], names: dict[str, str], now: datetime
    ) -> None:
        held = self.headers = {**self.headers, _BLOCKLIST: blocks.header.of_result()}
        self._write(names, {_BLOCKLIST: blocks.header.file_stem})
        # From here on a restart finishes the work.
        if self._index_source() == self._source(before, now.date()):
            self._fold(blocks, held, names, now)
        names[_BLOCKLIST] = self._applied(_BLOCKLIST, ListFiles(self._lists / names[_BLOCKLIST]), blocks.files)
        self._write_state()
        self.keep_index_of(now)

    def _fold(self, blocks: Fetched, held: Mapping[str, ListHeader], names: Mapping[str, str], now: datetime) -> None:
        """The next index from this one: the block list by its changes, the lists that are smaller read whole."""
        index = self._open_index()
        assert index is not None
        reasons, overlay = Reasons(index.reasons), Overlay()
        overlay.devices = read_block_changes(blocks.files.rows, as_of_on=now.date(), reasons=reasons)
        small = [ListFiles(self._lists / names[kind]).rows for kind in _SMALL if kind in names]
        others, _ = read_lists(small, trust=None, as_of_on=now.date(), reasons=reasons)
        contents = replace(
            folded(index, overlay), ranges=others.ranges, pairs=others.pairs, reasons=tuple(reasons.names)
        )
        self._publish(contents, held, now)

    def _build(self, headers: Mapping[str, ListHeader], now: datetime) -> None:
        paths = [ListFiles(self._lists / header.file_stem).rows for header in headers.values()]
        # verified when they were taken or found: no signature is looked at twice
        contents, _ = read_lists(paths, trust=None, as_of_on=now.date())
        self._publish(contents, headers, now)

    def _publish(self, contents: Contents, headers: Mapping[str, ListHeader], now: datetime) -> None:
        sequence = max(header.sequence for header in headers.values())
        build(self.index_path, contents, sequence=sequence, issued_at=now, source=self._source(headers, now.date()))
        # After it, never before: who finds no changes must find the index that has them.
        changes_beside(self.index_path).unlink(missing_ok=True)

    @staticmethod
    def _source(headers: Mapping[str, ListHeader], on: date) -> str:
        """Which lists an index is of, and for which day: a block may begin with the day."""
        lists = ", ".join(f"{kind} {headers[kind].sequence} {headers[kind].sha256[:16]}" for kind in sorted(headers))
        return f"{lists} on {on.isoformat()}"

    def _index_source(self) -> str | None:
        index = self._open_index()
        return index.source if index else None

    def _open_index(self) -> Index | None:
        try:
            return open_index(self.index_path, accept_unsigned=True)
        except IndexRefused:  # torn or absent: it is made anew from the lists
            return None

    def _applied(self, kind: str, full: ListFiles, delta: ListFiles) -> str:
        """Apply a delta to a list held; the name of the outcome. The same once more gives the same."""
        header = delta.read_header()
        new = ListFiles(self._lists / header.of_result().file_stem)
        if full.stem == new.stem:
            return new.stem.name
        apply_delta(full, delta, new, self.trust)
        return new.stem.name

    def _place(self, files: ListFiles, folder: Path) -> None:
        for path in (files.rows, files.header, files.signature):
            path.replace(folder / path.name)

    def _names(self) -> dict[str, str]:
        return {kind: header.file_stem for kind, header in self.headers.items()}

    def _read_state(self) -> dict[str, dict[str, str]]:
        try:
            said = json.loads((self.folder / "held.json").read_text("utf-8"))
            self.lost.update(map(str, said["lost"]))
            return {part: {str(kind): str(name) for kind, name in said[part].items()} for part in ("lists", "pending")}
        except FileNotFoundError:
            return {"lists": {}, "pending": {}}
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            self.lost.update(TAKEN)
            self.notes.append("held.json cannot be read; every list is fetched anew")
            return {"lists": {}, "pending": {}}

    def _write_state(self) -> None:
        self._write(self._names(), {})

    def _write(self, names: Mapping[str, str], pending: Mapping[str, str]) -> None:
        state = {"lists": names, "pending": pending, "lost": sorted(self.lost)}
        octets = json.dumps(state, sort_keys=True).encode() + b"\n"
        replace_file(self.folder / "held.json", octets, 0o600)

    def _sweep(self) -> None:
        """Remove lists and deltas that are held no more. Broken transfers stay: they are gone on with."""
        kept = set(self._names().values())
        for path in self._lists.iterdir():
            if path.stem not in kept:
                path.unlink()
        for path in self.incoming.iterdir():
            if path.suffix in {".csv", ".json", ".sig"}:
                path.unlink()
