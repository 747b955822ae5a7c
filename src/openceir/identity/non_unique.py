"""Numbers known to stand on many devices: never blocked as a device, never registered."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from openceir.identity.imei import ODD_DEVICE_BASE, imei_digits

__all__ = ["NON_UNIQUE", "NON_UNIQUE_KEYS", "NonUnique", "find_non_unique", "is_known_non_unique"]


@dataclass(frozen=True, slots=True)
class NonUnique:
    """One row of non_unique.toml."""

    digits: str
    kind: str  # default, dummy or documentation
    evidence: str
    source: str


def _read_table() -> Mapping[str, NonUnique]:
    text = (resources.files("openceir.identity") / "non_unique.toml").read_text(encoding="utf-8")
    return {digits: NonUnique(digits, **row) for digits, row in tomllib.loads(text)["imei"].items()}


NON_UNIQUE: Mapping[str, NonUnique] = _read_table()
# The same as device keys, for whole columns.
NON_UNIQUE_KEYS: frozenset[int] = frozenset(int(digits) for digits in NON_UNIQUE)

_SHORT = re.compile(r"[0-9]{1,13}")


def find_non_unique(key_or_text: int | str) -> NonUnique | None:
    """The row for a device key or an IMEI as somebody wrote it; None when the number is not known as shared.

    A text of fewer than 14 digits is tried with its leading zeros restored, as if 14, 15 and 16 digits had been
    written: spreadsheets turn 004400152020002 into 4400152020002.
    """
    if isinstance(key_or_text, int):
        return NON_UNIQUE.get(f"{key_or_text:014d}") if 0 <= key_or_text < ODD_DEVICE_BASE else None
    if digits := imei_digits(key_or_text):
        return NON_UNIQUE.get(digits)
    text = key_or_text.strip(" \t")
    if not _SHORT.fullmatch(text):
        return None
    candidates = (NON_UNIQUE.get(text.zfill(length)[:14]) for length in (14, 15, 16))
    return next((row for row in candidates if row), None)


def is_known_non_unique(key_or_text: int | str) -> bool:
    """Whether a device key or a text, lost leading zeros included, is a number known to be on many devices."""
    return find_non_unique(key_or_text) is not None
