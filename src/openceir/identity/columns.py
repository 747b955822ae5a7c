"""The rules of one value, for a whole column at engine speed.

Eight ASCII digits are one 64-bit word, and a word is tested and read with a handful of operations on whole columns:

    "35209900"  =  0x3030393930323533 (little-endian: the first character is the lowest octet)
    digits?        high nibbles all 3, and still all 3 after adding 6 to each octet
    value          pairs, then fours, then all eight are gathered by three multiplications

Texts that do not fit at once (blanks around them, a plus sign, wrong length) are trimmed and tried a second time.
A property test holds every function here equal to its single-value twin.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from openceir.identity.rat import OTHER, rat_mask

__all__ = [
    "Column",
    "imei_column",
    "imei_key_sql",
    "malformed_text_sql",
    "malformed_texts",
    "rat_column",
    "subscriber_column",
    "subscriber_key_sql",
    "tac_column",
    "tac_key_sql",
    "valid_imsi_sql",
]

Words = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]
# A rule reads a block: words at any octet, where each text starts, how many octets it has -> values, which are good.
Rule = Callable[[Words, Indices, Indices], tuple[Words, Flags]]

_BLANKS = " \t"
_BLOCK_ROWS = 1 << 15  # a block's working set stays in the processor's cache
_PAD = 16  # octets before and behind a block, so that a word may start outside a text

_ZEROS = np.uint64(0x3030303030303030)
# _KEEP[k] covers the last k of a word's eight characters, which are its highest octets.
_KEEP = np.array([(1 << 64) - (1 << 8 * (8 - k)) for k in range(9)], dtype=np.uint64)
_POWERS_OF_TEN = np.array([10**k for k in range(17)], dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Column:
    """A column read: its keys, and which texts gave none though they were not empty.

    Shapes: both as long as the column that was read. keys is null where the text is null, blank or malformed;
    malformed is never null.
    """

    keys: pa.Int64Array
    malformed: pa.BooleanArray


def imei_column(texts: pa.Array | pa.ChunkedArray) -> Column:
    """Device keys of an IMEI column: `imei_digits` then `device_key_of_imei`, for every row."""
    return _read(texts, _imei_rule)


def subscriber_column(texts: pa.Array | pa.ChunkedArray) -> Column:
    """Keys of an IMSI or MSISDN column: `subscriber_digits` then `subscriber_key`, for every row."""
    return _read(texts, _subscriber_rule, drop_plus=True)


def tac_column(texts: pa.Array | pa.ChunkedArray) -> Column:
    """TACs as integers: `tac_digits`, for every row."""
    return _read(texts, _tac_rule)


def rat_column(texts: pa.Array | pa.ChunkedArray) -> Column:
    """RAT masks: `rat_mask` for every row, null where the list is empty.

    `malformed` marks lists with a code that our table lacks; they keep their mask, with the "other" bit.
    """
    encoded = _plain(texts).dictionary_encode()
    masks = [rat_mask(text) for text in encoded.dictionary.to_pylist()]
    mask_of_word = pa.array([mask or None for mask in masks], type=pa.int64())
    keys = mask_of_word.take(encoded.indices)
    unknown = pa.array([bool(mask & OTHER) for mask in masks], type=pa.bool_())
    return Column(keys, unknown.take(encoded.indices).fill_null(False))


def malformed_texts(texts: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """How malformed IMEI fields are kept in the identifier dictionary: `malformed_text`, for every row."""
    return pc.ascii_upper(pc.utf8_trim(_plain(texts), characters=_BLANKS))


def imei_key_sql(column: str) -> str:
    """`imei_digits` then `device_key_of_imei` as a DuckDB expression over the VARCHAR expression `column`."""
    trimmed = f"trim({column}, ' ' || chr(9))"
    return f"CASE WHEN regexp_full_match({trimmed}, '[0-9]{{14}}.{{0,2}}', 's') THEN CAST(left({trimmed}, 14) AS BIGINT) END"


def subscriber_key_sql(column: str) -> str:
    """`subscriber_digits` then `subscriber_key` as a DuckDB expression."""
    trimmed = f"trim({column}, ' ' || chr(9))"
    digits = f"regexp_extract({trimmed}, '^[+]?([0-9]{{1,15}})$', 1)"
    return f"CASE WHEN {digits} <> '' THEN CAST('1' || {digits} AS BIGINT) END"


def tac_key_sql(column: str) -> str:
    """`tac_digits` as an integer, as a DuckDB expression."""
    trimmed = f"trim({column}, ' ' || chr(9))"
    return f"CASE WHEN regexp_full_match({trimmed}, '[0-9]{{8}}') THEN CAST({trimmed} AS BIGINT) END"


def malformed_text_sql(column: str) -> str:
    """`malformed_text` as a DuckDB expression."""
    lower, upper = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return f"translate(trim({column}, ' ' || chr(9)), '{lower}', '{upper}')"


def valid_imsi_sql(column: str) -> str:
    """`is_valid_imsi` over a column of keys: 14 or 15 digits stood behind the leading 1. DuckDB and Spark."""
    fourteen, fifteen = 10**14, 10**15
    return f"({column} BETWEEN {fourteen} AND {2 * fourteen - 1} OR {column} BETWEEN {fifteen} AND {2 * fifteen - 1})"


def _imei_rule(words: Words, starts: Indices, lengths: Indices) -> tuple[Words, Flags]:
    """The first 14 characters are digits and the text has 14 to 16 octets.

    A longer text may still fit once trimmed, or when its last two characters take more than two octets.
    """
    values, are_digits = _sixteen_digits(words, starts + 14, 14)
    return values, are_digits & (lengths >= 14) & (lengths <= 16)


def _imei_rule_trimmed(words: Words, starts: Indices, lengths: Indices) -> tuple[Words, Flags]:
    """As `_imei_rule`; that no more than two characters follow is for the caller to count."""
    values, are_digits = _sixteen_digits(words, starts + 14, 14)
    return values, are_digits & (lengths >= 14)


def _subscriber_rule(words: Words, starts: Indices, lengths: Indices) -> tuple[Words, Flags]:
    count = np.minimum(lengths, 15)
    values, are_digits = _sixteen_digits(words, starts + count, count)
    return values + _POWERS_OF_TEN[count], are_digits & (lengths >= 1) & (lengths <= 15)


def _tac_rule(words: Words, starts: Indices, lengths: Indices) -> tuple[Words, Flags]:
    values, are_digits = _sixteen_digits(words, starts + 8, 8)
    return values, are_digits & (lengths == 8)


def _sixteen_digits(words: Words, ends: Indices, counts: Indices | int) -> tuple[Words, Flags]:
    """The value of the `counts` (0 to 16) characters before `ends`, and whether all are ASCII digits."""
    low, low_ok = _eight_digits(words[ends - 8], np.minimum(counts, 8))
    high, high_ok = _eight_digits(words[ends - 16], np.maximum(counts, 8) - 8)
    return high * np.uint64(10**8) + low, low_ok & high_ok


def _eight_digits(word: Words, counts: npt.NDArray[Any] | int) -> tuple[Words, Flags]:
    keep = _KEEP[counts]
    word = (word & keep) | (_ZEROS & ~keep)
    high_nibbles = np.uint64(0xF0F0F0F0F0F0F0F0)
    sixes = np.uint64(0x0606060606060606)
    # A digit is 0x30-0x39: its high nibble is 3 and adding 6 does not change that. Were one high nibble not 3, the
    # first test fails already, so a carry into the next octet cannot make a wrong word pass.
    are_digits = ((word & high_nibbles) == _ZEROS) & (((word + sixes) & high_nibbles) == _ZEROS)
    word = (word & np.uint64(0x0F0F0F0F0F0F0F0F)) * np.uint64(10 * 2**8 + 1) >> np.uint64(8)
    word = (word & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(100 * 2**16 + 1) >> np.uint64(16)
    word = (word & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(10_000 * 2**32 + 1) >> np.uint64(32)
    return word, are_digits


def _read(texts: pa.Array | pa.ChunkedArray, rule: Rule, drop_plus: bool = False) -> Column:
    if pa.types.is_dictionary(texts.type):
        return _read_dictionary(texts, rule, drop_plus)
    plain = _plain(texts)
    keys, good = _apply(plain, rule)
    present = _flags(plain.is_valid())
    good &= present
    rest = present & ~good
    malformed = rest
    if rest.any():
        places = np.flatnonzero(rest)
        trimmed = pc.utf8_trim(plain.filter(pa.array(rest)), characters=_BLANKS)
        filled = _flags(pc.not_equal(trimmed, ""))
        if drop_plus:
            trimmed = pc.replace_substring_regex(trimmed, pattern=r"^\+", replacement="")
        if rule is _imei_rule:
            more, fits = _apply(trimmed, _imei_rule_trimmed)
            fits &= _flags(pc.less_equal(pc.utf8_length(trimmed), 16))
        else:
            more, fits = _apply(trimmed, rule)
        keys[places[fits]] = more[fits]
        good[places[fits]] = True
        malformed[places[fits | ~filled]] = False
    return Column(pa.array(keys, mask=~good), pa.array(malformed))


def _read_dictionary(texts: pa.Array | pa.ChunkedArray, rule: Rule, drop_plus: bool) -> Column:
    """Each distinct text is read once."""
    array = texts.unify_dictionaries().combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    distinct = _read(array.dictionary, rule, drop_plus)
    return Column(distinct.keys.take(array.indices), distinct.malformed.take(array.indices).fill_null(False))


def _apply(texts: pa.LargeStringArray, rule: Rule) -> tuple[npt.NDArray[np.int64], Flags]:
    """Run a rule over all rows, a block at a time.

    Shapes: one value and one flag a row; the value of a row that is not good means nothing.
    """
    rows = len(texts)
    values, good = np.empty(rows, dtype=np.int64), np.empty(rows, dtype=np.bool_)
    if rows == 0:
        return values, good
    _, offsets_buffer, data_buffer = texts.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=np.int64)[texts.offset : texts.offset + rows + 1]
    data = np.frombuffer(data_buffer or b"", dtype=np.uint8)
    for first in range(0, rows, _BLOCK_ROWS):
        block = slice(first, min(first + _BLOCK_ROWS, rows))
        edges = offsets[block.start : block.stop + 1]
        octets = np.zeros(edges[-1] - edges[0] + 2 * _PAD, dtype=np.uint8)
        octets[_PAD:-_PAD] = data[edges[0] : edges[-1]]
        # every eight octets as one word, overlapping: words[k] holds octets k to k+7
        words: Words = np.ndarray(len(octets) - 7, dtype="<u8", buffer=octets, strides=(1,))
        starts = edges[:-1] - edges[0] + _PAD
        values[block], good[block] = rule(words, starts, np.diff(edges))
    return values, good


def _plain(texts: pa.Array | pa.ChunkedArray) -> pa.LargeStringArray:
    """One array with 64-bit offsets, whatever kind of text column it was."""
    large = texts.cast(pa.large_string())
    return large.combine_chunks() if isinstance(large, pa.ChunkedArray) else large


def _flags(booleans: pa.BooleanArray) -> Flags:
    flags: Flags = booleans.to_numpy(zero_copy_only=False)
    return flags
