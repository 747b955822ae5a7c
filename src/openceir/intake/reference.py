"""Reference lists: the TAC table, cells, associations and subscribers. Each is read into plain rows for its table."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from openceir.identity import generations_of_bands, tac_digits
from openceir.identity.columns import imei_column, malformed_texts, subscriber_column
from openceir.intake.aside import Rejects
from openceir.intake.errors import IntakeError
from openceir.intake.figures import Figure, Limits, drop_figures, refuse_beyond, refuse_emptying
from openceir.intake.lines import Block, Form, Wanted
from openceir.intake.octets import Bounds, is_parquet, open_octets
from openceir.intake.tables import open_table
from openceir.progress import Progress

__all__ = [
    "CHANGE_TYPES",
    "LISTED_TEXT",
    "ReferenceRead",
    "check_reference",
    "read_associations",
    "read_cells",
    "read_subscribers",
    "read_tacs",
]

CHANGE_TYPES: Final = ("add", "remove", "update")
# What earlier registers let stand in the IMEI column of a list: anything else is a slip of the hand.
LISTED_TEXT: Final = re.compile(r"[0-9A-Fa-f*#]{1,16}")
_UID: Final = r"^[0-9A-Za-z\-\\]{1,20}$"
_MONTHS: Final = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_GSMA_DATE = re.compile(r"([0-9]{2})-([A-Za-z]{3})-([0-9]{4})")
_TAC_COLUMNS = {
    "manufacturer": "manufacturer",
    "manufacturer (or applicant)": "manufacturer",
    "brand_name": "brand",
    "model_name": "model",
    "marketing_name": "marketing",
    "name": "model",
    "make": "manufacturer",
}


@dataclass(slots=True, kw_only=True)
class ReferenceRead:
    """One reference list as read. `rows` == `accepted` + rows set aside; `table` has one entry a distinct key.

    In a delta, `changes` gives each entry's change type.
    """

    rows: int = 0
    accepted: int = 0
    table: list[tuple[Any, ...]] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    odd_devices: list[str] = field(default_factory=list)  # of associations: the texts behind keys below -1
    says: list[str] = field(default_factory=list)
    digest: bytes = b""

    def rows_with(self, devices: list[int]) -> list[tuple[Any, ...]]:
        """The entries with device keys in the place of provisional ones; `devices` are those of odd_devices."""
        if not devices:
            return self.table
        return [(uid, devices[-2 - key] if key < 0 else key) for uid, key in self.table]


def read_tacs(path: Path, *, bounds: Bounds, rejects: Rejects, progress: Progress) -> ReferenceRead:
    """The TAC table: GSMA's pipe format, or `tac,brand,model,aka` with commas.

    A TAC that stands twice with other contents is set aside from the second time on.
    Raises: IntakeError when the file cannot be read.
    """
    read = ReferenceRead()
    wanted = Wanted(required=("tac",), keeps_extra=True)
    seen: dict[int, tuple[Any, ...]] = {}
    with open_table(path, _tac_form(path, bounds), wanted, rejects, bounds) as table:
        if not any(_tac_column(name) in {"manufacturer", "brand", "model"} for name in table.header.places):
            raise IntakeError(
                "intake-header-missing",
                f"{path.name} line 1: no column manufacturer, brand or model beside tac; "
                "expected TAC|Manufacturer|Model_Name|Bands|Allocation_Date|Device_Type or tac,brand,model,aka",
            )
        for block in table.blocks():
            for line, row in _rows(block):
                made = _tac_row(row, line, rejects)
                if made is None:
                    continue
                if seen.setdefault(made[0], made) != made:
                    rejects.add("duplicate-conflict", "tac", [line], [row["tac"]])
                    continue
                read.accepted += 1
            progress(f"reading {path.name}", *table.done)
        read.digest = table.digest
    read.table = list(seen.values())
    return _counted(read, rejects)


def _tac_form(path: Path, bounds: Bounds) -> Form:
    """Pipes, when the header holds one: GSMA's files, in which quotes are letters like others."""
    if is_parquet(path):
        return Form()
    with open_octets(path, bounds) as octets:
        header = octets.read(bounds.line).partition(b"\n")[0]
    return Form(delimiter="|", quoted=False) if b"|" in header else Form()


def _tac_column(name: str) -> str:
    name = re.sub(r"[ \-]+", "_", name)
    return _TAC_COLUMNS.get(name, name)


def _tac_row(row: dict[str, str], line: int, rejects: Rejects) -> tuple[Any, ...] | None:
    tac = tac_digits(row["tac"])
    if tac is None:
        rejects.add("tac-malformed", "tac", [line], [row["tac"]])
        return None
    said: dict[str, str] = {}
    for name, text in row.items():
        if name != "tac" and (text := text.strip()):
            said.setdefault(_tac_column(name), text)
    allocated = said.pop("allocation_date", "")
    allocated_on = _gsma_date(allocated) if allocated else None
    if allocated and allocated_on is None:
        rejects.add("date-malformed", "allocation_date", [line], [allocated])
        return None
    # Bands say what the hardware can do; the radio interface column is a looser word for it.
    rat = generations_of_bands(said.get("bands", "")) or generations_of_bands(said.get("radio_interface", ""))
    manufacturer, brand = said.pop("manufacturer", None), said.pop("brand", None)
    model, device_type = said.pop("model", None) or said.get("marketing"), said.pop("device_type", None)
    return (
        int(tac), manufacturer or brand, brand, model, device_type,
        rat or None,
        allocated_on.isoformat() if allocated_on else None,
        json.dumps(said, ensure_ascii=False, sort_keys=True),
    )  # fmt: skip


def _gsma_date(text: str) -> date | None:
    """dd-Mon-yyyy whatever the machine's language, or YYYY-MM-DD."""
    try:
        if written := _GSMA_DATE.fullmatch(text):
            day, month, year = written.groups()
            return date(int(year), _MONTHS.index(month.lower()) + 1, int(day))
        return date.fromisoformat(text) if text.isascii() else None
    except ValueError:
        return None


def read_cells(
    path: Path, operator: str | None, *, bounds: Bounds, rejects: Rejects, progress: Progress
) -> ReferenceRead:
    """Where cells stand: `operator` (unless the caller names it), `cell`, `lat`, `lon` and perhaps `lac`, `radius_m`."""
    read = ReferenceRead()
    required = ("cell", "lat", "lon") if operator else ("operator", "cell", "lat", "lon")
    wanted = Wanted(
        required=required, optional=("operator", "lac", "radius_m"), aliases={"name": "cell", "cell_id": "cell"}
    )
    seen: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    with open_table(path, Form(), wanted, rejects, bounds) as table:
        if table.header.extra:
            read.says.append("columns ignored: " + ", ".join(table.header.extra))
        for block in table.blocks():
            for line, row in _rows(block):
                made = _cell_row(row, operator, line, rejects)
                if made is None:
                    continue
                if seen.setdefault(made[:2], made) != made:
                    rejects.add("duplicate-conflict", "cell", [line], [row["cell"]])
                    continue
                read.accepted += 1
            progress(f"reading {path.name}", *table.done)
        read.digest = table.digest
    read.table = list(seen.values())
    return _counted(read, rejects)


def _cell_row(row: dict[str, str], operator: str | None, line: int, rejects: Rejects) -> tuple[Any, ...] | None:
    by = (operator or row["operator"].strip()).lower()
    name, area = row["cell"].strip(" \t"), row.get("lac", "").strip(" \t")
    if not by:
        rejects.add("operator-missing", "operator", [line], [row["operator"]])
        return None
    if not name:
        rejects.add("cell-missing", "cell", [line], [row["cell"]])
        return None
    try:
        lat, lon = float(row["lat"]), float(row["lon"])
        if not (-90 <= lat <= 90 and -180 <= lon <= 180):
            raise ValueError
    except ValueError:
        rejects.add("coordinate-malformed", "lat", [line], [f"{row['lat']},{row['lon']}"])
        return None
    try:
        radius = float(text) if (text := row.get("radius_m", "").strip()) else None
        if radius is not None and not 1 <= radius <= 200_000:
            raise ValueError
    except ValueError:
        rejects.add("radius-malformed", "radius_m", [line], [row["radius_m"]])
        return None
    return by, f"{area}/{name}" if area else name, lat, lon, radius


def read_associations(
    path: Path, *, delta: bool, bounds: Bounds, rejects: Rejects, progress: Progress
) -> ReferenceRead:
    """Who registered which device: `uid`, `imei`; a delta has `change_type` (add or remove) too."""
    read = ReferenceRead()
    odd: dict[str, int] = {}

    def devices(block: Block) -> tuple[list[Any], list[str | None]]:
        texts = block.columns["imei"]
        column = imei_column(texts)
        keys, reasons = (
            column.keys.to_pylist(),
            [None if key is not None else "imei-missing" for key in column.keys.to_pylist()],
        )
        places = [place for place, is_odd in enumerate(column.malformed.to_pylist()) if is_odd]
        written = malformed_texts(texts.take(pa.array(places, pa.int64()))).to_pylist()
        for place, text in zip(places, written, strict=True):
            if LISTED_TEXT.fullmatch(text):
                keys[place], reasons[place] = odd.setdefault(text, -2 - len(odd)), None
            else:
                reasons[place] = "imei-malformed"
        return keys, reasons

    _read_people(path, "imei", devices, read, delta, bounds, rejects, progress)
    read.odd_devices = list(odd)
    return read


def read_subscribers(path: Path, *, delta: bool, bounds: Bounds, rejects: Rejects, progress: Progress) -> ReferenceRead:
    """Which IMSIs a person has: `uid`, `imsi`; a delta has `change_type` (add or remove) too."""
    read = ReferenceRead()

    def subscribers(block: Block) -> tuple[list[Any], list[str | None]]:
        column = subscriber_column(block.columns["imsi"])
        keys = column.keys.to_pylist()
        bad = column.malformed.to_pylist()
        reasons = [
            "imsi-malformed" if is_bad else "imsi-missing" if key is None else None
            for key, is_bad in zip(keys, bad, strict=True)
        ]
        return keys, reasons

    _read_people(path, "imsi", subscribers, read, delta, bounds, rejects, progress)
    return read


def _read_people(
    path: Path,
    second: str,
    keys_of: Any,
    read: ReferenceRead,
    delta: bool,
    bounds: Bounds,
    rejects: Rejects,
    progress: Progress,
) -> None:
    required = ("uid", second, "change_type") if delta else ("uid", second)
    seen: dict[tuple[str, int], str] = {}
    with open_table(path, Form(), Wanted(required=required), rejects, bounds) as table:
        if table.header.extra:
            read.says.append("columns ignored: " + ", ".join(table.header.extra))
        for block in table.blocks():
            uids = pc.utf8_trim(block.columns["uid"], characters=" \t")
            good = pc.match_substring_regex(uids, _UID).to_pylist()
            keys, reasons = keys_of(block)
            raw = block.columns[second]
            kinds = block.columns["change_type"].to_pylist() if delta else [""] * len(block)
            for place, (uid, key, reason, kind) in enumerate(zip(uids.to_pylist(), keys, reasons, kinds, strict=True)):
                line = int(block.lines[place])
                if not good[place]:
                    rejects.add("uid-malformed", "uid", [line], [uid])
                elif reason is not None:
                    rejects.add(reason, second, [line], [raw[place].as_py()])
                elif delta and kind not in CHANGE_TYPES[:2]:
                    rejects.add("change-type-unknown", "change_type", [line], [kind])
                elif seen.setdefault((uid, key), kind) != kind:
                    rejects.add("duplicate-conflict", "uid", [line], [uid])
                else:
                    read.accepted += 1
            progress(f"reading {path.name}", *table.done)
        read.digest = table.digest
    read.table, read.changes = list(seen), list(seen.values())
    _counted(read, rejects)


def check_reference(
    file: str, kind: str, read: ReferenceRead, then: int, limits: Limits, rejects: Rejects, *, delta: bool
) -> tuple[Figure, ...]:
    """Hold a reference list to its limits; `then` rows stand now.

    Raises: IntakeError when one is passed, or a full list would empty the table.
    """
    share = Figure.ratio("set_aside_ratio", "rows set aside", rejects.rows, read.rows, limits["set_aside_ratio"])
    figures = [share, *([] if delta else drop_figures(kind, len(read.table), then, limits))]
    refuse_beyond(file, "intake.lists", figures, rejects.sentences())
    if not delta:
        refuse_emptying(file, kind, len(read.table), then)
    return tuple(figures)


def _rows(block: Block) -> Iterator[tuple[int, dict[str, str]]]:
    names = list(block.columns)
    columns = [column.to_pylist() for column in block.columns.values()]
    for line, *fields in zip(block.lines.tolist(), *columns, strict=True):
        yield line, dict(zip(names, fields, strict=True))


def _counted(read: ReferenceRead, rejects: Rejects) -> ReferenceRead:
    read.rows = read.accepted + rejects.rows
    return read
