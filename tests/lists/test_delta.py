"""Deltas come only from comparing full lists; applying one gives the other, for any two lists at all."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.lists import KINDS, DeltaMismatch, NotAList, apply_rows, diff_files, diff_rows, format_rows

BLOCKLIST, EXCEPTIONS = KINDS["blocklist"], KINDS["exceptions"]

DAYS = st.sampled_from(["2027-03-01", "2027-03-02"])
REASONS = st.sampled_from(["stolen", "lost|stolen", "cloned_imei"])
IMEIS = st.sampled_from([f"0010010000{n:04d}" for n in range(12)] + ["DEABFCDE2ABFEC", "35424208#*21340", 'Ω1,\r\n"'])
BLOCKLISTS = st.dictionaries(IMEIS, st.tuples(DAYS, REASONS)).map(
    lambda by_imei: [(imei, *values) for imei, values in sorted(by_imei.items())]
)
EXCEPTION_LISTS = st.sets(st.tuples(IMEIS, st.sampled_from(["001010000000001", "001010000000002"]), st.just(""))).map(
    sorted
)


def slow_diff(kind, old, new):
    """The twin: dictionaries by key, nothing streamed."""
    olds, news = {kind.key(row): row for row in old}, {kind.key(row): row for row in new}
    delta = {}
    for key in olds.keys() | news.keys():
        if key not in news:
            delta[key] = (*olds[key], kind.removed[0])
        elif key not in olds:
            delta[key] = (*news[key], kind.added)
        elif olds[key] != news[key]:
            delta[key] = (*news[key], kind.changed)
    return [delta[key] for key in sorted(delta)]


def slow_apply(kind, old, delta):
    """The twin: what an operator's engineer would write in an afternoon."""
    rows = {kind.key(row): row for row in old}
    for row in delta:
        if row[-1] in kind.removed:
            del rows[kind.key(row)]
        else:
            rows[kind.key(row)] = row[:-1]
    return [rows[key] for key in sorted(rows)]


@given(BLOCKLISTS, BLOCKLISTS)
def test_a_delta_leads_from_any_block_list_to_any_other(old, new):
    delta = list(diff_rows(BLOCKLIST, old, new))
    assert delta == slow_diff(BLOCKLIST, old, new)
    assert list(apply_rows(BLOCKLIST, old, delta)) == new
    assert slow_apply(BLOCKLIST, old, delta) == new


@pytest.mark.parametrize(("kind", "lists"), [(BLOCKLIST, BLOCKLISTS), (EXCEPTIONS, EXCEPTION_LISTS)])
@given(st.data())
def test_files_are_compared_as_their_rows_are(kind, lists, data):
    old, new = data.draw(lists), data.draw(lists)
    files = [io.BytesIO(b"".join(format_rows(kind.columns, rows))) for rows in (old, new)]
    assert list(diff_files(kind, *files)) == slow_diff(kind, old, new)


def test_a_file_of_another_kind_is_no_list_to_compare():
    files = [io.BytesIO(b"".join(format_rows(kind.columns, ()))) for kind in (BLOCKLIST, EXCEPTIONS)]
    with pytest.raises(NotAList, match="imei,block_date,reasons"):
        list(diff_files(BLOCKLIST, *files))


@given(EXCEPTION_LISTS, EXCEPTION_LISTS)
def test_a_delta_leads_from_any_exception_list_to_any_other(old, new):
    delta = list(diff_rows(EXCEPTIONS, old, new))
    assert delta == slow_diff(EXCEPTIONS, old, new)
    assert list(apply_rows(EXCEPTIONS, old, delta)) == slow_apply(EXCEPTIONS, old, delta) == new


@given(BLOCKLISTS, BLOCKLISTS, BLOCKLISTS)
def test_a_delta_applied_to_another_base_is_refused_or_gives_the_same_list(base, other, new):
    """Contradictions are seen row by row; what the rows cannot see, the digest in the header does."""
    delta = list(diff_rows(BLOCKLIST, base, new))
    try:
        result = list(apply_rows(BLOCKLIST, other, delta))
    except DeltaMismatch:
        assert other != base
    else:
        touched = {BLOCKLIST.key(row) for row in delta}
        assert [row for row in result if BLOCKLIST.key(row) in touched] == [
            row for row in new if BLOCKLIST.key(row) in touched
        ]


@given(BLOCKLISTS)
def test_equal_lists_have_an_empty_delta(rows):
    assert list(diff_rows(BLOCKLIST, rows, rows)) == []


def test_a_removed_row_says_what_it_was():
    old = [("00100100000001", "001010000000001", "", "2027-04-01", "cloned_imei", "")]
    kind = KINDS["notifications"]
    assert list(diff_rows(kind, old, [])) == [(*old[0], "resolved")]


@pytest.mark.parametrize(
    ("old", "change"),
    [
        ([("A", "2027-03-01", "stolen")], ("A", "2027-03-01", "stolen", "blocked")),
        ([], ("A", "2027-03-01", "stolen", "changed")),
        ([("A", "2027-03-01", "stolen")], ("A", "2027-03-01", "stolen", "changed")),
        ([], ("A", "2027-03-01", "stolen", "unblocked")),
        ([("A", "2027-03-02", "stolen")], ("A", "2027-03-01", "stolen", "unblocked")),
    ],
)
def test_a_change_that_contradicts_the_full_list_is_refused(old, change):
    with pytest.raises(DeltaMismatch):
        list(apply_rows(BLOCKLIST, old, [change]))


def test_a_change_word_of_another_list_is_refused():
    with pytest.raises(NotAList, match="added"):
        list(apply_rows(BLOCKLIST, [], [("A", "2027-03-01", "stolen", "added")]))
