"""Whole columns give what one value after another gives, on the nastiest text we can think of."""

import duckdb
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from openceir.identity import (
    OTHER,
    device_key_of_imei,
    imei_digits,
    is_valid_imsi,
    malformed_text,
    rat_mask,
    subscriber_digits,
    subscriber_key,
    tac_digits,
)
from openceir.identity.columns import (
    Column,
    imei_column,
    imei_key_sql,
    malformed_text_sql,
    malformed_texts,
    rat_column,
    subscriber_column,
    subscriber_key_sql,
    tac_column,
    tac_key_sql,
    valid_imsi_sql,
)

DIGITS = st.text("0123456789", max_size=18)
OTHER_DIGITS = st.text("٣५９𝟗0123456789", max_size=17)  # Arabic, Devanagari, fullwidth, mathematical
BLANKS = st.text(" \t", max_size=3)
NASTY = st.text(st.sampled_from("0123456789 \t\n\r\0+-/:;?@OIlxFf*#\u00a0\u2007é€𝟗\u200b\u0660\ufeff/"), max_size=20)
TEXT = st.one_of(
    DIGITS,
    st.tuples(BLANKS, DIGITS, BLANKS).map("".join),
    st.tuples(st.text("0123456789", min_size=13, max_size=15), NASTY.map(lambda text: text[:4])).map("".join),
    st.tuples(BLANKS, st.text("0123456789", min_size=14, max_size=14), st.text("é€𝟗 \t", max_size=4)).map("".join),
    st.tuples(BLANKS, st.sampled_from(["+", "++", "00"]), DIGITS).map("".join),
    OTHER_DIGITS,
    NASTY,
    st.text(max_size=30),
    st.sampled_from(["", " ", "\t", "9" * 40, "0" * 5000, "/" * 14, ":" * 14, "\uff10" * 14]),
)
COLUMN = st.lists(st.one_of(st.none(), TEXT), max_size=40)


@pytest.fixture(scope="module")
def engine():
    with duckdb.connect() as connection:
        yield connection


# What went wrong once somewhere, tried every time.
SEEN = [
    None, "", "\t", "00100100000001\n", "00100100000001\r\n", "00100100000001\0", "00100100000001é€", " 00100100000001 5",
    "\u0660\u0660100100000001", "001001000000015\t\t", "00100100000001é€x", "+", "+ 1", "++1", "1\n", "00100100\n", "/0100100",
    "0010010:", "\u00a000100100000001", "00100100000001\u00a0",
]  # fmt: skip


def imei_twin(text: str) -> int | None:
    digits = imei_digits(text)
    return None if digits is None else device_key_of_imei(digits)


def subscriber_twin(text: str) -> int | None:
    digits = subscriber_digits(text)
    return None if digits is None else subscriber_key(digits)


def tac_twin(text: str) -> int | None:
    digits = tac_digits(text)
    return None if digits is None else int(digits)


RULES = [
    (imei_column, imei_key_sql, imei_twin),
    (subscriber_column, subscriber_key_sql, subscriber_twin),
    (tac_column, tac_key_sql, tac_twin),
]


def rows_of(column: Column) -> list[tuple[int | None, bool]]:
    return list(zip(column.keys.to_pylist(), column.malformed.to_pylist(), strict=True))


def expected(texts, twin):
    return [
        (None, False) if text is None else (key := twin(text), key is None and text.strip(" \t") != "")
        for text in texts
    ]  # fmt: skip


@settings(max_examples=400)
@given(COLUMN)
@example(SEEN)
def test_a_column_is_read_as_its_values_are(texts):
    array = pa.array(texts, type=pa.string())
    for column_of, _, twin in RULES:
        assert rows_of(column_of(array)) == expected(texts, twin)


@given(COLUMN, st.integers(0, 5))
def test_every_kind_of_text_column_reads_alike(texts, cut):
    array = pa.array(texts, type=pa.string())
    for column_of, _, twin in RULES:
        wanted = expected(texts, twin)
        for kind in (pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())):
            assert rows_of(column_of(array.cast(kind))) == wanted
        assert rows_of(column_of(pa.chunked_array([array[:cut], array[cut:]], type=pa.string()))) == wanted
        assert rows_of(column_of(array.slice(cut))) == wanted[cut:]
        halves = [array[:cut].dictionary_encode(), array[cut:].dictionary_encode()]
        assert rows_of(column_of(pa.chunked_array(halves))) == wanted


@settings(max_examples=100)
@given(COLUMN)
@example(SEEN)
def test_the_sql_texts_read_as_the_values_are(engine, texts):
    """Traps seen in engines: \\d of other scripts, trim() of blanks only, NUL inside a text."""
    engine.register(
        "field", pa.table({"n": pa.array(range(len(texts)), pa.int64()), "x": pa.array(texts, pa.string())})
    )
    for _, sql, twin in RULES:
        rows = engine.execute(f"SELECT {sql('x')} FROM field ORDER BY n").fetchall()
        assert [key for (key,) in rows] == [key for key, _ in expected(texts, twin)]
    rows = engine.execute(f"SELECT {malformed_text_sql('x')} FROM field ORDER BY n").fetchall()
    assert [text for (text,) in rows] == [None if text is None else malformed_text(text) for text in texts]


@given(COLUMN)
def test_malformed_texts_are_kept_as_one_value_is(texts):
    kept = malformed_texts(pa.array(texts, type=pa.string())).to_pylist()
    assert kept == [None if text is None else malformed_text(text) for text in texts]


@given(
    st.lists(
        st.one_of(st.none(), st.sampled_from(["001", "001|006", "051", "999|002", "", " ", "|"]), NASTY), max_size=30
    )
)
def test_rat_lists_are_read_as_one_list_is(texts):
    column = rat_column(pa.array(texts, type=pa.string()))
    masks = [0 if text is None else rat_mask(text) for text in texts]
    assert rows_of(column) == [(mask or None, bool(mask & OTHER)) for mask in masks]


@pytest.mark.parametrize("column_of", [imei_column, subscriber_column, tac_column, rat_column])
def test_columns_without_rows_or_without_values(column_of):
    assert rows_of(column_of(pa.array([], type=pa.string()))) == []
    assert rows_of(column_of(pa.chunked_array([], type=pa.string()))) == []
    assert rows_of(column_of(pa.chunked_array([], type=pa.dictionary(pa.int32(), pa.string())))) == []
    assert rows_of(column_of(pa.nulls(3))) == [(None, False)] * 3
    assert rows_of(column_of(pa.nulls(3, type=pa.string()))) == [(None, False)] * 3


def test_blocks_join_without_a_seam():
    """Longer than one block of rows, with faults at the edges of blocks."""
    texts = [f"{n:014d}" for n in range(70_000)]
    for place in (0, 32_767, 32_768, 65_535, 65_536, 69_999):
        texts[place] = " " + texts[place] + "5"
    texts[32_769] = "٣" * 14
    column = imei_column(pa.array(texts))
    assert column.keys.to_pylist() == [None if n == 32_769 else n for n in range(70_000)]
    assert column.malformed.to_pylist() == [n == 32_769 for n in range(70_000)]


def test_what_lies_under_a_null_is_not_read():
    """Engines leave octets of dropped values behind a null."""
    whole = pa.array(["00100100000001", "00100100000002"])
    validity = pa.py_buffer(b"\x02")  # the first is null
    array = pa.Array.from_buffers(pa.string(), 2, [validity, *whole.buffers()[1:]])
    for column_of in (imei_column, subscriber_column, tac_column, rat_column):
        assert rows_of(column_of(array))[0] == (None, False)
    assert imei_column(array).keys[1].as_py() == 100100000002


def test_a_field_of_ten_megabytes_is_one_malformed_row():
    texts = pa.array(["00100100000001", "1" * 10_000_000, "00100100000002"])
    assert rows_of(imei_column(texts)) == [(100100000001, False), (None, True), (100100000002, False)]
    assert rows_of(subscriber_column(texts)) == [(100100100000001, False), (None, True), (100100100000002, False)]


@given(st.text("0123456789", min_size=1, max_size=15))
def test_a_valid_imsi_is_told_by_its_key(engine, digits):
    [(valid,)] = engine.execute(
        f"SELECT {valid_imsi_sql('k')} FROM (SELECT ?::BIGINT AS k)", [subscriber_key(digits)]
    ).fetchall()
    assert valid is is_valid_imsi(digits)
