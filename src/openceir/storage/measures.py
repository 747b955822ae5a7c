"""lake/measures: the aggregates of the lake, folded file by file; the manifest says what counts.

    lake/measures/manifest.json
    lake/measures/triplets/month=2026-10/000012.parquet     who used which device on which days; erased with its month
    lake/measures/devices/month=2026-10/000013.parquet      which device was seen on which days; kept for ever
    lake/measures/devices/month=2026-10/000021.parquet      of the days since; beside the month's until it weighs as much
    lake/measures/conflicts/day=2026-10-01/000014.parquet   neighbouring sightings that no one handset can have made
    lake/measures/cells/000015.parquet                      the places the conflicts were measured with

A fold writes new files under new numbers and then replaces the manifest: that rename is the commit. Whatever dies
before it leaves files that nobody reads, and the next fold sweeps them. Everything here can be deleted and measured
again, except the devices of months whose sightings were erased.

A month is measured anew when one of its files went or changed, otherwise new files are folded in: its triplets are
written again with one row a key; its devices, of which there are several times as many, only once what stands beside
them has as many rows. A UTC day's conflicts
are measured anew when one of the files that reach into it (or into the time just before) is not the same as then, when
the policy's travel limits changed, or when a cell that was known moved.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from openceir.detection import (
    CELLS,
    CellMap,
    Engine,
    EngineSettings,
    Measured,
    SightingsFile,
    Suspects,
    TravelLimits,
    count_times,
    days_of,
    folded,
    measure_conflicts,
    measure_month,
)
from openceir.policy import Policy
from openceir.progress import Progress, Silent
from openceir.storage.files import StorageError, replace_file, write_beside

__all__ = ["Folded", "MeasuredUntil", "Measures"]

_VERSION = 2


@dataclass(frozen=True, slots=True)
class Folded:
    """What one refresh did."""

    new_files: int
    months: tuple[str, ...]  # written
    rebuilt_months: tuple[str, ...]  # of those, measured anew from all their files
    days: tuple[str, ...]  # whose conflicts were measured

    @property
    def is_empty(self) -> bool:
        """Whether nothing had changed."""
        return not (self.months or self.days)


@dataclass(frozen=True, slots=True)
class MeasuredUntil:
    """Digests of what was measured up to a day: who was seen with whom, and conflicts of time and distance."""

    sightings: bytes
    conflicts: bytes


@dataclass(slots=True)
class _File:
    digest: str
    operator: str
    day: str
    span: tuple[int, int] | None  # first and last instant, seconds


@dataclass(slots=True)
class _Month:
    triplets: str | None
    devices: list[str]  # the month's, one row a key, and what came since
    files: list[str]  # the lake files in it, ascending
    closed: bool = False  # its subscribers were erased

    @property
    def seen(self) -> str:
        """What digests call its devices."""
        return "\n".join(self.devices)


@dataclass(slots=True)
class _Day:
    conflicts: str | None  # None: there are none
    made_of: str  # digest of what it was measured from


@dataclass(slots=True)
class _Manifest:
    version: int = _VERSION
    serial: int = 0  # the number of the newest file
    files: dict[str, _File] = field(default_factory=dict)
    months: dict[str, _Month] = field(default_factory=dict)
    days: dict[str, _Day] = field(default_factory=dict)
    cells: str | None = None
    places: int = 0  # how often a known cell moved

    @classmethod
    def read(cls, path: Path) -> "_Manifest":
        if not path.exists():
            return cls()
        try:
            tree = json.loads(path.read_text(encoding="utf-8"))
            if tree["version"] == 1:  # a month had one file of devices at most
                for month in tree["months"].values():
                    month["devices"] = [month["devices"]] if month["devices"] else []
            elif tree["version"] != _VERSION:
                raise ValueError(f"version {tree['version']}")
            return cls(
                serial=tree["serial"],
                files={name: _File(**row) for name, row in tree["files"].items()},
                months={name: _Month(**row) for name, row in tree["months"].items()},
                days={name: _Day(**row) for name, row in tree["days"].items()},
                cells=tree["cells"],
                places=tree["places"],
            )
        except (ValueError, KeyError, TypeError) as wrong:
            raise StorageError(
                f"{path} is not a manifest of measures ({wrong}); delete {path.parent} and run"
                " `openceir detection measure` (first-seen days older than the sightings are lost with it)"
            ) from wrong

    def named(self) -> set[str]:
        """Every file that counts."""
        months = (name for month in self.months.values() for name in (month.triplets, *month.devices))
        days = (day.conflicts for day in self.days.values())
        return {name for name in (*months, *days, self.cells) if name}


class Measures:
    """The measures of one register. One writer at a time; readers take `measured()` and read files that stay."""

    def __init__(self, home: Path, settings: EngineSettings | None = None) -> None:
        self._home = home
        self.folder = home / "lake" / "measures"
        self._settings = settings
        self._path = self.folder / "manifest.json"

    # -- reading -------------------------------------------------------------------------------------------------

    def measured(self) -> Measured:
        """The files that count now."""
        manifest = _Manifest.read(self._path)
        months = [manifest.months[name] for name in sorted(manifest.months)]
        return Measured(
            triplets=[self.folder / month.triplets for month in months if month.triplets],
            devices=[self.folder / name for month in months for name in month.devices],
            conflicts=[self.folder / day.conflicts for _, day in sorted(manifest.days.items()) if day.conflicts],
            digest=_digest_of(manifest),
        )

    def until(self, day: date) -> MeasuredUntil:
        """What is measured of the days up to one: as of that day, equal digests make equal facts."""
        manifest = _Manifest.read(self._path)
        label = day.isoformat()
        closed = sorted((name, month.seen) for name, month in manifest.months.items() if month.closed)
        files = sorted((name, file.digest) for name, file in manifest.files.items() if file.day <= label)
        conflicts = sorted((name, kept.made_of) for name, kept in manifest.days.items() if name <= label)
        return MeasuredUntil(
            *(hashlib.sha256(json.dumps(content).encode()).digest() for content in ([files, closed], conflicts))
        )

    # -- writing -------------------------------------------------------------------------------------------------

    def refresh(
        self,
        files: Sequence[SightingsFile],
        cells: pa.Table,
        policy: Policy,
        *,
        kept_since: date | None = None,
        progress: Progress | None = None,
    ) -> Folded:
        """Bring the measures up to the lake: `files` are all that count now, `cells` as ports.CELLS.

        A month that lies wholly before `kept_since` and lost its files lost them to retention: its triplets and
        conflicts go, its devices stay. Durable on return.
        """
        manifest = _Manifest.read(self._path)
        now = {self._name(file): file for file in files}
        gone = [
            name for name, file in manifest.files.items() if name not in now or now[name].digest.hex() != file.digest
        ]
        new = [name for name in now if name not in manifest.files or name in gone]
        self._sweep(manifest)
        closing = {
            month
            for month in {manifest.files[name].day[:7] for name in gone}
            if kept_since is not None
            and _after(month) <= kept_since
            and not any(file.day.isoformat()[:7] == month for file in files)
        }
        said = progress or Silent()
        with Engine(self._settings or EngineSettings(spill=self.folder / "spill")) as engine:
            for month in closing:
                self._close(manifest, month)
            for name in gone:
                manifest.files.pop(name, None)
            spans = count_times([now[name] for name in new])
            for name in new:
                file = now[name]
                manifest.files[name] = _File(file.digest.hex(), file.operator, file.day.isoformat(), spans[file.path])
            rebuilt = self._fold_months(engine, manifest, now, set(gone), said)
            self._take_cells(manifest, cells)
            days = self._fold_days(engine, manifest, now, CellMap.of(cells), policy, said)
        if new or gone or rebuilt.written or days:
            self._commit(manifest)
        return Folded(len(new), tuple(rebuilt.written), tuple(rebuilt.anew), tuple(days))

    def forget_subscribers(self, before: date) -> list[str]:
        """Erase triplets and conflicts of every month that lies wholly before a day; devices stay. Gives the months."""
        manifest = _Manifest.read(self._path)
        months = [name for name, month in manifest.months.items() if _after(name) <= before and not month.closed]
        for name in months:
            for file in manifest.months[name].files:
                manifest.files.pop(file, None)
            self._close(manifest, name)
        if months:
            self._commit(manifest)
        return sorted(months)

    def _close(self, manifest: _Manifest, name: str) -> None:
        month = manifest.months[name]
        month.triplets, month.files, month.closed = None, [], True
        for day in [day for day in manifest.days if day[:7] == name]:
            del manifest.days[day]

    @dataclass(slots=True)
    class _Months:
        written: list[str] = field(default_factory=list)
        anew: list[str] = field(default_factory=list)

    def _fold_months(
        self,
        engine: Engine,
        manifest: _Manifest,
        now: dict[str, SightingsFile],
        gone: set[str],
        said: Progress,
    ) -> "_Months":
        done = self._Months()
        wanted: dict[str, list[str]] = {}
        for name, file in manifest.files.items():
            wanted.setdefault(file.day[:7], []).append(name)
        for label in sorted(manifest.months.keys() | wanted.keys()):
            month = manifest.months.get(label, _Month(None, [], []))
            names = sorted(wanted.get(label, []))
            lost = [name for name in month.files if name in gone]
            if names == month.files and not lost:
                continue
            anew = bool(lost)
            fresh = names if anew else [name for name in names if name not in month.files]
            if not names:  # every file was withdrawn: so is what they said
                del manifest.months[label]
                done.written.append(label)
                continue
            said("months measured", len(done.written))
            if anew:
                month = _Month(None, [], [], month.closed)
            triplets, devices = measure_month(engine, date.fromisoformat(f"{label}-01"), [now[name] for name in fresh])
            if not month.closed:
                if month.triplets:
                    triplets = folded("triplets", triplets, self.folder / month.triplets)
                month.triplets = self._write(engine, manifest, f"triplets/month={label}", triplets)
            seen = self._add_devices(engine, manifest, label, month.devices, devices)
            manifest.months[label] = _Month(month.triplets, seen, names, month.closed)
            done.written.append(label)
            if anew:
                done.anew.append(label)
        return done

    def _add_devices(self, engine: Engine, manifest: _Manifest, label: str, kept: list[str], fresh: str) -> list[str]:
        """The files of a month's devices: the fresh ones beside the others, or all in one once they weigh as much."""
        if kept:
            month, *beside = (self.folder / name for name in kept)
            weight = sum(pq.read_metadata(path).num_rows for path in beside) + engine.count(f"({fresh}) AS f")
            if weight >= pq.read_metadata(month).num_rows:
                kept, fresh = [], folded("devices", fresh, month, beside)
        return [*kept, self._write(engine, manifest, f"devices/month={label}", fresh)]

    def _take_cells(self, manifest: _Manifest, cells: pa.Table) -> None:
        """Keep the places; a known cell that moved or went makes every day's conflicts doubtful."""
        cells = cells.select(CELLS.names).cast(CELLS).sort_by("cell").combine_chunks()
        if manifest.cells is not None:
            old = pq.read_table(self.folder / manifest.cells)
            if old.equals(cells):
                return
            kept = cells.filter(pc.is_in(cells["cell"], old["cell"])).combine_chunks()
            if not kept.equals(old.combine_chunks()):
                manifest.places += 1
        elif not cells.num_rows:
            return
        manifest.serial += 1
        manifest.cells = f"cells/{manifest.serial:06d}.parquet"
        with write_beside(self.folder / manifest.cells) as path:
            pq.write_table(cells, path)

    def _fold_days(
        self,
        engine: Engine,
        manifest: _Manifest,
        now: dict[str, SightingsFile],
        cells: CellMap,
        policy: Policy,
        said: Progress,
    ) -> list[str]:
        touching: dict[date, set[str]] = {}
        spans = {name: file.span for name, file in manifest.files.items() if file.span is not None}
        limits_of: dict[date, TravelLimits] = {}
        for name, (first, last) in spans.items():
            for day in days_of(first, last):
                touching.setdefault(day, set()).add(name)
        closed = {label for label, month in manifest.months.items() if month.closed}
        for day in list(touching):
            limits = limits_of.setdefault(day, TravelLimits.on(policy, day))
            begins = (day - date(1970, 1, 1)).days * 86_400 - limits.look_back_s(cells.widest_m)
            for before in days_of(begins, begins + limits.look_back_s(cells.widest_m) - 1):
                touching[day] |= {name for name in touching.get(before, ()) if spans[name][1] >= begins}
        done: list[str] = []
        due: dict[date, str] = {}  # day -> what its conflicts will be made of
        engine.take("cells", cells.table)
        for day in sorted(touching):
            label = day.isoformat()
            if label[:7] in closed or not cells.table.num_rows:
                continue
            digests = [manifest.files[name].digest for name in sorted(touching[day])]
            made_of = _made_of(digests, limits_of[day], manifest.places)
            if label not in manifest.days or manifest.days[label].made_of != made_of:
                due[day] = made_of
        suspects = Suspects(cells)
        for day, made_of in due.items():
            said("days of conflicts measured", len(done), len(due))
            limits, label = limits_of[day], day.isoformat()
            sightings = suspects.sightings(day, [now[name] for name in sorted(touching[day])], limits)
            select = measure_conflicts(engine, day, sightings, limits, cells.widest_m)
            [count] = engine.fetch(f"SELECT COUNT(*) AS n FROM ({select})")["n"].to_pylist()
            file = self._write(engine, manifest, f"conflicts/day={label}", select) if count else None
            manifest.days[label] = _Day(file, made_of)
            done.append(label)
        for label in [label for label in manifest.days if date.fromisoformat(label) not in touching]:
            del manifest.days[label]
            done.append(label)
        return sorted(done)

    def _write(self, engine: Engine, manifest: _Manifest, folder: str, select: str) -> str:
        manifest.serial += 1
        name = f"{folder}/{manifest.serial:06d}.parquet"
        with write_beside(self.folder / name, mode=0o600) as path:
            engine.write(select, path)
        return name

    def _commit(self, manifest: _Manifest) -> None:
        replace_file(self._path, json.dumps(asdict(manifest), sort_keys=True).encode(), mode=0o600)
        # From here on a restart finds the new measures.
        self._sweep(manifest)

    def _sweep(self, manifest: _Manifest) -> None:
        """Remove what no manifest names: the files before this fold, and those of a fold that died."""
        named = manifest.named()
        for relation in ("triplets", "devices", "conflicts", "cells"):
            for path in (self.folder / relation).rglob("*"):
                if path.is_file() and path.relative_to(self.folder).as_posix() not in named:
                    path.unlink(missing_ok=True)

    def _name(self, file: SightingsFile) -> str:
        """A lake file's name in the manifest: its path inside the home folder where it lies there."""
        return file.path.relative_to(self._home).as_posix() if file.path.is_relative_to(self._home) else str(file.path)


def _after(month: str) -> date:
    """The first day after a month like 2026-10."""
    first = date.fromisoformat(f"{month}-01")
    return (first + timedelta(days=31)).replace(day=1)


def _made_of(digests: Iterable[str], limits: TravelLimits, places: int) -> str:
    text = json.dumps([sorted(digests), asdict(limits), places], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _digest_of(manifest: _Manifest) -> bytes:
    """Equal when the measures say the same, however many folds it took."""
    content: list[Any] = [
        sorted((name, file.digest) for name, file in manifest.files.items()),
        # devices of closed months cannot be named by lake files any more, only by the file that holds them
        sorted((label, month.seen) for label, month in manifest.months.items() if month.closed),
        sorted((label, day.made_of) for label, day in manifest.days.items()),
    ]
    return hashlib.sha256(json.dumps(content).encode()).digest()
