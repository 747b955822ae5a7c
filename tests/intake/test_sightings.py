"""Operators' dumps: what is data, what is set aside, what is refused; held against a slow reader of rows."""

import csv
import gzip
import io
import subprocess
import sys
import zipfile
from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.intake.conftest import AT, new_register

from openceir.identity import imei_digits, rat_mask, subscriber_digits
from openceir.intake import Bounds, Country, IntakeError, Rejects, name_dump, read_sightings
from openceir.progress import Silent
from openceir.storage.lake import COLUMNS

HEADER = "date,imei,imsi,msisdn,rat,time,cell\n"
GOOD = "20261001,001001000000014,001010000000001,99900000001,006,10:00:00,c1\n"


def dump(folder, text: str | bytes, name="northtel_20261001_20261031.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def stored(register) -> list[dict]:
    return [row for file in register.lake.files() for row in pq.ParquetFile(file.path).read().to_pylist()]


def test_a_row_becomes_a_sighting(register, tmp_path):
    """docs/architecture.md §2: an IMEI is its 14 digits, a subscriber a 1 before the digits, RAT a mask."""
    report = register.import_sightings(dump(tmp_path, HEADER + GOOD), at=AT)
    assert (report.rows, report.accepted, report.rejects.rows) == (1, 1, 0)
    [row] = stored(register)
    at = int(datetime.fromisoformat("2026-10-01T10:00:00+00:00").timestamp())
    assert row == {
        "device": 100100000001,
        "imsi": 1001010000000001,
        "msisdn": 199900000001,
        "rat": 1 << 6,
        "ts": at,
        "cell": 1,
    }
    assert register.lake.files()[0].day == date(2026, 10, 1)


def test_memory_that_a_block_freed_is_taken_again_without_asking_the_system():
    """In a process of its own, since the wish stays with a process. Where the C library takes none there is no gain."""
    program = """
import resource
import numpy as np
from openceir.intake.memory import keep_freed_memory
kept = keep_freed_memory()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        block = [np.ones(10 << 20, np.uint8) for _ in range(5)]
        del block
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(kept, faults())
"""
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    kept, faults = done.stdout.split()
    if kept != "True":
        pytest.skip("this C library does not take the wish to keep freed memory")
    assert int(faults) < 2 * 12800  # two blocks of fifty megabytes; without the wish they are new each of twenty times


def test_what_is_odd_but_readable_is_data(register, tmp_path):
    """Fault 7 of an earlier register: one RAT it did not know, or one odd IMEI, refused a whole operator's file."""
    odd = ["35424208#*21340", "567123098764107642", "deabfcde2abfec", "PWIUYTRWQLKJHM"]
    rows = "".join(
        f"20261002,{imei},001010000000001,99900000001,{rat},,\n"
        for imei, rat in zip(odd, ("008", "010", "051", "999"), strict=True)
    )
    report = register.import_sightings(dump(tmp_path, HEADER + GOOD * 100 + rows), at=AT)
    assert report.accepted == 104
    texts = register.identifiers.texts_of([row["device"] for row in stored(register) if row["device"] >= 10**14])
    assert {text for _, text in texts.values()} == {text.upper() for text in odd}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2026-13-01,001001000000014,001010000000001,,,,", "date-malformed"),
        ("٢٠٢٦١٠٠١,001001000000014,001010000000001,,,,", "date-malformed"),
        (",001001000000014,001010000000001,,,,", "date-missing"),
        ("20260930,001001000000014,001010000000001,,,,", "date-outside"),
        ("20261001,001001000000014,00101#,,,,", "imsi-malformed"),
        ("20261001,001001000000014,0010100000000011,,,,", "imsi-malformed"),
        ("20261001,001001000000014,,12ab,,,", "msisdn-malformed"),
        ("20261001,001001000000014,,,,25:00:00,", "time-malformed"),
        ("20261001,001001000000014,,,,2026-10-05T10:00:00Z,", "time-malformed"),
        ("20261001,001001000000014", "field-count"),
    ],
)
def test_a_bad_row_is_set_aside_with_its_line_and_reason(register, tmp_path, row, reason):
    report = register.import_sightings(dump(tmp_path, HEADER + GOOD * 50 + row + "\n"), at=AT)
    assert (report.rows, report.accepted) == (51, 50)
    assert dict(report.rejects.counts) == {reason: 1}
    assert report.rejects.examples[reason][0].line == 52
    with gzip.open(register.home / report.quarantine, "rt", encoding="utf-8", newline="") as rejected:
        [aside] = csv.DictReader(rejected)
    assert (aside["line"], aside["reason"]) == ("52", reason)


def test_no_subscriber_stands_in_a_report_or_a_refusal(register, tmp_path):
    rows = "20261001,001001000000014,00101IMSI,99900000001,,,\n" * 3
    report = register.import_sightings(dump(tmp_path, HEADER + GOOD * 97 + rows), at=AT)
    assert "00101IMSI" not in str(report.as_dict()) + "".join(report.lines())
    with pytest.raises(IntakeError) as refused:
        register.import_sightings(dump(tmp_path, HEADER + GOOD + rows), at=AT)
    assert "00101IMSI" not in str(refused.value)


FOUR = [f"20261001,00100100{n:06d}4,0010100000{n:05d},999000{n:05d},006,,\n" for n in range(20)]


@pytest.mark.parametrize(
    ("figure", "rows"),
    [
        ("null-imei-ratio", ["20261001,,001010000000001,99900000001,006,,\n"]),
        ("null-imsi-ratio", ["20261001,001001000000014,,99900000001,006,,\n"]),
        ("null-msisdn-ratio", ["20261001,001001000000014,001010000000001,,006,,\n"]),
        ("null-rat-ratio", ["20261001,001001000000014,001010000000001,99900000001,,,\n"]),
        ("unclean-imei-ratio", ["20261001,0010010000000,001010000000001,99900000001,006,,\n"]),
        ("unclean-imsi-ratio", ["20261001,001001000000014,0010100000001,99900000001,006,,\n"]),
        ("set-aside-ratio", ["20261901,001001000000014,001010000000001,99900000001,006,,\n"]),
        ("out-of-region-imsi-ratio", ["20261001,001001000000014,002010000000001,99900000001,006,,\n"] * 2),
        ("out-of-region-msisdn-ratio", ["20261001,001001000000014,001010000000001,44900000001,006,,\n"] * 2),
        ("non-home-imsi-ratio", ["20261001,001001000000014,001020000000001,99900000001,006,,\n"] * 5),
        ("leading-one-ratio", ["20261001,101001000000014,001010000000001,99900000001,006,,\n"] * 9),
    ],
)
def test_a_limit_is_kept_at_its_value_and_refuses_the_file_beyond_it(tmp_path, figure, rows):
    """The limits of the packaged policy: one row of 20 is 0.05 and kept, one more is refused, naming both figures."""
    short = {"leading-one-ratio": FOUR[:8]}.get(figure, FOUR[: 20 - len(rows)] if len(rows) < 5 else FOUR[:20])
    if len(rows) == 1:
        kept = new_register(tmp_path / "kept")
        assert kept.import_sightings(dump(tmp_path, HEADER + "".join(FOUR[:19] + rows)), at=AT).rows == 20
    register = new_register(tmp_path / "home")
    with pytest.raises(IntakeError) as refused:
        register.import_sightings(dump(tmp_path, HEADER + "".join(short + rows + rows)), at=AT)
    assert refused.value.code == f"intake-{figure}"
    assert "limit at most" in str(refused.value)
    assert figure.replace("-", "_") in str(refused.value)
    assert (stored(register), register.journal.history()) == ([], [])
    assert not list((register.home / "quarantine").glob("*"))


def test_lost_leading_zeros_are_found_by_the_tac_table(tmp_path):
    register = new_register(tmp_path / "home")
    tacs = dump(tmp_path, "tac,brand,model,aka\n01001000,Made Up,One,\n", "tac.csv")
    register.import_tac_table(tacs, at=AT)
    rows = [f"20261001,1001000{n:06d}1,00101000000{n:04d},99900000{n:04d},006,,\n" for n in range(2)]
    others = [f"20261001,001001{n:08d}1,00101000000{n:04d},99900000{n:04d},006,,\n" for n in range(60)]
    with pytest.raises(IntakeError) as refused:
        register.import_sightings(dump(tmp_path, HEADER + "".join(rows + others)), at=AT)
    assert refused.value.code == "intake-leading-zero-suspicion-ratio"


@pytest.mark.parametrize("pack", ["plain", "gzip", "zip", "parquet"])
def test_a_dump_says_the_same_however_it_is_packed(register, tmp_path, pack):
    text = HEADER + GOOD + GOOD.replace("c1", '"c,2"')
    if pack == "plain":
        path = dump(tmp_path, text)
    elif pack == "gzip":
        path = dump(tmp_path, gzip.compress(text.encode()), "northtel_20261001_20261031.csv.gz")
    elif pack == "zip":
        path = tmp_path / "northtel_20261001_20261031.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("dump.csv", text)
    else:
        path = tmp_path / "northtel_20261001_20261031.parquet"
        rows = list(csv.DictReader(io.StringIO(text)))
        pq.write_table(pa.table({name: [row[name] for row in rows] for name in rows[0]}), path)
    report = register.import_sightings(path, at=AT)
    assert report.accepted == 2
    assert {row["device"] for row in stored(register)} == {100100000001}
    assert register.import_sightings(path, at=AT).already
    assert len(register.journal.history()) == 1


def test_the_same_dump_compressed_is_the_same_dump(register, tmp_path):
    register.import_sightings(dump(tmp_path, HEADER + GOOD), at=AT)
    packed = dump(tmp_path, gzip.compress((HEADER + GOOD).encode()), "northtel_20261001_20261031.csv.gz")
    assert register.import_sightings(packed, at=AT).already


@pytest.mark.parametrize(
    ("octets", "name", "code"),
    [
        (gzip.compress((HEADER + GOOD * 500).encode())[:-20], "northtel_20261001_20261031.csv.gz", "intake-truncated"),
        (b"%PDF-1.7", "northtel_20261001_20261031.csv", "intake-not-a-table"),
        (HEADER.encode() + GOOD.encode(), "northtel_20261001_20991031.csv", "intake-date-future"),
        (HEADER.encode() + GOOD.encode(), "northtel_20261031_20261001.csv", "intake-dates-swapped"),
        (HEADER.encode() + GOOD.encode(), "northtel_20261301_20261031.csv", "intake-file-name"),
        (HEADER.encode() + GOOD.encode(), "dump.csv", "intake-file-name"),
        (HEADER.encode() + GOOD.encode(), "westtel_20261001_20261031.csv", "intake-operator"),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused_with_its_code(register, tmp_path, octets, name, code):
    with pytest.raises(IntakeError) as refused:
        register.import_sightings(dump(tmp_path, octets, name), at=AT)
    assert refused.value.code == code
    assert register.journal.history() == []


def test_archives_that_hold_something_else_are_refused(register, tmp_path):
    path = tmp_path / "northtel_20261001_20261031.zip"
    for names, code in (
        (["a.csv", "b.csv"], "intake-zip-members"),
        ([], "intake-zip-members"),
        (["[Content_Types].xml"], "intake-not-a-table"),
    ):
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, HEADER + GOOD)
        with pytest.raises(IntakeError) as refused:
            register.import_sightings(path, at=AT)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("names", "version", "code"), [(["a.csv", ""], 20, "intake-zip-members"), (["a.csv"], 110, "intake-damaged")]
)
def test_a_zip_that_the_fuzzer_wrote_is_refused_with_a_sentence(register, tmp_path, names, version, code):
    """A member without a name, and a zip version that does not exist yet: both ended in a traceback of `zipfile`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), HEADER + GOOD)
    octets = bytearray(packed.getvalue())
    octets[octets.index(b"PK\1\2") + 6] = version  # APPNOTE.TXT §4.3.12: version needed to extract
    with pytest.raises(IntakeError) as refused:
        register.import_sightings(dump(tmp_path, bytes(octets), "northtel_20261001_20261031.zip"), at=AT)
    assert refused.value.code == code


def test_a_bomb_is_given_up_long_before_it_has_unpacked(register, tmp_path):
    line = b"20261001,001001000000014,001010000000001,99900000001,006,,\n"
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9) as stream:
        stream.write(HEADER.encode())
        for _ in range(100):
            stream.write(line * 20_000)
    with pytest.raises(IntakeError) as refused:
        register.import_sightings(dump(tmp_path, packed.getvalue(), "northtel_20261001_20261031.csv.gz"), at=AT)
    assert refused.value.code == "intake-bomb"


def test_parquet_with_numbers_for_imeis_is_refused(register, tmp_path):
    path = tmp_path / "northtel_20261001_20261031.parquet"
    pq.write_table(pa.table({"date": ["20261001"], "imei": [1001000000014], "imsi": ["001010000000001"]}), path)
    with pytest.raises(IntakeError, match="leading zeros are lost"):
        register.import_sightings(path, at=AT)


def test_an_instant_with_an_offset_is_taken_as_it_says(register, tmp_path):
    row = GOOD.replace("10:00:00", "2026-10-01T02:00:00+03:00")
    register.import_sightings(dump(tmp_path, HEADER + row), at=AT)
    assert stored(register)[0]["ts"] == int(datetime.fromisoformat("2026-09-30T23:00:00+00:00").timestamp())


class Kept:
    """A sink that keeps rows as they come."""

    def __init__(self):
        self.rows = []

    def append(self, day, columns):
        self.rows += zip(day.tolist(), *(columns[name].tolist() for name in COLUMNS), strict=True)

    def count_days(self):
        return [(1, 1, 1)]


FIELDS = {
    "date": ["20261001", "2026-10-31", "20261101", "2026101", "", "20261231"],
    "imei": ["001001000000014", " 00100100000001\t", "00100100000001", "ABCdef", "", "001001000000014567", "٣٥١٢٣٤٥٦٧٨٩٠١٢", '"1,2"'],
    "imsi": ["001010000000001", "00101000000001", "+12345", "", "1234567890123456", "12a"],
    "msisdn": ["99900000001", "+999123", "", "x"],
    "rat": ["006", "001|002", "", "6", "999", "NR"],
    "time": ["10:00:00", "", "24:00:00", "2026-10-01T10:00:00Z", "noon"],
}  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.tuples(*(st.sampled_from(values) for values in FIELDS.values())), max_size=12))
def test_every_row_is_read_as_a_slow_reader_reads_it(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "northtel_20261001_20261031.csv"
    path.write_text(",".join(FIELDS) + "\n" + "".join(",".join(row) + "\n" for row in rows))
    sink, aside = Kept(), []
    rejects = Rejects(lambda found: aside.extend((line, reason) for line, _, _, reason in found))

    class Anything(dict):
        def __missing__(self, name):
            return 1.0

    dumped = name_dump(path, None, None, None)
    read = read_sightings(
        path, dumped, sink, country=new_country(), limits=Anything(historic_days=30), bounds=Bounds(), today=AT.date(),
        is_known_tac=None, averages=lambda *_: None, rejects=rejects, progress=Silent(),
    )  # fmt: skip
    expected, expected_aside, odd = [], [], {}
    with path.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            slow = slow_row(row, odd)
            if isinstance(slow, str):
                expected_aside.append((number, slow))
            else:
                expected.append(slow)
    assert sorted(aside) == expected_aside
    assert sink.rows == expected
    assert (read.rows, read.accepted) == (len(rows), len(expected))


def new_country():
    return Country(mcc=("001",), country_codes=("999",), operators={"northtel": ("00101",)})


def slow_row(row, odd):
    text = row["date"]
    if not text:
        return "date-missing"
    try:
        day = date.fromisoformat(text) if len(text) in (8, 10) else None
    except ValueError:
        day = None
    if day is None:
        return "date-malformed"
    if day > AT.date():
        return "date-future"
    if not date(2026, 10, 1) <= day <= date(2026, 10, 31):
        return "date-outside"
    numbers = {}
    for name in ("imsi", "msisdn"):
        digits = subscriber_digits(row[name])
        if row[name].strip() and digits is None:
            return f"{name}-malformed"
        numbers[name] = int("1" + digits) if digits else -1
    midnight = (day - date(1970, 1, 1)).days * 86400
    match row["time"]:
        case "":
            seconds = -1
        case "10:00:00":
            seconds = midnight + 36000
        case "2026-10-01T10:00:00Z" if abs(day - date(2026, 10, 1)) <= timedelta(days=1):
            seconds = int(datetime.fromisoformat("2026-10-01T10:00:00+00:00").timestamp())
        case _:
            return "time-malformed"
    digits = imei_digits(row["imei"])
    if digits is not None:
        device = int(digits)
    elif not row["imei"].strip():
        device = -1
    else:
        device = odd.setdefault(row["imei"].strip(" \t").upper(), -2 - len(odd))
    epoch_day = (day - date(1970, 1, 1)).days
    return (epoch_day, device, numbers["imsi"], numbers["msisdn"], rat_mask(row["rat"]) or -1, seconds, -1)
