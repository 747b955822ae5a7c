"""What an operator does with the files, offline: verify, and apply a delta to become the delivered full list."""

import dataclasses
import hashlib

import pytest

from openceir.lists import (
    KINDS,
    Base,
    DeltaMismatch,
    ListAltered,
    ListHeader,
    ListTruncated,
    NotAList,
    Outcome,
    SequenceGap,
    WrongBase,
    WrongListKey,
    diff_rows,
    format_rows,
)
from openceir.statements import SigningKey
from openceir.storage.list_files import ListFiles, apply_delta, verify_list

KEY, MALLORYS_KEY = SigningKey("lists", bytes(32)), SigningKey("lists", b"\x07" * 32)
PUBLIC = KEY.public
BLOCKLIST = KINDS["blocklist"]

OLD = [("00100100000001", "2027-03-01", "stolen"), ("00100100000002", "2027-03-01", "lost")]
NEW = [("00100100000002", "2027-03-01", "lost|stolen"), ("00100100000003", "2027-03-02", "stolen")]


def full_header(rows, sequence, **other):
    octets = b"".join(format_rows(BLOCKLIST.columns, rows))
    return octets, ListHeader(
        **{
            "kind": "blocklist",
            "operator": "northtel",
            "sequence": sequence,
            "made_at": "2027-03-01T04:00:00Z",
            "as_of_on": "2027-03-01",
            "columns": BLOCKLIST.columns,
            "rows": len(rows),
            "octets": len(octets),
            "sha256": hashlib.sha256(octets).hexdigest(),
            "policy_sha256": "bb" * 32,
            "ledger_size": 12,
            "ledger_root": "cc" * 32,
            "signed_by": PUBLIC.format(),
        }
        | other
    )


def put(folder, octets, header, key=KEY):
    folder.mkdir(exist_ok=True)
    files = ListFiles(folder / header.file_stem)
    files.rows.write_bytes(octets)
    files.write_head(header, key.sign(header.to_octets()))
    return files


def put_full(folder, rows, sequence, key=KEY, **other):
    return put(folder, *full_header(rows, sequence, **other), key=key)


def put_delta(folder, old, new, base=6, sequence=7, changes=None, key=KEY):
    old_octets, _ = full_header(old, base)
    _, result = full_header(new, sequence)
    changes = list(diff_rows(BLOCKLIST, old, new)) if changes is None else changes
    octets = b"".join(format_rows(BLOCKLIST.delta_columns, changes))
    header = dataclasses.replace(
        result,
        columns=BLOCKLIST.delta_columns,
        rows=len(changes),
        octets=len(octets),
        sha256=hashlib.sha256(octets).hexdigest(),
        base=Base(sequence=base, sha256=hashlib.sha256(old_octets).hexdigest()),
        result=Outcome(
            rows=result.rows,
            octets=result.octets,
            sha256=result.sha256,
            signature=KEY.sign(result.to_octets()).hex(),
        ),
    )
    return put(folder, octets, header, key=key)


@pytest.fixture
def base(tmp_path):
    return put_full(tmp_path, OLD, 6)


@pytest.fixture
def out(tmp_path):
    return ListFiles(tmp_path / "out" / "new")


def three_files(files):
    return [files.rows.read_bytes(), files.header.read_bytes(), files.signature.read_bytes()]


def test_any_of_the_three_files_names_the_list(base):
    for path in (base.rows, base.header, base.signature, base.stem):
        assert verify_list(ListFiles.of(path), PUBLIC).sequence == 6


def test_applying_a_delta_gives_the_delivered_full_list_octet_for_octet(tmp_path, base, out):
    delivered = put_full(tmp_path / "delivered", NEW, 7)
    apply_delta(base, put_delta(tmp_path, OLD, NEW), out, PUBLIC)
    assert three_files(out) == three_files(delivered)
    assert verify_list(out, PUBLIC).sequence == 7


def test_a_chain_of_deltas_can_be_followed(tmp_path, base, out):
    apply_delta(base, put_delta(tmp_path, OLD, NEW), out, PUBLIC)
    last = ListFiles(tmp_path / "last")
    apply_delta(out, put_delta(tmp_path, NEW, OLD, base=7, sequence=8), last, PUBLIC)
    assert last.rows.read_bytes() == base.rows.read_bytes()


def test_a_full_list_without_its_header_is_known_by_its_digest(tmp_path, base, out):
    base.header.unlink()
    apply_delta(base, put_delta(tmp_path, OLD, NEW), out, PUBLIC)
    assert verify_list(out, PUBLIC).sequence == 7


def test_a_delta_may_replace_the_list_it_applies_to(tmp_path, base):
    apply_delta(base, put_delta(tmp_path, OLD, NEW), base, PUBLIC)
    assert verify_list(base, PUBLIC).sequence == 7


def is_refused(error, base, delta, out, says="."):
    with pytest.raises(error, match=says):
        apply_delta(base, delta, out, PUBLIC)
    assert not out.rows.exists()
    assert not out.header.exists()


def test_a_gap_in_the_sequence_is_named_with_the_way_out(tmp_path, out):
    late = put_full(tmp_path, OLD, 5)
    is_refused(SequenceGap, late, put_delta(tmp_path, OLD, NEW), out, "lists delta --base 5")


def test_another_operators_list_is_not_a_base(tmp_path, out):
    other = put_full(tmp_path, OLD, 6, operator="southtel")
    is_refused(WrongBase, other, put_delta(tmp_path, OLD, NEW), out, "southtel")


def test_a_base_with_other_rows_is_refused_even_without_a_header(tmp_path, base, out):
    base.header.unlink()
    base.rows.write_bytes(base.rows.read_bytes() + b"00100100000009,2027-03-01,stolen\r\n")
    is_refused(WrongBase, base, put_delta(tmp_path, OLD, NEW), out)


def test_a_delta_of_a_delta_is_refused(tmp_path, out):
    delta = put_delta(tmp_path, OLD, NEW)
    is_refused(WrongBase, delta, delta, out)


def test_a_full_list_given_as_delta_is_refused(tmp_path, base, out):
    is_refused(NotAList, base, put_full(tmp_path, NEW, 7), out, "full list")


def test_an_altered_delta_is_refused(tmp_path, base, out):
    delta = put_delta(tmp_path, OLD, NEW)
    delta.rows.write_bytes(delta.rows.read_bytes().replace(b"00100100000003", b"00100100000004"))
    is_refused(ListAltered, base, delta, out)


def test_a_cut_delta_is_refused_as_a_cut_one(tmp_path, base, out):
    delta = put_delta(tmp_path, OLD, NEW)
    delta.rows.write_bytes(delta.rows.read_bytes()[:-10])
    is_refused(ListTruncated, base, delta, out, "fetch it again")


def test_a_delta_by_another_key_is_refused(tmp_path, base, out):
    is_refused(WrongListKey, base, put_delta(tmp_path, OLD, NEW, key=MALLORYS_KEY), out)


def test_an_altered_header_is_refused(tmp_path, base, out):
    delta = put_delta(tmp_path, OLD, NEW)
    delta.header.write_bytes(delta.header.read_bytes().replace(b'"sequence":7', b'"sequence":8'))
    is_refused(WrongListKey, base, delta, out)


def test_a_signed_delta_whose_rows_contradict_the_base_is_refused(tmp_path, base, out):
    wrong = [("00100100000009", "2027-03-01", "stolen", "unblocked")]
    is_refused(DeltaMismatch, base, put_delta(tmp_path, OLD, NEW, changes=wrong), out)


def test_a_signed_delta_that_leads_elsewhere_than_promised_is_refused(tmp_path, base, out):
    short = list(diff_rows(BLOCKLIST, OLD, NEW))[:-1]
    is_refused(ListAltered, base, put_delta(tmp_path, OLD, NEW, changes=short), out)


@pytest.mark.parametrize("missing", ["rows", "header", "signature"])
def test_a_list_without_one_of_its_files_says_which_is_missing(base, missing):
    path = getattr(base, missing)
    path.unlink()
    with pytest.raises(NotAList, match=path.name):
        verify_list(base, PUBLIC)


def test_a_huge_file_in_the_place_of_a_header_is_not_read(base):
    base.header.write_bytes(b" " * 1_000_000)
    with pytest.raises(NotAList, match="more than"):
        verify_list(base, PUBLIC)
