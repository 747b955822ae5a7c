"""The octets of a list: RFC 4180 with CRLF, read back by anyone's CSV reader."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.lists import ListTruncated, NotAList, format_rows, read_rows

COLUMNS = ("imei", "block_date", "reasons")


def octets(rows):
    return b"".join(format_rows(COLUMNS, rows))


def rows_of(data):
    return list(read_rows(COLUMNS, 1, io.BytesIO(data), "a.csv"))


def test_a_block_list_as_an_operator_sees_it():
    rows = [("00100100000001", "2027-03-01", "stolen"), ("DEABFCDE2ABFEC", "2027-03-02", "lost|malformed")]
    assert octets(rows) == (
        b"imei,block_date,reasons\r\n00100100000001,2027-03-01,stolen\r\nDEABFCDE2ABFEC,2027-03-02,lost|malformed\r\n"
    )


@given(
    st.lists(st.tuples(*[st.text(st.characters(exclude_categories=["Cs"]))] * 3), unique_by=lambda row: row[0]).map(
        sorted
    )
)
def test_any_text_survives_and_the_standard_reader_agrees(rows):
    data = octets(rows)
    assert rows_of(data) == rows
    theirs = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert [tuple(row) for row in theirs] == [COLUMNS, *rows]


def test_pieces_of_a_long_list_join_to_the_same_file():
    rows = [(f"{n:014d}", "2027-03-01", "stolen") for n in range(10_000)]
    assert len(list(format_rows(COLUMNS, rows))) > 1
    assert rows_of(octets(rows)) == rows


@pytest.mark.parametrize(
    ("data", "error", "says"),
    [
        (b"", ListTruncated, "middle of a line"),
        (b"imei,reasons,block_date\r\n", NotAList, "first line must be"),
        (b"imei,block_date,reasons\r\nA,2027-03-01\r\n", NotAList, "line 2 .* has 2 fields"),
        (b"imei,block_date,reasons\r\nB,x,y\r\nA,x,y\r\n", NotAList, "line 3 .* out of order"),
        (b"imei,block_date,reasons\r\nA,x,y\r\nA,x,z\r\n", NotAList, "line 3 .* there twice"),
        (b"imei,block_date,reasons\r\nA,x,y\r\nB,x", ListTruncated, "middle of a line"),
        (b"imei,block_date,reasons\r\n\xff,x,y\r\n", NotAList, "UTF-8"),
        (b'imei,block_date,reasons\r\n"A"B,x,y\r\n', NotAList, "not CSV"),
        (b"%PDF-1.7\r\n", NotAList, "first line must be"),
    ],
)
def test_a_broken_list_is_refused_with_its_place(data, error, says):
    with pytest.raises(error, match=says):
        rows_of(data)
