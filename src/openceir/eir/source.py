"""Where an EIR's list comes from: a signed index file, or the lists a central register delivers, made into one.

The register's lists (docs/architecture.md §8) become an index so:

| list         | each row says                                             | in the index               |
|--------------|-----------------------------------------------------------|----------------------------|
| `blocklist`  | BLOCKED from its block_date on, TRACKED until then         | a device                   |
| `blockranges`| the same of a range                                       | a range                    |
| `pairblocks` | BLOCKED from its block_date on, with this subscriber only | a pair                     |
| `exceptions` | PERMITTED with this subscriber                            | a pair, over a blocked one |

`notifications` warn people and change no answer: they are not taken.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from openceir.eir.attributes import MAX_REASONS, Status, attribute
from openceir.eir.errors import EirError
from openceir.eir.index import Contents, Pairs, Ranges, build
from openceir.lists import KINDS, ListHeader
from openceir.statements import PublicKey, SigningKey
from openceir.storage.list_files import ListFiles, verify_list

__all__ = [
    "TAKEN", "Built", "ListRefused", "Reasons", "build_from_lists", "is_index", "read_block_changes", "read_lists",
]  # fmt: skip

TAKEN = ("blocklist", "blockranges", "pairblocks", "exceptions")
_OTHER_REASON = "other"


class ListRefused(EirError):
    """A list cannot be made into an index; the sentence names the file and the row."""

    code = "eir-list-refused"


@dataclass(frozen=True, slots=True)
class Built:
    """What an index was built from. Units: counts of rows; `left_out` are rows whose IMEI nobody can ask with."""

    sequence: int
    devices: int
    ranges: int
    pairs: int
    left_out: int
    source: str


def is_index(path: Path) -> bool:
    """Whether the file is an index rather than a list."""
    try:
        with path.open("rb") as file:
            return file.read(8) == b"OCEIR-IX"
    except OSError as wrong:
        raise ListRefused(f"{path} cannot be read: {wrong.strerror}; name a list or an index file") from None


def build_from_lists(
    lists: Sequence[Path],
    out: Path,
    *,
    trust: PublicKey | None,
    key: SigningKey | None,
    as_of_on: date,
    issued_at: datetime,
) -> Built:
    """Verify the lists, make one index of them and write it.

    `trust` is the key that signs the register's lists; None takes lists as they are, signed or not.
    Raises: ListError when a list is not the one that was signed; ListRefused when a row cannot be read.
    """
    contents, built = read_lists(lists, trust=trust, as_of_on=as_of_on)
    build(out, contents, sequence=built.sequence, issued_at=issued_at, source=built.source, key=key)
    return built


def read_lists(
    lists: Sequence[Path], *, trust: PublicKey | None, as_of_on: date, reasons: "Reasons | None" = None
) -> tuple[Contents, Built]:
    """What the lists say on a day, ready to be built into an index. `reasons` are those that have numbers already.

    Raises: as `build_from_lists`.
    """
    reasons = Reasons() if reasons is None else reasons
    devices: list[tuple[NDArray[np.int64], NDArray[np.uint8]]] = []
    ranges: list[Ranges] = []
    pairs: list[Pairs] = []
    exceptions: list[Pairs] = []
    sequences, names, left_out = [0], [], 0
    for path in lists:
        kind, header = _kind_of(path, trust)
        sequences.append(header.sequence if header else 0)
        names.append(path.name)
        table = _read_csv(ListFiles.of(path).rows, KINDS[kind].columns)
        said = _said(table, kind, reasons, as_of_on)
        if kind == "blockranges":
            low, low_ok = _device_keys(table["imei_from"])
            high, high_ok = _device_keys(table["imei_to"])
            good = low_ok & high_ok
            ranges.append(Ranges(low[good], high[good], said[good]))
        elif kind == "blocklist":
            key, good = _device_keys(table["imei"])
            devices.append((key[good], said[good]))
        else:
            key, key_ok = _device_keys(table["imei"])
            imsi, imsi_ok = _subscriber_keys(table["imsi"])
            good = key_ok & imsi_ok
            (exceptions if kind == "exceptions" else pairs).append(Pairs(key[good], imsi[good], said[good]))
        left_out += int(len(good) - good.sum())
    found = _without_excepted(_joined(Pairs, pairs), _joined(Pairs, exceptions))
    device, octets = (np.concatenate(column) for column in zip(*devices, strict=True)) if devices else _EMPTY
    contents = Contents(
        device=device, attribute=octets, ranges=_joined(Ranges, ranges), pairs=found, reasons=tuple(reasons.names)
    )
    built = Built(
        max(sequences), len(device), len(contents.ranges.low), len(found.device), left_out, ", ".join(sorted(names))
    )
    return contents, built


_EMPTY = (np.empty(0, np.int64), np.empty(0, np.uint8))


def read_block_changes(delta: Path, *, as_of_on: date, reasons: "Reasons") -> dict[int, int]:
    """What a verified delta of the block list changes: device key -> attribute octet, 0 when no longer listed.

    Raises: ListRefused when a row cannot be read.
    """
    table = _read_csv(delta, KINDS["blocklist"].delta_columns)
    key, good = _device_keys(table["imei"])
    gone = pc.equal(table["change"].combine_chunks(), KINDS["blocklist"].removed[0]).to_numpy(zero_copy_only=False)
    octets = np.where(gone, np.uint8(0), _said(table, "blocklist", reasons, as_of_on))
    return dict(zip(key[good].tolist(), octets[good].tolist(), strict=True))


class Reasons:
    """Numbers for reason texts, as many as an attribute can tell apart; the rest share one."""

    def __init__(self, names: Sequence[str] = ("listed",)) -> None:
        self.names: list[str] = [*names]

    def number(self, text: str) -> int:
        """The class of this reason text."""
        if text in self.names:
            return self.names.index(text)
        if len(self.names) < MAX_REASONS - 1:
            self.names.append(text)
        elif self.names[-1] != _OTHER_REASON:
            self.names.append(_OTHER_REASON)
        return len(self.names) - 1


def _kind_of(path: Path, trust: PublicKey | None) -> tuple[str, ListHeader | None]:
    """The list's kind, from its verified header; without a key to trust, from its column names."""
    files = ListFiles.of(path)
    header: ListHeader | None = None
    if trust is not None:
        header = verify_list(files, trust)
    elif files.header.exists():
        header = files.read_header()
    if header is not None and header.is_delta:
        raise ListRefused(f"{path} is a delta; apply it first with `openceir lists apply-delta`")
    kind = header.kind if header else _kind_by_columns(files.rows)
    if kind not in TAKEN:
        raise ListRefused(f"{path} is a list of {kind}, which changes no answer; give {', '.join(TAKEN)}")
    return kind, header


def _kind_by_columns(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig") as file:
            columns = tuple(file.readline(1000).strip().split(","))
    except (OSError, UnicodeDecodeError) as wrong:
        raise ListRefused(f"{path} cannot be read as a list: {wrong}") from None
    kind = next((name for name in TAKEN if KINDS[name].columns == columns), None)
    if kind is None:
        wanted = "; ".join(",".join(KINDS[name].columns) for name in TAKEN)
        raise ListRefused(f"{path} begins with no list's column names; expected one of: {wanted}")
    return kind


def _read_csv(path: Path, columns: tuple[str, ...]) -> pa.Table:
    try:
        return pyarrow.csv.read_csv(
            path,
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={name: pa.string() for name in columns}, strings_can_be_null=False, include_columns=columns
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as wrong:
        raise ListRefused(f"{path} cannot be read as a list: {str(wrong).splitlines()[0]}") from None


def _said(table: pa.Table, kind: str, reasons: Reasons, as_of_on: date) -> NDArray[np.uint8]:
    """The attribute of each row: distinct dates and reasons are few, so each is thought about once."""
    if kind == "exceptions":
        return np.full(len(table), attribute(Status.PERMITTED), np.uint8)
    text = table["reasons"].combine_chunks().dictionary_encode()
    day = table["block_date"].combine_chunks().dictionary_encode()
    numbers = np.array([reasons.number(each) for each in text.dictionary.to_pylist()] or [0], np.uint8)
    comes = np.array([_has_come(each, as_of_on) for each in day.dictionary.to_pylist()] or [True])
    # A blocked pair whose day has not come says nothing yet; a device then is tracked (docs/architecture.md §6).
    before = Status.UNKNOWN if kind == "pairblocks" else Status.TRACKED
    status = np.where(comes, np.uint8(attribute(Status.BLOCKED)), np.uint8(attribute(before)))
    octets: NDArray[np.uint8] = status[_indices(day)] | numbers[_indices(text)]
    return octets


def _has_come(text: str, as_of_on: date) -> bool:
    try:
        return not text or date.fromisoformat(text) <= as_of_on
    except ValueError:
        raise ListRefused(f"block_date {text!r} is no calendar day (YYYY-MM-DD)") from None


def _indices(encoded: Any) -> NDArray[np.int64]:
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), np.int64)


def _device_keys(column: Any) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Device keys by the rule of docs/architecture.md §2; the mask says which rows hold one."""
    return _digits(column, r"^[0-9]{14}.{0,2}$", 0)


def _subscriber_keys(column: Any) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """IMSIs with their leading 1 (docs/architecture.md §2)."""
    return _digits(column, r"^[0-9]{6,15}$", 1)


def _digits(column: Any, pattern: str, lead: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    text = column.combine_chunks()
    good = pc.match_substring_regex(text, pattern)
    digits = pc.binary_join_element_wise("1", text, "") if lead else pc.utf8_slice_codeunits(text, 0, 14)
    keys = pc.cast(pc.if_else(good, digits, "0"), pa.int64())
    return keys.to_numpy(zero_copy_only=False), good.to_numpy(zero_copy_only=False)


def _joined(kind: Any, parts: Iterable[Any]) -> Any:
    rows = list(parts)
    return kind(*(np.concatenate(column) for column in zip(*rows, strict=True))) if rows else kind()


def _without_excepted(blocked: Pairs, permitted: Pairs) -> Pairs:
    """All pairs; one that is both blocked and permitted is permitted, for an exception was granted knowingly."""
    granted = set(zip(permitted.device.tolist(), permitted.imsi.tolist(), strict=True))
    said = blocked.attribute >> 6 != 0
    stays = np.array(
        [
            bool(says) and pair not in granted
            for pair, says in zip(zip(blocked.device.tolist(), blocked.imsi.tolist(), strict=True), said, strict=True)
        ],
        bool,
    )
    kept: Pairs = _joined(Pairs, [Pairs(*(column[stays] for column in blocked)), permitted])
    return kept
