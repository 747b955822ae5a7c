"""Radio access technologies: from the codes of a dump and the bands of a TAC table to masks that can be compared.

A mask is a BIGINT with one bit a code (rat.toml). A code we do not know is data: it sets one "other" bit, which
belongs to no generation, so that it accuses nobody.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from openceir.identity.finding import Finding

__all__ = [
    "CELLULAR", "G2", "G3", "G4", "G5", "OTHER",
    "RAT_CODES", "RatCode",
    "generations_of_bands", "generations_of_mask", "rat_findings", "rat_mask", "rat_names",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class RatCode:
    """One row of rat.toml."""

    code: str
    bit: int
    name: str
    also: tuple[str, ...]
    seen_in: str
    generation: int | None = None

    @property
    def mask(self) -> int:
        """The mask with this one bit set."""
        return 1 << self.bit


def _read_codes() -> Mapping[str, RatCode]:
    text = (resources.files("openceir.identity") / "rat.toml").read_text(encoding="utf-8")
    rows = [RatCode(**{**row, "also": tuple(row["also"])}) for row in tomllib.loads(text)["code"]]
    return {row.code: row for row in rows}


RAT_CODES: Mapping[str, RatCode] = _read_codes()

_MASK_OF_WORD = {word: row.mask for row in RAT_CODES.values() for word in (row.code, *row.also)}


def _generation(number: int) -> int:
    return sum(row.mask for row in RAT_CODES.values() if row.generation == number)


OTHER = 1  # a code this table lacks
G2, G3, G4, G5 = (_generation(number) for number in (2, 3, 4, 5))
CELLULAR = G2 | G3 | G4 | G5
_GENERATIONS = {2: G2, 3: G3, 4: G4, 5: G5}


def rat_mask(text: str) -> int:
    """The mask of a pipe list such as `001|006`; 0 for an empty field.

    Lost leading zeros are restored (`6` is `006`) and the names of TS 29.571 are taken (`NR`).
    """
    mask = 0
    for word in _words(text):
        mask |= _MASK_OF_WORD.get(_with_zeros(word), OTHER)
    return mask


def rat_findings(text: str) -> tuple[Finding, ...]:
    """One finding for each code of the list that the table lacks."""
    return tuple(
        Finding(
            "rat-unknown",
            f"the RAT code {word[:20]!r} is not in our table; it is kept as 'other', which agrees with every model",
        )
        for word in dict.fromkeys(_words(text))
        if _with_zeros(word) not in _MASK_OF_WORD
    )


def rat_names(mask: int) -> tuple[str, ...]:
    """What the bits of a mask are called, for people."""
    names = [row.name for row in RAT_CODES.values() if mask & row.mask]
    return (*dict.fromkeys(names), *(["other"] if mask & OTHER else []))


def generations_of_mask(mask: int) -> tuple[int, ...]:
    """The mobile generations that a mask touches, e.g. (2, 4)."""
    return tuple(number for number, bits in _GENERATIONS.items() if mask & bits)


# What makers write in the bands or radio interface column of a TAC table. In doubt a pattern grants a generation
# too many rather than one too few: a capability that is missing here would accuse every phone of the model.
_BANDS = (
    (G2, r"(?<![A-Z])[PER]?-?GSM|(?<![A-Z])(?:E?GPRS|EDGE|GERAN|CDMAONE|IS-?95|DCS ?1800|PCS ?1900)(?![A-Z])"),
    (G3, r"(?<![A-Z])W-?CDMA|UMTS|HS[DU]?PA|SCDMA|(?<![A-Z])(?<!E-)UTRA"),
    # "CDMA 800" may mean cdmaOne, 1x or EV-DO, and whatever does EV-DO does 1x
    (G2 | G3, r"(?<![A-Z])CDMA(?!ONE)|EV-?DO|1XRTT|E?HRPD(?![A-Z])"),
    (G4, r"(?<![A-Z])(?:TDD?|FDD)?LTE|(?<![A-Z])E-?UTRA|NB-?IOT|(?<![A-Z])CAT-?(?:M|NB)"),
    (G5, r"(?<![A-Z])NR(?![A-Z])|(?<![A-Z0-9])N[0-9]{1,3}(?![A-Z0-9])"),
    *((bits, rf"(?<![0-9.A-Z]){number}G(?!HZ)(?![A-Z0-9])") for number, bits in _GENERATIONS.items()),
)


@cache
def _band_patterns() -> tuple[tuple[int, re.Pattern[str]], ...]:
    return tuple((bits, re.compile(pattern, re.IGNORECASE | re.ASCII)) for bits, pattern in _BANDS)


def generations_of_bands(text: str) -> int:
    """The RATs that a model can do, as the union of the masks of its generations; 0 when the text tells none.

    0 means "not known" and must never be read as "none".
    """
    mask = 0
    for bits, pattern in _band_patterns():
        if pattern.search(text):
            mask |= bits
    return mask


def _words(text: str) -> list[str]:
    return [word for part in text.split("|") if (word := part.strip(" \t"))]


def _with_zeros(word: str) -> str:
    return word.zfill(3) if word.isascii() and word.isdecimal() and len(word) < 3 else word
