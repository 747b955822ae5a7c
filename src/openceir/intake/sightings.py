"""Operators' dumps: which device was seen with which subscriber on which day.

Columns: date, imei and imsi; msisdn, rat, time, cell and lac where the operator has them. What is odd but readable (a
malformed IMEI, an unknown RAT, a foreign IMSI) is data and stays; what cannot be read is set aside; a dump that passes
a limit of the policy section `intake.operator` is refused whole.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from openceir.identity.columns import imei_column, malformed_texts, rat_column, subscriber_column
from openceir.intake.aside import Rejects
from openceir.intake.errors import IntakeError
from openceir.intake.figures import Figure, Limits, refuse_beyond
from openceir.intake.lines import Block, Form, Wanted
from openceir.intake.memory import keep_freed_memory
from openceir.intake.octets import Bounds
from openceir.intake.ports import DailyAverages, SightingSink
from openceir.intake.tables import open_table
from openceir.progress import Progress

__all__ = ["COLUMNS", "Country", "Dump", "SightingsRead", "name_dump", "read_sightings"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

COLUMNS: Final = Wanted(
    required=("date", "imei", "imsi"),
    optional=("msisdn", "rat", "time", "cell", "lac"),
    aliases={"tac_area": "lac", "tac-area": "lac", "lac/tac": "lac", "lac_tac": "lac", "cell_id": "cell", "ci": "cell"},
)
_NULL: Final = -1
_EPOCH: Final = date(1970, 1, 1)
_SECONDS_A_DAY: Final = 86_400
_SECTION: Final = "intake.operator"
_FILE_NAME = re.compile(r"(?P<operator>.+)_(?P<since>[0-9]{8})_(?P<until>[0-9]{8})")
_OPERATOR = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_DAY = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])")
# Distinct malformed identifiers and cell names are held in memory until the file is accepted.
_MOST_DISTINCT: Final = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Dump:
    """What a file says it is. Days are included; None where nobody said."""

    operator: str
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """Whose numbers are at home. An empty tuple means unknown: then nothing is measured against it."""

    mcc: tuple[str, ...] = ()
    country_codes: tuple[str, ...] = ()
    operators: dict[str, tuple[str, ...]] = field(default_factory=dict)  # operator -> its MCC-MNC prefixes


@dataclass(slots=True, kw_only=True)
class SightingsRead:
    """What came of reading one dump.

    `odd_devices` and `cells` are the texts behind provisional keys: the first stands for -2, the second for -3.
    """

    rows: int = 0
    accepted: int = 0
    figures: list[Figure] = field(default_factory=list)
    says: list[str] = field(default_factory=list)
    odd_devices: list[str] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    digest: bytes = b""


def name_dump(
    path: Path, operator: str | None, since: date | None, until: date | None, known: Collection[str] = ()
) -> Dump:
    """Operator and days: what the caller says, else the file's name `<operator>_<YYYYMMDD>_<YYYYMMDD>`.

    Between operator and days more may stand (`northtel_east_20261001_20261031`): the first part counts if it is one of
    the `known` operators and the whole is not.

    Raises: IntakeError when no operator is known, a date is none, or the days are swapped.
    """
    stem = path.name.split(".")[0]
    if named := _FILE_NAME.fullmatch(stem):
        operator = operator or named["operator"]
        try:
            since = since or date.fromisoformat(named["since"])
            until = until or date.fromisoformat(named["until"])
        except ValueError as wrong:
            raise IntakeError(
                "intake-file-name", f"{path.name}: the name holds no calendar days: {wrong}; give --from and --to"
            ) from wrong
    if not operator:
        raise IntakeError(
            "intake-file-name",
            f"{path.name}: whose dump is it? name it <operator>_<YYYYMMDD>_<YYYYMMDD>.csv, or give --operator",
        )
    operator = operator.lower()
    if operator not in known and operator.partition("_")[0] in known:
        operator = operator.partition("_")[0]
    if not _OPERATOR.fullmatch(operator):
        raise IntakeError("intake-operator", f"{path.name}: operator {operator!r} is not letters, digits, _ . and -")
    if since and until and since > until:
        raise IntakeError(
            "intake-dates-swapped", f"{path.name}: its days begin on {since} and end on {until}: swapped?"
        )
    return Dump(operator=operator, since=since, until=until)


def read_sightings(
    path: Path,
    dump: Dump,
    sink: SightingSink,
    *,
    country: Country,
    limits: Limits,
    bounds: Bounds,
    today: date,
    is_known_tac: Callable[[Ints], Flags] | None,
    averages: DailyAverages,
    rejects: Rejects,
    progress: Progress,
    section: str = _SECTION,
) -> SightingsRead:
    """Read a dump into `sink`. `section` is where the policy has the `limits`, for the sentence of a refusal.

    `is_known_tac` answers for a column of TACs as integers; None when there is no TAC table yet.
    Raises: IntakeError when the file cannot be read or passes a limit; the sink's rows must then be dropped.
    """
    if country.operators and dump.operator not in country.operators:
        raise IntakeError(
            "intake-operator",
            f"{path.name}: operator {dump.operator!r} is not in the policy, which knows "
            f"{', '.join(sorted(country.operators))}; give --operator or add it to the policy",
        )
    if dump.until is not None and dump.until > today:
        raise IntakeError(
            "intake-date-future",
            f"{path.name} is for days up to {dump.until}, but today is {today}; is the name right?",
        )
    keep_freed_memory()
    read = SightingsRead()
    check = _Check(dump, country, today, is_known_tac, rejects)
    with open_table(path, Form(), COLUMNS, rejects, bounds) as table:
        names = table.header.places
        read.says = [f"no column {name}: nothing is measured of it" for name in ("msisdn", "rat") if name not in names]
        if table.header.extra:
            read.says.append("columns ignored: " + ", ".join(table.header.extra))
        for block in table.blocks():
            days, columns = check.block(block)
            sink.append(days, columns)
            read.accepted += len(days)
            progress(f"reading {path.name}", *table.done)
        read.digest = table.digest
    read.rows = read.accepted + rejects.rows
    read.odd_devices, read.cells = list(check.odd_devices), list(check.cells)
    read.figures = check.figures(limits, names)
    history = averages(dump.operator, int(limits["historic_days"]))
    if history is None:
        read.says.append("no earlier dump of this operator: daily averages are not compared")
    elif read.accepted:
        read.figures += _against_history(sink.count_days(), history, limits)
    refuse_beyond(path.name, section, read.figures, rejects.sentences())
    return read


class _Check:
    """Turns blocks of text into columns of the lake, and counts what the limits are held against."""

    def __init__(
        self,
        dump: Dump,
        country: Country,
        today: date,
        is_known_tac: Callable[[Ints], Flags] | None,
        rejects: Rejects,
    ) -> None:
        self.odd_devices: dict[str, int] = {}  # text -> provisional key
        self.cells: dict[str, int] = {}
        self._dump = dump
        self._country = country
        self._today = today
        self._is_known_tac = is_known_tac
        self._rejects = rejects
        self._home = _Prefixes(country.operators.get(dump.operator, ()))
        self._mcc = _Prefixes(country.mcc)
        self._country_codes = _Prefixes(country.country_codes)
        self._counted: dict[str, int] = {}

    def block(self, block: Block) -> tuple[Ints, dict[str, Ints]]:
        """Days and columns of the rows that stay; the others are set aside, each for its first reason."""
        keep = np.ones(len(block), np.bool_)
        days = self._days(block, keep)
        imsi = self._subscribers("imsi", block, keep)
        msisdn = self._subscribers("msisdn", block, keep)
        seconds = self._seconds(block, days, keep)
        device, is_odd = self._devices(block, keep)
        rat = self._rat(block)
        cell = self._cells_of(block, keep)
        columns = {"device": device, "imsi": imsi, "msisdn": msisdn, "rat": rat, "ts": seconds, "cell": cell}
        if not keep.all():
            days, is_odd = days[keep], is_odd[keep]
            columns = {name: column[keep] for name, column in columns.items()}
        self._count(block, columns, is_odd)
        return days, columns

    # -- columns -------------------------------------------------------------------------------------------------

    def _aside(self, block: Block, keep: Flags, bad: Flags, reason: str, column: str) -> None:
        places = np.flatnonzero(bad & keep)
        if len(places):
            texts = block.columns[column].take(pa.array(places)).to_pylist()
            self._rejects.add(reason, column, block.lines[places].tolist(), texts)
            keep[places] = False

    def _days(self, block: Block, keep: Flags) -> Ints:
        encoded = block.columns["date"].dictionary_encode()
        read = [self._day(text) for text in encoded.dictionary.to_pylist()]
        which = encoded.indices.to_numpy(zero_copy_only=False)
        for reason in {reason for _, reason in read if reason}:
            bad = np.array([other == reason for _, other in read], np.bool_)
            self._aside(block, keep, bad[which], reason, "date")
        return np.asarray(np.array([day for day, _ in read], np.int64)[which])

    def _day(self, text: str) -> tuple[int, str | None]:
        text = text.strip(" \t")
        parts = _DAY.fullmatch(text)
        if not parts or not text.isascii():
            return 0, "date-malformed" if text else "date-missing"
        try:
            day = date(*map(int, parts.groups()))
        except ValueError:
            return 0, "date-malformed"
        number = (day - _EPOCH).days
        if day > self._today:
            return number, "date-future"
        since, until = self._dump.since or date.min, self._dump.until or date.max
        return number, None if since <= day <= until else "date-outside"

    def _subscribers(self, name: str, block: Block, keep: Flags) -> Ints:
        texts = block.columns.get(name)
        if texts is None:
            return np.full(len(block), _NULL, np.int64)
        column = subscriber_column(texts)
        self._aside(block, keep, _flags(column.malformed), f"{name}-malformed", name)
        return _filled(column.keys)

    def _devices(self, block: Block, keep: Flags) -> tuple[Ints, Flags]:
        texts = block.columns["imei"]
        column = imei_column(texts)
        keys, is_odd = _filled(column.keys), _flags(column.malformed)
        places = np.flatnonzero(is_odd & keep)
        if len(places):
            written = malformed_texts(texts.take(pa.array(places))).to_pylist()
            keys[places] = _provisional(self.odd_devices, written, "malformed identifiers")
        return keys, is_odd

    def _rat(self, block: Block) -> Ints:
        texts = block.columns.get("rat")
        return np.full(len(block), _NULL, np.int64) if texts is None else _filled(rat_column(texts).keys)

    def _cells_of(self, block: Block, keep: Flags) -> Ints:
        texts = block.columns.get("cell")
        if texts is None:
            return np.full(len(block), _NULL, np.int64)
        if (areas := block.columns.get("lac")) is not None:
            texts, areas = (pc.utf8_trim(column, characters=" \t") for column in (texts, areas))
            both = pc.and_(pc.not_equal(areas, ""), pc.not_equal(texts, ""))
            texts = pc.if_else(both, pc.binary_join_element_wise(areas, texts, "/"), texts)
        encoded = texts.dictionary_encode()
        distinct = [text.strip(" \t") for text in encoded.dictionary.to_pylist()]
        keys = np.array([_NULL if name == "" else 0 for name in distinct], np.int64)
        named = np.flatnonzero(keys == 0)
        keys[named] = _provisional(self.cells, [distinct[place] for place in named], "cells")
        return np.asarray(keys[encoded.indices.to_numpy(zero_copy_only=False)], np.int64)

    def _seconds(self, block: Block, days: Ints, keep: Flags) -> Ints:
        texts = block.columns.get("time")
        if texts is None:
            return np.full(len(block), _NULL, np.int64)
        seconds = _clock_seconds(texts)
        if seconds is not None:
            return np.asarray(seconds + days * _SECONDS_A_DAY, np.int64)
        encoded = texts.dictionary_encode()
        read = np.array([_time(text) for text in encoded.dictionary.to_pylist()], np.int64)
        read = read.reshape(-1, 2)[encoded.indices.to_numpy(zero_copy_only=False)]
        whole, form = read[:, 0], read[:, 1]
        whole = np.where(form == _OF_DAY, whole + days * _SECONDS_A_DAY, whole)
        # An instant with an offset may fall on the day before or after the operator's own day.
        is_far = (form == _INSTANT) & (np.abs(whole // _SECONDS_A_DAY - days) > 1)
        self._aside(block, keep, is_far | (form == _NO_TIME), "time-malformed", "time")
        return np.asarray(np.where(form == _ABSENT, _NULL, whole), np.int64)

    # -- figures -------------------------------------------------------------------------------------------------

    def _add(self, name: str, count: Any) -> None:
        self._counted[name] = self._counted.get(name, 0) + int(count)

    def _count(self, block: Block, columns: dict[str, Ints], is_odd: Flags) -> None:
        device, imsi, msisdn = columns["device"], columns["imsi"], columns["msisdn"]
        rows = len(device)
        self._add("rows", rows)
        nulls = {name: columns[name] == _NULL for name in ("device", "imsi", "msisdn", "rat")}
        any_null = np.zeros(rows, np.bool_)
        for name, column in (("device", "imei"), ("imsi", "imsi"), ("msisdn", "msisdn"), ("rat", "rat")):
            if column in block.columns:
                self._add(f"null {column}", np.count_nonzero(nulls[name]))
                any_null |= nulls[name]
        self._add("null any", np.count_nonzero(any_null))
        has_imsi, has_msisdn = ~nulls["imsi"], ~nulls["msisdn"]
        self._add("imei", rows - np.count_nonzero(nulls["device"]))
        self._add("imsi", np.count_nonzero(has_imsi))
        self._add("msisdn", np.count_nonzero(has_msisdn))
        unclean = has_imsi & (imsi < 10**14)
        self._add("unclean imei", np.count_nonzero(is_odd))
        self._add("unclean imsi", np.count_nonzero(unclean))
        self._add("unclean any", np.count_nonzero(is_odd | unclean))
        self._count_regions(imsi, msisdn, has_imsi, has_msisdn)
        self._count_leading_zeros(device)

    def _count_regions(self, imsi: Ints, msisdn: Ints, has_imsi: Flags, has_msisdn: Flags) -> None:
        foreign = np.zeros(len(imsi), np.bool_)
        if self._mcc:
            foreign_imsi = has_imsi & ~self._mcc.start(imsi)
            self._add("foreign imsi", np.count_nonzero(foreign_imsi))
            foreign |= foreign_imsi
        if self._country_codes:
            foreign_msisdn = has_msisdn & ~self._country_codes.start(msisdn)
            self._add("foreign msisdn", np.count_nonzero(foreign_msisdn))
            foreign |= foreign_msisdn
        self._add("foreign any", np.count_nonzero(foreign))
        if self._home:
            self._add("guest imsi", np.count_nonzero(has_imsi & ~self._home.start(imsi)))

    def _count_leading_zeros(self, device: Ints) -> None:
        self._add("zero", np.count_nonzero((device >= 0) & (device < 10**13)))
        ones = device[(device >= 10**13) & (device < 2 * 10**13)]
        self._add("one", len(ones))
        if len(ones) and self._is_known_tac is not None:
            # Were a zero put in front, the check digit would fall off the end and the TAC be one digit to the left.
            gains = self._is_known_tac(ones // 10**7) & ~self._is_known_tac(ones // 10**6)
            self._add("one gains", np.count_nonzero(gains))

    def figures(self, limits: Limits, names: Any) -> list[Figure]:
        """Every figure that this file can be held to, with its limit."""
        counted, rejected = self._counted, self._rejects.rows
        rows = counted.get("rows", 0)

        def ratio(name: str, says: str, part: str, whole: float) -> Figure:
            return Figure.ratio(name, says, counted.get(part, 0), whole, limits[name])

        imeis, imsis, msisdns = (counted.get(name, 0) for name in ("imei", "imsi", "msisdn"))
        figures = [
            Figure.ratio("set_aside_ratio", "rows set aside", rejected, rows + rejected, limits["set_aside_ratio"])
        ]
        figures += [
            ratio(f"null_{name}_ratio", f"rows without {name.upper()}", f"null {name}", rows)
            for name in ("imei", "imsi", "msisdn", "rat")
            if name in names
        ]
        figures += [
            ratio("null_any_ratio", "rows with any field absent", "null any", rows),
            ratio("unclean_imei_ratio", "IMEIs that are not 14 to 16 digits", "unclean imei", imeis),
            ratio("unclean_imsi_ratio", "IMSIs that are not 14 or 15 digits", "unclean imsi", imsis),
            ratio("unclean_any_ratio", "rows with either", "unclean any", rows),
        ]
        if self._mcc:
            figures.append(ratio("out_of_region_imsi_ratio", "IMSIs of another country", "foreign imsi", imsis))
        if self._country_codes and "msisdn" in names:
            figures.append(ratio("out_of_region_msisdn_ratio", "MSISDNs of another country", "foreign msisdn", msisdns))
        if self._mcc or self._country_codes:
            figures.append(ratio("out_of_region_any_ratio", "rows with either from abroad", "foreign any", rows))
        if self._home:
            figures.append(ratio("non_home_imsi_ratio", "IMSIs of other networks", "guest imsi", imsis))
        ones, clean = counted.get("one", 0), imeis - counted.get("unclean imei", 0)
        if self._is_known_tac is not None:
            says = "IMEIs that start with 1 and are of a known model once a 0 stands in front"
            figures.append(ratio("leading_zero_suspicion_ratio", says, "one gains", ones))
        # No body ever allocated numbers that start with 1, apart from 10 for DECT; with 01 there are millions.
        suspect = ones if ones > counted.get("zero", 0) else 0
        says = "IMEIs that start with 1, more than start with 0: leading zeros lost?"
        figures.append(Figure.ratio("leading_one_ratio", says, suspect, clean, limits["leading_one_ratio"]))
        return figures


class _Prefixes:
    """Whether numbers of a column start with one of some prefixes; false of an empty set, as of an absent number."""

    def __init__(self, prefixes: tuple[str, ...]) -> None:
        # A number is a 1 before its digits: with the prefix 001 it lies in [1001, 1002) times a power of ten.
        self._spans = [
            (int("1" + prefix) * 10**more, (int("1" + prefix) + 1) * 10**more)
            for prefix in prefixes
            for more in range(16 - len(prefix))
        ]

    def __bool__(self) -> bool:
        return bool(self._spans)

    def start(self, keys: Ints) -> Flags:
        found = np.zeros(len(keys), np.bool_)
        for low, high in self._spans:
            found |= (keys >= low) & (keys < high)
        return found


def _against_history(
    days: list[tuple[int, int, int]], history: tuple[float, float, float], limits: Limits
) -> list[Figure]:
    figures = []
    for place, name in enumerate(("imei", "imsi", "msisdn")):
        if history[place]:
            now = sum(day[place] for day in days) / len(days)
            says = f"distinct {name.upper()}s a day against the last {limits['historic_days']:g} days delivered"
            limit = limits[f"historic_{name}_ratio"]
            figures.append(Figure.ratio(f"historic_{name}_ratio", says, now, history[place], limit, is_floor=True))
    return figures


def _provisional(known: dict[str, int], texts: list[str], what: str) -> list[int]:
    keys = [known.setdefault(text, _NULL - 1 - len(known)) for text in texts]
    if len(known) > _MOST_DISTINCT:
        raise IntakeError("intake-too-many-odd", f"the file names more than {_MOST_DISTINCT} distinct {what}; split it")
    return keys


_ABSENT, _OF_DAY, _INSTANT, _NO_TIME = range(4)


def _time(text: str) -> tuple[int, int]:
    """Seconds and what they count from: midnight UTC of the row's day, or 1970."""
    text = text.strip(" \t")
    if not text:
        return 0, _ABSENT
    if text.isascii() and (clock := _CLOCK.fullmatch(text)):
        hours, minutes, seconds = map(int, clock.groups())
        return hours * 3600 + minutes * 60 + seconds, _OF_DAY
    try:
        moment = datetime.fromisoformat(text)
        seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return 0, _NO_TIME
    return seconds, _INSTANT if len(text) > 10 and seconds >= 0 else _NO_TIME


def _clock_seconds(texts: pa.Array) -> Ints | None:
    """Seconds after midnight when every text is HH:MM:SS, else None: eight octets a row, read as a matrix."""
    _, offsets, data = texts.buffers()
    edges = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    if len(texts) == 0 or edges[-1] - edges[0] != 8 * len(texts) or (np.diff(edges) != 8).any():
        return None
    octets = np.frombuffer(data, np.uint8)[edges[0] : edges[-1]].reshape(-1, 8)
    digits = octets[:, [0, 1, 3, 4, 6, 7]] - np.uint8(48)
    if (octets[:, [2, 5]] != ord(":")).any() or (digits > 9).any():
        return None
    # two digits fit an octet: 9 * 10 + 9
    hours, minutes, seconds = (digits[:, i] * np.uint8(10) + digits[:, i + 1] for i in (0, 2, 4))
    if (hours > 23).any() or (minutes > 59).any() or (seconds > 59).any():
        return None
    whole: Ints = hours.astype(np.int64) * 3600
    whole += minutes.astype(np.int64) * 60
    whole += seconds
    return whole


def _filled(keys: pa.Int64Array) -> Ints:
    filled: Ints = np.array(keys.fill_null(_NULL).to_numpy(zero_copy_only=False), np.int64)
    return filled


def _flags(flags: pa.BooleanArray) -> Flags:
    return np.array(flags.to_numpy(zero_copy_only=False), np.bool_)
