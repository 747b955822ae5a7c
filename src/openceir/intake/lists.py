"""Authorities' lists: devices that are stolen, lost, recovered, registered, barred, watched, paired or golden.

A list is read into entries, each a device, a range or a pair with what the row says of it. What then changes against
the list as it stands is `changes.py`'s business.

Inside a list a device is a number: a device key below 10^14, or one below zero for whatever else a row may name; the
first stands for -1 in `others`, the second for -2.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from openceir.identity import (
    NON_UNIQUE_KEYS,
    Check,
    imei_digits,
    parse,
    subscriber_digits,
    tac_digits,
)
from openceir.identity.columns import imei_column, malformed_texts
from openceir.intake.aside import Rejects
from openceir.intake.errors import IntakeError
from openceir.intake.lines import Block, Form, Wanted
from openceir.intake.octets import Bounds
from openceir.intake.reference import CHANGE_TYPES, LISTED_TEXT
from openceir.intake.tables import open_table
from openceir.progress import Progress

__all__ = ["ListKind", "ListRead", "Other", "read_list"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Other = tuple[str, str]  # (scheme, text), or ("range", "<first>-<last>")


class ListKind(StrEnum):
    """The lists that become statements."""

    STOLEN = "stolen"
    LOST = "lost"
    RECOVERED = "recovered"
    REGISTRATION = "registration"
    PAIRING = "pairing"
    BARRED = "barred"
    BARRED_TAC = "barred-tac"
    MONITORING = "monitoring"
    GOLDEN = "golden"


# A row with another status is provisional: it is counted, and nothing is signed of it.
_FINAL_STATUS: Final[Mapping[ListKind, frozenset[str]]] = {
    ListKind.STOLEN: frozenset({"", "blacklist"}),
    ListKind.LOST: frozenset({"", "blacklist"}),
    ListKind.REGISTRATION: frozenset({"", "whitelist"}),
}
# Lists under which a number that many handsets bear would do wrong to most of them.
_UNIQUE_ONLY: Final = frozenset(
    {ListKind.STOLEN, ListKind.LOST, ListKind.REGISTRATION, ListKind.BARRED, ListKind.GOLDEN}
)
_ALIASES: Final = {
    "approved_imei": "imei", "golden_imei": "imei", "reporting_date": "date", "date_reported": "date",
    "serial": "serial_number", "first_imei": "imei_from", "last_imei": "imei_to",
}  # fmt: skip
_RANGE: Final = re.compile(r"([0-9]{14})[0-9]?[ \t]*-[ \t]*([0-9]{14})[0-9]?")
_DIGEST: Final = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_DAY: Final = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})")
_EPOCH: Final = date(1970, 1, 1)
_REASON_OF_SCHEME: Final = {"maker-serial": "serial-malformed", "eid": "eid-malformed"}


@dataclass(slots=True, kw_only=True)
class ListRead:
    """A list as read. `rows` == `accepted` + rows set aside.

    Shapes: `devices`, `on`, `change`, `lines` have one entry a distinct device, range or pair, in the file's order;
    `on` counts days since 1970-01-01; `change` is a place in CHANGE_TYPES; `attributes` has one row an entry.
    """

    kind: ListKind
    rows: int = 0
    accepted: int = 0
    devices: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    on: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    change: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    lines: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    others: list[Other] = field(default_factory=list)
    bound: list[list[int]] = field(default_factory=list)  # the several identifiers of one device, as numbers
    pairs: list[tuple[str, str, str | None]] = field(default_factory=list)  # of a pairing list, an entry each
    attributes: pa.Table | None = None
    says: list[str] = field(default_factory=list)
    digest: bytes = b""

    def span(self, number: int) -> tuple[int, int] | None:
        """First and last device key of a range, None for anything else."""
        if number >= 0 or self.others[-1 - number][0] != "range":
            return None
        first, _, last = self.others[-1 - number][1].partition("-")
        return int(first), int(last)

    def size(self, places: Ints | None = None) -> int:
        """How many devices are named, ranges counted in full."""
        devices = self.devices if places is None else self.devices[places]
        spans = [span for number in devices[devices < 0].tolist() if (span := self.span(number))]
        return len(devices) - len(spans) + sum(last - first + 1 for first, last in spans)


def read_list(
    kind: ListKind,
    path: Path,
    *,
    delta: bool,
    on: date,
    bounds: Bounds,
    rejects: Rejects,
    progress: Progress,
) -> ListRead:
    """Read a list; rows without a date of their own are of the day `on`, and later days are set aside.

    Raises: IntakeError when the file cannot be read, or lacks the columns of its kind.
    """
    reader = _Reader(kind, delta, on, rejects)
    with open_table(path, Form(), _wanted(kind, delta), rejects, bounds) as table:
        _check_columns(path.name, kind, set(table.header.places))
        if table.header.extra and kind is not ListKind.REGISTRATION:
            reader.read.says.append("columns ignored: " + ", ".join(table.header.extra))
        for block in table.blocks():
            reader.block(path.name, block)
            progress(f"reading {path.name}", *table.done)
        reader.read.digest = table.digest
    return reader.finish()


def _wanted(kind: ListKind, delta: bool) -> Wanted:
    required = ("change_type",) if delta else ()
    if kind is ListKind.BARRED_TAC:
        return Wanted(required=("tac", *required))
    if kind is ListKind.PAIRING:
        return Wanted(required=("imei", "imsi", *required), optional=("msisdn",))
    optional = ("imei", "imei_from", "imei_to", "serial_number", "eid", "date", "status", "device_id")
    return Wanted(required=required, optional=optional, aliases=_ALIASES, keeps_extra=kind is ListKind.REGISTRATION)


def _check_columns(file: str, kind: ListKind, names: set[str]) -> None:
    if kind in {ListKind.BARRED_TAC, ListKind.PAIRING}:
        return
    if names.isdisjoint({"imei", "serial_number", "eid"}) and not {"imei_from", "imei_to"} <= names:
        if any(_DIGEST.fullmatch(name) or "md5" in name for name in names):
            raise _hashed(file, 1)
        own = {ListKind.REGISTRATION: "approved_imei", ListKind.GOLDEN: "golden_imei"}.get(kind, "imei")
        raise IntakeError(
            "intake-header-missing",
            f"{file} line 1: no column names a device; expected {own}, or imei_from and imei_to, serial_number or eid; "
            "if the first line is data, put the header line before it",
        )


def _hashed(file: str, line: int) -> IntakeError:
    return IntakeError(
        "intake-hashed",
        f"{file} line {line} holds a digest instead of an IMEI: there are few enough IMEIs that anyone can try them all "
        "against an unkeyed digest, so it protects nobody, and it cannot be turned into the register's keyed digest; "
        "send the IMEIs, which are kept only as keyed digests",
    )


class _Reader:
    """Takes blocks of one list and gathers its entries."""

    def __init__(self, kind: ListKind, delta: bool, on: date, rejects: Rejects) -> None:
        self.read = ListRead(kind=kind)
        self._kind = kind
        self._delta = delta
        self._on = on
        self._rejects = rejects
        self._others: dict[Other, int] = {}
        self._pairs: dict[tuple[str, str, str | None], int] = {}
        self._columns: dict[str, list[Ints]] = {name: [] for name in ("devices", "on", "change", "lines")}
        self._attributes: list[pa.Table] = []
        self._groups: dict[str, dict[int, None]] = {}
        self._ranges_named: set[int] = set()
        self._provisional = self._failed_luhn = 0

    def block(self, file: str, block: Block) -> None:
        """Gather the entries of a block."""
        keep = np.ones(len(block), np.bool_)
        change = self._changes(block, keep)
        on = self._dates(block, keep)
        more: dict[int, list[int]] = {}
        if self._kind is ListKind.BARRED_TAC:
            devices = self._tacs(block, keep)
        elif self._kind is ListKind.PAIRING:
            devices = self._pairings(block, keep)
        else:
            devices, more = self._devices(file, block, keep)
        self._refuse_non_unique(block, devices, keep)
        self._group(block, devices, more, keep)
        self.read.accepted += int(np.count_nonzero(keep))
        stated = keep & self._final(block, keep)
        places = np.flatnonzero(stated)
        numbers = [devices[places]]
        sources = [places]
        for place, also in more.items():
            if stated[place]:
                numbers.append(np.array(also, np.int64))
                sources.append(np.full(len(also), place))
        source = np.concatenate(sources)
        for name, column in (("on", on), ("change", change), ("lines", block.lines)):
            self._columns[name].append(column[source])
        self._columns["devices"].append(np.concatenate(numbers))
        if self._kind is ListKind.REGISTRATION:
            own = {name: block.columns[name] for name in block.columns if name != "change_type"}
            self._attributes.append(pa.table(own).take(pa.array(source)))

    def finish(self) -> ListRead:
        """The distinct entries; a later row that says otherwise of the same device was set aside."""
        read = self.read
        read.others = list(self._others)
        read.pairs = list(self._pairs)
        devices, on, change, lines = (
            np.concatenate([np.empty(0, np.int64), *self._columns[name]])
            for name in ("devices", "on", "change", "lines")
        )
        _, first, which = np.unique(devices, return_index=True, return_inverse=True)
        differs = (on != on[first][which]) | (change != change[first][which]) if len(devices) else np.empty(0, np.bool_)
        bad = np.unique(lines[differs])
        if len(bad):
            self._rejects.add("duplicate-conflict", "", bad.tolist(), [""] * len(bad))
            read.accepted -= len(bad)
        order = np.sort(first)
        repeated = len(devices) - len(order) - int(np.count_nonzero(differs))
        if repeated:
            read.says.append(f"{repeated} rows repeat an earlier row")
        read.devices, read.on, read.change, read.lines = (column[order] for column in (devices, on, change, lines))
        if self._attributes:
            read.attributes = pa.concat_tables(self._attributes).take(pa.array(order))
        read.bound = [list(group) for group in self._groups.values() if len(group) > 1]
        if self._provisional:
            read.says.append(f"{self._provisional} rows have a provisional status: nothing is signed of them")
        if self._failed_luhn:
            read.says.append(
                f"{self._failed_luhn} IMEIs of 15 digits have a check digit that does not fit: typing slips are likely "
                "among them, compare them with *#06#; their first 14 digits were taken as they stand"
            )
        read.rows = read.accepted + self._rejects.rows
        return read

    # -- columns -------------------------------------------------------------------------------------------------

    def _aside(self, block: Block, keep: Flags, bad: Flags, reason: str, column: str) -> None:
        places = np.flatnonzero(bad & keep)
        if len(places):
            texts = block.columns[column].take(pa.array(places)).to_pylist() if column in block.columns else []
            self._rejects.add(reason, column, block.lines[places].tolist(), texts or [""] * len(places))
            keep[places] = False

    def _other(self, scheme: str, text: str) -> int:
        number = self._others.setdefault((scheme, text), -1 - len(self._others))
        if scheme == "range":
            self._ranges_named.add(number)
        return number

    def _changes(self, block: Block, keep: Flags) -> Ints:
        if not self._delta:
            return np.zeros(len(block), np.int64)
        encoded = block.columns["change_type"].dictionary_encode()
        known = {name: place for place, name in enumerate(CHANGE_TYPES)}
        places = np.array([known.get(text.strip(), -1) for text in encoded.dictionary.to_pylist()], np.int64)
        change = np.asarray(places[encoded.indices.to_numpy(zero_copy_only=False)], np.int64)
        self._aside(block, keep, change < 0, "change-type-unknown", "change_type")
        return change

    def _dates(self, block: Block, keep: Flags) -> Ints:
        default = (self._on - _EPOCH).days
        if "date" not in block.columns:
            return np.full(len(block), default, np.int64)
        encoded = block.columns["date"].dictionary_encode()
        read = np.array([self._day(text) for text in encoded.dictionary.to_pylist()], np.int64)
        on = np.asarray(read[encoded.indices.to_numpy(zero_copy_only=False)], np.int64)
        self._aside(block, keep, on < 0, "date-malformed", "date")
        self._aside(block, keep, on > default, "date-future", "date")
        return on

    def _day(self, text: str) -> int:
        text = text.strip(" \t")
        if not text:
            return (self._on - _EPOCH).days
        parts = _DAY.fullmatch(text) if text.isascii() else None
        try:
            return max((date(*map(int, parts.groups())) - _EPOCH).days, -1) if parts else -1
        except ValueError:
            return -1

    def _final(self, block: Block, keep: Flags) -> Flags:
        final = _FINAL_STATUS.get(self._kind)
        if final is None or "status" not in block.columns:
            return np.ones(len(block), np.bool_)
        encoded = block.columns["status"].dictionary_encode()
        is_final = np.array([text.strip().lower() in final for text in encoded.dictionary.to_pylist()], np.bool_)
        stated = np.asarray(is_final[encoded.indices.to_numpy(zero_copy_only=False)], np.bool_)
        self._provisional += int(np.count_nonzero(keep & ~stated))
        return stated

    def _devices(self, file: str, block: Block, keep: Flags) -> tuple[Ints, dict[int, list[int]]]:
        """The number of each row's first identifier, and the numbers of further ones by place."""
        devices = np.full(len(block), _NONE, np.int64)
        if (texts := block.columns.get("imei")) is not None:
            column = imei_column(texts)
            devices = np.array(column.keys.fill_null(_NONE).to_numpy(zero_copy_only=False), np.int64)
            self._count_luhn(texts, devices)
            for place in np.flatnonzero(np.asarray(column.malformed.to_numpy(zero_copy_only=False))):
                devices[place] = self._odd(file, block, int(place), texts[int(place)].as_py(), keep)
        if "imei_from" in block.columns and "imei_to" in block.columns:
            self._ranges(block, devices, keep)
        more: dict[int, list[int]] = {}
        for name, scheme in (("serial_number", "maker-serial"), ("eid", "eid")):
            if name in block.columns:
                self._further(block, name, scheme, devices, more, keep)
        self._aside(block, keep, devices == _NONE, "imei-missing", "imei")
        return devices, more

    def _odd(self, file: str, block: Block, place: int, text: str, keep: Flags) -> int:
        text = text.strip(" \t")
        if span := _RANGE.fullmatch(text):
            first, last = span.groups()
            if first[:8] == last[:8] and first <= last:
                return self._other("range", f"{first}-{last}")
            self._aside(block, keep, _at(place, len(block)), "range-malformed", "imei")
            return _NONE
        if _DIGEST.fullmatch(text):
            raise _hashed(file, int(block.lines[place]))
        written: str = malformed_texts(pa.array([text], pa.string()))[0].as_py()
        if LISTED_TEXT.fullmatch(written):
            return self._other("malformed", written)
        self._aside(block, keep, _at(place, len(block)), "imei-malformed", "imei")
        return _NONE

    def _ranges(self, block: Block, devices: Ints, keep: Flags) -> None:
        firsts, lasts = block.columns["imei_from"].to_pylist(), block.columns["imei_to"].to_pylist()
        for place in np.flatnonzero((devices == _NONE) & keep).tolist():
            first, last = imei_digits(firsts[place]), imei_digits(lasts[place])
            if first and last and first[:8] == last[:8] and first <= last:
                devices[place] = self._other("range", f"{first}-{last}")
            elif firsts[place].strip() or lasts[place].strip():
                self._aside(block, keep, _at(place, len(block)), "range-malformed", "imei_from")

    def _further(
        self, block: Block, name: str, scheme: str, devices: Ints, more: dict[int, list[int]], keep: Flags
    ) -> None:
        for place, text in enumerate(block.columns[name].to_pylist()):
            text = text.strip()
            if not text or not keep[place]:
                continue
            canonical = _canonical(scheme, text)
            if canonical is None:
                self._aside(block, keep, _at(place, len(block)), _REASON_OF_SCHEME[scheme], name)
            elif devices[place] == _NONE:
                devices[place] = self._other(scheme, canonical)
            else:
                more.setdefault(place, []).append(self._other(scheme, canonical))

    def _tacs(self, block: Block, keep: Flags) -> Ints:
        devices = np.full(len(block), _NONE, np.int64)
        for place, text in enumerate(block.columns["tac"].to_pylist()):
            if (tac := tac_digits(text)) is not None:
                devices[place] = self._other("range", f"{tac}000000-{tac}999999")
        self._aside(block, keep, devices == _NONE, "tac-malformed", "tac")
        return devices

    def _pairings(self, block: Block, keep: Flags) -> Ints:
        """The place of each row's pair."""
        imeis, imsis = block.columns["imei"].to_pylist(), block.columns["imsi"].to_pylist()
        msisdns = block.columns["msisdn"].to_pylist() if "msisdn" in block.columns else [""] * len(block)
        places = np.full(len(block), _NONE, np.int64)
        for place, (imei, imsi, msisdn) in enumerate(zip(imeis, imsis, msisdns, strict=True)):
            digits, subscriber = imei_digits(imei), subscriber_digits(imsi)
            number = subscriber_digits(msisdn) if msisdn.strip() else None
            if digits is None:
                self._aside(block, keep, _at(place, len(block)), "imei-malformed", "imei")
            elif subscriber is None or len(subscriber) < 6:
                self._aside(block, keep, _at(place, len(block)), "imsi-malformed", "imsi")
            elif msisdn.strip() and (number is None or len(number) < 3):
                self._aside(block, keep, _at(place, len(block)), "msisdn-malformed", "msisdn")
            else:
                places[place] = self._pairs.setdefault((digits, subscriber, number), len(self._pairs))
        return places

    # -- rules ---------------------------------------------------------------------------------------------------

    def _refuse_non_unique(self, block: Block, devices: Ints, keep: Flags) -> None:
        if self._kind in _UNIQUE_ONLY:
            shared = np.isin(devices, np.array(sorted(NON_UNIQUE_KEYS), np.int64))
            self._aside(block, keep, shared, "known-non-unique", "imei")

    def _count_luhn(self, texts: pa.Array, devices: Ints) -> None:
        """Count check digits that do not fit. A 0 may be the spare digit of the air interface and is not counted."""
        trimmed = pc.utf8_trim(texts, characters=" \t")
        fifteen = (devices >= 0) & np.asarray(pc.equal(pc.utf8_length(trimmed), 15).to_numpy(zero_copy_only=False))
        places = np.flatnonzero(fifteen)
        if not len(places):
            return
        last = pc.utf8_slice_codeunits(trimmed.take(pa.array(places)), 14, 15)
        written = np.array([ord(letter) - 48 for letter in last.to_pylist()], np.int64)
        fitting = _luhn_digits(devices[places])
        self._failed_luhn += int(np.count_nonzero((written != fitting) & (written != 0)))

    def _group(self, block: Block, devices: Ints, more: dict[int, list[int]], keep: Flags) -> None:
        """Note which numbers are of one device: those of one row, and of rows with one device_id."""
        ids = block.columns.get("device_id")
        if ids is not None:
            trimmed = pc.utf8_trim(ids, characters=" \t")
            bad = np.asarray(
                pc.invert(pc.match_substring_regex(trimmed, r"^[a-zA-Z0-9]*$")).to_numpy(zero_copy_only=False)
            )
            self._aside(block, keep, bad, "device-id-malformed", "device_id")
            for place, name in enumerate(trimmed.to_pylist()):
                if name and keep[place] and self._is_single(int(devices[place])):
                    group = self._groups.setdefault(name, {})
                    group.update(dict.fromkeys([int(devices[place]), *more.get(place, ())]))
        for place, also in more.items():
            if keep[place] and (ids is None or not ids[place].as_py().strip()) and self._is_single(int(devices[place])):
                self._groups[f" {block.lines[place]}"] = dict.fromkeys([int(devices[place]), *also])

    def _is_single(self, number: int) -> bool:
        return number not in self._ranges_named


_NONE: Final = -(1 << 62)


def _at(place: int, size: int) -> Flags:
    flags = np.zeros(size, np.bool_)
    flags[place] = True
    return flags


def _canonical(scheme: str, text: str) -> str | None:
    found = parse(text, scheme)
    is_right = found.scheme == scheme and found.check is not Check.FAILED and len(found.canonical) <= 64
    return found.canonical if is_right else None


def _luhn_digits(devices: Ints) -> Ints:
    """The check digit of each 14-digit number. Source: 3GPP TS 23.003 Annex B."""
    total = np.zeros(len(devices), np.int64)
    for place in range(14):
        digit = devices // 10**place % 10
        total += digit if place % 2 else digit * 2 - 9 * (digit > 4)
    return np.asarray(-total % 10, np.int64)
