"""Delimited text: every line is a row, a blank line, or a line set aside; held against Python's csv module, a line at a time."""

import csv
import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openceir.intake import Bounds, IntakeError, Rejects
from openceir.intake.lines import Form, Lines, Wanted
from openceir.intake.octets import open_octets

WANTED = Wanted(required=("imei",), optional=("note",))
SMALL = Bounds(line=300, field=60)


def read(path: Path, octets: bytes, form: Form | None = None, wanted: Wanted = WANTED, bounds: Bounds = SMALL):
    """(line, imei, note) of the rows, and the lines set aside with their reason."""
    path.write_bytes(octets)
    aside: list[tuple[int, str]] = []
    rejects = Rejects(lambda rows: aside.extend((line, reason) for line, _, _, reason in rows))
    with open_octets(path, bounds) as opened:
        lines = Lines(opened, form or Form(), wanted, rejects, bounds)
        rows = []
        for block in lines.blocks():
            notes = block.columns.get("note")
            rows += zip(
                block.lines.tolist(),
                block.columns["imei"].to_pylist(),
                notes.to_pylist() if notes is not None else [""] * len(block),
                strict=True,
            )
    assert len(aside) == rejects.rows
    return rows, sorted(aside)


def was_read_or_refused(path: Path, octets: bytes) -> bool:
    try:
        read(path, octets)
    except IntakeError as refused:
        return refused.code.startswith("intake-")
    return True


def slow_twin(octets: bytes, names: list[str]):
    """What the format's page says, a line at a time, with nothing but the csv module."""
    rows, aside = [], []
    lines = octets.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    for number, line in enumerate(lines[1:], start=2):
        if line in (b"", b"\r"):
            continue
        reason, fields = None, []
        if len(line) > SMALL.line:
            reason = "line-too-long"
        elif b"\0" in line:
            reason = "nul"
        elif b"\r" in line[:-1]:
            reason = "carriage-return"
        else:
            try:
                text = line.decode().removesuffix("\r")
                fields = next(csv.reader([text], strict=True))
            except UnicodeDecodeError:
                reason = "not-utf8"
            except csv.Error as wrong:
                if "unexpected end" in str(wrong):
                    reason = "quote-open"
                else:
                    fields = next(csv.reader([text]))
        if reason is None and len(fields) != len(names):
            reason = "field-count"
        if reason is None and any(len(field.encode()) > SMALL.field for field in fields):
            reason = "field-too-long"
        if reason is None:
            row = dict(zip(names, fields, strict=True))
            rows.append((number, row["imei"], row["note"]))
        else:
            aside.append((number, reason))
    return rows, aside


PIECES = st.sampled_from(
    [b"35", b"001001000000014", b",", b",", b'"', b'""', b"\n", b"\n", b"\r\n", b"\r", b"\0", b"\xff", "é".encode(), b" ",
     b"x" * 70, b"y" * 310, b'"a,b"', b'"a\nb"', b"\t", b"|"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(pieces=st.lists(PIECES, max_size=40))
def test_every_line_is_read_as_the_slow_reader_reads_it(tmp_path_factory, pieces):
    octets = b"imei,note\n" + b"".join(pieces)
    rows, aside = read(tmp_path_factory.getbasetemp() / "twin.csv", octets)
    assert (rows, aside) == slow_twin(octets, ["imei", "note"])


@settings(max_examples=300, deadline=None)
@given(octets=st.binary(max_size=200))
def test_random_octets_are_read_or_refused_with_a_sentence(tmp_path_factory, octets):
    assert was_read_or_refused(tmp_path_factory.getbasetemp() / "random.csv", octets)


@settings(max_examples=200, deadline=None)
@given(cut=st.integers(0, 200), flip=st.integers(0, 200), octet=st.integers(0, 255))
def test_a_damaged_gzip_is_read_or_refused_with_a_sentence(tmp_path_factory, cut, flip, octet):
    packed = bytearray(gzip.compress(b"imei,note\n" + b"35123456789012,a\n" * 50, mtime=0))
    packed[flip % len(packed)] = octet
    assert was_read_or_refused(
        tmp_path_factory.getbasetemp() / "damaged.csv.gz", bytes(packed[: len(packed) - cut % len(packed)])
    )


def test_rows_of_many_blocks_keep_their_line_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr("openceir.intake.lines._BLOCK_OCTETS", 64)
    octets = b"imei,note\n" + b"".join(f"{n},{'x' * (n % 50)}\n".encode() for n in range(2, 400))
    rows, aside = read(tmp_path / "a.csv", octets)
    assert aside == []
    assert all(line == int(imei) for line, imei, _ in rows)
    assert len(rows) == 398


def test_a_line_longer_than_any_block_is_passed_over_and_the_next_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("openceir.intake.lines._BLOCK_OCTETS", 1024)
    rows, aside = read(tmp_path / "a.csv", b"imei,note\n1,a\n" + b"9" * 100_000 + b"\n2,b\n")
    assert rows == [(2, "1", "a"), (4, "2", "b")]
    assert aside == [(3, "line-too-long")]


def test_a_field_of_ten_megabytes_spoils_its_row_alone(tmp_path):
    rows, aside = read(tmp_path / "a.csv", b"imei,note\n1,a\n2," + b"z" * 10_000_000 + b"\n3,c\n", bounds=Bounds())
    assert [row[1] for row in rows] == ["1", "3"]
    assert aside == [(3, "line-too-long")]


def test_a_byte_order_mark_and_carriage_returns_are_no_part_of_the_table(tmp_path):
    rows, aside = read(tmp_path / "a.csv", b"\xef\xbb\xbfIMEI,Note\r\n1,a\r\n\r\n2,b\r\n")
    assert (rows, aside) == ([(2, "1", "a"), (4, "2", "b")], [])


def test_columns_stand_in_any_order_and_any_case_and_others_are_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"Colour,NOTE,imei\nred,n,1\n")
    with open_octets(path, SMALL) as octets:
        lines = Lines(octets, Form(), WANTED, Rejects(), SMALL)
        assert lines.header.extra == ("Colour",)
        [block] = lines.blocks()
    assert (block.columns["imei"].to_pylist(), block.columns["note"].to_pylist()) == (["1"], ["n"])


def test_pipe_files_do_not_quote(tmp_path):
    rows, _ = read(tmp_path / "a.txt", b'imei|note\n1|"open\n2|b""\n', Form(delimiter="|", quoted=False))
    assert rows == [(2, "1", '"open'), (3, "2", 'b""')]


@pytest.mark.parametrize(
    ("octets", "code", "word"),
    [
        (b"", "intake-empty", "empty"),
        (b"\n\n\r\n", "intake-empty", "empty"),
        (b"%PDF-1.4\n1 0 obj\n", "intake-not-a-table", "PDF"),
        (b"\xff\xfei\0m\0e\0i\0\n\0", "intake-encoding", "UTF-16"),
        (b"ime\xe9,imei\n1,2\n", "intake-encoding", "UTF-8"),
        (b"imei\0,note\n", "intake-not-a-table", "NUL"),
        (b"imei,note\r1,a\r2,b\r", "intake-line-ends", "CR"),
        (b"imei,note,IMEI\n", "intake-header-twice", "imei"),
        (b"number,note\n", "intake-header-missing", "imei"),
        (b"imei;note\n1;2\n", "intake-header-missing", "semicolons"),
        (b"355555555555555,a\n", "intake-header-missing", "header line"),
        (b"x" * 400, "intake-not-a-table", "longer"),
        (b"\x1f\x8b\x08\x00", "intake-truncated", "ends before"),
        (b"PK\x03\x04rest", "intake-truncated", "zip"),
    ],
)
def test_what_is_no_table_is_refused_with_its_reason(tmp_path, octets, code, word):
    with pytest.raises(IntakeError) as refused:
        read(tmp_path / "a.csv", octets)
    assert refused.value.code == code
    assert word in str(refused.value)


def test_a_refused_header_never_repeats_a_line_of_data(tmp_path):
    """Without a header the first line holds somebody's number."""
    with pytest.raises(IntakeError) as refused:
        read(tmp_path / "a.csv", b"20260101,35123456789012,001010123456789\n")
    assert "001010123456789" not in str(refused.value)
