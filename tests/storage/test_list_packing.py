"""Lists by columns: the octets that come back are those that were given, and nothing else is believed."""

import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.lists import KINDS, ListAltered, format_rows
from openceir.storage.list_columns import from_columns, to_columns
from openceir.storage.list_files import ListFiles
from openceir.storage.list_packing import COLUMNS, FORMS, ZSTD, packed

COLUMNS_OF = KINDS["blocklist"].delta_columns


def octets_of(rows: list[tuple[str, ...]]) -> bytes:
    return b"".join(format_rows(COLUMNS_OF, rows))


ROWS = [
    ("00100100000001", "2027-03-01", "stolen", "blocked"),
    ("00100100000009", "2027-03-01", "lost|stolen", "blocked"),
    ("35000000000000", "", "stolen", "unblocked"),
]
LAID_OUT = (
    b"OCEIR-LC\x01\x04" + struct.pack("<IH", 3, 32) + b"imei,block_date,reasons,change\r\n"
    # 100100000001 is 0x174E6CC901; then steps of 8 and of 34899899999991, 0x1FBDC42466F7.
    + b"\0\x0e" + bytes.fromhex("0108f7 c90066 6c0024 4e00c4 1700bd 00001f 000000 000000")
    + b"\x01" + struct.pack("<II", 2, 11) + b"\n2027-03-01" + b"\1\1\0"
    + b"\x01" + struct.pack("<II", 2, 18) + b"lost|stolen\nstolen" + b"\1\0\1"
    + b"\x01" + struct.pack("<II", 2, 17) + b"blocked\nunblocked" + b"\0\0\1"
)  # fmt: skip


def test_columns_are_laid_out_as_the_page_says():
    """docs/reference/eir-ceir.md, by hand."""
    assert to_columns(octets_of(ROWS)) == LAID_OUT
    assert from_columns(LAID_OUT, len(octets_of(ROWS)), "list") == octets_of(ROWS)


texts = st.text(st.characters(exclude_characters='",\r\n', codec="utf-8"), max_size=9)
numbers = st.text("0123456789", min_size=14, max_size=14)


@given(rows=st.lists(st.tuples(st.one_of(numbers, texts), texts, texts, texts), max_size=40))
def test_what_is_laid_out_by_columns_comes_back_octet_for_octet(rows):
    octets = octets_of(rows)
    found = to_columns(octets)
    assert (found is None) == (not rows)
    assert found is None or from_columns(found, len(octets), "list") == octets


@pytest.mark.parametrize("distinct", [1, 256, 257, 65_536, 65_537])
def test_words_of_every_count_come_back(distinct: int):
    octets = octets_of([(f"{n:014d}", f"w{n % distinct}", "", "x") for n in range(distinct + 3)])
    found = to_columns(octets)
    assert found is not None
    assert from_columns(found, len(octets), "list") == octets


@pytest.mark.parametrize("field", ['a "word"', "a,b", "a\nb", "a\rb"])
def test_rows_that_need_quotes_are_not_laid_out(field: str, tmp_path: Path):
    """They travel as they are, in a zstd frame."""
    files = ListFiles(tmp_path / "northtel_blocklist_000002_from_000001")
    files.rows.write_bytes(octets_of([("00100100000001", "", field, "blocked")]))
    assert to_columns(files.rows.read_bytes()) is None
    path, form = packed(files, tmp_path, FORMS)
    assert form == ZSTD
    assert (
        pa.Codec("zstd").decompress(path.read_bytes(), files.rows.stat().st_size, asbytes=True)
        == files.rows.read_bytes()
    )
    assert packed(files, tmp_path, [COLUMNS]) is None


def test_octets_that_are_no_columns_are_refused():
    size = len(octets_of(ROWS))
    altered = [LAID_OUT[:cut] for cut in range(len(LAID_OUT))] + [LAID_OUT + b"\0"]
    altered += [LAID_OUT[:8] + b"\2" + LAID_OUT[9:], LAID_OUT[:10] + b"\xff\xff\xff\xff" + LAID_OUT[14:]]
    altered.append(LAID_OUT.replace(b"\1\1\0\1", b"\1\2\0\1"))  # a word that is not there
    for octets in altered:
        with pytest.raises(ListAltered):
            from_columns(octets, size, "list")


def test_a_word_named_often_cannot_fill_the_memory():
    """Twelve thousand rows of a word of a megabyte are twelve gigabytes; the head that was signed says less."""
    count, word = 12_000, b"x" * 1_000_000
    octets = b"OCEIR-LC\x01\x01" + struct.pack("<IH", count, 6) + b"word\r\n" + b"\1" + struct.pack("<II", 1, len(word))
    with pytest.raises(ListAltered):
        from_columns(octets + word + bytes(count), 8 << 20, "list")


def test_a_change_is_hardly_more_than_its_number(tmp_path: Path):
    """Three octets tell a number drawn from all over a list; its row in a zstd frame is larger."""
    keys = np.sort(np.random.default_rng(5).choice(10**11, 20_000, replace=False)) + 35 * 10**12
    files = ListFiles(tmp_path / "northtel_blocklist_000002_from_000001")
    files.rows.write_bytes(octets_of([(str(key), "2027-03-01", "stolen", "blocked") for key in keys.tolist()]))
    sizes = {form: packed(files, tmp_path, [form])[0].stat().st_size for form in FORMS}
    assert sizes[COLUMNS] < 3.1 * len(keys) < sizes[ZSTD]
